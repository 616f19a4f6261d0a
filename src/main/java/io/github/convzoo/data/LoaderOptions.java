package io.github.convzoo.data;

import java.util.Optional;

/**
 * How a {@link BatchLoader} forms batches.
 *
 * @param batchSize the number of images per batch, at least 1
 * @param shuffled whether each epoch has its own random order; else it has the data set's
 * @param dropLast whether to drop an incomplete last batch
 * @param seed determines all orders, augmentations and mixtures
 * @param workers the number of threads that read and augment, at least 1
 * @param prefetch the maximum number of batches in progress or ready ahead of the last one taken, at least 1
 * @param onBadImage how to handle an image that cannot be read
 * @param mixing mixes the images of a batch, or empty
 * @param balanced whether an epoch has equally many images of every class: images of small classes repeat, and some of
 *     large ones are omitted; needs shuffling
 */
public record LoaderOptions(
        int batchSize,
        boolean shuffled,
        boolean dropLast,
        long seed,
        int workers,
        int prefetch,
        OnBadImage onBadImage,
        Optional<Mixing> mixing,
        boolean balanced) {

    private static final int PREFETCH = 2;

    /**
     * Validates the options.
     *
     * @throws IllegalArgumentException if a number is not positive, or balanced batches are not shuffled
     */
    public LoaderOptions {
        require("batch size", batchSize);
        require("number of workers", workers);
        require("number of prefetched batches", prefetch);
        if (balanced && !shuffled) {
            throw new IllegalArgumentException("balanced batches must be shuffled");
        }
    }

    private static void require(String what, int value) {
        if (value < 1) {
            throw new IllegalArgumentException("the " + what + " must be at least 1, not " + value);
        }
    }

    /**
     * {@return options for training: shuffled, complete batches only, one thread per processor, two batches ahead,
     * failing on a bad image}
     *
     * @param batchSize the number of images per batch, at least 1
     * @param seed determines everything random
     */
    public static LoaderOptions training(int batchSize, long seed) {
        return new LoaderOptions(
                batchSize,
                true,
                true,
                seed,
                Runtime.getRuntime().availableProcessors(),
                PREFETCH,
                OnBadImage.FAIL,
                Optional.empty(),
                false);
    }

    /**
     * {@return options for evaluation: every image once in the data set's order, one thread per processor, two batches
     * ahead, failing on a bad image}
     *
     * @param batchSize the number of images per batch, at least 1
     */
    public static LoaderOptions evaluation(int batchSize) {
        return new LoaderOptions(
                batchSize,
                false,
                false,
                0,
                Runtime.getRuntime().availableProcessors(),
                PREFETCH,
                OnBadImage.FAIL,
                Optional.empty(),
                false);
    }

    /**
     * {@return these options with another policy for bad images}
     *
     * @param policy how to handle an image that cannot be read
     */
    public LoaderOptions withOnBadImage(OnBadImage policy) {
        return new LoaderOptions(batchSize, shuffled, dropLast, seed, workers, prefetch, policy, mixing, balanced);
    }

    /**
     * {@return these options with mixing}
     *
     * @param mixture mixes the images of a batch
     */
    public LoaderOptions withMixing(Mixing mixture) {
        return new LoaderOptions(
                batchSize, shuffled, dropLast, seed, workers, prefetch, onBadImage, Optional.of(mixture), balanced);
    }

    /**
     * {@return these options with other numbers of threads and batches}
     *
     * @param threads the number of threads that read and augment, at least 1
     * @param batches the maximum number of batches ahead, at least 1
     * @throws IllegalArgumentException if a number is not positive
     */
    public LoaderOptions withWorkers(int threads, int batches) {
        return new LoaderOptions(batchSize, shuffled, dropLast, seed, threads, batches, onBadImage, mixing, balanced);
    }

    /**
     * {@return these options with equally many images of every class in each epoch}
     *
     * @throws IllegalArgumentException if batches are not shuffled
     */
    public LoaderOptions withBalancedClasses() {
        return new LoaderOptions(batchSize, shuffled, dropLast, seed, workers, prefetch, onBadImage, mixing, true);
    }
}
