package io.github.convzoo.data;

import java.util.random.RandomGenerator;

/**
 * Replaces a rectangle of random size, shape and place of a normalised image, or not: Z. Zhong et al., Random Erasing Data
 * Augmentation, AAAI 2020, with torchvision's rules.
 *
 * @param probability how likely it does, 0 to 1
 * @param scale the rectangle's area as a share of the image's, drawn uniformly
 * @param ratio the rectangle's height by its width, its logarithm drawn uniformly
 * @param fill what comes in its place
 */
public record RandomErasing(double probability, Range scale, Range ratio, Fill fill) {

    /** What comes in place of what is erased. */
    public enum Fill {
        /** Zeros, which is the mean colour of the normalisation. */
        ZERO,
        /** For each value a number of the standard normal distribution. */
        NORMAL
    }

    private static final int TRIES = 10;

    /**
     * Checks the numbers.
     *
     * @param probability how likely something is erased
     * @param scale the range of the area
     * @param ratio the range of the shape
     * @param fill what comes in its place
     * @throws IllegalArgumentException if the probability is none, or the scale exceeds 1
     */
    public RandomErasing {
        Randomness.requireProbability(probability);
        scale.requireShare("the scale");
    }

    /**
     * torchvision's ranges: 2 % to 33 % of the area, shapes of 0.3 to 3.3, zeros.
     *
     * @param probability how likely something is erased, 0 to 1
     * @return the augmentation
     */
    public static RandomErasing of(double probability) {
        return new RandomErasing(probability, new Range(0.02, 0.33), new Range(0.3, 3.3), Fill.ZERO);
    }

    /**
     * Erases in place. A rectangle that does not fit is drawn anew; after ten nothing is erased.
     *
     * @param chw the image, normalised, channel after channel; length channels x height x width
     * @param channels the number of channels
     * @param height the number of rows
     * @param width the number of columns
     * @param random where every random decision comes from
     * @throws IllegalArgumentException if the length is another one
     */
    public void apply(float[] chw, int channels, int height, int width, RandomGenerator random) {
        if (channels < 1 || height < 1 || width < 1 || chw.length != (long) channels * height * width) {
            throw new IllegalArgumentException(
                    "%d values are no image of %d channels of %d x %d".formatted(chw.length, channels, width, height));
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
