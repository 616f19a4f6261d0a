package io.github.convzoo.image;

/**
 * A rectangle of pixels.
 *
 * @param left its first column; negative where it begins outside of the image
 * @param top its first row; negative where it begins outside of the image
 * @param width how many columns, at least 1
 * @param height how many rows, at least 1
 */
public record Box(int left, int top, int width, int height) {

    /**
     * Checks the size.
     *
     * @param left the first column
     * @param top the first row
     * @param width how many columns
     * @param height how many rows
     * @throws IllegalArgumentException if a side is not positive
     */
    public Box {
        if (width < 1 || height < 1) {
            throw new IllegalArgumentException("a box has at least 1 x 1 pixels, not %d x %d".formatted(width, height));
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
                    "%s is not inside of an image of %d x %d pixels".formatted(this, image.width(), image.height()));
        }
    }
}
