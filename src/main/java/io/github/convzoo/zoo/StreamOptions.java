package io.github.convzoo.zoo;

import java.util.OptionalInt;

/**
 * Options for {@linkplain ConvZoo#stream streams} of images.
 *
 * @param batchSize the largest number of images that are computed together; empty for {@link
 *     StagedModel#usualBatchSize}
 * @param workers the number of threads, each of which decodes or computes; empty for one per core
 */
public record StreamOptions(OptionalInt batchSize, OptionalInt workers) {

    /** The usual batch size, and one thread per core. */
    public static final StreamOptions DEFAULT = new StreamOptions(OptionalInt.empty(), OptionalInt.empty());

    private static final int MAX_WORKERS = 1024;
    private static final int MAX_BATCH = 4096;

    /**
     * Creates options.
     *
     * @throws IllegalArgumentException if a number is not positive, or too large
     */
    public StreamOptions {
        require("the batch size", batchSize, MAX_BATCH);
        require("the number of workers", workers, MAX_WORKERS);
    }

    private static void require(String name, OptionalInt value, int max) {
        if (value.isPresent() && (value.getAsInt() < 1 || value.getAsInt() > max)) {
            throw new IllegalArgumentException(
                    name + " must be at least 1 and at most " + max + ", not " + value.getAsInt());
        }
    }

    /**
     * Sets the batch size.
     *
     * @param value the largest number of images that are computed together, 1 to 4096
     * @return the changed options
     */
    public StreamOptions withBatchSize(int value) {
        return new StreamOptions(OptionalInt.of(value), workers);
    }

    /**
     * Sets the number of threads.
     *
     * @param value the number of threads, 1 to 1024
     * @return the changed options
     */
    public StreamOptions withWorkers(int value) {
        return new StreamOptions(batchSize, OptionalInt.of(value));
    }
}
