package io.github.convzoo.graph;

/**
 * The 256 numbers that 8 bits can represent: (level - zeroPoint) * scale, for levels from 0 to 255.
 *
 * @param scale the distance between two numbers
 * @param zeroPoint the level of 0
 */
public record Grid(float scale, int zeroPoint) {

    /** The last level. */
    public static final int LAST = 255;

    /** The minimum scale, which keeps products with weights' scales normal floats. */
    private static final float LEAST = 1e-12f;

    /**
     * Validates the values.
     *
     * @param scale positive and finite
     * @param zeroPoint from 0 to 255
     */
    public Grid {
        if (!(scale > 0) || Float.isInfinite(scale) || zeroPoint < 0 || zeroPoint > LAST) {
            throw new IllegalArgumentException(
                    "a grid needs a positive scale and a zero point from 0 to 255, not " + scale + " and " + zeroPoint);
        }
    }

    /**
     * Returns the finest grid that covers a range. 0 is always on the grid, because padding is 0.
     *
     * @param range the minimum and maximum
     * @return the grid; its first number is 0 if no number of the range is negative
     */
    public static Grid of(Range range) {
        float low = Math.min(range.min(), 0);
        float high = Math.max(range.max(), 0);
        float scale = Math.max((high - low) / LAST, LEAST);
        return new Grid(scale, Math.min(Math.round(-low / scale), LAST));
    }

    /**
     * Returns the nearest number on the grid.
     *
     * @param value any number
     * @return the number of the grid
     */
    public float round(float value) {
        return (level(value) - zeroPoint) * scale;
    }

    /**
     * Returns the level of the nearest number on the grid.
     *
     * @param value any number
     * @return from 0 to 255
     */
    public int level(float value) {
        return (int) Math.max(0, Math.min(LAST, Math.rint(value / scale) + zeroPoint));
    }

    @Override
    public String toString() {
        return "scale " + scale + ", zero point " + zeroPoint;
    }
}
