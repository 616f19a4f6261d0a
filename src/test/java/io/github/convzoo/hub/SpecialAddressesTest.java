package io.github.convzoo.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A pure function of addresses: nothing here connects to anything. */
class SpecialAddressesTest {

    /** The first and the last address of each block, and those before and behind it; "-" if these are special, too. */
    @ParameterizedTest
    @CsvSource({
        "-, 0.0.0.0, 0.255.255.255, 1.0.0.0",
        "9.255.255.255, 10.0.0.0, 10.255.255.255, 11.0.0.0",
        "100.63.255.255, 100.64.0.0, 100.127.255.255, 100.128.0.0",
        "126.255.255.255, 127.0.0.0, 127.255.255.255, 128.0.0.0",
        "169.253.255.255, 169.254.0.0, 169.254.255.255, 169.255.0.0",
        "172.15.255.255, 172.16.0.0, 172.31.255.255, 172.32.0.0",
        "191.255.255.255, 192.0.0.0, 192.0.0.255, 192.0.1.0",
        "192.0.1.255, 192.0.2.0, 192.0.2.255, 192.0.3.0",
        "192.88.98.255, 192.88.99.0, 192.88.99.255, 192.88.100.0",
        "192.167.255.255, 192.168.0.0, 192.168.255.255, 192.169.0.0",
        "198.17.255.255, 198.18.0.0, 198.19.255.255, 198.20.0.0",
        "198.51.99.255, 198.51.100.0, 198.51.100.255, 198.51.101.0",
        "203.0.112.255, 203.0.113.0, 203.0.113.255, 203.0.114.0",
        "223.255.255.255, 224.0.0.0, 255.255.255.255, -",
        "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff, 2001::, 2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff, 2001:200::",
        "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff, 2001:db8::, 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff, 2001:db9::",
        "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff, 2002::, 2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff, 2003::",
        "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff, 3fff::, 3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff, 3fff:1000::",
        "-, ::, 1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff, 2000::",
        "-, 4000::, ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff, -",
    })
    void isPublic_atTheBordersOfABlock_isFalseInsideOnly(String before, String first, String last, String behind)
            throws UnknownHostException {
        assertThat(isPublic(first)).isFalse();
        assertThat(isPublic(last)).isFalse();
        assertThat(before.equals("-") || isPublic(before)).isTrue();
        assertThat(behind.equals("-") || isPublic(behind)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "::1",
                "::127.0.0.1",
                "::8.8.8.8",
                "::ffff:127.0.0.1",
                "::ffff:0:127.0.0.1",
                "64:ff9b::127.0.0.1",
                "64:ff9b::169.254.169.254",
                "64:ff9b::10.0.0.1",
                "64:ff9b::100.64.0.1",
                "64:ff9b:1::8.8.8.8",
                "100::1",
                "100:0:0:1::1",
                "2001::1",
                "2001:0:4136:e378:8000:63bf:3fff:fdd2",
                "2001:2::1",
                "2001:10::1",
                "2001:20::1",
                "2002:7f00:1::1",
                "2002:a00:1::1",
                "2002:808:808::1",
                "5f00::1",
                "fc00::1",
                "fd00::1",
                "fe80::1",
                "fec0::1",
                "ff02::1",
            })
    void isPublic_ofSpecialAddresses_isFalse(String address) throws UnknownHostException {
        assertThat(isPublic(address)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "8.8.8.8",
                "192.31.196.1",
                "192.52.193.1",
                "192.175.48.1",
                "::ffff:8.8.8.8",
                "64:ff9b::8.8.8.8",
                "2001:4860:4860::8888",
                "2606:4700::1111",
                "2620:4f:8000::1",
                "2a00:1450:4001::1",
            })
    void isPublic_ofServersOfTheInternet_isTrue(String address) throws UnknownHostException {
        assertThat(isPublic(address)).isTrue();
    }

    /** Java unpacks such addresses before anybody sees them, unless they come as bytes with a scope. */
    @Test
    void isPublic_ofMappedBytes_isThatOfWhatTheyHold() {
        assertThat(SpecialAddresses.isPublic(HexFormat.of().parseHex("00000000000000000000ffff7f000001")))
                .isFalse();
        assertThat(SpecialAddresses.isPublic(HexFormat.of().parseHex("00000000000000000000ffff08080808")))
                .isTrue();
        assertThat(SpecialAddresses.isPublic(HexFormat.of().parseHex("00000000000000000001ffff08080808")))
                .isFalse();
    }

    @Test
    void isPublic_ofNames_goesByTheirAddresses() {
        assertThat(SpecialAddresses.isPublic("127.0.0.1")).isFalse();
        assertThat(SpecialAddresses.isPublic("127.1")).isFalse();
        assertThat(SpecialAddresses.isPublic("2130706433")).isFalse();
        assertThat(SpecialAddresses.isPublic("[::1]")).isFalse();
        assertThat(SpecialAddresses.isPublic("localhost")).isFalse();
        assertThat(SpecialAddresses.isPublic("[2606:4700::1111]")).isTrue();
        assertThat(SpecialAddresses.isPublic("host.invalid")).isTrue();
    }

    private static boolean isPublic(String address) throws UnknownHostException {
        return SpecialAddresses.isPublic(InetAddress.getByName(address));
    }
}
