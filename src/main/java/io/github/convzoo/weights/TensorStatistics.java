package io.github.convzoo.weights;

import io.github.convzoo.checkpoint.Tensor;
import java.util.OptionalDouble;
import java.util.function.DoubleConsumer;

/**
 * Statistics of a tensor's elements. Minimum, maximum, mean and deviation cover the finite elements, and are empty if
 * there are none.
 *
 * @param min the minimum
 * @param max the maximum
 * @param mean the mean
 * @param std the population standard deviation: the root of the mean square deviation
 * @param zeros the number of elements equal to 0
 * @param nans the number of NaN elements
 * @param infinities the number of infinite elements
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
     * Computes statistics in two passes over a tensor's elements, without copying them.
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

    /** Welford's recurrence, which avoids the cancellation of a sum of squares. */
    private static final class Moments implements DoubleConsumer {

        private final double scale;
        private long count;
        private double mean;
        private double squares;

        Moments(double scale) {
            this.scale = scale;
        }

        /**
         * A power of two that keeps squares of such numbers from overflow and underflow; 1 except for extreme numbers.
         */
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
            // No deviation exceeds the largest number, except by rounding.
            return Math.min(Double.MAX_VALUE, Math.sqrt(squares / count) / scale);
        }
    }
}
