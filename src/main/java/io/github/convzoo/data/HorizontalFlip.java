package io.github.convzoo.data;

import io.github.convzoo.image.RgbImage;
import java.util.random.RandomGenerator;

/**
 * Changes left and right over, or not.
 *
 * @param probability how likely it does, 0 to 1
 */
public record HorizontalFlip(double probability) implements Augmentation {

    /**
     * Checks the number.
     *
     * @param probability how likely the image is flipped
     * @throws IllegalArgumentException if it is no probability
     */
    public HorizontalFlip {
        Randomness.requireProbability(probability);
    }

    @Override
    public RgbImage apply(RgbImage image, RandomGenerator random) {
        return random.nextDouble() < probability ? image.flippedHorizontally() : image;
    }
}
