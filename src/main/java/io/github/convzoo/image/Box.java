package io.github.convzoo.image;

/**
 * A rectangle of pixels.
 *
 * @param left its first column; negative if it starts outside the image
 * @param top its first row; negative if it starts outside the image
 * @param width the number of columns, at least 1
 * @param height the number of rows, at least 1
 */
public record Box(int left, int top, int width, int height) {

    /**
     * Validates the size.
     *
     * @throws IllegalArgumentException if a side is not positive
     */
    public Box {
        if (width < 1 || height < 1) {
            throw new IllegalArgumentException(
                    "a box must have at least 1 x 1 pixels, not %d x %d".formatted(width, height));
        }
    }

    /** Whether the box lies in an image of this size. */
    boolean isInside(RgbImage image) {
        return left >= 0 && top >= 0 && width <= image.width() - left && height <= image.height() - top;
    }

    /** Whether the box is an image of this size. */
    boolean isAllOf(RgbImage image) {
        return left == 0 && top == 0 && width == image.width() && height == image.height();
    }

    void requireInside(RgbImage image) {
        if (!isInside(image)) {
            throw new IllegalArgumentException(
                    "%s is not inside an image of %d x %d pixels".formatted(this, image.width(), image.height()));
        }
    }
}
