package io.github.convzoo.train;

/**
 * The weight decay.
 *
 * @param rate the fraction of a weight that is added to its gradient; for AdamW, the fraction subtracted from it, times
 *     the learning rate
 * @param normsAndBiases whether parameters of normalizations and biases also decay; few current recipes do that
 */
public record WeightDecay(double rate, boolean normsAndBiases) {

    /** No decay. */
    public static final WeightDecay NONE = new WeightDecay(0, false);

    /**
     * Validates the rate.
     *
     * @param rate at least 0 and finite
     * @param normsAndBiases true or false
     */
    public WeightDecay {
        if (!(rate >= 0) || Double.isInfinite(rate)) {
            throw new IllegalArgumentException("the weight decay must be at least 0 and finite, not " + rate);
        }
    }

    /**
     * Returns a decay for every parameter, the default of PyTorch's optimizers.
     *
     * @param rate the rate
     * @return the decay
     */
    public static WeightDecay ofAll(double rate) {
        return new WeightDecay(rate, true);
    }

    /**
     * Returns a decay for only the weights of convolutions and linear layers.
     *
     * @param rate the rate
     * @return the decay
     */
    public static WeightDecay ofWeights(double rate) {
        return new WeightDecay(rate, false);
    }
}
