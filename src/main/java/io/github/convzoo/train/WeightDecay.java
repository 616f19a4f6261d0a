package io.github.convzoo.train;

/**
 * The weight decay.
 *
 * @param rate the fraction of a weight that is added to its gradient, at least 0 and finite; for AdamW, the fraction
 *     subtracted from it, times the learning rate
 * @param normsAndBiases whether parameters of normalizations and biases also decay; few current recipes do that
 */
public record WeightDecay(double rate, boolean normsAndBiases) {

    /** No decay. */
    public static final WeightDecay NONE = new WeightDecay(0, false);

    /**
     * Validates the rate.
     *
     * @throws IllegalArgumentException if it is out of range
     */
    public WeightDecay {
        if (!(rate >= 0) || Double.isInfinite(rate)) {
            throw new IllegalArgumentException("the weight decay must be at least 0 and finite, not " + rate);
        }
    }

    /**
     * {@return a decay for every parameter, the default of PyTorch's optimizers}
     *
     * @param rate the rate
     */
    public static WeightDecay ofAll(double rate) {
        return new WeightDecay(rate, true);
    }

    /**
     * {@return a decay for only the weights of convolutions and linear layers}
     *
     * @param rate the rate
     */
    public static WeightDecay ofWeights(double rate) {
        return new WeightDecay(rate, false);
    }
}
