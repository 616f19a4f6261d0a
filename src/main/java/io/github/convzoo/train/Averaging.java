package io.github.convzoo.train;

/**
 * An exponential moving average (EMA) of the weights, which often classifies better than the weights themselves.
 *
 * @param decay the weight of the old average in each update, in (0, 1)
 * @param warmUp whether the decay increases to that value: after t updates, it is {@code 1 - (1 + t)^(-2/3)}, starting
 *     at 0, so that the initial weights are quickly forgotten
 */
public record Averaging(double decay, boolean warmUp) {

    /**
     * Validates the decay.
     *
     * @throws IllegalArgumentException if it is out of range
     */
    public Averaging {
        if (!(decay > 0 && decay < 1)) {
            throw new IllegalArgumentException("the average's decay must be in (0, 1), not " + decay);
        }
    }

    /** The decay of an update, given the number of updates before it. */
    double at(long updates) {
        return warmUp ? Math.min(decay, 1 - Math.pow(1.0 + updates, -2.0 / 3)) : decay;
    }
}
