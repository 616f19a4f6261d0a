package io.github.convzoo.graph;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A tensor that does not depend on the network's input: a parameter, or a value that a pass derives from parameters. A
 * graph stores no weights: nothing is computed before {@link #evaluate} is called.
 */
public sealed interface Constant {

    /**
     * Computes the tensor.
     *
     * @param parameters the source of the parameters' values
     * @return its values
     */
    Tensor evaluate(Tensor.Source parameters);

    /**
     * A parameter of the network.
     *
     * @param name its canonical name
     */
    record Parameter(String name) implements Constant {
        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            return parameters.read(name);
        }
    }

    /**
     * A literal of the graph.
     *
     * @param tensor the numbers
     */
    record Literal(Tensor tensor) implements Constant {

        /**
         * {@return a literal of one number}
         *
         * @param number the number
         */
        public static Literal of(float number) {
            return new Literal(new Tensor(List.of(), new float[] {number}));
        }

        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            return tensor;
        }
    }

    /**
     * The factor of a normalization at inference: gamma / sqrt(variance + epsilon).
     *
     * @param gamma (C)
     * @param variance the running variance, (C)
     * @param epsilon added to the variance
     */
    record NormScale(Constant gamma, Constant variance, float epsilon) implements Constant {
        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            float[] gammas = gamma.evaluate(parameters).values();
            float[] variances = variance.evaluate(parameters).values();
            float[] scale = new float[gammas.length];
            for (int i = 0; i < scale.length; i++) {
                scale[i] = gammas[i] / (float) Math.sqrt(variances[i] + epsilon);
            }
            return Tensor.vector(scale);
        }
    }

    /**
     * The offset of a normalization at inference, added after the factor: beta - mean * scale.
     *
     * @param beta (C)
     * @param mean the running mean, (C)
     * @param scale the factor, (C)
     */
    record NormShift(Constant beta, Constant mean, Constant scale) implements Constant {
        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            float[] betas = beta.evaluate(parameters).values();
            float[] means = mean.evaluate(parameters).values();
            float[] scales = scale.evaluate(parameters).values();
            float[] shift = new float[betas.length];
            for (int i = 0; i < shift.length; i++) {
                shift[i] = betas[i] - means[i] * scales[i];
            }
            return Tensor.vector(shift);
        }
    }

    /**
     * Filters, each multiplied by its own number.
     *
     * @param weight (filters, ...)
     * @param scale (filters)
     */
    record Scaled(Constant weight, Constant scale) implements Constant {
        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            Tensor filters = weight.evaluate(parameters);
            float[] scales = scale.evaluate(parameters).values();
            float[] values = filters.values().clone();
            int each = values.length / scales.length;
            for (int i = 0; i < values.length; i++) {
                values[i] *= scales[i / each];
            }
            return new Tensor(filters.sizes(), values);
        }
    }

    /**
     * The sum of two vectors of the same length.
     *
     * @param first (C)
     * @param second (C)
     */
    record Sum(Constant first, Constant second) implements Constant {
        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            float[] sum = first.evaluate(parameters).values().clone();
            float[] added = second.evaluate(parameters).values();
            for (int i = 0; i < sum.length; i++) {
                sum[i] += added[i];
            }
            return Tensor.vector(sum);
        }
    }

    /**
     * Some of the filters, or some of the elements of a vector.
     *
     * @param whole (filters, ...)
     * @param from the first row
     * @param to the end row, exclusive
     */
    record Rows(Constant whole, long from, long to) implements Constant {
        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            return whole.evaluate(parameters).rows(Math.toIntExact(from), Math.toIntExact(to));
        }
    }

    /**
     * One entry of the first axis, without that axis.
     *
     * @param whole (entries, ...)
     * @param index the index
     */
    record Entry(Constant whole, int index) implements Constant {
        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            Tensor row = whole.evaluate(parameters).rows(index, index + 1);
            return new Tensor(row.sizes().subList(1, row.sizes().size()), row.values());
        }
    }

    /**
     * A vector that repeats one number.
     *
     * @param number a tensor of one element
     * @param times the number of elements
     */
    record Repeated(Constant number, int times) implements Constant {
        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            float[] one = number.evaluate(parameters).values();
            if (one.length != 1) {
                throw new IllegalArgumentException("only one number can be repeated, not " + one.length);
            }
            float[] values = new float[times];
            Arrays.fill(values, one[0]);
            return Tensor.vector(values);
        }

        /** Whether every element of a constant is known to be a number. */
        static boolean isAll(Constant constant, float value) {
            return constant instanceof Repeated repeated
                    && repeated.number instanceof Literal literal
                    && literal.tensor().values()[0] == value;
        }
    }

    /**
     * Concatenated filters.
     *
     * @param parts (filters, ...) each, at least one, with equal shapes except for the number of filters
     */
    record Stacked(List<Constant> parts) implements Constant {

        /** Copies the list. */
        public Stacked {
            parts = List.copyOf(parts);
        }

        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            return Tensor.stacked(
                    parts.stream().map(part -> part.evaluate(parameters)).toList());
        }
    }

    /**
     * Filters spread over more input channels, with zeros for the additional ones.
     *
     * @param weight (filters, C, ...)
     * @param starts for each filter, the index of its first original channel
     * @param channels the new number of input channels, at least each start and C together
     */
    record Spread(Constant weight, List<Integer> starts, int channels) implements Constant {

        /** Copies the list. */
        public Spread {
            starts = List.copyOf(starts);
        }

        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            return weight.evaluate(parameters).spread(starts, channels);
        }

        /**
         * {@return the pattern of joined groups: as many filters for the first channels as for the next ones, over and
         * over; null if the filters are spread otherwise}
         */
        public @Nullable Blocks blocks() {
            int narrow = starts.stream().filter(start -> start > 0).findFirst().orElse(channels);
            Blocks blocks = new Blocks(channels / narrow, Math.max(1, starts.indexOf(narrow)), narrow);
            if (blocks.count < 2 || channels % narrow != 0 || starts.size() % (blocks.count * blocks.filters) != 0) {
                return null;
            }
            for (int filter = 0; filter < starts.size(); filter++) {
                if (starts.get(filter) != filter / blocks.filters % blocks.count * narrow) {
                    return null;
                }
            }
            return blocks;
        }
    }

    /**
     * The diagonal blocks of a group's filters after narrow groups were merged.
     *
     * @param count number of blocks per group
     * @param filters filters per block
     * @param channels channels per block
     */
    record Blocks(int count, int filters, int channels) {}

    /**
     * One number per channel as the filters of a 1 x 1 depthwise convolution: (C) to (C, 1, 1, 1).
     *
     * @param vector (C)
     */
    record Depthwise(Constant vector) implements Constant {

        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            float[] values = vector.evaluate(parameters).values();
            return new Tensor(List.of((long) values.length, 1L, 1L, 1L), values);
        }
    }

    /**
     * A linear layer's weights as the filters of a 1 x 1 convolution: (F, C) to (F, C, 1, 1).
     *
     * @param matrix (F, C)
     */
    record Pixelwise(Constant matrix) implements Constant {

        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            Tensor weights = matrix.evaluate(parameters);
            return new Tensor(List.of(weights.sizes().get(0), weights.sizes().get(1), 1L, 1L), weights.values());
        }
    }

    /**
     * Weights rounded to a symmetric grid per filter.
     *
     * @param weight the weights; the first axis is that of the filters
     * @param bits 8 for levels from -127 to 127; 7 for -63 to 63, so that the sum of two products with levels up to 255
     *     fits in 16 bits
     * @param bias added to the filters' results, or null
     * @param inputScale the scale of the input
     */
    record QuantizedWeight(Constant weight, int bits, @Nullable Constant bias, float inputScale) implements Constant {

        /** The largest level of a bias; a 32-bit level may be twice as large. */
        private static final float MOST_BIAS = 1 << 30;

        private static final float LEAST = 1e-12f;

        /**
         * {@return these weights as they were before their groups were merged into {@link #blocks}, without the zeros
         * between groups, so that a file need not store them; this object if there are no blocks}
         */
        public QuantizedWeight narrow() {
            return weight instanceof Spread spread && spread.blocks() != null
                    ? new QuantizedWeight(spread.weight(), bits, bias, inputScale)
                    : this;
        }

        /** {@return the pattern of merged groups, or null if no groups were merged} */
        public @Nullable Blocks blocks() {
            return weight instanceof Spread spread ? spread.blocks() : null;
        }

        /** {@return the largest level, 127 or 63} */
        public int most() {
            return (1 << (bits - 1)) - 1;
        }

        /**
         * {@return the distance between two levels, one per filter} A filter of tiny weights has the scale that its
         * bias needs.
         *
         * @param parameters the source of the parameters' values
         */
        public float[] scales(Tensor.Source parameters) {
            return scales(weight.evaluate(parameters), parameters);
        }

        private float[] scales(Tensor weights, Tensor.Source parameters) {
            float[] biases =
                    bias == null ? new float[0] : bias.evaluate(parameters).values();
            float[] scales = new float[Math.toIntExact(weights.sizes().get(0))];
            int each = weights.values().length / scales.length;
            for (int filter = 0; filter < scales.length; filter++) {
                float largest = 0;
                for (int i = filter * each; i < (filter + 1) * each; i++) {
                    largest = Math.max(largest, Math.abs(weights.values()[i]));
                }
                float forBias = bias == null ? 0 : Math.abs(biases[filter]) / inputScale / MOST_BIAS;
                scales[filter] = Math.max(Math.max(largest / most(), forBias), LEAST);
            }
            return scales;
        }

        /**
         * {@return the levels, from -127 or -63 to 127 or 63, in the order of the weights}
         *
         * @param parameters the source of the parameters' values
         */
        public byte[] levels(Tensor.Source parameters) {
            Tensor weights = weight.evaluate(parameters);
            return levels(weights, scales(weights, parameters));
        }

        private byte[] levels(Tensor weights, float[] scales) {
            byte[] levels = new byte[weights.values().length];
            int each = levels.length / scales.length;
            for (int i = 0; i < levels.length; i++) {
                double level = Math.rint(weights.values()[i] / scales[i / each]);
                levels[i] = (byte) Math.max(-most(), Math.min(most(), level));
            }
            return levels;
        }

        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            Tensor weights = weight.evaluate(parameters);
            float[] scales = scales(weights, parameters);
            byte[] levels = levels(weights, scales);
            float[] values = new float[levels.length];
            int each = values.length / scales.length;
            for (int i = 0; i < values.length; i++) {
                values[i] = levels[i] * scales[i / each];
            }
            return new Tensor(weights.sizes(), values);
        }
    }

    /**
     * A bias rounded to multiples of the product of the scales of input and weights, so that it can be added to sums of
     * products of levels.
     *
     * @param bias the bias, one number per filter
     * @param weight the weights, which have the input's scale
     */
    record QuantizedBias(Constant bias, QuantizedWeight weight) implements Constant {

        /**
         * {@return the distance between two levels, one per filter}
         *
         * @param parameters the source of the parameters' values
         */
        public float[] scales(Tensor.Source parameters) {
            float[] scales = weight.scales(parameters);
            for (int filter = 0; filter < scales.length; filter++) {
                scales[filter] *= weight.inputScale();
            }
            return scales;
        }

        /**
         * {@return the levels, one per filter}
         *
         * @param parameters the source of the parameters' values
         */
        public int[] levels(Tensor.Source parameters) {
            return levels(bias.evaluate(parameters), scales(parameters));
        }

        private static int[] levels(Tensor biases, float[] scales) {
            int[] levels = new int[scales.length];
            for (int i = 0; i < levels.length; i++) {
                levels[i] = (int) Math.rint(biases.values()[i] / (double) scales[i]);
            }
            return levels;
        }

        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            Tensor biases = bias.evaluate(parameters);
            float[] scales = scales(parameters);
            int[] levels = levels(biases, scales);
            float[] values = new float[levels.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = levels[i] * scales[i];
            }
            return new Tensor(biases.sizes(), values);
        }
    }
}
