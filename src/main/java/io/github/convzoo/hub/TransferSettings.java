package io.github.convzoo.hub;

import java.time.Duration;

/**
 * How to download: timeouts, retries, limits.
 *
 * @param connectTimeout how long a connection may take to be made
 * @param idleTimeout how long a server may send nothing, before its answer and within it
 * @param attempts how often to try one URL without getting on; 1 for no retries
 * @param firstDelay the pause before the first retry, which doubles with each further one
 * @param longestDelay the longest pause before a retry, whatever the server asks for
 * @param maxBytes the largest file to accept, in bytes
 * @param leastRate how fast a server has to send, in bytes per second on average over {@code rateTime}; from one that is
 *     slower, the download moves on to the next address; 0 for any rate
 * @param rateTime the time over which the rate is measured
 * @param longestTime how long one file may take in all, with every retry and address
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
     * Checks the values.
     *
     * @param connectTimeout the time for a connection
     * @param idleTimeout the longest silence
     * @param attempts the number of attempts
     * @param firstDelay the shortest pause
     * @param longestDelay the longest pause
     * @param maxBytes the largest file in bytes
     * @param leastRate the least rate in bytes per second, or 0
     * @param rateTime the time over which the rate is measured
     * @param longestTime the longest time for one file
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
     * As {@link #standard()}, except for what is given.
     *
     * @param connectTimeout the time for a connection
     * @param idleTimeout the longest silence
     * @param attempts the number of attempts
     * @param firstDelay the shortest pause
     * @param longestDelay the longest pause
     * @param maxBytes the largest file in bytes
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
     * What suits the published files over the internet.
     *
     * @return 15 s to connect, 30 s of silence, 5 attempts, pauses from 1 s to 60 s, 4 GiB, 1 KiB/s over 3 minutes, 12 hours
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
     * These settings with another largest size.
     *
     * @param bytes the largest file to accept, in bytes
     * @return the settings
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
     * These settings with another least rate.
     *
     * @param bytesPerSecond how fast a server has to send; 0 for any rate
     * @param over the time over which the rate is measured
     * @return the settings
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
     * These settings with another limit of time.
     *
     * @param time how long one file may take in all
     * @return the settings
     * @throws IllegalArgumentException if it is not positive
     */
    public TransferSettings withLongestTime(Duration time) {
        return new TransferSettings(
                connectTimeout, idleTimeout, attempts, firstDelay, longestDelay, maxBytes, leastRate, rateTime, time);
    }

    private static void positive(String name, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException(name + " must be longer than nothing, not " + value);
        }
    }
}
