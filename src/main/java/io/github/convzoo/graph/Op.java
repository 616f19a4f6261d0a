package io.github.convzoo.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The operation of a node. The set is closed: code that handles operations implements {@link Cases}, and does not
 * compile until every operation is handled.
 */
public sealed interface Op {

    /** {@return the operation's name in PyTorch's terms, for example {@code Conv2d} or {@code ReLU}} */
    default String kind() {
        return getClass().getSimpleName();
    }

    /**
     * {@return details in addition to the name, for printing, for example {@code [3x3, stride 2]}; empty if there are
     * none}
     */
    default String details() {
        return "";
    }

    /**
     * {@return the type of each output}
     *
     * @param inputs the types of the inputs
     * @throws IllegalArgumentException if the inputs are invalid
     */
    List<Type> types(List<Type> inputs);

    /** {@return the number of outputs, 1 for most operations} */
    default int outputs() {
        return 1;
    }

    /**
     * {@return whether an engine may return outputs that share memory with the inputs: true for operations that are
     * views of their input}
     */
    default boolean sharesMemory() {
        return false;
    }

    /** {@return the constants that the operation reads, in a fixed order; empty for most operations} */
    default List<Constant> constants() {
        return List.of();
    }

    /**
     * Handles this operation.
     *
     * @param cases the handler of each operation
     * @param <R> the type of the result
     * @return the result of the operation's own case
     */
    <R> R accept(Cases<R> cases);

    /**
     * Handlers for each operation.
     *
     * @param <R> the type of the result
     */
    interface Cases<R> {
        /**
         * {@return the result for a {@link Convolution}}
         *
         * @param op the operation
         */
        R convolution(Convolution op);

        /**
         * {@return the result for a {@link FusedConvolution}}
         *
         * @param op the operation
         */
        R fusedConvolution(FusedConvolution op);

        /**
         * {@return the result for a {@link Linear}}
         *
         * @param op the operation
         */
        R linear(Linear op);

        /**
         * {@return the result for a {@link Normalization}}
         *
         * @param op the operation
         */
        R normalization(Normalization op);

        /**
         * {@return the result for an {@link Affine}}
         *
         * @param op the operation
         */
        R affine(Affine op);

        /**
         * {@return the result for a {@link DynamicConvolution}}
         *
         * @param op the operation
         */
        R dynamicConvolution(DynamicConvolution op);

        /**
         * {@return the result for an {@link Activation}}
         *
         * @param op the operation
         */
        R activation(Activation op);

        /**
         * {@return the result for an {@link Elu}}
         *
         * @param op the operation
         */
        R elu(Elu op);

        /**
         * {@return the result for a {@link LeakyRelu}}
         *
         * @param op the operation
         */
        R leakyRelu(LeakyRelu op);

        /**
         * {@return the result for a {@link Clip}}
         *
         * @param op the operation
         */
        R clip(Clip op);

        /**
         * {@return the result for an {@link Add}}
         *
         * @param op the operation
         */
        R add(Add op);

        /**
         * {@return the result for a {@link Multiply}}
         *
         * @param op the operation
         */
        R multiply(Multiply op);

        /**
         * {@return the result for a {@link Scale}}
         *
         * @param op the operation
         */
        R scale(Scale op);

        /**
         * {@return the result for a {@link FakeQuantize}}
         *
         * @param op the operation
         */
        R fakeQuantize(FakeQuantize op);

        /**
         * {@return the result for a {@link Concat}}
         *
         * @param op the operation
         */
        R concat(Concat op);

        /**
         * {@return the result for a {@link Split}}
         *
         * @param op the operation
         */
        R split(Split op);

        /**
         * {@return the result for a {@link MaxPool}}
         *
         * @param op the operation
         */
        R maxPool(MaxPool op);

        /**
         * {@return the result for an {@link AveragePool}}
         *
         * @param op the operation
         */
        R averagePool(AveragePool op);

        /**
         * {@return the result for a {@link GlobalPool}}
         *
         * @param op the operation
         */
        R globalPool(GlobalPool op);

        /**
         * {@return the result for a {@link Reshape}}
         *
         * @param op the operation
         */
        R reshape(Reshape op);

