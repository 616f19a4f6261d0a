package io.github.convzoo.data;

import io.github.convzoo.image.RgbImage;
import java.util.random.RandomGenerator;

/**
 * Mirrors an image left to right, or not.
 *
 * @param probability the probability of flipping, 0 to 1
 */
public record HorizontalFlip(double probability) implements Augmentation {

    /**
     * Validates the parameter.
     *
     * @throws IllegalArgumentException if it is not a probability
     */
    public HorizontalFlip {
        Randomness.requireProbability(probability);
    }

    @Override
    public RgbImage apply(RgbImage image, RandomGenerator random) {
        return random.nextDouble() < probability ? image.flippedHorizontally() : image;
    }
}
