package io.github.convzoo.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Where values are rounded in small graphs, and to which grid. */
class QuantizeTest {

    private static final Type MAP = Type.of(Type.ANY, 8, 6, 6);

    private Quantize.Sums sums = Quantize.Sums.OF_ROUNDED;

    private final Graph.Builder builder = new Graph.Builder();
    private final Value input = builder.input();
    private final Map<Value, Range> ranges = new HashMap<>(Map.of(input, new Range(-1, 1)));

    /** No layer keeps computing with floats. */
    private static boolean none(Node node) {
        return false;
    }

    private Value add(String name, Op op, float min, float max, Value... inputs) {
        Value output = builder.add(name, op, List.of(inputs)).output();
        ranges.put(output, new Range(min, max));
        return output;
    }

    private Value conv(String name, float min, float max, Value x) {
        return add(
                name,
                new Op.Convolution(
                        new Constant.Parameter(name + ".weight"),
                        new Constant.Parameter(name + ".bias"),
                        8,
                        Window.square(3, 1, 1),
                        1),
                min,
                max,
                x);
    }

    private Value relu(float max, Value x) {
        return add("", Op.Activation.RELU, 0, max, x);
    }

    private Graph quantized(Predicate<Node> floats, Value... outputs) {
        Graph graph = builder.build(List.of(outputs));
        return Pass.applyAll(graph, List.of(MAP), List.of(new Quantize(ranges, floats, sums, 8)));
    }

    /** The operations, with the largest number of each grid and, if it does not begin at 0, a minus. */
    private static String kinds(Graph graph) {
        return graph.nodes().stream()
                .map(node -> node.op() instanceof Op.FakeQuantize fake
                        ? (fake.grid().zeroPoint() == 0 ? "" : "-")
                                + Math.round((Grid.LAST - fake.grid().zeroPoint())
                                        * fake.grid().scale())
                        : node.op().kind())
                .collect(Collectors.joining(" "));
    }

    @Test
    void convolutionAndRelu_areRoundedOnce_andTheReluGoes() {
        Value x = relu(4, conv("a", -9, 4, input));
        x = relu(7, conv("b", -9, 7, x));
        x = conv("c", -3, 3, x);
        assertThat(kinds(quantized(QuantizeTest::none, x))).isEqualTo("-1 Conv2d 4 Conv2d 7 Conv2d");
    }

    @Test
    void relu_beforeAGridThatBeginsBelowZero_stays() {
        Value x = conv("b", -9, 7, add("", Op.Activation.RELU, -1, 4, conv("a", -9, 4, input)));
        assertThat(kinds(quantized(QuantizeTest::none, x))).isEqualTo("-1 Conv2d ReLU -4 Conv2d");
    }

    @Test
    void weightsAndBias_knowTheScaleOfTheInput() {
        Value x = conv("b", -3, 3, relu(4, conv("a", -9, 4, input)));
        Graph graph = quantized(QuantizeTest::none, x);
        Op.Convolution second = (Op.Convolution) graph.nodes().get(3).op();
        Constant.QuantizedWeight weight = (Constant.QuantizedWeight) second.weight();
        assertThat(weight.inputScale()).isEqualTo(4f / 255);
        assertThat(weight.weight()).isEqualTo(new Constant.Parameter("b.weight"));
        assertThat(weight.bias()).isEqualTo(new Constant.Parameter("b.bias"));
        assertThat(second.bias()).isEqualTo(new Constant.QuantizedBias(new Constant.Parameter("b.bias"), weight));
    }

    @Test
    void sum_ofRoundedValues_isRounded() {
        Value a = relu(4, conv("a", -9, 4, input));
        Value b = conv("b", -5, 5, a);
        Value x = conv("c", -3, 3, relu(6, add("", new Op.Add(), -5, 6, b, a)));
        assertThat(kinds(quantized(QuantizeTest::none, x))).isEqualTo("-1 Conv2d 4 Conv2d -5 Add 6 Conv2d");
    }

    @Test
    void sum_inAConvolution_isRoundedOnce() {
        sums = Quantize.Sums.IN_CONVOLUTION;
        Value a = relu(4, conv("a", -9, 4, input));
        Value b = conv("b", -5, 5, a);
        Value c = conv("c", -7, 7, a);
        Value x = conv("d", -3, 3, relu(6, add("", new Op.Add(), -5, 6, b, c)));
        // One of the two is added to the other, which is rounded.
        assertThat(kinds(quantized(QuantizeTest::none, x))).isEqualTo("-1 Conv2d 4 Conv2d Conv2d -7 Add 6 Conv2d");
    }

    @Test
    void sum_inAConvolutionThatSomethingElseReads_isOfRoundedValues() {
        sums = Quantize.Sums.IN_CONVOLUTION;
        Value a = relu(4, conv("a", -9, 4, input));
        Value b = conv("b", -5, 5, a);
        Value sum = add("", new Op.Add(), -5, 6, a, b);
        Value x = add("", new Op.Add(), -5, 6, conv("d", -3, 3, sum), conv("e", -3, 3, b));
        assertThat(kinds(quantized(QuantizeTest::none, x)))
                .isEqualTo("-1 Conv2d 4 Conv2d -5 Add -6 Conv2d Conv2d -3 Add");
    }

