package io.github.convzoo.train;

/**
 * The temperature of dynamic convolutions by epoch: {@code max(end, start - epoch * start / epochs)}, one step after
 * each epoch. A high temperature lets all experts train early on. From Chen et al., Dynamic Convolution: Attention over
 * Convolution Kernels, CVPR 2020, which uses 30 to 1 in 10 epochs.
 *
 * @param start the first epoch's temperature, finite and at least {@code end}
 * @param end the final temperature, positive
 * @param epochs the number of epochs from the start to 0, at least 1; the end is reached slightly earlier
 */
public record Annealing(double start, double end, int epochs) {

    /** As in the paper: 30, 27, ..., 3, and 1 from the eleventh epoch. */
    public static final Annealing PAPER = new Annealing(30, 1, 10);

    /**
     * Validates the values.
     *
     * @throws IllegalArgumentException if a value is out of range
     */
    public Annealing {
        if (!(end > 0 && start >= end) || Double.isInfinite(start)) {
            throw new IllegalArgumentException(
                    "the temperature must be positive and must not increase, not from " + start + " to " + end);
        }
        if (epochs < 1) {
            throw new IllegalArgumentException("annealing needs at least 1 epoch, not " + epochs);
        }
    }

    /**
     * {@return the temperature in an epoch}
     *
     * @param epoch the number of epochs before it, at least 0
     */
    public double at(long epoch) {
        if (epoch < 0) {
            throw new IllegalArgumentException("the epoch must be at least 0, not " + epoch);
        }
        return Math.max(end, start - epoch * (start / epochs));
    }
}
