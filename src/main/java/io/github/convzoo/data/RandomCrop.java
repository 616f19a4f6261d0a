package io.github.convzoo.data;

import io.github.convzoo.image.Border;
import io.github.convzoo.image.Box;
import io.github.convzoo.image.RgbImage;
import java.util.random.RandomGenerator;

/**
 * Crops a part of fixed size at a random place of the image with a border around it; every place is as likely.
 *
 * @param height the part's height in pixels
 * @param width the part's width in pixels
 * @param padding how many pixels the border has at each side, at least 0
 * @param border what is seen there
 */
public record RandomCrop(int height, int width, int padding, Border border) implements Augmentation {

    private static final int MAX_PADDING = 1 << 20;

    /**
     * Checks the numbers.
     *
     * @param height the part's height
     * @param width the part's width
     * @param padding the border's pixels at each side
     * @param border what is seen there
     * @throws IllegalArgumentException if a side is not positive, or the padding not 0 to 1,048,576
     */
    public RandomCrop {
        if (height < 1 || width < 1) {
            throw new IllegalArgumentException(
                    "at least 1 x 1 pixels are expected, not %d x %d".formatted(width, height));
        }
        if (padding < 0 || padding > MAX_PADDING) {
            throw new IllegalArgumentException(
                    "a padding of 0 to %,d pixels is expected, not %d".formatted(MAX_PADDING, padding));
        }
    }

    /**
     * Crops.
     *
     * @throws IllegalArgumentException if the image with its border is smaller than the part
     */
    @Override
    public RgbImage apply(RgbImage image, RandomGenerator random) {
        long right = image.width() + 2L * padding - width;
        long down = image.height() + 2L * padding - height;
        if (right < 0 || down < 0) {
            throw new IllegalArgumentException(
                    "%d x %d pixels cannot be cropped of an image of %d x %d with a border of %d; resize it first"
                            .formatted(width, height, image.width(), image.height(), padding));
        }
        int left = (int) (random.nextLong(right + 1) - padding);
        int top = (int) (random.nextLong(down + 1) - padding);
        return image.crop(new Box(left, top, width, height), border);
    }
}
