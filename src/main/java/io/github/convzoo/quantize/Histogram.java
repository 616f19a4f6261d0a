package io.github.convzoo.quantize;

import io.github.convzoo.graph.Range;

/**
 * A histogram of numbers from -limit to limit in bins of equal width. If a number does not fit, the limit doubles and
 * pairs of bins are merged, so each number is counted once. Not thread-safe.
 */
final class Histogram {

    /** Even in the worst case, right after a doubling, half of them are in use on each side. */
    private static final int BINS = 1 << 13;

    private final long[] counts = new long[BINS];
    private float limit;
    private float min = Float.POSITIVE_INFINITY;
    private float max = Float.NEGATIVE_INFINITY;
    private long total;

    /**
     * Counts numbers.
     *
     * @throws IllegalArgumentException if one is not finite
     */
    void add(float[] values) {
        float low = min;
        float high = max;
        for (float value : values) {
            low = Math.min(low, value);
            high = Math.max(high, value);
        }
        // The minimum and maximum of numbers that include NaN are NaN.
        if (!Float.isFinite(low) || !Float.isFinite(high)) {
            throw new IllegalArgumentException("the network computes numbers that are not finite for these images; its"
                    + " weights are damaged, or were trained for another input");
        }
        min = low;
        max = high;
        widen(Math.max(-low, high));
        float binsPerUnit = BINS / 2 / limit;
        for (float value : values) {
            counts[Math.min(BINS - 1, (int) (value * binsPerUnit + BINS / 2f))]++;
        }
        total += values.length;
    }

    private void widen(float reach) {
        if (limit == 0) {
            limit = Math.max(reach, Float.MIN_NORMAL * BINS);
        }
        while (limit < reach) {
            limit *= 2;
            long[] merged = new long[BINS];
            for (int bin = 0; bin < BINS; bin++) {
                merged[BINS / 4 + bin / 2] += counts[bin];
            }
            System.arraycopy(merged, 0, counts, 0, BINS);
        }
    }

    boolean isEmpty() {
        return total == 0;
    }

    /** The minimum and maximum. */
    Range range() {
        if (isEmpty()) {
            throw new IllegalStateException("nothing was counted");
        }
        return new Range(min, max);
    }

    /** The number in the middle of a bin. */
    float center(int bin) {
        return (bin + 0.5f - BINS / 2f) * limit / (BINS / 2f);
    }

    int bins() {
        return BINS;
    }

    long count(int bin) {
        return counts[bin];
    }

    long total() {
        return total;
    }

    /**
     * The smallest range that excludes at most a fraction of all numbers on each side.
     *
     * @param share from 0 to 1, such as 0.0001
     */
    Range without(double share) {
        double most = share * total;
        Range all = range();
        float low = Math.max(all.min(), edge(most, 0, 1));
        float high = Math.min(all.max(), edge(most, BINS - 1, -1));
        return new Range(low, high);
    }

    private float edge(double most, int from, int step) {
        long left = 0;
        int bin = from;
        while (left + counts[bin] <= most) {
            left += counts[bin];
            bin += step;
        }
        float width = limit / (BINS / 2f);
        return center(bin) - step * width / 2;
    }
}
