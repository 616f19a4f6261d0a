package io.github.convzoo.graph;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A tensor that does not depend on the network's input: a parameter, or what a pass makes of parameters. A graph holds no
 * weights: nothing is computed before {@link #evaluate} is asked.
 */
public sealed interface Constant {

    /**
     * Computes the tensor.
     *
     * @param parameters where the values of parameters come from
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
     * Numbers of the graph's own.
     *
     * @param tensor the numbers
     */
    record Literal(Tensor tensor) implements Constant {
        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            return tensor;
        }
    }

    /**
     * The factor that a normalization's inference comes to: gamma / sqrt(variance + epsilon).
     *
     * @param gamma (C)
     * @param variance the running variance, (C)
     * @param epsilon what is added to the variance
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
     * What a normalization's inference adds after the factor: beta - mean * scale, and bias * scale if the layer before it has a
     * bias.
     *
     * @param beta (C)
     * @param mean the running mean, (C)
     * @param scale the factor, (C)
     * @param bias of the layer before, (C), or null
     */
    record NormShift(Constant beta, Constant mean, Constant scale, @Nullable Constant bias) implements Constant {
        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            float[] betas = beta.evaluate(parameters).values();
            float[] means = mean.evaluate(parameters).values();
            float[] scales = scale.evaluate(parameters).values();
            float[] biases = bias == null
                    ? new float[betas.length]
                    : bias.evaluate(parameters).values();
            float[] shift = new float[betas.length];
            for (int i = 0; i < shift.length; i++) {
                shift[i] = betas[i] - means[i] * scales[i] + biases[i] * scales[i];
            }
            return Tensor.vector(shift);
        }
    }

    /**
     * Filters multiplied by a number each.
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
     * Some of the filters, or some of the elements of a vector.
     *
     * @param whole (filters, ...)
     * @param from the first
     * @param to the first that is not taken
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
     * @param index which one
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
    }

    /**
     * Filters one after the other.
     *
     * @param parts (filters, ...) each, alike but for the number of filters
     */
    record Stacked(List<Constant> parts) implements Constant {

        /**
         * Copies the list.
         *
         * @param parts at least one
         */
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
     * Filters spread out over more input channels, with zeros for those that were not theirs.
     *
     * @param weight (filters, C, ...)
     * @param starts for each filter, where its first channel is among those that it sees now
     * @param channels how many channels it sees now
     */
    record Spread(Constant weight, List<Integer> starts, int channels) implements Constant {

        /**
         * Copies the list.
         *
         * @param weight (filters, C, ...)
         * @param starts one for each filter
         * @param channels at least each start and C together
         */
        public Spread {
            starts = List.copyOf(starts);
        }

        @Override
        public Tensor evaluate(Tensor.Source parameters) {
            return weight.evaluate(parameters).spread(starts, channels);
        }
    }
}
