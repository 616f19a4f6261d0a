package io.github.convzoo.serve;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * How to serve.
 *
 * @param host the address to listen on
 * @param port the port; 0 for any free one
 * @param access who may use the server
 * @param batching how images are collected into batches
 * @param limits the limits of a request
 * @param workers the number of threads that compute, and of those that decode; at least 1
 */
public record ServerOptions(
        String host, int port, Access access, Batching batching, RequestLimits limits, int workers) {

    private static final int MAX_PORT = 65_535;

    /**
     * Validates the numbers.
     *
     * @throws IllegalArgumentException if the port or the number of workers is out of range
     */
    public ServerOptions {
        if (port < 0 || port > MAX_PORT) {
            throw new IllegalArgumentException("the port must be 0 to " + MAX_PORT + ", not " + port);
        }
        atLeastOne("the number of workers", workers);
    }

    /**
     * Who may use the server.
     *
     * @param apiKey what requests must have; empty for none
     * @param hosts other names of this server, of a proxy for example, that requests may use
     * @param urls whether the server fetches images that requests name by URL
     */
    public record Access(Optional<String> apiKey, Set<String> hosts, boolean urls) {

        /** The usual: no key, no other names, no URLs. */
        public static final Access DEFAULT = new Access(Optional.empty(), Set.of(), false);

        /**
         * Copies the names.
         *
         * @throws IllegalArgumentException if the key could not be sent in a header
         */
        public Access {
            hosts = Set.copyOf(hosts);
            if (apiKey.isPresent() && !apiKey.get().matches("[!-~]+")) {
                throw new IllegalArgumentException(
                        "an API key has at least 1 character, and only ASCII letters," + " digits, and punctuation");
            }
        }
    }

    /**
     * How images are collected into batches.
     *
     * @param size the largest batch; empty for the model's usual
     * @param delay how long the first image of a batch waits for others
     * @param queue how many images of a model may wait
     * @param deadline how long after its headers arrived a request's computation must have begun
     */
    public record Batching(OptionalInt size, Duration delay, int queue, Duration deadline) {

        /** The model's usual batch size, no delay, 128 images in the queue, 30 seconds. */
        public static final Batching DEFAULT =
                new Batching(OptionalInt.empty(), Duration.ZERO, 128, Duration.ofSeconds(30));

        /**
         * Validates the numbers.
         *
         * @throws IllegalArgumentException if one is out of range
         */
        public Batching {
            size.ifPresent(value -> atLeastOne("the batch size", value));
            if (delay.isNegative() || delay.compareTo(deadline) >= 0) {
                throw new IllegalArgumentException("the batch delay must be at least 0 and shorter than the deadline ("
                        + deadline.toMillis() + " ms), not " + delay.toMillis() + " ms");
            }
            atLeastOne("the queue", queue);
        }
    }

    /**
     * The limits of requests.
     *
     * @param bytes the length of a body
     * @param images the number of a request's images; at most the queue's length
     * @param memory the bytes that all requests take together: bodies, and answers until they are written
     * @param readTime how long a body may take to arrive
     * @param connections the limits of connections
     */
    public record RequestLimits(int bytes, int images, long memory, Duration readTime, ConnectionLimits connections) {

        /** 32 MiB, 64 images, a quarter of the heap, and 30 seconds. */
        public static final RequestLimits DEFAULT = new RequestLimits(
                32 << 20, 64, Runtime.getRuntime().maxMemory() / 4, Duration.ofSeconds(30), ConnectionLimits.DEFAULT);

        /**
         * Validates the numbers.
         *
         * @throws IllegalArgumentException if one is out of range
         */
        public RequestLimits {
            atLeastOne("the largest request", bytes);
            atLeastOne("the number of images per request", images);
            // A single request must fit, with its answer.
            memory = Math.max(memory, 2L * bytes);
            positive("the time for a request to arrive", readTime);
        }
    }

    /**
     * The limits of connections.
     *
     * @param all the number of open connections
     * @param perClient the number of open connections of one IPv4 address, or of one IPv6 network (/64)
     * @param headerTime how long URL and headers may take to arrive: from the start of the connection, then from the
     *     first byte of each request
     * @param writeTime how long a client may take to read any response
     * @param writeRate the bytes per second that a client must read of a large one, in addition to that time
     */
    public record ConnectionLimits(int all, int perClient, Duration headerTime, Duration writeTime, int writeRate) {

        /** 1024 connections, a quarter of them from one address, 30 seconds each, and 16 KiB per second. */
        public static final ConnectionLimits DEFAULT =
                new ConnectionLimits(1024, 256, Duration.ofSeconds(30), Duration.ofSeconds(30), 16 << 10);

        /**
         * Validates the numbers.
         *
         * @throws IllegalArgumentException if one is out of range
         */
        public ConnectionLimits {
            atLeastOne("the number of connections", all);
            atLeastOne("the number of connections per client", perClient);
            atLeastOne("the rate of reading", writeRate);
            positive("the time for headers to arrive", headerTime);
            positive("the time to read a response", writeTime);
        }
    }

    private static void positive(String name, Duration time) {
        if (time.isNegative() || time.isZero()) {
            throw new IllegalArgumentException(name + " must be positive, not " + time.toMillis() + " ms");
        }
    }

    private static void atLeastOne(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1, not " + value);
        }
    }
}
