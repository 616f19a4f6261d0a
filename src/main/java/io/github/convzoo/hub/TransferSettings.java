package io.github.convzoo.hub;

import java.time.Duration;

/**
 * How to download: time-outs, retries, limits.
 *
 * @param connectTimeout how long a connection may take to be made
 * @param idleTimeout how long a server may send nothing, before its answer and within it
 * @param attempts how often to try one URL without getting on; 1 for no retries
 * @param firstDelay the pause before the first retry, which doubles with each further one
 * @param longestDelay the longest pause before a retry, whatever the server asks for
 * @param maxBytes the largest file to accept, in bytes
 */
public record TransferSettings(
        Duration connectTimeout,
        Duration idleTimeout,
        int attempts,
        Duration firstDelay,
        Duration longestDelay,
        long maxBytes) {

    /**
     * Checks the values.
     *
     * @param connectTimeout the time for a connection
     * @param idleTimeout the longest silence
     * @param attempts the number of attempts
     * @param firstDelay the shortest pause
     * @param longestDelay the longest pause
     * @param maxBytes the largest file in bytes
     * @throws IllegalArgumentException if a time or a number is not positive
     */
    public TransferSettings {
        positive("connectTimeout", connectTimeout);
        positive("idleTimeout", idleTimeout);
        positive("firstDelay", firstDelay);
        positive("longestDelay", longestDelay);
        if (attempts < 1 || maxBytes < 1) {
            throw new IllegalArgumentException(
                    "attempts and maxBytes must be at least 1, not " + attempts + " and " + maxBytes);
        }
    }

    /**
     * What suits the published files over the internet.
     *
     * @return 15 s to connect, 30 s of silence, 5 attempts, pauses from 1 s to 60 s, 4 GiB
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

    private static void positive(String name, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException(name + " must be longer than nothing, not " + value);
        }
    }
}
