package io.github.convzoo.image;

/**
 * A rectangle in the coordinates of an image, in pixels: (0, 0) is the outer corner of the first pixel, and (1, 1) its
 * other corner. It may end inside a pixel and extend beyond the image.
 *
 * @param left the left edge; negative if it is outside the image
 * @param top the top edge; negative if it is outside the image
 * @param width the width in pixels, above 0
 * @param height the height in pixels, above 0
 */
public record Area(double left, double top, double width, double height) {

    /** Less than any part of a pixel that matters. */
    private static final double ROUNDING = 1e-6;

    /**
     * Validates the numbers.
     *
     * @throws IllegalArgumentException if a number is not finite, or a side is not positive
     */
    public Area {
        if (!(Double.isFinite(left) && Double.isFinite(top) && width > 0 && height > 0)
                || Double.isInfinite(width)
                || Double.isInfinite(height)) {
            throw new IllegalArgumentException(
                    "an area must have finite edges and positive sides, not left %s, top %s, width %s, height %s"
                            .formatted(left, top, width, height));
        }
    }

    /**
     * {@return whether the area contains a point, inside or on the edge}
     *
     * @param x the point's distance from the image's left edge in pixels
     * @param y the point's distance from the image's top edge in pixels
     */
    public boolean contains(double x, double y) {
        return x >= left && x <= left + width && y >= top && y <= top + height;
    }

    /**
     * {@return whether the area contains a whole image}
     *
     * @param imageWidth the image's width in pixels
     * @param imageHeight the image's height in pixels
     */
    public boolean covers(int imageWidth, int imageHeight) {
        return left <= ROUNDING
                && top <= ROUNDING
                && left + width >= imageWidth - ROUNDING
                && top + height >= imageHeight - ROUNDING;
    }
}