        /**
         * {@return the result for a {@link Softmax}}
         *
         * @param op the operation
         */
        R softmax(Softmax op);

        /**
         * {@return the result for a {@link Dropout}}
         *
         * @param op the operation
         */
        R dropout(Dropout op);

        /**
         * {@return the result for a {@link Pixels}}
         *
         * @param op the operation
         */
        R pixels(Pixels op);

        /**
         * {@return the result for a {@link Call}}
         *
         * @param op the operation
         */
        R call(Call op);
    }

    /**
     * A convolution: (N, C, H, W) to (N, filters, H', W').
     *
     * @param weight (filters, C / groups, kernel height, kernel width)
     * @param bias (filters), or null
     * @param filters the number of output channels
     * @param window the kernel's window
     * @param groups the number of groups of channels and filters
     */
    record Convolution(Constant weight, @Nullable Constant bias, int filters, Window window, int groups) implements Op {

        @Override
        public String kind() {
            return "Conv2d";
        }

        @Override
        public String details() {
            return "[" + filters + (groups == 1 ? "" : " in " + groups + " groups") + ", "
                    + window.details().substring(1);
        }

        @Override
        public List<Type> types(List<Type> inputs) {
            Type map = map(inputs, this);
            if (map.get(1) % groups != 0 || filters % groups != 0) {
                throw new IllegalArgumentException("a " + kind() + " of " + groups + " groups and " + filters
                        + " filters does not fit a map of " + map);
            }
            return List.of(window.over(map, kind()).with(1, filters));
        }

        /**
         * {@return the shape of the weight, (filters, C / groups, kernel height, kernel width)}
         *
         * @param map the type of the input
         */
        public List<Long> weightSizes(Type map) {
            return List.of(
                    (long) filters, map.get(1) / groups, (long) window.kernel().height(), (long)
                            window.kernel().width());
        }

        @Override
        public List<Constant> constants() {
            return bias == null ? List.of(weight) : List.of(weight, bias);
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.convolution(this);
        }
    }

    /**
     * A convolution fused with subsequent operations: the sum with a second input, if there is one, then ReLU.
     *
     * @param convolution the convolution of the first input
     * @param adds whether a second input of the output's type is added
     * @param rectifies whether the result is max(x, 0)
     */
    record FusedConvolution(Convolution convolution, boolean adds, boolean rectifies) implements Op {

        @Override
        public String kind() {
            return convolution.kind()
                    + (adds ? "+" + new Add().kind() : "")
                    + (rectifies ? "+" + Activation.RELU.kind() : "");
        }

        @Override
        public String details() {
            return convolution.details();
        }

        @Override
        public List<Type> types(List<Type> inputs) {
            if (inputs.size() != (adds ? 2 : 1)) {
                throw new IllegalArgumentException(
                        "a " + kind() + " has " + (adds ? "two inputs" : "one input") + ", not " + inputs.size());
            }
            List<Type> outputs = convolution.types(inputs.subList(0, 1));
            return adds ? new Add().types(List.of(outputs.get(0), inputs.get(1))) : outputs;
        }

        @Override
        public List<Constant> constants() {
            return convolution.constants();
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.fusedConvolution(this);
        }
    }

    /**
     * A linear layer: (N, features) to (N, units).
     *
     * @param weight (units, features)
     * @param bias (units), or null
     * @param units the number of outputs
     */
    record Linear(Constant weight, @Nullable Constant bias, int units) implements Op {

        @Override
        public String details() {
            return "[" + units + "]";
        }

        @Override
        public List<Type> types(List<Type> inputs) {
            Type input = only(inputs, this);
            if (input.rank() < 2) {
                throw mismatch(this, "(N, features)", input);
            }
            return List.of(input.with(input.rank() - 1, units));
        }

        @Override
        public List<Constant> constants() {
            return bias == null ? List.of(weight) : List.of(weight, bias);
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.linear(this);
        }
    }

