package io.github.convzoo.data;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Random numbers that depend only on their purpose: not on threads, and not on where a run was resumed.
 *
 * <p>Each purpose, epoch and item has its own generator, seeded by a mix of these with the run's seed. The mix is from
 * G. Steele, D. Lea and C. Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014: D. Stafford's 13th
 * variant of MurmurHash3's finalizer.
 */
final class Randomness {

    /** The purpose of random numbers, so that no two uses share them. */
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

    /** Odd, and close to 2^64 divided by the golden ratio. */
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

    /** Fisher-Yates shuffle, in place: every order is equally likely. */
    static void shuffle(int[] values, RandomGenerator random) {
        for (int i = values.length - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            int value = values[i];
            values[i] = values[other];
            values[other] = value;
        }
    }

    /**
     * A draw from Beta(alpha, alpha): one gamma variate divided by the sum of two. Computed with logarithms, because
     * the variates underflow for small alpha.
     */
    static double beta(double alpha, RandomGenerator random) {
        double first = logGamma(alpha, random);
        double second = logGamma(alpha, random);
        return 1 / (1 + Math.exp(second - first));
    }

    /**
     * The logarithm of a draw from Gamma(alpha): G. Marsaglia and W. Tsang, A Simple Method for Generating Gamma
     * Variables, ACM TOMS 26(3), 2000, which handles alpha below 1 through alpha + 1.
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
            throw new IllegalArgumentException("the probability must be 0 to 1, not " + value);
        }
    }

    static void requireAlpha(double value) {
        if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("alpha must be above 0, not " + value);
        }
    }
}
