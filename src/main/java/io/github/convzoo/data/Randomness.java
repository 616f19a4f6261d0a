package io.github.convzoo.data;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Random numbers that depend on what they are for and on nothing else: not on threads, not on where a run was resumed.
 *
 * <p>Each purpose, epoch and item has a generator of its own, seeded by a mix of these with the run's seed. The mix is that of
 * G. Steele, D. Lea and C. Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014: D. Stafford's 13th variant of
 * MurmurHash3's finaliser.
 */
final class Randomness {

    /** What numbers are drawn for, so that no two uses see the same ones. */
    enum Purpose {
        SPLIT(1),
        ORDER(2),
        SAMPLE(3),
        BATCH(4),
        BALANCE(5);

        private final int number;

        Purpose(int number) {
            this.number = number;
        }
    }

    /** Odd, and near to the golden ratio of 2^64. */
    private static final long GAMMA = 0x9e3779b97f4a7c15L;

    private Randomness() {}

    static RandomGenerator of(long seed, Purpose purpose, long epoch, long item) {
        long mixed = mix(seed + GAMMA);
        mixed = mix(mixed + purpose.number * GAMMA);
        mixed = mix(mixed + (epoch + 1) * GAMMA);
        mixed = mix(mixed + (item + 1) * GAMMA);
        return new SplittableRandom(mixed);
    }

    private static long mix(long value) {
        long z = value;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    /** Fisher and Yates's shuffle, in place: every order is as likely. */
    static void shuffle(int[] values, RandomGenerator random) {
        for (int i = values.length - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            int value = values[i];
            values[i] = values[other];
            values[other] = value;
        }
    }

    /**
     * A draw from Beta(alpha, alpha): a gamma variate's share of the sum of two. The shares are taken of logarithms, because
     * for a small alpha the variates themselves vanish.
     */
    static double beta(double alpha, RandomGenerator random) {
        double first = logGamma(alpha, random);
        double second = logGamma(alpha, random);
        return 1 / (1 + Math.exp(second - first));
    }

    /**
     * The logarithm of a draw from Gamma(alpha): G. Marsaglia and W. Tsang, A Simple Method for Generating Gamma Variables,
     * ACM TOMS 26(3), 2000, which for alpha below 1 goes by way of alpha + 1.
     */
    private static double logGamma(double alpha, RandomGenerator random) {
        double boost = alpha < 1 ? Math.log(1 - random.nextDouble()) / alpha : 0;
        double d = (alpha < 1 ? alpha + 1 : alpha) - 1 / 3.0;
        double c = 1 / Math.sqrt(9 * d);
        while (true) {
            double x = random.nextGaussian();
            double v = Math.pow(1 + c * x, 3);
            if (v > 0 && Math.log(1 - random.nextDouble()) < x * x / 2 + d - d * v + d * Math.log(v)) {
                return Math.log(d * v) + boost;
            }
        }
    }

    static void requireProbability(double value) {
        if (!(value >= 0 && value <= 1)) {
            throw new IllegalArgumentException("a probability of 0 to 1 is expected, not " + value);
        }
    }

    static void requireAlpha(double value) {
        if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("an alpha above 0 is expected, not " + value);
        }
    }
}
