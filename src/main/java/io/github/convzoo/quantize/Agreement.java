package io.github.convzoo.quantize;

/**
 * How a quantized network classifies images, next to the network that it was made of.
 *
 * @param images how many images there were
 * @param same how many of them both take for the same class
 * @param floatCorrect how many the network classifies as they are labeled
 * @param quantizedCorrect how many the quantized network does
 */
public record Agreement(int images, int same, int floatCorrect, int quantizedCorrect) {

    /** Below this share, some layers should keep computing with floats. */
    public static final double GOOD = 0.98;

    /**
     * The share of images that both take for the same class.
     *
     * @return from 0 to 1
     */
    public double share() {
        return (double) same / images;
    }

    /**
     * The network's accuracy.
     *
     * @return from 0 to 1
     */
    public double floatAccuracy() {
        return (double) floatCorrect / images;
    }

    /**
     * The quantized network's accuracy.
     *
     * @return from 0 to 1
     */
    public double quantizedAccuracy() {
        return (double) quantizedCorrect / images;
    }
}
