package io.github.convzoo.data;

import java.util.random.RandomGenerator;

/**
 * Randomly replaces a rectangle of random size, shape and position in a normalized image: Z. Zhong et al., Random
 * Erasing Data Augmentation, AAAI 2020, with torchvision's rules.
 *
 * @param probability the probability of erasing, 0 to 1
 * @param scale the rectangle's area as a fraction of the image's, drawn uniformly
 * @param ratio the rectangle's height divided by its width, drawn log-uniformly
 * @param fill the replacement
 */
public record RandomErasing(double probability, Range scale, Range ratio, Fill fill) {

    /** The replacement of erased values. */
    public enum Fill {
        /** Zeros, which are the normalization's mean color. */
        ZERO,
        /** A standard normal random number for each value. */
        NORMAL
    }

    private static final int TRIES = 10;

    /**
     * Validates the parameters.
     *
     * @throws IllegalArgumentException if the probability is invalid, or the scale exceeds 1
     */
    public RandomErasing {
        Randomness.requireProbability(probability);
        scale.requireShare("the scale");
    }

    /**
     * {@return torchvision's augmentation: 2 % to 33 % of the area, aspect ratios of 0.3 to 3.3, zeros}
     *
     * @param probability the probability of erasing, 0 to 1
     */
    public static RandomErasing of(double probability) {
        return new RandomErasing(probability, new Range(0.02, 0.33), new Range(0.3, 3.3), Fill.ZERO);
    }

    /**
     * Erases in place. A rectangle that does not fit is redrawn; after ten attempts, nothing is erased.
     *
     * @param chw the normalized image, channel by channel; length channels x height x width
     * @param channels the number of channels
     * @param height the number of rows
     * @param width the number of columns
     * @param random the source of all random decisions
     * @throws IllegalArgumentException if the length does not match
     */
    public void apply(float[] chw, int channels, int height, int width, RandomGenerator random) {
        if (channels < 1 || height < 1 || width < 1 || chw.length != (long) channels * height * width) {
            throw new IllegalArgumentException(("%d values are not an image of %d channels of %d x" + " %d")
                    .formatted(chw.length, channels, width, height));
        }
        if (random.nextDouble() >= probability) {
            return;
        }
        for (int i = 0; i < TRIES; i++) {
            double area = scale.uniform(random) * width * height;
            double shape = ratio.logUniform(random);
            int boxHeight = (int) Math.rint(Math.sqrt(area * shape));
            int boxWidth = (int) Math.rint(Math.sqrt(area / shape));
            if (boxHeight > 0 && boxHeight < height && boxWidth > 0 && boxWidth < width) {
                int top = random.nextInt(height - boxHeight + 1);
                int left = random.nextInt(width - boxWidth + 1);
                for (int c = 0; c < channels; c++) {
                    for (int y = top; y < top + boxHeight; y++) {
                        int row = (c * height + y) * width;
                        for (int x = left; x < left + boxWidth; x++) {
                            chw[row + x] = fill == Fill.ZERO ? 0 : (float) random.nextGaussian();
                        }
                    }
                }
                return;
            }
        }
    }
}
