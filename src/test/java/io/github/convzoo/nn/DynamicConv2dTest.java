package io.github.convzoo.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class DynamicConv2dTest {

    private static final DynamicConv2d.Spec PLAIN = DynamicConv2d.Spec.of(6, 4, 3, 2);

    private NDManager manager;

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager("PyTorch");
        manager.getEngine().setRandomSeed(1);
    }

    @AfterEach
    void close() {
        manager.close();
    }

    static Stream<DynamicConv2d.Spec> specs() {
        return Stream.of(
                PLAIN,
                PLAIN.withBias(false),
                PLAIN.withStride(2).withPadding(0),
                PLAIN.withDilation(2).withPadding(2),
                PLAIN.withGroups(2).withStride(2),
                new DynamicConv2d.Spec(6, 6, 5, 3, 1, 1, 6, 4, true),
                new DynamicConv2d.Spec(3, 8, 1, 1, 0, 1, 1, 1, true));
    }

    @ParameterizedTest
    @MethodSource("specs")
    void forward_ofBatch_equalsOneConvolutionASample(DynamicConv2d.Spec spec) {
        Shape shape = new Shape(3, spec.channels(), 11, 9);
        DynamicConv2d layer = initialized(spec, shape);
        NDArray input = random(7, shape);
        ParameterStore store = new ParameterStore(manager, false);

        NDArray output = layer.forward(store, new NDList(input), false).singletonOrThrow();

        assertThat(output.getShape()).isEqualTo(layer.getOutputShapes(new Shape[] {shape})[0]);
        NDArray attention =
                layer.routing().forward(store, new NDList(input), false).singletonOrThrow();
        Map<String, Parameter> parameters = CanonicalNames.parameters(layer);
        NDArray weight = array(parameters, "weight");
        for (int sample = 0; sample < 3; sample++) {
            NDArray kernel = weight.get(0).mul(attention.getFloat(sample, 0));
            NDArray bias = spec.hasBias() ? array(parameters, "bias").get(0).mul(attention.getFloat(sample, 0)) : null;
            for (int expert = 1; expert < spec.experts(); expert++) {
                kernel = kernel.add(weight.get(expert).mul(attention.getFloat(sample, expert)));
                if (bias != null) {
                    bias = bias.add(array(parameters, "bias").get(expert).mul(attention.getFloat(sample, expert)));
                }
            }
            NDArray one = input.get(new NDIndex(sample + ":" + (sample + 1)));
            NDArray expected = one.getNDArrayInternal()
                    .convolution(
                            one,
                            kernel,
                            bias,
                            new Shape(spec.stride(), spec.stride()),
                            new Shape(spec.padding(), spec.padding()),
                            new Shape(spec.dilation(), spec.dilation()),
                            spec.groups())
                    .singletonOrThrow()
                    .get(0);
            assertThat(output.get(sample).sub(expected).abs().max().getFloat())
                    .isLessThanOrEqualTo(1e-5f * expected.abs().max().getFloat());
        }
    }

    @Test
    void attention_ofEachSample_addsUpToOneAndFlattensWithTemperature() {
        Shape shape = new Shape(4, 8, 5, 5);
        RoutingAttention routing = new RoutingAttention(8, 3);
        routing.initialize(manager, DataType.FLOAT32, shape);
        NDArray input = random(3, shape);
        ParameterStore store = new ParameterStore(manager, false);

        NDArray sharp = routing.forward(store, new NDList(input), false).singletonOrThrow();
        routing.setTemperature(30);
        NDArray flat = routing.forward(store, new NDList(input), false).singletonOrThrow();

        for (float sum : sharp.sum(new int[] {1}).toFloatArray()) {
            assertThat(sum).isCloseTo(1f, within(1e-6f));
        }
        assertThat(deviation(flat)).isPositive().isLessThan(deviation(sharp) / 10);
        // The softmax's logits are those of temperature 1 divided by it.
        NDArray expected = sharp.log().div(30).softmax(1);
        assertThat(flat.sub(expected).abs().max().getFloat()).isLessThan(1e-6f);
    }

    @Test
    void setTemperature_onUserBlock_reachesEveryDynamicConvolution() {
        DynamicConv2d first = new DynamicConv2d(PLAIN);
        DynamicConv2d second = new DynamicConv2d(DynamicConv2d.Spec.of(4, 4, 3, 4));
        SequentialBlock block = new SequentialBlock().add(first).add(new SequentialBlock().add(second));

        assertThat(DynamicConv2d.setTemperature(block, 12.5f)).isEqualTo(2);

        assertThat(first.routing().temperature()).isEqualTo(12.5f);
        assertThat(second.routing().temperature()).isEqualTo(12.5f);
        assertThat(DynamicConv2d.setTemperature(first, 1)).isEqualTo(1);
        assertThat(DynamicConv2d.setTemperature(new SequentialBlock(), 1)).isZero();
    }

    @Test
    void setTemperature_ofZeroOrNotFinite_isRefused() {
        DynamicConv2d layer = new DynamicConv2d(PLAIN);
        for (float wrong : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> DynamicConv2d.setTemperature(layer, wrong))
                    .withMessageContaining("positive and finite");
        }
    }

    @Test
    void backward_throughBatch_reachesEveryParameter() {
        Shape shape = new Shape(2, 64, 8, 8);
        DynamicConv2d layer = initialized(DynamicConv2d.Spec.of(64, 4, 3, 2), shape);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray output = layer.forward(new ParameterStore(manager, false), new NDList(random(1, shape)), true)
                    .singletonOrThrow();
            collector.backward(output.square().mean());
        }
        CanonicalNames.parameters(layer).forEach((name, parameter) -> assertThat(
                        parameter.getArray().getGradient().abs().max().getFloat())
                .as(name)
                .isPositive());
    }

    static Stream<DynamicConv2d.Spec> specsOfSevenBySeven() {
        return Stream.of(
                PLAIN, PLAIN.withBias(false), PLAIN.withDilation(2).withPadding(2), DynamicConv2d.Spec.of(6, 4, 1, 2));
    }

    /** Kernels are mixed for single samples and maps for many, where there are 49 places. */
    @ParameterizedTest
    @MethodSource("specsOfSevenBySeven")
    void manySamples_haveTheOutputsAndGradientsOfSingleOnes(DynamicConv2d.Spec spec) {
        int samples = 16;
        Shape shape = new Shape(samples, spec.channels(), 7, 7);
        DynamicConv2d layer = initialized(spec, shape);
        NDArray input = random(7, shape);
        ParameterStore store = new ParameterStore(manager, false);
        List<NDArray> outputs = new ArrayList<>();
        List<Map<String, NDArray>> gradients = new ArrayList<>();
        for (int size : new int[] {1, samples}) {
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                NDList parts = new NDList();
                for (int start = 0; start < samples; start += size) {
                    NDArray part = input.get(new NDIndex(start + ":" + (start + size)));
                    parts.addAll(layer.forward(store, new NDList(part), true));
                }
                // DJL's concat of a single array is a copy that gradients do not reach.
                NDArray output = size == samples ? parts.singletonOrThrow() : NDArrays.concat(parts);
                collector.backward(output.square().sum());
                outputs.add(output);
            }
            Map<String, NDArray> each = new TreeMap<>();
            CanonicalNames.parameters(layer).forEach((name, parameter) -> {
                NDArray gradient = parameter.getArray().getGradient();
                each.put(name, gradient.duplicate());
                // The next ones are added to it.
                gradient.muli(0);
            });
            gradients.add(each);
        }

        assertClose(outputs.get(1), outputs.get(0), "output");
        gradients.get(0).forEach((name, expected) -> {
            assertThat(expected.abs().max().getFloat()).as(name).isPositive();
            assertClose(Objects.requireNonNull(gradients.get(1).get(name)), expected, name);
        });
    }

    private static void assertClose(NDArray actual, NDArray expected, String what) {
        assertThat(actual.getShape()).as(what).isEqualTo(expected.getShape());
        assertThat(actual.sub(expected).abs().max().getFloat())
                .as(what)
                .isLessThanOrEqualTo(1e-5f * expected.abs().max().getFloat());
    }

    /** exp(-88) is a number too small to be normalized, exp(-40) is below what counts. */
    @ParameterizedTest
    @CsvSource({"1, -88", "1, -40", "16, -88", "16, -40"})
    void shareOfNextToNothing_isNone(int samples, float logit) {
        Shape shape = new Shape(samples, 6, 7, 7);
        DynamicConv2d layer = initialized(PLAIN, shape);
        Map<String, Parameter> parameters = CanonicalNames.parameters(layer);
        array(parameters, "routing.net.2.weight").muli(0);
        array(parameters, "routing.net.2.bias").set(new float[] {0, logit});
        ParameterStore store = new ParameterStore(manager, false);
        NDArray input = random(7, shape);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            collector.backward(layer.forward(store, new NDList(input), true)
                    .singletonOrThrow()
                    .square()
                    .mean());
        }

        NDArray gradient = array(parameters, "weight").getGradient();
        assertThat(gradient.get(0).abs().max().getFloat()).isPositive();
        assertThat(gradient.get(1).abs().max().getFloat()).isZero();
    }

    @Test
    void experts_atStart_areKaimingNormalWithZeroBias() {
        DynamicConv2d layer = initialized(DynamicConv2d.Spec.of(64, 64, 3, 2), new Shape(1, 64, 4, 4));
        Map<String, Parameter> parameters = CanonicalNames.parameters(layer);
        double expected = Math.sqrt(2.0 / (64 * 3 * 3));
        assertThat(std(array(parameters, "weight"))).isCloseTo(expected, within(0.02 * expected));
        assertThat(array(parameters, "bias").abs().max().getFloat()).isZero();
    }

    @Test
    void spec_ofImpossibleNumbers_isRefusedByName() {
        assertRefused(() -> DynamicConv2d.Spec.of(0, 4, 3, 2), "channels must be at least 1, not 0");
        assertRefused(() -> DynamicConv2d.Spec.of(6, 0, 3, 2), "filters must be at least 1");
        assertRefused(() -> DynamicConv2d.Spec.of(6, 4, 3, 0), "experts must be at least 1");
        assertRefused(() -> PLAIN.withStride(0), "stride must be at least 1");
        assertRefused(() -> PLAIN.withPadding(-1), "padding must be at least 0");
        assertRefused(() -> PLAIN.withDilation(0), "dilation must be at least 1");
        assertRefused(() -> PLAIN.withGroups(4), "4 does not divide 6 and 4");
    }

    @Test
    void initialize_withOtherChannels_isRefused() {
        DynamicConv2d layer = new DynamicConv2d(PLAIN);
        assertRefused(
                () -> layer.initialize(manager, DataType.FLOAT32, new Shape(1, 5, 8, 8)),
                "must have the shape (N, 6, H, W)");
    }

    @Test
    void input_thatHoldsNoKernelOrNoSample_isRefused() {
        DynamicConv2d layer = new DynamicConv2d(PLAIN.withPadding(0));
        assertRefused(() -> layer.initialize(manager, DataType.FLOAT32, new Shape(1, 6, 2, 8)), "a kernel of 3 pixels");
        layer.initialize(manager, DataType.FLOAT32, new Shape(1, 6, 8, 8));
        ParameterStore store = new ParameterStore(manager, false);
        for (Shape wrong : List.of(new Shape(1, 6, 2, 8), new Shape(0, 6, 8, 8), new Shape(1, 5, 8, 8))) {
            assertRefused(() -> layer.forward(store, new NDList(manager.zeros(wrong)), false), ", not " + wrong);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 4})
    void forward_closesWhatItMakesOnTheWay(int side) {
        Shape shape = new Shape(2, 6, side, side);
        DynamicConv2d layer = initialized(PLAIN, shape);
        try (NDManager inference = manager.newSubManager()) {
            NDArray input = random(1, shape);
            input.attach(inference);
            layer.forward(new ParameterStore(inference, false), new NDList(input), false);
            assertThat(inference.getManagedArrays()).hasSize(2);
        }
    }

    private static void assertRefused(Runnable call, String message) {
        assertThatIllegalArgumentException().isThrownBy(call::run).withMessageContaining(message);
    }

    private DynamicConv2d initialized(DynamicConv2d.Spec spec, Shape input) {
        DynamicConv2d layer = new DynamicConv2d(spec);
        layer.initialize(manager, DataType.FLOAT32, input);
        return layer;
    }

    private NDArray random(long seed, Shape shape) {
        Random random = new Random(seed);
        float[] values = new float[(int) shape.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return manager.create(values, shape);
    }

    private static NDArray array(Map<String, Parameter> parameters, String name) {
        return Objects.requireNonNull(parameters.get(name), name).getArray();
    }

    private static double deviation(NDArray attention) {
        return attention.sub(attention.mean()).abs().max().getFloat();
    }

    private static double std(NDArray array) {
        double squares = 0;
        for (float value : array.toFloatArray()) {
            squares += (double) value * value;
        }
        return Math.sqrt(squares / array.size());
    }
}
