package io.github.convzoo.quantize;

/**
 * The agreement of a quantized network's classifications with those of the original network.
 *
 * @param images the number of images
 * @param same the number of images that both classify the same
 * @param floatCorrect the number of images that the original network classifies correctly
 * @param quantizedCorrect the number of images that the quantized network classifies correctly
 */
public record Agreement(int images, int same, int floatCorrect, int quantizedCorrect) {

    /** Below this agreement, some layers should stay in float. */
    public static final double GOOD = 0.98;

    /** {@return the fraction of images that both classify the same, from 0 to 1} */
    public double share() {
        return (double) same / images;
    }

    /** {@return the original network's accuracy, from 0 to 1} */
    public double floatAccuracy() {
        return (double) floatCorrect / images;
    }

    /** {@return the quantized network's accuracy, from 0 to 1} */
    public double quantizedAccuracy() {
        return (double) quantizedCorrect / images;
    }
}
