package io.github.convzoo.graph;

/**
 * Where the numbers of a value lie.
 *
 * @param min the least
 * @param max the largest
 */
public record Range(float min, float max) {

    /**
     * Checks the order.
     *
     * @param min finite, at most the other
     * @param max finite
     */
    public Range {
        if (!(min <= max) || Float.isInfinite(min) || Float.isInfinite(max)) {
            throw new IllegalArgumentException("a range must ascend and be finite, not " + min + " to " + max);
        }
    }

    /**
     * The least range that holds both.
     *
     * @param other another range
     * @return the union
     */
    public Range and(Range other) {
        return new Range(Math.min(min, other.min), Math.max(max, other.max));
    }
}
