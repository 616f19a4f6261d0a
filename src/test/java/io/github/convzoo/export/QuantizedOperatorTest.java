package io.github.convzoo.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.graph.Constant;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Grid;
import io.github.convzoo.graph.IntegerSimulation;
import io.github.convzoo.graph.Node;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Tensor;
import io.github.convzoo.graph.Type;
import io.github.convzoo.graph.Value;
import io.github.convzoo.graph.Window;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each operator of a quantized file alone, next to a simulation in plain Java. */
class QuantizedOperatorTest {

    private static final int CHANNELS = 32;
    private static final int SIDE = 9;
    private static final Grid UNSIGNED = new Grid(0.02f, 0);
    private static final Grid SIGNED = new Grid(0.03f, 100);

    private static final Grid OTHER = new Grid(0.033f, 110);

    private static final Tensor.Source NONE = key -> {
        throw new IllegalArgumentException(key);
    };

    @TempDir
    Path folder = Path.of("");

    /** An operator between rounded values. */
    @FunctionalInterface
    interface Body {
        Value add(Graph.Builder graph, Value x);
    }

    private static Constant random(double scale, long... sizes) {
        Random random = new Random(sizes.length);
        float[] values = new float[Math.toIntExact(LongStream.of(sizes).reduce(1, (a, b) -> a * b))];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (scale * random.nextGaussian());
        }
        return new Constant.Literal(new Tensor(LongStream.of(sizes).boxed().toList(), values));
    }

    private static Arguments conv(String name, int filters, Window window, int groups, int bits, boolean bias) {
        long kernel = window.kernel().height();
        Constant plain = random(0.1, filters, CHANNELS / groups, kernel, kernel);
        @Nullable Constant plainBias = bias ? random(1, filters) : null;
        return Arguments.of(name, (Body) (graph, x) -> {
            Constant.QuantizedWeight weight = new Constant.QuantizedWeight(plain, bits, plainBias, SIGNED.scale());
            return graph.add(
                            name,
                            new Op.Convolution(
                                    weight,
                                    plainBias == null ? null : new Constant.QuantizedBias(plainBias, weight),
                                    filters,
                                    window,
                                    groups),
                            List.of(x))
                    .output();
        });
    }

    private static Arguments simple(String name, Op op, Grid... more) {
        return Arguments.of(name, (Body) (graph, x) -> {
            if (more.length == 0) {
                return graph.add(name, op, List.of(x)).output();
            }
            Value other =
                    graph.add("other", new Op.FakeQuantize(more[0]), List.of(x)).output();
            return graph.add(name, op, List.of(x, other)).output();
        });
    }

    static Stream<Arguments> operators() {
        Constant units = random(0.1, 10, (long) CHANNELS);
        return Stream.of(
                conv("3x3", 48, Window.square(3, 1, 1), 1, 8, true),
                conv("3x3 of 7 bits", 48, Window.square(3, 1, 1), 1, 7, true),
                conv("3x3 without bias", 48, Window.square(3, 1, 1), 1, 8, false),
                conv("stride 2", 48, Window.square(3, 2, 1), 1, 8, true),
                conv("1x1", 64, Window.square(1, 1, 0), 1, 8, true),
                conv("2 groups", 64, Window.square(3, 1, 1), 2, 8, true),
                conv("depthwise", CHANNELS, Window.square(3, 1, 1), CHANNELS, 8, true),
                conv("depthwise 1x1", CHANNELS, Window.square(1, 1, 0), CHANNELS, 8, true),
                simple("sum", new Op.Add(), UNSIGNED),
                simple("concat", new Op.Concat(), UNSIGNED),
                simple("max pool", new Op.MaxPool(Window.square(3, 2, 1))),
                simple("average pool", new Op.AveragePool(Window.square(2, 2, 0))),
                simple("global pool", Op.GlobalPool.AVERAGE),
                Arguments.of("linear", (Body) (graph, x) -> {
                    Value pooled =
                            graph.add("pool", Op.GlobalPool.AVERAGE, List.of(x)).output();
                    Value rounded = graph.add("pool", new Op.FakeQuantize(SIGNED), List.of(pooled))
                            .output();
                    return graph.add(
                                    "linear",
                                    new Op.Linear(
                                            new Constant.QuantizedWeight(units, 8, null, SIGNED.scale()), null, 10),
                                    List.of(rounded))
                            .output();
                }));
    }

    private static Value convolved(Graph.Builder graph, Value x) {
        return ((Body) conv("3x3", CHANNELS, Window.square(3, 1, 1), 1, 7, true).get()[1]).add(graph, x);
    }

    private static Value pooled(Graph.Builder graph, Value x) {
        Value pooled = graph.add("pool", new Op.MaxPool(Window.square(3, 1, 1)), List.of(x))
                .output();
        return graph.add("pool", new Op.FakeQuantize(SIGNED), List.of(pooled)).output();
    }

    static Stream<Arguments> torchScriptOperators() {
        // Weights of 7 bits are exact on every x86 processor.
        List<Arguments> operators = new ArrayList<>(operators()
                .filter(each -> !each.get()[0].toString().equals("linear"))
                .toList());
        operators.add(Arguments.of("sum in a convolution", (Body) (graph, x) -> {
            Value convolved = convolved(graph, x);
            return graph.add("sum", new Op.Add(), List.of(pooled(graph, x), convolved))
                    .output();
        }));
        // What is added is read by the convolution, so it must not be overwritten.
        operators.add(Arguments.of("sum with the convolution's input", (Body) (graph, x) -> {
            Value pooled = pooled(graph, x);
            return graph.add("sum", new Op.Add(), List.of(convolved(graph, pooled), pooled))
                    .output();
        }));
        // What is added is read later.
        operators.add(Arguments.of("sum that is read with its operand", (Body) (graph, x) -> {
            Value pooled = pooled(graph, x);
            Value sum = graph.add("sum", new Op.Add(), List.of(convolved(graph, x), pooled))
                    .output();
            Value rounded =
                    graph.add("sum", new Op.FakeQuantize(SIGNED), List.of(sum)).output();
            return graph.add("concat", new Op.Concat(), List.of(rounded, pooled))
                    .output();
        }));
        operators.add(Arguments.of("convolution that is also read before it is rounded", (Body) (graph, x) -> {
            Value convolved = convolved(graph, x);
            Value rounded = graph.add("round", new Op.FakeQuantize(SIGNED), List.of(convolved))
                    .output();
            Value relu =
                    graph.add("relu", Op.Activation.RELU, List.of(convolved)).output();
            return graph.add("sum", new Op.Add(), List.of(rounded, relu)).output();
        }));
        operators.add(Arguments.of("reshape", (Body) (graph, x) -> {
            Value pooled = graph.add("pool", Op.GlobalPool.AVERAGE, List.of(x)).output();
            Value rounded = graph.add("pool", new Op.FakeQuantize(OTHER), List.of(pooled))
                    .output();
            return graph.add("pixel", Op.Reshape.TO_PIXEL, List.of(rounded)).output();
        }));
        return operators.stream();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("operators")
    void onnxRuntime_givesTheLevelsOfTheSimulation_withinOne(String name, Body body) throws Exception {
        assertSameLevels(name, body, 8, ExportOptions.Format.ONNX);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("torchScriptOperators")
    @EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64", disabledReason = "the operators are for x86")
    void pyTorch_givesTheLevelsOfTheSimulation_withinOne(String name, Body body) throws Exception {
        assertSameLevels(name, body, 7, ExportOptions.Format.TORCHSCRIPT);
    }

    @Test
    @EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64", disabledReason = "the operators are for x86")
    void pyTorch_ofALinearLayer_givesTheFloatsOfTheSimulation() throws Exception {
        Graph.Builder builder = new Graph.Builder();
        Value input = builder.input();
        Value x = builder.add("in", new Op.FakeQuantize(SIGNED), List.of(input)).output();
        Value pooled = builder.add("pool", Op.GlobalPool.AVERAGE, List.of(x)).output();
        Value rounded = builder.add("pool", new Op.FakeQuantize(SIGNED), List.of(pooled))
                .output();
        Constant bias = random(1, 10);
        Constant.QuantizedWeight weight =
                new Constant.QuantizedWeight(random(0.1, 10, (long) CHANNELS), 7, bias, SIGNED.scale());
        Value y = builder.add(
                        "fc", new Op.Linear(weight, new Constant.QuantizedBias(bias, weight), 10), List.of(rounded))
                .output();
        Graph graph = builder.build(List.of(y));
        double[] expected = new IntegerSimulation(graph, NONE).run(image(), CHANNELS, SIDE, SIDE);
        float[] actual = run(graph, ExportOptions.Format.TORCHSCRIPT);
        assertThat(actual).hasSize(10);
        for (int i = 0; i < 10; i++) {
            assertThat(actual[i]).isCloseTo((float) expected[i], within(1e-4f));
        }
    }

    private static float[] image() {
        float[] image = new float[CHANNELS * SIDE * SIDE];
        Random random = new Random(7);
        for (int i = 0; i < image.length; i++) {
            image[i] = (float) (2 * random.nextGaussian());
        }
        return image;
    }

    private float[] run(Graph graph, ExportOptions.Format format) throws Exception {
        NetworkFile network = new NetworkFile(
                graph,
                Type.of(Type.ANY, CHANNELS, SIDE, SIDE),
                List.of("out"),
                NONE,
                Precision.FLOAT32,
                Map.of("model", "operator"),
                true);
        Path file = folder.resolve(format.file());
        format.write(network, Target.ANY, file);
        try (NDManager manager = NDManager.newBaseManager("PyTorch");
                ExportedModel model = ExportRuntime.of(format).get(0).open(file)) {
            return model.run(new NDList(manager.create(image(), new Shape(1, CHANNELS, SIDE, SIDE))))
                    .singletonOrThrow()
                    .toFloatArray();
        }
    }

    private void assertSameLevels(String name, Body body, int bits, ExportOptions.Format format) throws Exception {
        // These only move numbers, which stay on their grid.
        Grid out = name.equals("max pool") ? SIGNED : OTHER;
        Graph.Builder builder = new Graph.Builder();
        Value input = builder.input();
        Value x = builder.add("in", new Op.FakeQuantize(SIGNED), List.of(input)).output();
        Value y = builder.add("out", new Op.FakeQuantize(out), List.of(body.add(builder, x)))
                .output();
        Graph graph = narrowed(builder.build(List.of(y)), bits);
        double[] expected = new IntegerSimulation(graph, NONE).run(image(), CHANNELS, SIDE, SIDE);
        float[] actual = run(graph, format);
        assertThat(actual).hasSameSizeAs(expected);
        int same = 0;
        int moderate = 0;
        for (int i = 0; i < actual.length; i++) {
            double steps = Math.abs(actual[i] - expected[i]) / out.scale();
            assertThat(steps).isLessThan(1.001);
            same += steps < 0.5 ? 1 : 0;
            moderate += Math.abs(actual[i]) < 100 * out.scale() && actual[i] != 0 ? 1 : 0;
        }
        assertThat(same).isGreaterThan(actual.length * 95 / 100);
        // Most are inside of the grid, so that they can differ.
        assertThat(moderate).isGreaterThan(actual.length / 4);
    }

    /** The same graph with weights of at most some bits. */
    private static Graph narrowed(Graph graph, int bits) {
        Graph.Builder builder = new Graph.Builder();
        Map<Value, Value> now = new HashMap<>();
        graph.inputs().forEach(each -> now.put(each, builder.input()));
        for (Node node : graph.nodes()) {
            Op op = node.op();
            if (op instanceof Op.Convolution conv && conv.weight() instanceof Constant.QuantizedWeight weight) {
                Constant.QuantizedWeight narrow = new Constant.QuantizedWeight(
                        weight.weight(), Math.min(bits, weight.bits()), weight.bias(), weight.inputScale());
                op = new Op.Convolution(
                        narrow,
                        conv.bias() == null
                                ? null
                                : new Constant.QuantizedBias(((Constant.QuantizedBias) conv.bias()).bias(), narrow),
                        conv.filters(),
                        conv.window(),
                        conv.groups());
            }
            now.put(
                    node.output(),
                    builder.add(
                                    node.name(),
                                    op,
                                    node.inputs().stream().map(now::get).toList())
                            .output());
        }
        return builder.build(graph.outputs().stream().map(now::get).toList());
    }
}
