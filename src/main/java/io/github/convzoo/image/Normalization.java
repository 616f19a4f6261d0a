package io.github.convzoo.image;

import java.util.Collections;
import java.util.List;

/**
 * How samples from 0 to 1 become a network's input: {@code (sample - mean) / std}, channel by channel.
 *
 * @param mean the means of red, green and blue, or of grey alone, as shares of full brightness
 * @param std the standard deviations of the same channels, in the same unit, positive
 */
public record Normalization(List<Double> mean, List<Double> std) {

    /** The statistics of ImageNet that most networks are trained with. */
    public static final Normalization IMAGENET =
            new Normalization(List.of(0.485, 0.456, 0.406), List.of(0.229, 0.224, 0.225));

    private static final int LEVELS = 256;

    /**
     * Checks the numbers.
     *
     * @param mean three means, or one for grey
     * @param std as many deviations
     * @throws IllegalArgumentException if there are not three of each or one, one is not finite, or a deviation not positive
     */
    public Normalization {
        mean = List.copyOf(mean);
        std = List.copyOf(std);
        if ((mean.size() != RgbImage.CHANNELS && mean.size() != 1) || std.size() != mean.size()) {
            throw new IllegalArgumentException("three means and three standard deviations, or one of each for grey, are"
                    + " expected, not %s and %s".formatted(mean, std));
        }
        if (!mean.stream().allMatch(Double::isFinite)) {
            throw new IllegalArgumentException("finite means are expected, not " + mean);
        }
        if (!std.stream().allMatch(value -> Double.isFinite(value) && value > 0)) {
            throw new IllegalArgumentException("finite, positive deviations are expected, not " + std);
        }
    }

    /**
     * The number of channels that the statistics are for.
     *
     * @return 3, or 1 for grey
     */
    public int channels() {
        return mean.size();
    }

    /**
     * For another number of channels, as timm does it: the means and deviations are averaged over the channels.
     *
     * @param channels 1 or 3
     * @return these statistics if the number is theirs, else their averages, repeated
     * @throws IllegalArgumentException if the number is neither 1 nor 3
     */
    public Normalization forChannels(int channels) {
        if (channels == channels()) {
            return this;
        }
        return new Normalization(
                Collections.nCopies(channels, average(mean)), Collections.nCopies(channels, average(std)));
    }

    private static double average(List<Double> values) {
        double sum = 0;
        for (double each : values) {
            sum += each;
        }
        return sum / values.size();
    }

    /**
     * The means in float32, as networks compute with them.
     *
     * @return one for each channel
     */
    public float[] meanFloats() {
        return floats(mean);
    }

    /**
     * The deviations in float32, as networks compute with them.
     *
     * @return one for each channel
     */
    public float[] stdFloats() {
        return floats(std);
    }

    private static float[] floats(List<Double> values) {
        float[] floats = new float[values.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = values.get(i).floatValue();
        }
        return floats;
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
