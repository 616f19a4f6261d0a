package io.github.convzoo.data;

import io.github.convzoo.image.Enhancement;
import io.github.convzoo.image.RgbImage;
import java.util.random.RandomGenerator;

/**
 * Changes brightness, contrast, saturation and hue at random and in random order, like torchvision on Pillow images.
 *
 * @param brightness the factor is uniform from {@code max(0, 1 - brightness)} to {@code 1 + brightness}; 0 for none
 * @param contrast the same for contrast
 * @param saturation the same for saturation
 * @param hue the shift is uniform from {@code -hue} to {@code hue} of the color circle; 0 to 0.5, 0 for none
 */
public record ColorJitter(double brightness, double contrast, double saturation, double hue) implements Augmentation {

    private static final int OPERATIONS = 4;

    /**
     * Validates the parameters.
     *
     * @throws IllegalArgumentException if one is negative or not finite, or the hue exceeds 0.5
     */
    public ColorJitter {
        for (double value : new double[] {brightness, contrast, saturation}) {
            if (!(value >= 0 && value <= Float.MAX_VALUE / 2)) {
                throw new IllegalArgumentException("the change must be finite and at least 0, not " + value);
            }
        }
        if (!(hue >= 0 && hue <= 0.5)) {
            throw new IllegalArgumentException("the hue change must be 0 to 0.5, not " + hue);
        }
    }

    @Override
    public RgbImage apply(RgbImage image, RandomGenerator random) {
        int[] order = {0, 1, 2, 3};
        Randomness.shuffle(order, random);
        double[] draws = random.doubles(OPERATIONS).toArray();
        RgbImage changed = image;
        for (int operation : order) {
            changed = change(changed, operation, draws[operation]);
        }
        return changed;
    }

    private RgbImage change(RgbImage image, int operation, double draw) {
        return switch (operation) {
            case 0 -> brightness == 0 ? image : Enhancement.brightness(image, factor(brightness, draw));
            case 1 -> contrast == 0 ? image : Enhancement.contrast(image, factor(contrast, draw));
            case 2 -> saturation == 0 ? image : Enhancement.saturation(image, factor(saturation, draw));
            default -> hue == 0 ? image : Enhancement.hue(image, hue * (2 * draw - 1));
        };
    }

    private static double factor(double change, double draw) {
        double least = Math.max(0, 1 - change);
        return least + (1 + change - least) * draw;
    }
}
