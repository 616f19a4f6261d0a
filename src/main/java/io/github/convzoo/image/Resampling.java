package io.github.convzoo.image;

/**
 * Pillow's resize filters, with exactly Pillow's results.
 *
 * <p>An output pixel is the weighted mean of the input pixels under the filter, which is widened by the scale when an
 * image is reduced (antialiasing); most image libraries' bilinear and bicubic filters do not do that, which costs
 * published networks accuracy. Columns are resampled first, then rows, each pass in fixed point with 22 fractional bits
 * and rounded to 8 bits. Source: the behavior of Pillow's {@code Image.resize}; K. Turkowski, Filters for Common
 * Resampling Tasks, Graphics Gems, 1990; the bicubic is R. Keys, Cubic Convolution Interpolation, IEEE Trans. ASSP
 * 29(6), 1981, with a = -0.5.
 */
public enum Resampling {
    /** The nearest pixel. */
    NEAREST(0),
    /** A triangle over one pixel to either side. */
    BILINEAR(1),
    /** Keys's cubic over two pixels to either side. */
    BICUBIC(2);

    private static final double A = -0.5;

    private final int support;

    Resampling(int support) {
        this.support = support;
    }

    /**
     * Resizes an image.
     *
     * @param image the image
     * @param width the new width in pixels, at least 1
     * @param height the new height in pixels, at least 1
     * @return the image of the new size; the same object if the size is unchanged
     * @throws IllegalArgumentException if a side is not positive, or the result, or the intermediate image of the new
     *     width and the old height, would have more than 715,827,879 pixels
     */
    public RgbImage resize(RgbImage image, int width, int height) {
        RgbImage.sampleCount(width, height);
        return resize(image, width, height, new Window(0, 0, width, height));
    }

    /**
     * Resizes a part of an image as if it were the whole: pixels outside the box have no influence.
     *
     * @param image the image
     * @param box the part, which must be inside the image
     * @param width the new width in pixels, at least 1
     * @param height the new height in pixels, at least 1
     * @return the part, of the new size
     * @throws IllegalArgumentException if the box is not inside the image, or as in {@link #resize(RgbImage, int, int)}
     */
    public RgbImage resize(RgbImage image, Box box, int width, int height) {
        RgbImage.sampleCount(width, height);
        box.requireInside(image);
        return resize(image, box, width, height, new Window(0, 0, width, height));
    }

    /** A rectangle of pixels: the column and row of its first one, and its size. */
    record Window(long left, long top, int width, int height) {}

    /** The part of the image resized to {@code width x height} that is inside the window. */
    RgbImage resize(RgbImage image, long width, long height, Window window) {
        return resize(image, new Box(0, 0, image.width(), image.height()), width, height, window);
    }

    private RgbImage resize(RgbImage image, Box box, long width, long height, Window window) {
        ResamplingAxis columns = ResamplingAxis.of(this, box.width(), width, window.left(), window.width());
        ResamplingAxis rows = ResamplingAxis.of(this, box.height(), height, window.top(), window.height());
        if (columns.isIdentity() && rows.isIdentity()) {
            return image.crop(box);
        }
        if (columns.isIdentity()) {
            byte[] part = image.crop(box).samples();
            return new RgbImage(window.width(), window.height(), rows.resampleRows(part, box.width(), 0));
        }
        // Rows that no output row uses are not computed.
        int first = rows.firstInput();
        int used = rows.lastInput() - first;
        byte[] narrowed = columns.resampleColumns(image.samples(), image.width(), box.left(), box.top() + first, used);
        return new RgbImage(
                window.width(),
                window.height(),
                rows.isIdentity() ? narrowed : rows.resampleRows(narrowed, window.width(), first));
    }

    /** The filter's radius, in input pixels at scale 1. */
    int support() {
        return support;
    }

    /** The filter's value at a distance from its center. */
    double weight(double distance) {
        double x = Math.abs(distance);
        return switch (this) {
            case NEAREST -> 1;
            case BILINEAR -> x < 1 ? 1 - x : 0;
            case BICUBIC -> {
                if (x < 1) {
                    yield ((A + 2) * x - (A + 3)) * x * x + 1;
                }
                yield x < 2 ? (((x - 5) * x + 8) * x - 4) * A : 0;
            }
        };
    }
}
