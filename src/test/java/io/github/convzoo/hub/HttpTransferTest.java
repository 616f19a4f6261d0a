package io.github.convzoo.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.net.http.HttpHeaders;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpTransferTest {

    @ParameterizedTest
    @CsvSource({
        "https://a.example/x/y, z?q=1, https://a.example/x/z?q=1",
        "https://a.example/x/y, /z, https://a.example/z",
        "https://a.example/x/y, //b.example/z, https://b.example/z",
        "http://a.example/x/y, https://b.example/z, https://b.example/z",
    })
    void target_relativeOrAbsolute_isResolved(URI from, String location, URI to) throws Exception {
        assertThat(HttpTransfer.target(from, headers("Location", location))).isEqualTo(to);
    }

    @ParameterizedTest
    @CsvSource({
        "http://b.example/z, from https to http://b.example/z",
        "file:///etc/passwd, which is not a web address",
        "http:///z, which is not a web address",
        "'', which is not a web address",
        "'http://[', redirected to an invalid URL",
    })
    void target_downgradeOrNoWebAddress_isRefused(String location, String message) {
        assertThatThrownBy(() -> HttpTransfer.target(URI.create("https://a.example/x"), headers("Location", location)))
                .isInstanceOf(TransferException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource({
        "https://a.example/x, https://A.example:443/y, true",
        "https://a.example/x, http://a.example/y, true",
        "http://a.example/x, https://a.example/y, false",
        "https://b.a.example/x, https://a.example/y, false",
        "http://a.example:81/x, http://a.example:80/y, false",
        "https://a.example:81/x, http://a.example:81/y, false",
    })
    void sameServer_hostPortAndScheme_count(URI to, URI endpoint, boolean same) {
        assertThat(HttpTransfer.sameServer(to, endpoint)).isEqualTo(same);
    }

    @Test
    void retryAfter_secondsDateOrNonsense_areUnderstood() {
        ZonedDateTime soon = ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(100);
        String date = soon.format(DateTimeFormatter.RFC_1123_DATE_TIME);
        assertThat(HttpTransfer.retryAfter(headers("Retry-After", "7"))).isEqualTo(Duration.ofSeconds(7));
        assertThat(HttpTransfer.retryAfter(headers("Retry-After", date)))
                .isBetween(Duration.ofSeconds(60), Duration.ofSeconds(100));
        assertThat(HttpTransfer.retryAfter(headers("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT")))
                .isEqualTo(Duration.ZERO);
        assertThat(HttpTransfer.retryAfter(headers("Retry-After", "later"))).isNull();
    }

    private static HttpHeaders headers(String name, String value) {
        return HttpHeaders.of(Map.of(name, List.of(value)), (a, b) -> true);
    }
}