    /**
     * Batch normalization by running statistics, on axis 1.
     *
     * @param gamma the factor, (C)
     * @param beta the offset, (C)
     * @param mean the running mean, (C)
     * @param variance the running variance, (C)
     * @param epsilon added to the variance
     */
    record Normalization(Constant gamma, Constant beta, Constant mean, Constant variance, float epsilon) implements Op {

        @Override
        public String kind() {
            return "BatchNorm2d";
        }

        /** {@return the factor of each channel, (C)} */
        public Constant scale() {
            return new Constant.NormScale(gamma, variance, epsilon);
        }

        /** {@return the offset of each channel, (C), added after the factor} */
        public Constant shift() {
            return new Constant.NormShift(beta, mean, scale());
        }

        @Override
        public List<Type> types(List<Type> inputs) {
            return List.of(only(inputs, this));
        }

        @Override
        public List<Constant> constants() {
            return List.of(gamma, beta, mean, variance);
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.normalization(this);
        }
    }

    /**
     * One multiplication and one addition per channel of (N, C, H, W), or per feature of (N, C).
     *
     * @param scale the factor, (C)
     * @param shift the offset, (C)
     */
    record Affine(Constant scale, Constant shift) implements Op {

        /** {@return whether the factors are not known to be 1} */
        public boolean multiplies() {
            return !Constant.Repeated.isAll(scale, 1);
        }

        /** {@return whether the offsets are not known to be 0} */
        public boolean adds() {
            return !Constant.Repeated.isAll(shift, 0);
        }

        @Override
        public List<Type> types(List<Type> inputs) {
            Type input = only(inputs, this);
            if ((input.rank() != 2 && input.rank() != 4) || input.element() != Type.Element.FLOAT) {
                throw mismatch(this, "(N, C) or (N, C, H, W)", input);
            }
            return List.of(input);
        }

        @Override
        public List<Constant> constants() {
            return List.of(scale, shift);
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.affine(this);
        }
    }

    /**
     * A convolution that mixes its kernel from experts for each sample: (N, C, H, W) to (N, filters, H', W'). The
     * weights of the experts are the softmax over: global average pool, 1x1 convolution, ReLU, 1x1 convolution,
     * division by the temperature.
     *
     * @param weight (experts, filters, C / groups, kernel height, kernel width)
     * @param bias (experts, filters), or null
     * @param squeeze the first 1x1 convolution
     * @param score the second 1x1 convolution, one filter per expert
     * @param temperature the divisor of the scores
     * @param channels C, the number of input channels
     * @param filters the number of output channels
     * @param window the kernel's window
     * @param groups the number of groups of channels and filters
     */
    record DynamicConvolution(
            Constant weight,
            @Nullable Constant bias,
            Convolution squeeze,
            Convolution score,
            float temperature,
            int channels,
            int filters,
            Window window,
            int groups)
            implements Op {

        @Override
        public String kind() {
            return "DynamicConv2d";
        }

        @Override
        public String details() {
            return "[" + score.filters + " experts, " + filters + ", "
                    + window.details().substring(1);
        }

        @Override
        public List<Type> types(List<Type> inputs) {
            Type map = map(inputs, this);
            if (map.get(1) != channels) {
                throw mismatch(this, "(N, " + channels + ", H, W)", map);
            }
            return List.of(window.over(map, kind()).with(1, filters));
        }

        @Override
        public List<Constant> constants() {
            List<Constant> constants = new ArrayList<>(List.of(weight));
            if (bias != null) {
                constants.add(bias);
            }
            constants.addAll(squeeze.constants());
            constants.addAll(score.constants());
            return constants;
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.dynamicConvolution(this);
        }
    }

    /** An elementwise function, which can be applied to the parts of a value instead of the whole. */
    sealed interface Elementwise extends Op permits Activation, Elu, LeakyRelu, Clip, Scale, FakeQuantize {

        @Override
        default List<Type> types(List<Type> inputs) {
            return List.of(only(inputs, this));
        }
    }

