package io.github.convzoo.data;

import java.util.random.RandomGenerator;

/**
 * What a random number is drawn from.
 *
 * @param min the least, above 0
 * @param max the most, at least the least
 */
public record Range(double min, double max) {

    /**
     * Checks the bounds.
     *
     * @param min the least
     * @param max the most
     * @throws IllegalArgumentException if they are not positive, finite and in order
     */
    public Range {
        if (!(min > 0 && min <= max && max < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("a range above 0 is expected, not %s to %s".formatted(min, max));
        }
    }

    /** Every value is as likely. */
    double uniform(RandomGenerator random) {
        return min + (max - min) * random.nextDouble();
    }

    /** Every factor is as likely, so that a half comes as often as a double. */
    double logUniform(RandomGenerator random) {
        return Math.exp(Math.log(min) + (Math.log(max) - Math.log(min)) * random.nextDouble());
    }

    void requireShare(String what) {
        if (max > 1) {
            throw new IllegalArgumentException(what + " is a share of the image and at most 1, not " + this);
        }
    }
}
