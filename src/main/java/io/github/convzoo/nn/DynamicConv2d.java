package io.github.convzoo.nn;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.Pair;
import ai.djl.util.PairList;
import org.jspecify.annotations.Nullable;

/**
 * A convolution whose kernel is mixed from K experts for each sample: (N, C, H, W) to (N, filters, H', W').
 *
 * <p>{@link RoutingAttention} weights the experts; a sample's kernel and bias are the weighted sums of theirs. From
 * Chen et al., Dynamic Convolution: Attention over Convolution Kernels, CVPR 2020. If it is faster, the experts' maps
 * are mixed instead of their kernels, with the same result except for rounding. Parameters: weight (K, filters, C /
 * groups, k, k), bias (K, filters) if there is one, and those of the child {@code routing}. Each expert is initialized
 * normally with standard deviation sqrt(2 / (C / groups * k * k)), biases with 0.
 */
public final class DynamicConv2d extends AbstractBlock {

    /**
     * A weight below this changes nothing in a float32 sum, and counts as 0. Attention that was trained at temperature
     * 1 from the start settles on one expert; the other experts' weights, and all gradients through them, are then
     * subnormal numbers, which make a CPU eighty times slower.
     */
    private static final float NEGLIGIBLE = 1e-12f;

    private final Spec spec;
    private final RoutingAttention routing;
    private final Parameter weight;
    private final @Nullable Parameter bias;

    /**
     * The specification of a dynamic convolution. Start from {@link #of} and change what differs.
     *
     * @param channels C, the number of input channels, at least 1 and a multiple of the groups
     * @param filters the number of output channels, at least 1 and a multiple of the groups
     * @param kernel the kernel's side, at least 1
     * @param stride the stride, at least 1
     * @param padding the padding on each side, at least 0
     * @param dilation the distance between adjacent kernel elements, at least 1
     * @param groups the number of groups of channels and filters, at least 1
     * @param experts K, the number of expert kernels, at least 1
     * @param hasBias whether each expert has a bias
     */
    public record Spec(
            int channels,
            int filters,
            int kernel,
            int stride,
            int padding,
            int dilation,
            int groups,
            int experts,
            boolean hasBias) {

        /**
         * Validates the values.
         *
         * @throws IllegalArgumentException if a value is out of range
         */
        public Spec {
            atLeast(1, "channels", channels);
            atLeast(1, "filters", filters);
            atLeast(1, "kernel", kernel);
            atLeast(1, "stride", stride);
            atLeast(0, "padding", padding);
            atLeast(1, "dilation", dilation);
            atLeast(1, "groups", groups);
            atLeast(1, "experts", experts);
            if (channels % groups != 0 || filters % groups != 0) {
                throw new IllegalArgumentException("groups must divide channels and filters; " + groups
                        + " does not divide " + channels + " and " + filters);
            }
        }

        /**
         * {@return the specification of a layer of stride 1 with bias, which keeps the size if the kernel is odd}
         *
         * @param channels C, the number of input channels
         * @param filters the number of output channels
         * @param kernel the kernel's side
         * @param experts K, the number of expert kernels
         */
        public static Spec of(int channels, int filters, int kernel, int experts) {
            return new Spec(channels, filters, kernel, 1, (kernel - 1) / 2, 1, 1, experts, true);
        }

        /**
         * {@return the specification with another stride}
         *
         * @param value the stride
         */
        public Spec withStride(int value) {
            return new Spec(channels, filters, kernel, value, padding, dilation, groups, experts, hasBias);
        }

        /**
         * {@return the specification with another padding}
         *
         * @param value the padding on each side
         */
        public Spec withPadding(int value) {
            return new Spec(channels, filters, kernel, stride, value, dilation, groups, experts, hasBias);
        }

        /**
         * {@return the specification with another dilation}
         *
         * @param value the distance between adjacent kernel elements
         */
        public Spec withDilation(int value) {
            return new Spec(channels, filters, kernel, stride, padding, value, groups, experts, hasBias);
        }

        /**
         * {@return the specification with another number of groups}
         *
         * @param value the number of groups of channels and filters
         */
        public Spec withGroups(int value) {
            return new Spec(channels, filters, kernel, stride, padding, dilation, value, experts, hasBias);
        }

        /**
         * {@return the specification with or without a bias}
         *
         * @param value whether each expert has a bias
         */
        public Spec withBias(boolean value) {
            return new Spec(channels, filters, kernel, stride, padding, dilation, groups, experts, value);
        }

        private static void atLeast(int least, String name, int value) {
            if (value < least) {
                throw new IllegalArgumentException(name + " must be at least " + least + ", not " + value);
            }
        }
    }

    /**
     * Creates the layer at temperature 1.
     *
     * @param spec the specification
     */
    public DynamicConv2d(Spec spec) {
        this.spec = spec;
        weight = addParameter(Parameter.builder()
                .setName("weight")
                .setType(Parameter.Type.WEIGHT)
                .optInitializer((manager, shape, dataType) -> {
                    float std = (float) Math.sqrt(2.0 / shape.slice(2).size());
                    return manager.randomNormal(0f, std, shape, dataType);
                })
                .build());
        bias = spec.hasBias()
                ? addParameter(Parameter.builder()
                        .setName("bias")
                        .setType(Parameter.Type.BIAS)
                        .build())
                : null;
        routing = addChildBlock("routing", new RoutingAttention(spec.channels(), spec.experts()));
    }

    /**
     * Sets the temperature of every dynamic convolution in a block.
     *
     * @param block the root block, which may itself be such a layer
     * @param temperature positive and finite
     * @return the number of layers found
     */
    public static int setTemperature(Block block, float temperature) {
        if (block instanceof RoutingAttention attention) {
            attention.setTemperature(temperature);
            return 1;
        }
        int found = 0;
        for (Pair<String, Block> child : block.getChildren()) {
            found += setTemperature(child.getValue(), temperature);
        }
        return found;
    }

