package io.github.convzoo.serve;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * Closes connections on which too little happens. Jetty's idle timeout restarts with each byte, so a client that sends
 * or reads a byte now and then would keep its connection, and the memory of its response, for hours.
 *
 * <p>A connection is in one of these phases:
 *
 * <ol>
 *   <li>Its first request is to arrive: URL and headers must be there in time.
 *   <li>A request is read, decoded, and computed, which have their own deadlines.
 *   <li>The response is written: the client must have read it in time.
 *   <li>It waits for another request, until Jetty's idle timeout. With the first byte, it is as in phase 1.
 * </ol>
 *
 * <p>The phase changes without locks, and one task looks at all connections now and then, so a request does not pay for
 * a timer.
 */
final class ConnectionWatch implements Connection.Listener {

    /** How often connections are looked at, unless a shorter time is allowed. */
    private static final long PERIOD_MILLIS = 1000;

    private final ServerOptions.ConnectionLimits limits;
    private final LongSupplier clock;
    private final Map<Connection, Watched> connections = new ConcurrentHashMap<>();

    /**
     * Creates a watch.
     *
     * @param clock nanoseconds, as of {@link System#nanoTime}
     */
    ConnectionWatch(ServerOptions.ConnectionLimits limits, LongSupplier clock) {
        this.limits = limits;
        this.clock = clock;
    }

    private sealed interface Phase {

        /** A time until which something must have happened. */
        record Due(long deadline, String what) implements Phase {}

        /** A request that has its own deadlines. */
        record Handled() implements Phase {}

        /** Nothing has arrived after so many bytes. */
        record Idle(long bytes) implements Phase {}

        /** It was closed. */
        record Closed() implements Phase {}
    }

    /** A connection with its phase. */
    final class Watched {

        private final Connection connection;
        private final AtomicReference<Phase> phase = new AtomicReference<>(headers());

        private Watched(Connection connection) {
            this.connection = connection;
        }

        /** A request has arrived, up to its body. */
        void handle() {
            phase.set(new Phase.Handled());
        }

        /**
         * The client is to read a response.
         *
         * @param bytes its length
         */
        void write(long bytes) {
            long nanos = limits.writeTime().toNanos() + TimeUnit.SECONDS.toNanos(bytes) / limits.writeRate();
            phase.set(new Phase.Due(clock.getAsLong() + nanos, "the client reads its response too slowly"));
        }

        /** The response is written, and another request may follow. */
        void finish() {
            phase.set(new Phase.Idle(connection.getBytesIn()));
        }

        private Phase headers() {
            return new Phase.Due(
                    clock.getAsLong() + limits.headerTime().toNanos(), "the request's headers arrive too slowly");
        }

        private void check(long now) {
            Phase current = phase.get();
            if (current instanceof Phase.Idle idle && connection.getBytesIn() != idle.bytes) {
                phase.compareAndSet(current, headers());
            } else if (current instanceof Phase.Due due
                    && now - due.deadline >= 0
                    && phase.compareAndSet(current, new Phase.Closed())) {
                connection.getEndPoint().close(new TimeoutException(due.what));
            }
        }
    }

    @Override
    public void onOpened(Connection connection) {
        connections.put(connection, new Watched(connection));
    }

    @Override
    public void onClosed(Connection connection) {
        connections.remove(connection);
    }

    /** An open connection; a new one if it is already closed, which changes nothing. */
    Watched of(Connection connection) {
        Watched watched = connections.get(connection);
        return watched == null ? new Watched(connection) : watched;
    }

    /** Looks at all connections now and then, until the scheduler stops. */
    void start(Scheduler scheduler) {
        long shortest =
                Math.min(limits.headerTime().toMillis(), limits.writeTime().toMillis());
        long period = Math.max(1, Math.min(PERIOD_MILLIS, shortest / 4));
        scheduler.schedule(
                () -> {
                    try {
                        check();
                    } finally {
                        start(scheduler);
                    }
                },
                period,
                TimeUnit.MILLISECONDS);
    }

    /** Closes the connections whose time is over. */
    void check() {
        long now = clock.getAsLong();
        connections.values().forEach(watched -> watched.check(now));
    }
}
