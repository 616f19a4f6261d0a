package io.github.convzoo.data;

import io.github.convzoo.image.Border;
import io.github.convzoo.image.Box;
import io.github.convzoo.image.RgbImage;
import java.util.random.RandomGenerator;

/**
 * Crops a part of fixed size at a uniformly random position of the padded image.
 *
 * @param height the part's height in pixels
 * @param width the part's width in pixels
 * @param padding the padding on each side in pixels, at least 0
 * @param border the content of the padding
 */
public record RandomCrop(int height, int width, int padding, Border border) implements Augmentation {

    private static final int MAX_PADDING = 1 << 20;

    /**
     * Validates the parameters.
     *
     * @throws IllegalArgumentException if a side is not positive, or the padding not 0 to 1,048,576
     */
    public RandomCrop {
        if (height < 1 || width < 1) {
            throw new IllegalArgumentException(
                    "the crop must have at least 1 x 1 pixels, not %d x %d".formatted(width, height));
        }
        if (padding < 0 || padding > MAX_PADDING) {
            throw new IllegalArgumentException(
                    "the padding must be 0 to %,d pixels, not %d".formatted(MAX_PADDING, padding));
        }
    }

    /**
     * Crops.
     *
     * @throws IllegalArgumentException if the padded image is smaller than the part
     */
    @Override
    public RgbImage apply(RgbImage image, RandomGenerator random) {
        long right = image.width() + 2L * padding - width;
        long down = image.height() + 2L * padding - height;
        if (right < 0 || down < 0) {
            throw new IllegalArgumentException(
                    "cannot crop %d x %d pixels from an image of %d x %d with a padding of %d; resize it first"
                            .formatted(width, height, image.width(), image.height(), padding));
        }
        int left = (int) (random.nextLong(right + 1) - padding);
        int top = (int) (random.nextLong(down + 1) - padding);
        return image.crop(new Box(left, top, width, height), border);
    }
}