    /** {@return the specification} */
    public Spec spec() {
        return spec;
    }

    /** {@return the attention over the experts, whose temperature may be set} */
    public RoutingAttention routing() {
        return routing;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore, NDList inputs, boolean training, @Nullable PairList<String, Object> params) {
        NDArray input = inputs.singletonOrThrow();
        getOutputShapes(new Shape[] {input.getShape()});
        if (input instanceof RecordedArray recorded) {
            return recorded.trace.leaf(this, recorded);
        }
        Device device = input.getDevice();
        NDArray kernels = parameterStore.getValue(weight, device, training);
        NDArray biases = bias == null ? null : parameterStore.getValue(bias, device, training);
        try (NDArray shares = routing.forward(parameterStore, inputs, training).singletonOrThrow();
                NDArray large = shares.gt(NEGLIGIBLE);
                NDArray mask = large.toType(shares.getDataType(), false);
                NDArray attention = shares.mul(mask)) {
            return new NDList(
                    mixesMaps(input.getShape())
                            ? mixedMaps(input, attention, kernels, biases)
                            : ofMixedKernels(input, attention, kernels, biases));
        }
    }

    /**
     * Whether to convolve with every expert and mix the maps, which is equivalent because convolution is linear,
     * instead of mixing a kernel for each sample. This trades K - 1 more convolutions against writing and reading one
     * kernel per sample: it pays off if a kernel is applied at few positions, and more so for larger batches. The
     * numbers are measurements; see docs/reference/benchmarks.md.
     */
    boolean mixesMaps(Shape input) {
        long places = outputSide(input.get(2)) * outputSide(input.get(3));
        return spec.groups() == 1 && (spec.experts() - 1) * places <= Math.min(200, 4 * input.get(0) + 32);
    }

    /** All experts in one convolution with their filters concatenated; then the weighted sum of their maps. */
    NDArray mixedMaps(NDArray input, NDArray attention, NDArray kernels, @Nullable NDArray biases) {
        int experts = spec.experts();
        long samples = input.getShape().get(0);
        try (NDArray kernel = kernels.reshape(
                        (long) experts * spec.filters(), spec.channels(), spec.kernel(), spec.kernel());
                NDArray bias = biases == null ? null : biases.flatten();
                NDArray maps = convolution(input, kernel, bias, 1);
                NDArray rows = maps.reshape(samples, experts, -1);
                NDArray shares = attention.reshape(samples, 1, experts);
                NDArray mixed = shares.batchMatMul(rows)) {
            Shape out = maps.getShape();
            return mixed.reshape(samples, spec.filters(), out.get(2), out.get(3));
        }
    }

    /** All samples in one convolution: the batch becomes groups of the channels, each with its own kernel. */
    NDArray ofMixedKernels(NDArray input, NDArray attention, NDArray kernels, @Nullable NDArray biases) {
        Shape shape = input.getShape();
        long samples = shape.get(0);
        try (NDArray flatKernels = kernels.reshape(spec.experts(), -1);
                NDArray mixed = attention.matMul(flatKernels);
                NDArray kernel = mixed.reshape(
                        samples * spec.filters(), spec.channels() / spec.groups(), spec.kernel(), spec.kernel());
                NDArray mixedBias = biases == null ? null : attention.matMul(biases);
                NDArray flatBias = mixedBias == null ? null : mixedBias.flatten();
                NDArray wide = input.reshape(1, samples * spec.channels(), shape.get(2), shape.get(3));
                NDArray output = convolution(wide, kernel, flatBias, Math.toIntExact(samples * spec.groups()))) {
            Shape out = output.getShape();
            return output.reshape(samples, spec.filters(), out.get(2), out.get(3));
        }
    }

    private NDArray convolution(NDArray input, NDArray kernel, @Nullable NDArray bias, int groups) {
        return input.getNDArrayInternal()
                .convolution(
                        input,
                        kernel,
                        bias,
                        square(spec.stride()),
                        square(spec.padding()),
                        square(spec.dilation()),
                        groups)
                .singletonOrThrow();
    }

    /** {@inheritDoc} */
    @Override
    protected void prepare(Shape[] inputShapes) {
        getOutputShapes(inputShapes);
        weight.setShape(new Shape(
                spec.experts(), spec.filters(), spec.channels() / spec.groups(), spec.kernel(), spec.kernel()));
        if (bias != null) {
            bias.setShape(new Shape(spec.experts(), spec.filters()));
        }
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(NDManager manager, DataType dataType, Shape... inputShapes) {
        routing.initialize(manager, dataType, inputShapes);
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        routing.getOutputShapes(inputShapes);
        Shape input = inputShapes[0];
        if (input.get(0) < 1 || outputSide(input.get(2)) < 1 || outputSide(input.get(3)) < 1) {
            throw new IllegalArgumentException("the input must have at least 1 sample and hold a kernel of "
                    + ((long) spec.dilation() * (spec.kernel() - 1) + 1) + " pixels with a padding of "
                    + spec.padding() + ", not " + input);
        }
        return new Shape[] {new Shape(input.get(0), spec.filters(), outputSide(input.get(2)), outputSide(input.get(3)))
        };
    }

    private long outputSide(long side) {
        long reach = (long) spec.dilation() * (spec.kernel() - 1) + 1;
        return Math.floorDiv(side + 2L * spec.padding() - reach, spec.stride()) + 1;
    }

    private static Shape square(int side) {
        return new Shape(side, side);
    }
}
