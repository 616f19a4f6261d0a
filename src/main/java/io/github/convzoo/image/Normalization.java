package io.github.convzoo.image;

import java.util.List;

/**
 * How samples from 0 to 1 become a network's input: {@code (sample - mean) / std}, channel by channel.
 *
 * @param mean the means of red, green and blue, as shares of full brightness
 * @param std the standard deviations of red, green and blue, in the same unit, positive
 */
public record Normalization(List<Double> mean, List<Double> std) {

    /** The statistics of ImageNet that most networks are trained with. */
    public static final Normalization IMAGENET =
            new Normalization(List.of(0.485, 0.456, 0.406), List.of(0.229, 0.224, 0.225));

    /** What the authors of DPN trained with: mean 124, 117, 104 and scale 0.0167 on samples from 0 to 255. */
    public static final Normalization DPN = new Normalization(
            List.of(124 / 255.0, 117 / 255.0, 104 / 255.0),
            List.of(1 / (0.0167 * 255), 1 / (0.0167 * 255), 1 / (0.0167 * 255)));

    private static final int LEVELS = 256;

    /**
     * Checks the numbers.
     *
     * @param mean three means
     * @param std three deviations
     * @throws IllegalArgumentException if there are not three of each, one is not finite, or a deviation not positive
     */
    public Normalization {
        mean = List.copyOf(mean);
        std = List.copyOf(std);
        if (mean.size() != RgbImage.CHANNELS || std.size() != RgbImage.CHANNELS) {
            throw new IllegalArgumentException(
                    "three means and three deviations are expected, not %s and %s".formatted(mean, std));
        }
        if (!mean.stream().allMatch(Double::isFinite)) {
            throw new IllegalArgumentException("finite means are expected, not " + mean);
        }
        if (!std.stream().allMatch(value -> Double.isFinite(value) && value > 0)) {
            throw new IllegalArgumentException("finite, positive deviations are expected, not " + std);
        }
    }

    /**
     * What each of the 256 levels becomes, in the order of torchvision's operations and in float32: to 0 to 1, less the
     * mean, by the deviation. Another order rounds differently.
     */
    float[] levels(int channel) {
        float channelMean = mean.get(channel).floatValue();
        float channelStd = std.get(channel).floatValue();
        float[] levels = new float[LEVELS];
        for (int i = 0; i < LEVELS; i++) {
            levels[i] = (i / 255f - channelMean) / channelStd;
        }
        return levels;
    }
}
