package io.github.convzoo.weights;

import io.github.convzoo.checkpoint.Tensor;
import java.util.OptionalDouble;
import java.util.function.DoubleConsumer;

/**
 * What a tensor's elements are like. Minimum, maximum, mean and deviation are those of the finite elements, and empty where
 * there are none.
 *
 * @param min the least
 * @param max the greatest
 * @param mean the mean
 * @param std the standard deviation, of these elements and not of a population that they are a sample of: the root of the
 *     mean square deviation
 * @param zeros how many elements are 0
 * @param nans how many are not a number
 * @param infinities how many are infinite
 */
public record TensorStatistics(
        OptionalDouble min,
        OptionalDouble max,
        OptionalDouble mean,
        OptionalDouble std,
        long zeros,
        long nans,
        long infinities) {

    /**
     * Passes twice over a tensor's elements where they lie, and keeps none.
     *
     * @param tensor the tensor, of any type
     * @return its statistics, computed in double
     */
    public static TensorStatistics of(Tensor tensor) {
        Extremes extremes = new Extremes();
        tensor.forEach(extremes);
        if (extremes.finite == 0) {
            OptionalDouble none = OptionalDouble.empty();
            return new TensorStatistics(none, none, none, none, 0, extremes.nans, extremes.infinities);
        }
        double largest = Math.max(Math.abs(extremes.min), Math.abs(extremes.max));
        Moments moments = new Moments(Moments.scale(largest));
        tensor.forEach(moments);
        return new TensorStatistics(
                OptionalDouble.of(extremes.min),
                OptionalDouble.of(extremes.max),
                OptionalDouble.of(moments.mean()),
                OptionalDouble.of(moments.std()),
                extremes.zeros,
                extremes.nans,
                extremes.infinities);
    }

    private static final class Extremes implements DoubleConsumer {

        private double min = Double.POSITIVE_INFINITY;
        private double max = Double.NEGATIVE_INFINITY;
        private long finite;
        private long zeros;
        private long nans;
        private long infinities;

        @Override
        public void accept(double x) {
            if (Double.isFinite(x)) {
                finite++;
                min = Math.min(min, x);
                max = Math.max(max, x);
                if (x == 0) {
                    zeros++;
                }
            } else if (Double.isNaN(x)) {
                nans++;
            } else {
                infinities++;
            }
        }
    }

    /** Welford's recurrence: no sum of squares, whose difference from the squared sum would have no digits left. */
    private static final class Moments implements DoubleConsumer {

        private final double scale;
        private long count;
        private double mean;
        private double squares;

        Moments(double scale) {
            this.scale = scale;
        }

        /** A power of two by which the squares of such numbers neither overflow nor vanish; 1 for all but the extreme. */
        static double scale(double largest) {
            if (largest > 0x1p500) {
                return 0x1p-600;
            }
            return largest != 0 && largest < 0x1p-500 ? 0x1p600 : 1;
        }

        @Override
        public void accept(double x) {
            if (Double.isFinite(x)) {
                count++;
                double scaled = x * scale;
                double deviation = scaled - mean;
                mean += deviation / count;
                squares += deviation * (scaled - mean);
            }
        }

        double mean() {
            return mean / scale;
        }

        double std() {
            // No deviation exceeds the largest number, but what rounding makes of it may.
            return Math.min(Double.MAX_VALUE, Math.sqrt(squares / count) / scale);
        }
    }
}
