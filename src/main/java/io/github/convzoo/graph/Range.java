package io.github.convzoo.graph;

/**
 * The range of a value's numbers.
 *
 * @param min the minimum
 * @param max the maximum
 */
public record Range(float min, float max) {

    /**
     * Validates the order.
     *
     * @param min finite, at most the other
     * @param max finite
     */
    public Range {
        if (!(min <= max) || Float.isInfinite(min) || Float.isInfinite(max)) {
            throw new IllegalArgumentException("the range must be ascending and finite, not " + min + " to " + max);
        }
    }

    /**
     * Returns the smallest range that contains both.
     *
     * @param other another range
     * @return the union
     */
    public Range and(Range other) {
        return new Range(Math.min(min, other.min), Math.max(max, other.max));
    }
}
