package io.github.convzoo.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StoreSettingsTest {

    @Test
    void fromEnvironment_nothingSet_isThePublicHubAndTheUsersCaches() {
        StoreSettings settings = StoreSettings.fromEnvironment(name -> null);
        assertThat(settings.endpoints()).containsExactly(URI.create("https://huggingface.co"));
        assertThat(settings.token()).isNull();
        assertThat(settings.offline()).isNull();
        assertThat(settings.hubCache())
                .isEqualTo(Path.of(System.getProperty("user.home"), ".cache", "huggingface", "hub"));
        assertThat(settings.transfers()).isEqualTo(TransferSettings.standard());
    }

    @Test
    void fromEnvironment_everythingSet_isTaken() {
        Map<String, String> environment = Map.of(
                "HF_ENDPOINT", "https://a.example/, http://b.example:8080/hub",
                "CONVZOO_MIRROR", "http://c.example/weights/",
                "HF_TOKEN", " hf_secret ",
                "HF_HOME", "home",
                "DJL_CACHE_DIR", "djl");
        StoreSettings settings = StoreSettings.fromEnvironment(environment::get);
        assertThat(settings.endpoints())
                .containsExactly(URI.create("https://a.example"), URI.create("http://b.example:8080/hub"));
        assertThat(settings.mirrors()).containsExactly(URI.create("http://c.example/weights"));
        assertThat(settings.token()).isEqualTo("hf_secret");
        assertThat(settings.hubCache()).isEqualTo(Path.of("home", "hub"));
        assertThat(settings.cache()).isEqualTo(Path.of("djl"));
        assertThat(settings.toString()).contains("token=set").doesNotContain("hf_secret");
    }

    @ParameterizedTest
    @CsvSource({
        "HF_HUB_OFFLINE, 1, HF_HUB_OFFLINE=1",
        "HF_HUB_OFFLINE, Yes, HF_HUB_OFFLINE=Yes",
        "HF_HUB_OFFLINE, 0,",
        "DJL_OFFLINE, true, DJL_OFFLINE=true",
        "DJL_OFFLINE, false,",
    })
    void offline_variables_areReadAsTheirOwnersReadThem(String name, String value, String expected) {
        assertThat(StoreSettings.fromEnvironment(Map.of(name, value)::get).offline())
                .isEqualTo(expected);
    }

    @Test
    void offline_djlsProperty_counts() {
        System.setProperty("ai.djl.offline", "true");
        try {
            assertThat(StoreSettings.fromEnvironment(name -> null).offline()).isEqualTo("-Dai.djl.offline=true");
            assertThat(StoreSettings.fromEnvironment(Map.of("DJL_OFFLINE", "false")::get)
                            .offline())
                    .isNull();
        } finally {
            System.clearProperty("ai.djl.offline");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"huggingface.co", "ftp://a.example", "https://", "a b"})
    void endpoint_noWebAddress_isRefused(String endpoint) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> StoreSettings.fromEnvironment(Map.of("HF_ENDPOINT", endpoint)::get))
                .withMessageContaining("https://huggingface.co");
    }

    @Test
    void mirror_noWebAddress_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> StoreSettings.fromEnvironment(Map.of("CONVZOO_MIRROR", "intern")::get))
                .withMessageContaining("a mirror (CONVZOO_MIRROR) must be a URL like");
    }

    @Test
    void fromEnvironment_limitsOfDownloads_areTaken() {
        Map<String, String> environment = Map.of(
                "CONVZOO_MAX_DOWNLOAD", "8G", "CONVZOO_MAX_DOWNLOAD_TIME", "90", "CONVZOO_MIN_DOWNLOAD_RATE", "2k");
        TransferSettings transfers =
                StoreSettings.fromEnvironment(environment::get).transfers();
        assertThat(transfers.maxBytes()).isEqualTo(8L << 30);
        assertThat(transfers.longestTime()).isEqualTo(Duration.ofSeconds(90));
        assertThat(transfers.leastRate()).isEqualTo(2048);
        assertThat(transfers.rateTime()).isEqualTo(Duration.ofMinutes(3));
        assertThat(StoreSettings.fromEnvironment(Map.of("CONVZOO_MIN_DOWNLOAD_RATE", "0")::get)
                        .transfers()
                        .leastRate())
                .isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "CONVZOO_MAX_DOWNLOAD, 0",
        "CONVZOO_MAX_DOWNLOAD, -1",
        "CONVZOO_MAX_DOWNLOAD, 8T",
        "CONVZOO_MAX_DOWNLOAD, 99999999999999999999",
        "CONVZOO_MAX_DOWNLOAD_TIME, 0",
        "CONVZOO_MIN_DOWNLOAD_RATE, fast",
    })
    void fromEnvironment_limitThatIsNone_isRefusedByName(String name, String value) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> StoreSettings.fromEnvironment(Map.of(name, value)::get))
                .withMessageContaining(name + " must be a whole number")
                .withMessageContaining("not " + value);
    }

    @Test
    void token_withALineBreak_isRefusedAndNotShown() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> StoreSettings.fromEnvironment(Map.of("HF_TOKEN", "hf_a\r\nX: b")::get))
                .withMessageContaining("HF_TOKEN")
                .withMessageNotContainingAny("hf_a");
    }
}