    /** An elementwise function without parameters. */
    enum Activation implements Elementwise {
        /** max(x, 0). */
        RELU("ReLU"),
        /** 1 / (1 + exp(-x)). */
        SIGMOID("Sigmoid"),
        /** The hyperbolic tangent. */
        TANH("Tanh"),
        /** x * sigmoid(x). */
        SILU("SiLU"),
        /** log(1 + exp(x)). */
        SOFTPLUS("Softplus"),
        /** 1.0507 * x if positive, 1.0507 * 1.6733 * (exp(x) - 1) otherwise: Klambauer et al., 2017. */
        SELU("SELU"),
        /** x * Phi(x), by the error function, not by its tanh approximation. */
        GELU("GELU");

        private final String kind;

        Activation(String kind) {
            this.kind = kind;
        }

        @Override
        public String kind() {
            return kind;
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.activation(this);
        }
    }

    /**
     * Exponential linear unit: x if positive, alpha * (exp(x) - 1) otherwise.
     *
     * @param alpha the negated lower limit
     */
    record Elu(float alpha) implements Elementwise {

        @Override
        public String kind() {
            return "ELU";
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.elu(this);
        }
    }

    /**
     * Leaky rectified linear unit: x if positive, alpha * x otherwise.
     *
     * @param alpha the slope of the negative side
     */
    record LeakyRelu(float alpha) implements Elementwise {

        @Override
        public String kind() {
            return "LeakyReLU";
        }

        @Override
        public String details() {
            return "[" + alpha + "]";
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.leakyRelu(this);
        }
    }

    /**
     * Clips each element.
     *
     * @param min the lower bound, at most {@code max}; negative infinity for none
     * @param max the upper bound; infinity for none
     */
    record Clip(float min, float max) implements Elementwise {

        /**
         * Checks the bounds.
         *
         * @throws IllegalArgumentException if the bounds are not in order
         */
        public Clip {
            if (!(min <= max)) {
                throw new IllegalArgumentException("a Clip's bounds must ascend, not " + min + " to " + max);
            }
        }

        @Override
        public String details() {
            return "[" + min + " to " + max + "]";
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.clip(this);
        }
    }

    /** The sum of two values of the same shape. */
    record Add() implements Op {

        @Override
        public List<Type> types(List<Type> inputs) {
            Type first = inputs.get(0);
            if (inputs.size() != 2 || !first.equals(inputs.get(1))) {
                throw new IllegalArgumentException("maps of " + first + " and " + inputs.get(inputs.size() - 1)
                        + " cannot be added because the input's size does not fit the strides");
            }
            return List.of(first);
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.add(this);
        }
    }

    /** The product of a map and a value of the same shape, or of shape (N, 1 or C, 1, 1). */
    record Multiply() implements Op {

        @Override
        public List<Type> types(List<Type> inputs) {
            Type first = inputs.get(0);
            Type second = inputs.get(inputs.size() - 1);
            boolean fits = inputs.size() == 2 && first.rank() == second.rank();
            for (int axis = 0; fits && axis < first.rank(); axis++) {
                fits = first.get(axis) == second.get(axis) || (axis > 0 && second.get(axis) == 1);
            }
            if (!fits) {
                throw new IllegalArgumentException("maps of " + first + " and " + second + " cannot be multiplied");
            }
            return List.of(first);
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.multiply(this);
        }
    }

    /**
     * A multiplication of all elements by one number.
     *
     * @param factor the factor, finite
     */
    record Scale(float factor) implements Elementwise {

        /**
         * Checks the factor.
         *
         * @throws IllegalArgumentException if it is not finite
         */
        public Scale {
            if (!Float.isFinite(factor)) {
                throw new IllegalArgumentException("a factor must be finite in float32, not " + factor);
            }
        }

        @Override
        public String details() {
            return "[" + factor + "]";
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.scale(this);
        }
    }

    /**
     * Rounds each element to the nearest of 256 levels, ties to even levels, and clips it to the first and last level:
     * the effect of storing a float in 8 bits.
     *
     * @param grid the levels
     */
    record FakeQuantize(Grid grid) implements Elementwise {

        @Override
        public String details() {
            return "[" + grid + "]";
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.fakeQuantize(this);
        }
    }

    /** The concatenated channels of values whose other sizes are equal. */
    record Concat() implements Op {

