package io.github.convzoo.train;

/**
 * How much weights are drawn towards 0.
 *
 * @param rate what a weight adds to its gradient, as a share of itself; for AdamW what it loses, times the learning rate
 * @param normsAndBiases whether the parameters of normalisations and biases decay too; few recipes of today let them
 */
public record WeightDecay(double rate, boolean normsAndBiases) {

    /** No decay. */
    public static final WeightDecay NONE = new WeightDecay(0, false);

    /**
     * Checks the rate.
     *
     * @param rate at least 0 and finite
     * @param normsAndBiases either
     */
    public WeightDecay {
        if (!(rate >= 0) || Double.isInfinite(rate)) {
            throw new IllegalArgumentException("a weight decay must be at least 0 and finite, not " + rate);
        }
    }

    /**
     * For every parameter, as PyTorch's optimisers have it unless told otherwise.
     *
     * @param rate the rate
     * @return the decay
     */
    public static WeightDecay ofAll(double rate) {
        return new WeightDecay(rate, true);
    }

    /**
     * For the weights of convolutions and linear layers alone.
     *
     * @param rate the rate
     * @return the decay
     */
    public static WeightDecay ofWeights(double rate) {
        return new WeightDecay(rate, false);
    }
}
