package io.github.convzoo.data;

import java.util.Optional;

/**
 * How a {@link BatchLoader} makes batches.
 *
 * @param batchSize how many images a batch has, at least 1
 * @param shuffled whether each epoch has a random order of its own; else it has the data set's
 * @param dropLast whether images that do not fill a batch are left out
 * @param seed decides every order, augmentation and mixture
 * @param workers how many threads read and augment, at least 1
 * @param prefetch how many batches are at most begun or held ahead of the one that was taken last, at least 1
 * @param onBadImage what becomes of an image that cannot be read
 * @param mixing mixes the images of a batch, or empty
 * @param balanced whether an epoch has equally many images of every class: those of small classes come several times, and some of
 *     large ones not at all; needs shuffling
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
     * Checks the numbers.
     *
     * @param batchSize how many images a batch has
     * @param shuffled whether the order is random
     * @param dropLast whether an incomplete batch is left out
     * @param seed decides what is random
     * @param workers how many threads
     * @param prefetch how many batches ahead
     * @param onBadImage what becomes of an unreadable image
     * @param mixing mixes images, or empty
     * @param balanced whether classes come equally often
     * @throws IllegalArgumentException if a number is not positive, or balanced batches are not shuffled
     */
    public LoaderOptions {
        require("batch size", batchSize);
        require("number of workers", workers);
        require("number of batches ahead", prefetch);
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
     * For training: shuffled, complete batches only, a thread a processor, two batches ahead, failing on a bad image.
     *
     * @param batchSize how many images a batch has, at least 1
     * @param seed decides what is random
     * @return the options
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
     * For evaluation: every image once in the data set's order, a thread a processor, two batches ahead, failing on a bad
     * image.
     *
     * @param batchSize how many images a batch has, at least 1
     * @return the options
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
     * These options with another way to treat bad images.
     *
     * @param policy what becomes of an image that cannot be read
     * @return the options
     */
    public LoaderOptions withOnBadImage(OnBadImage policy) {
        return new LoaderOptions(batchSize, shuffled, dropLast, seed, workers, prefetch, policy, mixing, balanced);
    }

    /**
     * These options with images mixed.
     *
     * @param mixture mixes the images of a batch
     * @return the options
     */
    public LoaderOptions withMixing(Mixing mixture) {
        return new LoaderOptions(
                batchSize, shuffled, dropLast, seed, workers, prefetch, onBadImage, Optional.of(mixture), balanced);
    }

    /**
     * These options with other threads.
     *
     * @param threads how many read and augment, at least 1
     * @param batches how many batches are at most ahead, at least 1
     * @return the options
     * @throws IllegalArgumentException if a number is not positive
     */
    public LoaderOptions withWorkers(int threads, int batches) {
        return new LoaderOptions(batchSize, shuffled, dropLast, seed, threads, batches, onBadImage, mixing, balanced);
    }

    /**
     * These options with equally many images of every class in each epoch.
     *
     * @return the options
     * @throws IllegalArgumentException if batches are not shuffled
     */
    public LoaderOptions withBalancedClasses() {
        return new LoaderOptions(batchSize, shuffled, dropLast, seed, workers, prefetch, onBadImage, mixing, true);
    }
}
