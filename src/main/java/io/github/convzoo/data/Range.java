package io.github.convzoo.data;

import java.util.random.RandomGenerator;

/**
 * A range of random numbers.
 *
 * @param min the minimum, above 0
 * @param max the maximum, at least the minimum
 */
public record Range(double min, double max) {

    /**
     * Validates the bounds.
     *
     * @throws IllegalArgumentException if they are not positive, finite and in order
     */
    public Range {
        if (!(min > 0 && min <= max && max < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "the range must be positive and ascending, not %s to %s".formatted(min, max));
        }
    }

    /** Draws uniformly. */
    double uniform(RandomGenerator random) {
        return min + (max - min) * random.nextDouble();
    }

    /** Draws log-uniformly, so that halves and doubles are equally likely. */
    double logUniform(RandomGenerator random) {
        return Math.exp(Math.log(min) + (Math.log(max) - Math.log(min)) * random.nextDouble());
    }

    void requireShare(String what) {
        if (max > 1) {
            throw new IllegalArgumentException(what + " is a fraction of the image and must be at most 1, not " + this);
        }
    }
}