    @Test
    void concat_andPartsThatOnlyItReads_haveOneGrid() {
        Value a = relu(4, conv("a", -9, 4, input));
        Value b = relu(6, conv("b", -9, 6, a));
        Value c = relu(2, conv("c", -9, 2, b));
        Value whole = add("", new Op.Concat(), 0, 6, b, c);
        Value x = builder.add(
                        "d",
                        new Op.Convolution(new Constant.Parameter("d.weight"), null, 8, Window.square(1, 1, 0), 1),
                        List.of(whole))
                .output();
        // b is read by c, too, and keeps its own; c takes that of the concat.
        assertThat(kinds(quantized(QuantizeTest::none, x))).isEqualTo("-1 Conv2d 4 Conv2d 6 Conv2d 6 Concat 6 Conv2d");
    }

    @Test
    void concat_ofPartsThatBeginElsewhere_leavesThemTheirGrids() {
        Value a = relu(4, conv("a", -9, 4, input));
        Value b = conv("b", -5, 9, input);
        Value x = add(
                "d",
                new Op.Convolution(new Constant.Parameter("d.weight"), null, 8, Window.square(1, 1, 0), 1),
                0,
                1,
                add("", new Op.Concat(), -5, 9, a, b));
        assertThat(kinds(quantized(QuantizeTest::none, x))).isEqualTo("-1 Conv2d 4 Conv2d -9 Concat -9 Conv2d");
    }

    @Test
    void maxPool_keepsTheGridOfItsInput_whateverItsOwnRange() {
        Value a = conv("a", -9, 4, input);
        Value x = conv("b", -1, 1, add("", new Op.MaxPool(Window.square(3, 1, 1)), 1, 3, a));
        assertThat(kinds(quantized(QuantizeTest::none, x))).isEqualTo("-1 Conv2d -4 MaxPool2d -4 Conv2d");
    }

    @Test
    void averages_haveAGridOfTheirOwn() {
        Value a = relu(4, conv("a", -9, 4, input));
        Value pooled = add("", Op.GlobalPool.AVERAGE, 0, 2, a);
        Value x = add("fc", new Op.Linear(new Constant.Parameter("w"), null, 3), -1, 1, pooled);
        assertThat(kinds(quantized(QuantizeTest::none, x))).isEqualTo("-1 Conv2d 4 GlobalAvgPool2d 2 Linear");
    }

    @Test
    void whatOnlyFloatsRead_staysInFloats() {
        Value a = relu(4, conv("a", -9, 4, input));
        Value sum = add("", new Op.Add(), 0, 8, a, a);
        Value x = add("", Op.Activation.SIGMOID, 0, 1, sum);
        assertThat(kinds(quantized(QuantizeTest::none, x))).isEqualTo("-1 Conv2d 4 Add Sigmoid");
    }

    @Test
    void otherFunctions_computeWithFloats_betweenRoundedValues() {
        Value a = conv("a", -9, 4, input);
        Value x = conv("b", -1, 1, add("", Op.Activation.SILU, -1, 4, a));
        assertThat(kinds(quantized(QuantizeTest::none, x))).isEqualTo("-1 Conv2d -4 SiLU -4 Conv2d");
    }

    @Test
    void layerThatIsKept_readsAndGivesFloats() {
        Value a = relu(4, conv("a", -9, 4, input));
        Value b = relu(5, conv("b", -9, 5, a));
        Value x = conv("c", -3, 3, b);
        Graph graph = quantized(node -> node.name().equals("b"), x);
        // What a gives is rounded because a is quantized; b's weights are not.
        assertThat(kinds(graph)).isEqualTo("-1 Conv2d 4 Conv2d 5 Conv2d");
        assertThat(((Op.Convolution) graph.nodes().get(3).op()).weight()).isEqualTo(new Constant.Parameter("b.weight"));
    }

    @Test
    void layerThatWeighsTheResultsOfASoftmax_isNone() {
        Value scores = conv("scores", -3, 3, input);
        Value shares = add("", new Op.Softmax(), 0, 1, scores);
        Value x = conv("pick", 0, 1, shares);
        Graph graph = builder.build(List.of(x));
        assertThat(Quantize.layers(graph)).extracting(Node::name).containsExactly("scores");
        assertThat(kinds(quantized(QuantizeTest::none, x))).isEqualTo("-1 Conv2d -3 Softmax Conv2d");
    }

    @Test
    void values_areThoseWhoseRangesAreNeeded() {
        Value a = conv("a", -9, 4, input);
        Value b = relu(4, a);
        Value x = conv("b", -3, 3, b);
        Graph graph = builder.build(List.of(x));
        assertThat(Quantize.values(graph, QuantizeTest::none, sums)).containsExactly(input, b);
        ranges.remove(b);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> quantized(QuantizeTest::none, x))
                .withMessage("the range of " + b + " is missing");
    }

    @Test
    void bits_areSevenOrEight() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Quantize(ranges, QuantizeTest::none, sums, 9));
    }

    @Test
    void normalizationToConvolution_makesADepthwiseOne() {
        Op norm = new Op.Normalization(
                new Constant.Parameter("weight"),
                new Constant.Parameter("bias"),
                new Constant.Parameter("mean"),
                new Constant.Parameter("var"),
                1e-5f);
        Value x = builder.add("bn", norm, List.of(input)).output();
        Graph graph = Pass.applyAll(builder.build(List.of(x)), List.of(MAP), List.of(new NormalizationToConvolution()));
        Op.Convolution conv = (Op.Convolution) graph.nodes().get(0).op();
        assertThat(conv.groups()).isEqualTo(8);
        assertThat(conv.filters()).isEqualTo(8);
        assertThat(conv.window()).isEqualTo(Window.square(1, 1, 0));
        assertThat(conv.weight()).isInstanceOf(Constant.Depthwise.class);
    }
}
