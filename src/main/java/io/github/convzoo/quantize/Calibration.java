package io.github.convzoo.quantize;

import io.github.convzoo.graph.Grid;
import io.github.convzoo.graph.Range;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** How to determine the range of a value from its numbers on the calibration images. */
public enum Calibration {
    /** From the minimum to the maximum, without clipping. */
    MINMAX {
        @Override
        Range range(Histogram numbers) {
            return numbers.range();
        }
    },
    /** Ignores 0.01 % of the numbers at each end. */
    PERCENTILE {
        @Override
        Range range(Histogram numbers) {
            return numbers.without(1e-4);
        }
    },
    /**
     * The range that minimizes the Kullback-Leibler divergence between the rounded and the original numbers. Source: S.
     * Migacz, 8-bit Inference with TensorRT, GTC 2017. Single numbers that are very frequent, such as the zeros of a
     * ReLU, are ignored, as NVIDIA's tools do with zeros.
     */
    ENTROPY {
        @Override
        Range range(Histogram numbers) {
            double[] counts = withoutSpikes(numbers);
            return best(numbers, (all, range) -> divergence(all, counts, range));
        }
    },
    /** The range that minimizes the mean squared error. */
    MSE {
        @Override
        Range range(Histogram numbers) {
            return best(numbers, Calibration::squaredError);
        }
    };

    /** The number of candidate bounds, as fractions of the largest number. */
    private static final int STEPS = 128;

    private static final int LEAST = STEPS / 16;

    /** A bin with this share of all numbers, and this many times more than the next ones, is a spike. */
    private static final double SPIKE_SHARE = 0.01;

    private static final int SPIKE_HEIGHT = 4;

    abstract Range range(Histogram numbers);

    /** The quantity that the best range minimizes. */
    @FunctionalInterface
    private interface Cost {
        double of(Histogram numbers, Range range);
    }

    private static Range best(Histogram numbers, Cost cost) {
        Range all = numbers.range();
        Range best = all;
        double least = Double.POSITIVE_INFINITY;
        // From the whole range inward, so that ties clip less.
        for (int step = STEPS; step >= LEAST; step--) {
            float most = Math.max(-all.min(), all.max()) * step / STEPS;
            float low = Math.max(all.min(), -most);
            float high = Math.min(all.max(), most);
            Range range = new Range(low, high);
            double found = cost.of(numbers, range);
            if (found < least) {
                least = found;
                best = range;
            }
        }
        return best;
    }

    private static double squaredError(Histogram numbers, Range range) {
        Grid grid = Grid.of(range);
        double sum = 0;
        for (int bin = 0; bin < numbers.bins(); bin++) {
            if (numbers.count(bin) > 0) {
                float center = numbers.center(bin);
                double error = center - grid.round(center);
                sum += numbers.count(bin) * error * error;
            }
        }
        return sum;
    }

    /**
     * The counts of the bins, with spikes lowered to the higher one of the next nonempty bins. A level's count is
     * spread over its bins, so a spike would be expensive in wide levels, and the range that clips most the cheapest.
     */
    private static double[] withoutSpikes(Histogram numbers) {
        double[] counts = new double[numbers.bins()];
        int[] filled = IntStream.range(0, counts.length)
                .filter(bin -> numbers.count(bin) > 0)
                .toArray();
        for (int i = 0; i < filled.length; i++) {
            long left = i == 0 ? 0 : numbers.count(filled[i - 1]);
            long right = i == filled.length - 1 ? 0 : numbers.count(filled[i + 1]);
            long count = numbers.count(filled[i]);
            long next = Math.max(left, right);
            boolean spike = next > 0 && count > SPIKE_HEIGHT * next && count > SPIKE_SHARE * numbers.total();
            counts[filled[i]] = spike ? next : count;
        }
        return counts;
    }

    private static double divergence(Histogram numbers, double[] counts, Range range) {
        Grid grid = Grid.of(range);
        // Clipped numbers count at the ends, and each level's count is spread over its nonempty bins.
        double[] clipped = new double[numbers.bins()];
        double[] levelCounts = new double[Grid.LAST + 1];
        int[] levelBins = new int[Grid.LAST + 1];
        int first = -1;
        int last = -1;
        double below = 0;
        double above = 0;
        for (int bin = 0; bin < numbers.bins(); bin++) {
            float center = numbers.center(bin);
            double count = counts[bin];
            if (center < range.min()) {
                below += count;
            } else if (center > range.max()) {
                above += count;
            } else {
                first = first < 0 ? bin : first;
                last = bin;
                clipped[bin] = count;
                if (count > 0) {
                    levelCounts[grid.level(center)] += count;
                    levelBins[grid.level(center)]++;
                }
            }
        }
        if (first < 0) {
            return Double.POSITIVE_INFINITY;
        }
        double inside = DoubleStream.of(levelCounts).sum();
        double total = below + inside + above;
        clipped[first] += below;
        clipped[last] += above;
        double sum = 0;
        for (int bin = first; bin <= last; bin++) {
            if (clipped[bin] > 0) {
                int level = grid.level(numbers.center(bin));
                double spread = levelBins[level] == 0 ? 0 : levelCounts[level] / levelBins[level] / inside;
                double share = clipped[bin] / total;
                // A bin with only clipped numbers: as unlikely as representable.
                sum += share * Math.log(share / Math.max(spread, 1e-12));
            }
        }
        return sum;
    }
}
