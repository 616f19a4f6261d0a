package io.github.convzoo.graph;

/**
 * The 256 numbers that 8 bits can represent: (level - zeroPoint) * scale, for levels from 0 to 255.
 *
 * @param scale the distance between two numbers, positive and finite
 * @param zeroPoint the level of 0, from 0 to 255
 */
public record Grid(float scale, int zeroPoint) {

    /** The last level. */
    public static final int LAST = 255;

    /** The minimum scale, which keeps products with weights' scales normal floats. */
    private static final float LEAST = 1e-12f;

    /**
     * Validates the values.
     *
     * @throws IllegalArgumentException if a value is out of range
     */
    public Grid {
        if (!(scale > 0) || Float.isInfinite(scale) || zeroPoint < 0 || zeroPoint > LAST) {
            throw new IllegalArgumentException(
                    "a grid needs a positive scale and a zero point from 0 to 255, not " + scale + " and " + zeroPoint);
        }
    }

    /**
     * {@return the finest grid that covers a range; its first number is 0 if no number of the range is negative} 0 is
     * always on the grid, because padding is 0.
     *
     * @param range the minimum and maximum
     */
    public static Grid of(Range range) {
        float low = Math.min(range.min(), 0);
        float high = Math.max(range.max(), 0);
        float scale = Math.max((high - low) / LAST, LEAST);
        return new Grid(scale, Math.min(Math.round(-low / scale), LAST));
    }

    /**
     * {@return the nearest number on the grid}
     *
     * @param value any number
     */
    public float round(float value) {
        return (level(value) - zeroPoint) * scale;
    }

    /**
     * {@return the level of the nearest number on the grid, from 0 to 255}
     *
     * @param value any number
     */
    public int level(float value) {
        return (int) Math.max(0, Math.min(LAST, Math.rint(value / scale) + zeroPoint));
    }

    @Override
    public String toString() {
        return "scale " + scale + ", zero point " + zeroPoint;
    }
}
