package io.github.convzoo.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AccessRulesTest {

    private static AccessRules rules(String host, String... names) {
        return new AccessRules(host, new ServerOptions.Access(Optional.empty(), Set.of(names), false), () -> 8080);
    }

    private static void refused(Problem.Kind kind, ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(Problem.class, problem -> assertThat(problem.kind())
                .isEqualTo(kind));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1:8080",
                "127.0.0.1",
                "localhost",
                "LocalHost:8080",
                "[::1]:8080",
                "[::1]",
                "zoo.example:443"
            })
    void host_ofThisServer_isAccepted(String host) {
        assertThatCode(() -> rules("127.0.0.1", "Zoo.example").requireOwnHost(host, null))
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "evil.example:8080",
                "127.0.0.1.evil.example",
                "127.0.0.2:8080",
                "[::2]:8080",
                "",
                "localhost:9",
                "127.0.0.1:80",
                "localhost:08080"
            })
    void host_ofAnother_isRefusedOnTheLoopbackInterface(String host) {
        refused(Problem.Kind.WRONG_HOST, () -> rules("127.0.0.1").requireOwnHost(host, null));
    }

    @Test
    void host_thatIsMissing_isRefusedOnTheLoopbackInterface() {
        refused(Problem.Kind.WRONG_HOST, () -> rules("localhost").requireOwnHost(null, null));
    }

    @Test
    void host_ofAnyName_isAcceptedOnOtherInterfaces_unlessNamesAreGiven() {
        assertThatCode(() -> rules("0.0.0.0").requireOwnHost("zoo.default.svc:8080", null))
                .doesNotThrowAnyException();
        refused(Problem.Kind.WRONG_HOST, () -> rules("0.0.0.0", "zoo").requireOwnHost("other", null));
    }

    @Test
    void host_withAPort_isThatNameWithThatPort() {
        AccessRules rules = rules("127.0.0.1", "zoo.example:8443", "localhost:9000", "other.example");

        for (String host : new String[] {"zoo.example:8443", "localhost:9000", "localhost:8080", "other.example:1"}) {
            assertThatCode(() -> rules.requireOwnHost(host, null)).doesNotThrowAnyException();
        }
        for (String host : new String[] {"zoo.example:8444", "zoo.example", "localhost:9001"}) {
            refused(Problem.Kind.WRONG_HOST, () -> rules.requireOwnHost(host, null));
        }
        assertThatThrownBy(() -> rules.requireOwnHost("x:1", null))
                .hasMessageContaining("use 127.0.0.1:8080, [::1]:8080, localhost:8080, localhost:9000, other.example,"
                        + " zoo.example:8443,")
                .hasMessageContaining("--allowed-host");
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1:8080, http://127.0.0.1:8080",
        "localhost, http://localhost",
        "localhost:8080, https://localhost:8080",
        "zoo.example:80, http://ZOO.example:80"
    })
    void origin_ofTheOwnPage_isAccepted(String host, String origin) {
        assertThatCode(() -> rules("127.0.0.1", "zoo.example").requireOwnHost(host, origin))
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "http://evil.example",
                "http://127.0.0.1:8081",
                "http://127.0.0.1",
                "http://127.0.0.1:8080.evil.example",
                "ftp://127.0.0.1:8080"
            })
    void origin_ofAnotherPage_isRefused(String origin) {
        refused(Problem.Kind.FORBIDDEN, () -> rules("127.0.0.1").requireOwnHost("127.0.0.1:8080", origin));
        refused(Problem.Kind.FORBIDDEN, () -> rules("0.0.0.0").requireOwnHost("127.0.0.1:8080", origin));
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1, true",
        "127.9.9.9, true",
        "localhost, true",
        "::1, true",
        "0.0.0.0, false",
        "10.0.0.1, false"
    })
    void loopback_ofAddresses_isRecognized(String host, boolean loopback) {
        assertThat(AccessRules.isLoopback(host)).isEqualTo(loopback);
    }

    @Test
    void key_thatIsRight_isAcceptedInEitherHeader() {
        AccessRules rules = new AccessRules(
                "0.0.0.0", new ServerOptions.Access(Optional.of("secret"), Set.of(), false), () -> 8080);

        assertThatCode(() -> rules.requireKey("Bearer secret", null)).doesNotThrowAnyException();
        assertThatCode(() -> rules.requireKey("bearer  secret ", null)).doesNotThrowAnyException();
        assertThatCode(() -> rules.requireKey(null, "secret")).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @CsvSource({
        "Bearer wrong,",
        "Bearer secret2,",
        "Bearer secre,",
        "Basic secret,",
        "secret,",
        "Bearer,",
        ", SECRET",
        ", ''",
        "Bearer secret, wrong",
        ","
    })
    void key_thatIsWrongOrMissing_isRefused(String authorization, String apiKey) {
        AccessRules rules = new AccessRules(
                "0.0.0.0", new ServerOptions.Access(Optional.of("secret"), Set.of(), false), () -> 8080);

        refused(Problem.Kind.UNAUTHORIZED, () -> rules.requireKey(authorization, apiKey));
    }

    @Test
    void key_thatIsNotRequired_isIgnored() {
        assertThatCode(() -> rules("0.0.0.0").requireKey(null, null)).doesNotThrowAnyException();
        assertThatCode(() -> rules("0.0.0.0").requireKey("Bearer any", "other")).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "with blank", "line\n", "schl\u00fcssel"})
    void key_thatNoHeaderCouldHold_isRefused(String key) {
        assertThatThrownBy(() -> new ServerOptions.Access(Optional.of(key), Set.of(), false))
                .hasMessageContaining("API key");
    }
}
