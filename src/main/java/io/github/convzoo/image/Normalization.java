package io.github.convzoo.image;

import java.util.Collections;
import java.util.List;

/**
 * The normalization of samples from 0 to 1 to a network's input: {@code (sample - mean) / std}, channel by channel.
 *
 * @param mean the means of red, green and blue, or of gray, as fractions of full brightness
 * @param std the standard deviations of the same channels, in the same unit, positive
 */
public record Normalization(List<Double> mean, List<Double> std) {

    /** ImageNet's statistics, which most networks are trained with. */
    public static final Normalization IMAGENET =
            new Normalization(List.of(0.485, 0.456, 0.406), List.of(0.229, 0.224, 0.225));

    private static final int LEVELS = 256;

    /**
     * Validates the numbers.
     *
     * @throws IllegalArgumentException if there are not three or one of each, one is not finite, or a deviation is not
     *     positive
     */
    public Normalization {
        mean = List.copyOf(mean);
        std = List.copyOf(std);
        if ((mean.size() != RgbImage.CHANNELS && mean.size() != 1) || std.size() != mean.size()) {
            throw new IllegalArgumentException(
                    ("mean and std must have three values each, or one each for grayscale," + " not %s and %s")
                            .formatted(mean, std));
        }
        if (!mean.stream().allMatch(Double::isFinite)) {
            throw new IllegalArgumentException("means must be finite, not " + mean);
        }
        if (!std.stream().allMatch(value -> Double.isFinite(value) && value > 0)) {
            throw new IllegalArgumentException("standard deviations must be finite and positive, not " + std);
        }
    }

    /** {@return the number of channels: 3, or 1 for grayscale} */
    public int channels() {
        return mean.size();
    }

    /**
     * {@return the statistics for another number of channels, as in timm: these statistics if the number is the same,
     * else their averages over the channels, repeated}
     *
     * @param channels 1 or 3
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

    /** {@return the means in float32, as networks use them, one per channel} */
    public float[] meanFloats() {
        return floats(mean);
    }

    /** {@return the standard deviations in float32, as networks use them, one per channel} */
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
     * The normalized values of the 256 levels, computed in float32 in torchvision's order: scale to 0 to 1, subtract
     * the mean, divide by the deviation. Any other order rounds differently.
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
