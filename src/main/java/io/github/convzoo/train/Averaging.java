package io.github.convzoo.train;

/**
 * An exponential moving average of the weights, which often classifies better than the weights themselves.
 *
 * @param decay the share of the average that stays with each update
 * @param warmUp whether the share grows towards that: after t updates {@code 1 - (1 + t)^(-2/3)}, 0 with the first, so that
 *     the weights at the start are soon forgotten
 */
public record Averaging(double decay, boolean warmUp) {

    /**
     * Checks the decay.
     *
     * @param decay in (0, 1)
     * @param warmUp either
     */
    public Averaging {
        if (!(decay > 0 && decay < 1)) {
            throw new IllegalArgumentException("the average's decay must be in (0, 1), not " + decay);
        }
    }

    /** The share that stays with an update, where so many were made before it. */
    double at(long updates) {
        return warmUp ? Math.min(decay, 1 - Math.pow(1.0 + updates, -2.0 / 3)) : decay;
    }
}