        @Override
        public List<Type> types(List<Type> inputs) {
            Type first = inputs.get(0);
            long channels = 0;
            for (Type part : inputs) {
                if (part.rank() != first.rank()
                        || part.rank() < 2
                        || !part.with(1, 0).equals(first.with(1, 0))) {
                    throw new IllegalArgumentException("maps of " + first + " and " + part
                            + " cannot be concatenated because the input's size does not fit the strides");
                }
                channels += part.get(1);
            }
            return List.of(first.with(1, channels));
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.concat(this);
        }
    }

    /**
     * A split of the channels into parts, one output each.
     *
     * @param starts the first channel of each part except the first, ascending
     */
    record Split(List<Long> starts) implements Op {

        /** Copies the list. */
        public Split {
            starts = List.copyOf(starts);
        }

        @Override
        public String details() {
            return starts.toString();
        }

        @Override
        public int outputs() {
            return starts.size() + 1;
        }

        @Override
        public List<Type> types(List<Type> inputs) {
            Type whole = only(inputs, this);
            List<Type> parts = new ArrayList<>();
            long from = 0;
            for (int i = 0; i <= starts.size(); i++) {
                long to = i < starts.size() ? starts.get(i) : whole.get(1);
                if (to <= from) {
                    throw new IllegalArgumentException("a map of " + whole + " cannot be split at channels " + starts);
                }
                parts.add(whole.with(1, to - from));
                from = to;
            }
            return parts;
        }

        @Override
        public boolean sharesMemory() {
            return true;
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.split(this);
        }
    }

    /**
     * Max pooling; padding is negative infinity.
     *
     * @param window the window
     */
    record MaxPool(Window window) implements Op {

        @Override
        public String kind() {
            return "MaxPool2d";
        }

        @Override
        public String details() {
            return window.details();
        }

        @Override
        public List<Type> types(List<Type> inputs) {
            return List.of(window.over(map(inputs, this), kind()));
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.maxPool(this);
        }
    }

    /**
     * Average pooling; the padding counts as zeros, so the divisor is always the kernel's size.
     *
     * @param window the window
     */
    record AveragePool(Window window) implements Op {

        @Override
        public String kind() {
            return "AvgPool2d";
        }

        @Override
        public String details() {
            return window.details();
        }

        @Override
        public List<Type> types(List<Type> inputs) {
            return List.of(window.over(map(inputs, this), kind()));
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.averagePool(this);
        }
    }

    /** One number per channel: (N, C, H, W) to (N, C). */
    enum GlobalPool implements Op {
        /** The mean. */
        AVERAGE("GlobalAvgPool2d"),
        /** The maximum. */
        MAX("GlobalMaxPool2d");

        private final String kind;

        GlobalPool(String kind) {
            this.kind = kind;
        }

        @Override
        public String kind() {
            return kind;
        }

        @Override
        public List<Type> types(List<Type> inputs) {
            Type map = map(inputs, this);
            return List.of(new Type(map.element(), map.sizes().subList(0, 2)));
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.globalPool(this);
        }
    }

    /**
     * The same elements in another shape.
     *
     * @param sizes the size of each axis: {@link #KEEP} for the input's, {@link #REST} at most once for the remainder
     */
    record Reshape(List<Long> sizes) implements Op {

        /** The input's size on the same axis. */
        public static final long KEEP = 0;

        /** The remainder of the other sizes. */
        public static final long REST = -1;

        /** (N, ...) to (N, elements). */
        public static final Reshape FLATTEN = new Reshape(List.of(KEEP, REST));

        /** (N, C) to (N, C, 1, 1). */
        public static final Reshape TO_PIXEL = new Reshape(List.of(KEEP, KEEP, 1L, 1L));

        /** Copies the list. */
        public Reshape {
            sizes = List.copyOf(sizes);
        }

        /**
         * {@return the simplest reshape from one type to another that keeps the batch}
         *
         * @param input the type of the input
         * @param output the type of the result
         */
        public static Reshape of(Type input, Type output) {
            if (output.rank() == 2) {
                return FLATTEN;
            } else if (input.rank() == 2 && output.rank() == 4 && output.get(1) == input.get(1)) {
                return TO_PIXEL;
            }
            List<Long> kept = new ArrayList<>(output.sizes());
            kept.set(0, KEEP);
            return new Reshape(kept);
        }

