package io.github.convzoo.graph;

import org.jspecify.annotations.Nullable;

/**
 * The bounds that an operation clips each element to.
 *
 * @param min the lower bound
 * @param max the upper bound
 */
record Bounds(float min, float max) {

    static final Bounds NONE = new Bounds(Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY);

    private static final Bounds RELU = new Bounds(0, Float.POSITIVE_INFINITY);

    /** The bounds of a ReLU or a clip; null if the operation does something else. */
    static @Nullable Bounds of(Op op) {
        return op == Op.Activation.RELU ? RELU : op instanceof Op.Clip clip ? new Bounds(clip.min(), clip.max()) : null;
    }

    /** Whether everything within the others is within these. */
    boolean include(Bounds others) {
        return min <= others.min && max >= others.max;
    }

    /** These, and then others. */
    Bounds then(Bounds others) {
        return new Bounds(others.clip(min), others.clip(max));
    }

    private float clip(float x) {
        return Math.min(Math.max(x, min), max);
    }

    Op op() {
        return equals(RELU) ? Op.Activation.RELU : new Op.Clip(min, max);
    }
}
