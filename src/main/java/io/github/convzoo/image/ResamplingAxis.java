package io.github.convzoo.image;

import java.util.Arrays;

/**
 * The input pixels and weights of each output pixel along one axis.
 *
 * <p>Only a range of the outputs is kept: those that the caller needs.
 */
final class ResamplingAxis {

    /**
     * A byte times the weights, with their overshoot, must fit into an int: 32 bits, less 8, less sign and headroom.
     */
    private static final int PRECISION_BITS = 32 - 8 - 2;

    private static final int HALF = 1 << (PRECISION_BITS - 1);

    private final boolean identity;
    private final int[] starts;
    private final int[] counts;
    /** The weights of output {@code i}, starting at {@code i * stride}. */
    private final int[] weights;

    private final int stride;

    private ResamplingAxis(boolean identity, int outputs, int stride) {
        this.identity = identity;
        this.starts = new int[outputs];
        this.counts = new int[outputs];
        this.weights = new int[Math.multiplyExact(outputs, stride)];
        this.stride = stride;
    }

    /**
     * Computes an axis.
     *
     * @param filter the filter
     * @param from the input's size
     * @param to the whole output's size
     * @param first the first output needed
     * @param outputs the number of outputs needed
     */
    static ResamplingAxis of(Resampling filter, int from, long to, long first, int outputs) {
        boolean identity = from == to && outputs == to;
        double scale = (double) from / to;
        return filter == Resampling.NEAREST
                ? nearest(identity, from, scale, first, outputs)
                : filtered(identity, filter, from, scale, first, outputs);
    }

    private static ResamplingAxis nearest(boolean identity, int from, double scale, long first, int outputs) {
        ResamplingAxis axis = new ResamplingAxis(identity, outputs, 1);
        // Summed up, not multiplied: the rounding of the sum decides where a center falls between two pixels.
        double position = scale * 0.5;
        for (long i = 0; i < first + outputs; i++) {
            if (i >= first) {
                axis.starts[(int) (i - first)] = Math.min((int) position, from - 1);
                axis.counts[(int) (i - first)] = 1;
                axis.weights[(int) (i - first)] = 1 << PRECISION_BITS;
            }
            position += scale;
        }
        return axis;
    }

    private static ResamplingAxis filtered(
            boolean identity, Resampling filter, int from, double scale, long first, int outputs) {
        double stretch = Math.max(scale, 1);
        double support = filter.support() * stretch;
        int stride = (int) Math.min(from, 2 * (long) Math.ceil(support) + 1);
        ResamplingAxis axis = new ResamplingAxis(identity, outputs, stride);
        double[] exact = new double[stride];
        for (int i = 0; i < outputs; i++) {
            double center = (first + i + 0.5) * scale;
            int start = Math.max((int) (center - support + 0.5), 0);
            int count = Math.min((int) (center + support + 0.5), from) - start;
            double sum = 0;
            for (int k = 0; k < count; k++) {
                exact[k] = filter.weight((start + k - center + 0.5) * (1 / stretch));
                sum += exact[k];
            }
            for (int k = 0; k < count; k++) {
                double weight = (sum == 0 ? exact[k] : exact[k] / sum) * (1 << PRECISION_BITS);
                axis.weights[i * stride + k] = (int) (weight + (weight < 0 ? -0.5 : 0.5));
            }
            axis.starts[i] = start;
            axis.counts[i] = count;
        }
        return axis;
    }

    /** Whether the output is the whole input, unchanged. */
    boolean isIdentity() {
        return identity;
    }

    /** The first input that any output uses. */
    int firstInput() {
        return starts[0];
    }

    /** One past the last input that any output uses. */
    int lastInput() {
        return starts[starts.length - 1] + counts[counts.length - 1];
    }

    /**
     * Resamples along the columns: {@code rows} rows of the input, starting at {@code firstRow}; the axis starts at
     * column {@code left}.
     */
    byte[] resampleColumns(byte[] input, int inputWidth, int left, int firstRow, int rows) {
        byte[] output = new byte[RgbImage.sampleCount(starts.length, rows)];
        int o = 0;
        for (int y = 0; y < rows; y++) {
            int row = ((firstRow + y) * inputWidth + left) * RgbImage.CHANNELS;
            for (int x = 0; x < starts.length; x++) {
                int red = HALF;
                int green = HALF;
                int blue = HALF;
                int i = row + starts[x] * RgbImage.CHANNELS;
                int weight = x * stride;
                for (int end = weight + counts[x]; weight < end; weight++, i += RgbImage.CHANNELS) {
                    int w = weights[weight];
                    red += (input[i] & 0xff) * w;
                    green += (input[i + 1] & 0xff) * w;
                    blue += (input[i + 2] & 0xff) * w;
                }
                output[o++] = round(red);
                output[o++] = round(green);
                output[o++] = round(blue);
            }
        }
        return output;
    }

    /** Resamples along the rows, of an input whose row 0 is row {@code firstRow} of the axis. */
    byte[] resampleRows(byte[] input, int width, int firstRow) {
        byte[] output = new byte[RgbImage.sampleCount(width, starts.length)];
        int row = width * RgbImage.CHANNELS;
        int[] sums = new int[row];
        for (int y = 0; y < starts.length; y++) {
            Arrays.fill(sums, HALF);
            for (int k = 0; k < counts[y]; k++) {
                int weight = weights[y * stride + k];
                int from = (starts[y] - firstRow + k) * row;
                for (int i = 0; i < row; i++) {
                    sums[i] += (input[from + i] & 0xff) * weight;
                }
            }
            int to = y * row;
            for (int i = 0; i < row; i++) {
                output[to + i] = round(sums[i]);
            }
        }
        return output;
    }

    private static byte round(int sum) {
        int value = sum >> PRECISION_BITS;
        return (byte) Math.max(0, Math.min(255, value));
    }
}
