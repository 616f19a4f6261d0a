package io.github.convzoo.graph;

/**
 * The range of a value's numbers.
 *
 * @param min the minimum, finite and at most {@code max}
 * @param max the maximum, finite
 */
public record Range(float min, float max) {

    /**
     * Validates the bounds.
     *
     * @throws IllegalArgumentException if they are not finite and in order
     */
    public Range {
        if (!(min <= max) || Float.isInfinite(min) || Float.isInfinite(max)) {
            throw new IllegalArgumentException("the range must be ascending and finite, not " + min + " to " + max);
        }
    }

    /**
     * {@return the smallest range that contains both}
     *
     * @param other another range
     */
    public Range and(Range other) {
        return new Range(Math.min(min, other.min), Math.max(max, other.max));
    }
}
