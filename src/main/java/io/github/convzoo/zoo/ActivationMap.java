package io.github.convzoo.zoo;

/**
 * How much each position of a feature map contributed to a class's logit. Immutable.
 *
 * <p>The positions divide the network's input into a grid of equal cells. Negative numbers are evidence against the
 * class.
 */
public final class ActivationMap {

    private final int height;
    private final int width;
    private final float[] values;

    /**
     * Creates a map.
     *
     * @param height the number of rows, at least 1
     * @param width the number of columns, at least 1
     * @param values the contributions, row by row; copied
     * @throws IllegalArgumentException if the number of values is not height times width
     */
    public ActivationMap(int height, int width, float[] values) {
        if (height < 1 || width < 1 || (long) height * width != values.length) {
            throw new IllegalArgumentException(
                    "a map of %d x %d positions needs one value each, not %d".formatted(width, height, values.length));
        }
        this.height = height;
        this.width = width;
        this.values = values.clone();
    }

    /** {@return the number of rows, at least 1} */
    public int height() {
        return height;
    }

    /** {@return the number of columns, at least 1} */
    public int width() {
        return width;
    }

    /**
     * {@return the contribution of a position, in units of the logit}
     *
     * @param row the row, from 0 at the top
     * @param column the column, from 0 at the left
     * @throws IndexOutOfBoundsException if there is no such position
     */
    public float value(int row, int column) {
        if (row < 0 || row >= height || column < 0 || column >= width) {
            throw new IndexOutOfBoundsException(
                    "row %d, column %d of a map of %d x %d positions".formatted(row, column, width, height));
        }
        return values[row * width + column];
    }

    /** {@return a copy of all contributions, row by row} */
    public float[] values() {
        return values.clone();
    }

    /** {@return the sum of all contributions: for a class activation map, the logit without the classifier's bias} */
    public double sum() {
        double sum = 0;
        for (float value : values) {
            sum += value;
        }
        return sum;
    }

    /** {@return the largest contribution; 0 or negative if nothing in the image is evidence for the class} */
    public float max() {
        float max = Float.NEGATIVE_INFINITY;
        for (float value : values) {
            max = Math.max(max, value);
        }
        return max;
    }

    /**
     * {@return the contribution interpolated bilinearly between the centers of positions; beyond the outer centers, the
     * value stays the same}
     *
     * @param across the distance from the map's left edge as a fraction of its width
     * @param down the distance from the map's top edge as a fraction of its height
     */
    public float at(double across, double down) {
        double x = within(across * width - 0.5, width - 1);
        double y = within(down * height - 0.5, height - 1);
        int left = (int) x;
        int top = (int) y;
        int right = Math.min(left + 1, width - 1);
        int bottom = Math.min(top + 1, height - 1);
        double upper = between(values[top * width + left], values[top * width + right], x - left);
        double lower = between(values[bottom * width + left], values[bottom * width + right], x - left);
        return (float) between(upper, lower, y - top);
    }

    private static double within(double place, int last) {
        return Math.max(0, Math.min(last, place));
    }

    private static double between(double from, double to, double share) {
        return from + share * (to - from);
    }

    /** {@return the size and the largest value} */
    @Override
    public String toString() {
        return "ActivationMap[%d x %d, max %s]".formatted(width, height, max());
    }
}
