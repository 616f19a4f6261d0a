package io.github.convzoo.hub;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Addresses that do not belong to an internet server: this machine's, those of private networks, and those reserved for
 * examples, benchmarks, or transition.
 *
 * <p>Sources: IANA, IPv4 Special-Purpose Address Registry (RFC 6890), IPv6 Special-Purpose Address Registry, and the
 * registries of multicast addresses and of the IPv6 address space. Their globally reachable entries are omitted, except
 * those inside 192.0.0.0/24 and 2001::/23: these blocks are listed as a whole, because they serve neither images nor
 * weights.
 */
public final class SpecialAddresses {

    /** Entries of the IPv4 registry that are not globally reachable, and multicast. */
    private static final List<Block> IPV4 = blocks(
            "0.0.0.0/8", // this network
            "10.0.0.0/8", // private use
            "100.64.0.0/10", // shared by carriers
            "127.0.0.0/8", // loopback
            "169.254.0.0/16", // link local
            "172.16.0.0/12", // private use
            "192.0.0.0/24", // protocol assignments
            "192.0.2.0/24", // documentation
            "192.88.99.0/24", // former 6to4 relays
            "192.168.0.0/16", // private use
            "198.18.0.0/15", // benchmarks
            "198.51.100.0/24", // documentation
            "203.0.113.0/24", // documentation
            "224.0.0.0/4", // multicast
            "240.0.0.0/4"); // reserved, and broadcast

    /** Entries of the IPv6 registry that are not globally reachable, or only through a relay, and multicast. */
    private static final List<Block> IPV6 = blocks(
            "::/128", // unspecified
            "::1/128", // loopback
            "64:ff9b:1::/48", // translation to IPv4 within a network
            "100::/64", // discarded
            "100:0:0:1::/64", // dummy
            "2001::/23", // protocol assignments: Teredo, benchmarks, ORCHID
            "2001:db8::/32", // documentation
            "2002::/16", // 6to4
            "3fff::/20", // documentation
            "5f00::/16", // segment routing
            "fc00::/7", // unique local
            "fe80::/10", // link local
            "ff00::/8"); // multicast

    /** Nothing is assigned outside this block, so other addresses are not public either. */
    private static final Block UNICAST = Block.of("2000::/3");

    /**
     * The form of an IPv4-only server's address in an IPv6-only network: the last four bytes are its address (RFC
     * 6052).
     */
    private static final Block TRANSLATED = Block.of("64:ff9b::/96");

    /** The form of IPv4 addresses as IPv6 (RFC 4291), ::ffff:0:0/96. */
    private static final byte[] MAPPED = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte) 0xff, (byte) 0xff};

    private SpecialAddresses() {}

    /**
     * {@return whether an internet server can have an address: false for every address of this machine, of a private
     * network, or of a reserved block}
     *
     * @param address an address; an IPv4 address inside IPv6 counts as itself
     */
    public static boolean isPublic(InetAddress address) {
        return isPublic(address.getAddress());
    }

    static boolean isPublic(byte[] address) {
        if (address.length == 4) {
            return IPV4.stream().noneMatch(block -> block.holds(address));
        }
        boolean mapped = Arrays.equals(address, 0, MAPPED.length, MAPPED, 0, MAPPED.length);
        if (mapped || TRANSLATED.holds(address)) {
            return isPublic(Arrays.copyOfRange(address, MAPPED.length, address.length));
        }
        return UNICAST.holds(address) && IPV6.stream().noneMatch(block -> block.holds(address));
    }

    /**
     * {@return whether an internet server can have a host name: false if one of its addresses is not public; true if it
     * cannot be resolved here, for example behind a proxy}
     */
    static boolean isPublic(String host) {
        try {
            return Stream.of(InetAddress.getAllByName(host)).allMatch(SpecialAddresses::isPublic);
        } catch (UnknownHostException e) {
            return true;
        }
    }

    private static List<Block> blocks(String... texts) {
        return Stream.of(texts).map(Block::of).toList();
    }

    /** The addresses that start with the same bits. */
    private static final class Block {
        private final byte[] start;
        private final int bits;

        private Block(byte[] start, int bits) {
            this.start = start;
            this.bits = bits;
        }

        static Block of(String text) {
            String[] parts = text.split("/", 2);
            try {
                // An address literal, so there is no name lookup.
                return new Block(InetAddress.getByName(parts[0]).getAddress(), Integer.parseInt(parts[1]));
            } catch (UnknownHostException e) {
                throw new IllegalArgumentException(e);
            }
        }

        boolean holds(byte[] address) {
            if (address.length != start.length) {
                return false;
            }
            for (int i = 0; i < bits; i++) {
                int mask = 0x80 >> (i % 8);
                if ((address[i / 8] & mask) != (start[i / 8] & mask)) {
                    return false;
                }
            }
            return true;
        }
    }
}