        @Override
        public String kind() {
            return equals(FLATTEN) ? "Flatten" : "Reshape";
        }

        @Override
        public String details() {
            return equals(FLATTEN) ? "" : sizes.toString();
        }

        @Override
        public List<Type> types(List<Type> inputs) {
            Type input = only(inputs, this);
            List<Long> result = new ArrayList<>();
            for (int axis = 0; axis < sizes.size(); axis++) {
                long size = sizes.get(axis);
                result.add(size == KEEP ? sizeOf(input, axis) : size);
            }
            // The batch must be kept; a fixed one would hard-code the batch size of the recording.
            if (sizes.isEmpty() || sizes.get(0) != KEEP) {
                throw new IllegalArgumentException("a reshape to " + sizes + " does not keep the batch");
            }
            long known = result.stream().skip(1).filter(size -> size != REST).reduce(1L, (a, b) -> a * b);
            int rest = result.subList(1, result.size()).indexOf(REST) + 1;
            if (rest > 0 && known > 0) {
                result.set(rest, input.elementsPerSample() / known);
            }
            Type output = new Type(input.element(), result);
            if (output.elementsPerSample() != input.elementsPerSample()) {
                throw new IllegalArgumentException("a value of " + input + " cannot be reshaped to " + sizes);
            }
            return List.of(output);
        }

        private long sizeOf(Type input, int axis) {
            if (axis >= input.rank()) {
                throw new IllegalArgumentException("a value of " + input + " cannot be reshaped to " + sizes);
            }
            return input.get(axis);
        }

        @Override
        public boolean sharesMemory() {
            return true;
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.reshape(this);
        }
    }

    /** Softmax over axis 1. */
    record Softmax() implements Op {

        @Override
        public List<Type> types(List<Type> inputs) {
            return List.of(only(inputs, this));
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.softmax(this);
        }
    }

    /** Dropout: in training, some elements are set to 0 and the others are scaled up; no effect at inference. */
    record Dropout() implements Op {

        @Override
        public List<Type> types(List<Type> inputs) {
            return List.of(only(inputs, this));
        }

        @Override
        public boolean sharesMemory() {
            return true;
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.dropout(this);
        }
    }

    /** Bytes of images (N, H, W, C) to floats (N, C, H, W) from 0 to 255. */
    record Pixels() implements Op {

        @Override
        public List<Type> types(List<Type> inputs) {
            Type image = only(inputs, this);
            if (image.rank() != 4 || image.element() != Type.Element.BYTE) {
                throw mismatch(this, "(N, H, W, C) of bytes", image);
            }
            return List.of(
                    new Type(Type.Element.FLOAT, List.of(image.get(0), image.get(3), image.get(1), image.get(2))));
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.pixels(this);
        }
    }

    /**
     * An opaque block, whose content is not recorded.
     *
     * @param kind the block's class
     * @param shapes computes the output's type from the inputs' types
     */
    record Call(String kind, UnaryOperator<List<Type>> shapes) implements Op {

        @Override
        public List<Type> types(List<Type> inputs) {
            return shapes.apply(inputs);
        }

        @Override
        public boolean sharesMemory() {
            return true;
        }

        @Override
        public <R> R accept(Cases<R> cases) {
            return cases.call(this);
        }
    }

    private static Type only(List<Type> inputs, Op op) {
        if (inputs.size() != 1) {
            throw new IllegalArgumentException("a " + op.kind() + " has one input, not " + inputs.size());
        }
        return inputs.get(0);
    }

    private static Type map(List<Type> inputs, Op op) {
        Type map = only(inputs, op);
        if (map.rank() != 4 || map.element() != Type.Element.FLOAT) {
            throw mismatch(op, "(N, C, H, W)", map);
        }
        return map;
    }

    private static IllegalArgumentException mismatch(Op op, String expected, Type actual) {
        return new IllegalArgumentException("a " + op.kind() + " expects a value of " + expected + ", not " + actual);
    }
}
