package io.github.convzoo.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ConnectionWatchTest {

    private static final long SECOND = 1_000_000_000;

    private long now = -5 * SECOND;
    private long bytesIn;
    private int closed;

    private final ConnectionWatch watch = new ConnectionWatch(
            new ServerOptions.ConnectionLimits(10, 5, Duration.ofSeconds(10), Duration.ofSeconds(20), 1000), () -> now);

    private final EndPoint endPoint = (EndPoint) Proxy.newProxyInstance(
            EndPoint.class.getClassLoader(), new Class<?>[] {EndPoint.class}, (proxy, method, arguments) -> {
                assertThat(method.getName()).isEqualTo("close");
                closed++;
                return null;
            });

    private final Connection connection = (Connection) Proxy.newProxyInstance(
            Connection.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> switch (method.getName()) {
                case "getBytesIn" -> bytesIn;
                case "getEndPoint" -> endPoint;
                case "hashCode" -> 7;
                case "equals" -> proxy == arguments[0];
                default -> throw new UnsupportedOperationException(method.getName());
            });

    @BeforeEach
    void open() {
        watch.onOpened(connection);
    }

    private int closedAfter(long nanos) {
        now += nanos;
        bytesIn++;
        watch.check();
        return closed;
    }

    @Test
    void headers_thatTakeTooLong_closeTheConnection_once() {
        assertThat(closedAfter(10 * SECOND - 1)).isZero();
        assertThat(closedAfter(1)).isEqualTo(1);
        assertThat(closedAfter(10 * SECOND)).isEqualTo(1);
    }

    @Test
    void request_hasItsOwnDeadlines() {
        watch.of(connection).handle();

        assertThat(closedAfter(1000 * SECOND)).isZero();
    }

    @Test
    void response_hasTimeByItsLength() {
        watch.of(connection).handle();
        watch.of(connection).write(3000);

        assertThat(closedAfter(23 * SECOND - 1)).isZero();
        assertThat(closedAfter(1)).isEqualTo(1);
    }

    @Test
    void nextRequest_hasTheTimeForHeaders_fromItsFirstByte() {
        watch.of(connection).handle();
        bytesIn = 50;
        watch.of(connection).write(0);
        watch.of(connection).finish();
        now += 1000 * SECOND;
        watch.check();
        assertThat(closed).isZero();

        assertThat(closedAfter(0)).isZero();
        assertThat(closedAfter(10 * SECOND - 1)).isZero();
        assertThat(closedAfter(1)).isEqualTo(1);
    }

    @Test
    void connection_thatIsClosed_isForgotten() {
        watch.onClosed(connection);

        assertThat(closedAfter(1000 * SECOND)).isZero();
        watch.of(connection).handle();
        assertThat(closedAfter(1000 * SECOND)).isZero();
    }

    @Test
    void client_isAnIpv4Address_orAnIpv6Network() throws UnknownHostException {
        assertThat(client("10.0.0.1")).isEqualTo(client("10.0.0.1")).isNotEqualTo(client("10.0.0.2"));
        assertThat(client("2001:db8:1:2::3"))
                .isEqualTo(client("2001:db8:1:2:ffff::9"))
                .isNotEqualTo(client("2001:db8:1:3::3"));
    }

    private static Object client(String address) throws UnknownHostException {
        return ClientLimit.client(InetAddress.getByName(address));
    }
}
