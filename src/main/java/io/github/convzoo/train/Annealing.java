package io.github.convzoo.train;

/**
 * The temperature of dynamic convolutions by epoch: {@code max(end, start - epoch * start / epochs)}, one step after each
 * epoch. A high temperature lets all experts learn early on. From Chen et al., Dynamic Convolution: Attention over
 * Convolution Kernels, CVPR 2020, which goes from 30 to 1 in 10 epochs.
 *
 * @param start the first epoch's temperature
 * @param end the lowest temperature
 * @param epochs how many epochs the way from the start to 0 would take; the end is reached a little before
 */
public record Annealing(double start, double end, int epochs) {

    /** As in the paper: 30, 27, ... 3, and 1 from the eleventh epoch on. */
    public static final Annealing PAPER = new Annealing(30, 1, 10);

    /**
     * Checks every value.
     *
     * @param start at least the end, finite
     * @param end positive
     * @param epochs at least 1
     */
    public Annealing {
        if (!(end > 0 && start >= end) || Double.isInfinite(start)) {
            throw new IllegalArgumentException(
                    "a temperature starts at what it ends at or higher, and stays positive; not from " + start + " to "
                            + end);
        }
        if (epochs < 1) {
            throw new IllegalArgumentException("annealing takes at least 1 epoch, not " + epochs);
        }
    }

    /**
     * The temperature in an epoch.
     *
     * @param epoch how many epochs were done before it, at least 0
     * @return the temperature
     */
    public double at(long epoch) {
        if (epoch < 0) {
            throw new IllegalArgumentException("an epoch must be at least 0, not " + epoch);
        }
        return Math.max(end, start - epoch * (start / epochs));
    }
}
