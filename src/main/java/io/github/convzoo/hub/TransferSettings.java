package io.github.convzoo.hub;

import java.time.Duration;

/**
 * Download settings: timeouts, retries, limits.
 *
 * @param connectTimeout the time limit for connecting
 * @param idleTimeout the time limit for silence, before and during a response
 * @param attempts the number of attempts per URL without progress; 1 for no retries
 * @param firstDelay the delay before the first retry, doubled for each further one
 * @param longestDelay the maximum delay before a retry, whatever the server requests
 * @param maxBytes the maximum file size, in bytes
 * @param leastRate the minimum rate, in bytes per second averaged over {@code rateTime}; if a server is slower, the
 *     download moves on to the next address; 0 for any rate
 * @param rateTime the interval over which the rate is measured
 * @param longestTime the time limit for one file, including retries and all addresses
 */
public record TransferSettings(
        Duration connectTimeout,
        Duration idleTimeout,
        int attempts,
        Duration firstDelay,
        Duration longestDelay,
        long maxBytes,
        long leastRate,
        Duration rateTime,
        Duration longestTime) {

    private static final long LEAST_RATE = 1024;
    private static final Duration RATE_TIME = Duration.ofMinutes(3);
    private static final Duration LONGEST_TIME = Duration.ofHours(12);

    /**
     * Validates the values.
     *
     * @throws IllegalArgumentException if a time or a number is not positive, or the rate is negative
     */
    public TransferSettings {
        positive("connectTimeout", connectTimeout);
        positive("idleTimeout", idleTimeout);
        positive("firstDelay", firstDelay);
        positive("longestDelay", longestDelay);
        positive("rateTime", rateTime);
        positive("longestTime", longestTime);
        if (attempts < 1 || maxBytes < 1) {
            throw new IllegalArgumentException(
                    "attempts and maxBytes must be at least 1, not " + attempts + " and " + maxBytes);
        }
        if (leastRate < 0) {
            throw new IllegalArgumentException("leastRate must be at least 0, not " + leastRate);
        }
    }

    /**
     * Creates settings like {@link #standard()}, except for the given values.
     *
     * @param connectTimeout the time limit for connecting
     * @param idleTimeout the time limit for silence
     * @param attempts the number of attempts
     * @param firstDelay the minimum delay
     * @param longestDelay the maximum delay
     * @param maxBytes the maximum file size in bytes
     * @throws IllegalArgumentException if a time or a number is not positive
     */
    public TransferSettings(
            Duration connectTimeout,
            Duration idleTimeout,
            int attempts,
            Duration firstDelay,
            Duration longestDelay,
            long maxBytes) {
        this(
                connectTimeout,
                idleTimeout,
                attempts,
                firstDelay,
                longestDelay,
                maxBytes,
                LEAST_RATE,
                RATE_TIME,
                LONGEST_TIME);
    }

    /**
     * {@return settings for downloading the published files over the internet: 15 s to connect, 30 s of silence, 5
     * attempts, delays of 1 s to 60 s, 4 GiB, 1 KiB/s over 3 minutes, 12 hours}
     */
    public static TransferSettings standard() {
        return new TransferSettings(
                Duration.ofSeconds(15),
                Duration.ofSeconds(30),
                5,
                Duration.ofSeconds(1),
                Duration.ofSeconds(60),
                4L << 30);
    }

    /**
     * {@return these settings with another maximum size}
     *
     * @param bytes the maximum file size, in bytes
     * @throws IllegalArgumentException if it is not positive
     */
    public TransferSettings withMaxBytes(long bytes) {
        return new TransferSettings(
                connectTimeout,
                idleTimeout,
                attempts,
                firstDelay,
                longestDelay,
                bytes,
                leastRate,
                rateTime,
                longestTime);
    }

    /**
     * {@return these settings with another minimum rate}
     *
     * @param bytesPerSecond the minimum rate; 0 for any rate
     * @param over the interval over which the rate is measured
     * @throws IllegalArgumentException if the rate is negative, or the time is not positive
     */
    public TransferSettings withLeastRate(long bytesPerSecond, Duration over) {
        return new TransferSettings(
                connectTimeout,
                idleTimeout,
                attempts,
                firstDelay,
                longestDelay,
                maxBytes,
                bytesPerSecond,
                over,
                longestTime);
    }

    /**
     * {@return these settings with another time limit}
     *
     * @param time the time limit for one file
     * @throws IllegalArgumentException if it is not positive
     */
    public TransferSettings withLongestTime(Duration time) {
        return new TransferSettings(
                connectTimeout, idleTimeout, attempts, firstDelay, longestDelay, maxBytes, leastRate, rateTime, time);
    }

    private static void positive(String name, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException(name + " must be positive, not " + value);
        }
    }
}
