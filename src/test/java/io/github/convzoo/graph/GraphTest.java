package io.github.convzoo.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GraphTest {

    private static final Type MAP = Type.of(Type.ANY, 4, 8, 8);

    private final Graph.Builder builder = new Graph.Builder();
    private final Value input = builder.input();

    private Value add(String name, Op op, Value... inputs) {
        return builder.add(name, op, List.of(inputs)).output();
    }

    private static Op.Convolution conv(String name, int filters, int kernel) {
        return new Op.Convolution(
                new Constant.Parameter(name + ".weight"), null, filters, Window.square(kernel, 1, kernel / 2), 1);
    }

    @Test
    void toString_ofGraph_readsAsAProgram() {
        Value x = add("conv", conv("conv", 6, 3), input);
        List<Value> parts =
                builder.add("", new Op.Split(List.of(2L)), List.of(x)).outputs();
        Value sum = add("", Op.Activation.RELU, parts.get(1));
        assertThat(builder.build(List.of(sum, parts.get(0))))
                .hasToString(
                        """
                inputs %0
                %1 = Conv2d[6, kernel 3, padding 1](%0)  # conv
                %2, %3 = Split[2](%1)
                %4 = ReLU(%3)
                outputs %4, %2
                """);
    }

    @Test
    void toDot_ofGraph_hasAnEdgeWithItsTypeForEachUse() {
        Value x = add("stem.conv", conv("stem.conv", 6, 3), input);
        Graph graph = builder.build(List.of(add("", new Op.Add(), x, x)));
        assertThat(graph.toDot(graph.types(List.of(MAP))))
                .isEqualTo(
                        """
                digraph {
                    node [shape=box, fontname=Helvetica]
                    in0 [label="input", shape=ellipse]
                    n0 [label="Conv2d[6, kernel 3, padding 1]\\nstem.conv"]
                    in0 -> n0 [label="(N, 4, 8, 8)"]
                    n1 [label="Add"]
                    n0 -> n1 [label="(N, 6, 8, 8)"]
                    n0 -> n1 [label="(N, 6, 8, 8)"]
                    out0 [label="output", shape=ellipse]
                    n1 -> out0 [label="(N, 6, 8, 8)"]
                }
                """);
    }

    @Test
    void graph_thatReadsBeforeItDefines_isRefused() {
        Value later = new Value(7);
        Node node = new Node("", Op.Activation.RELU, List.of(later), List.of(new Value(1)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Graph(List.of(input), List.of(node), List.of(new Value(1)), Map.of()))
                .withMessage("%7 is read before it is defined, in %1 = ReLU(%7)");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Graph(List.of(input), List.of(), List.of(later), Map.of()))
                .withMessage("%7 is read before it is defined, in the graph's outputs");
    }

    @Test
    void graph_thatDefinesTwice_isRefused() {
        Node node = new Node("", Op.Activation.RELU, List.of(input), List.of(input));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Graph(List.of(input), List.of(node), List.of(input), Map.of()))
                .withMessage("%0 is defined twice, again in %0 = ReLU(%0)");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Graph(List.of(input, input), List.of(), List.of(input), Map.of()))
                .withMessageContaining("defined twice");
    }

    @Test
    void graph_withoutOutputs_orWithTooFewOfANode_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.build(List.of()))
                .withMessageContaining("at least one output");
        Node node = new Node("", new Op.Split(List.of(1L)), List.of(input), List.of(new Value(1)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Graph(List.of(input), List.of(node), List.of(input), Map.of()))
                .withMessageContaining("must define 2 values");
    }

    @Test
    void cut_keepsWhatTheOutputsNeed_fromTheGivenValuesOn() {
        Value a = add("a", Op.Activation.RELU, input);
        Value b = add("b", Op.Activation.TANH, a);
        Value c = add("c", Op.Activation.SILU, a);
        builder.name("a", a);
        builder.name("b", b);
        Graph graph = builder.build(List.of(add("", new Op.Add(), b, c)));

        Graph front = graph.cut(graph.inputs(), List.of(b));
        assertThat(front.nodes()).extracting(Node::name).containsExactly("a", "b");
        assertThat(front.outputs()).containsExactly(b);
        Graph back = graph.cut(List.of(a), graph.outputs());
        assertThat(back.nodes()).extracting(Node::name).containsExactly("b", "c", "");
        assertThat(back.inputs()).containsExactly(a);
        assertThat(back.names()).containsOnlyKeys("a", "b");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> graph.cut(List.of(b), graph.outputs()))
                .withMessageContaining("is read before it is defined");
    }

    @Test
    void named_ofUnknownName_isRefused() {
        Graph graph = builder.build(List.of(add("", Op.Activation.RELU, input)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> graph.named("pooled"))
                .withMessageContaining("pooled");
    }

    @Test
    void types_thatDoNotFit_sayWhere() {
        Value x = add("stem.conv", conv("stem.conv", 6, 3), input);
        Graph graph = builder.build(List.of(add("level1", new Op.Add(), x, input)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> graph.types(List.of(MAP)))
                .withMessage(
                        "maps of (N, 6, 8, 8) and (N, 4, 8, 8) cannot be added because the input's size does not fit"
                                + " the"
                                + " strides (at level1)");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> graph.types(List.of(MAP, MAP)))
                .withMessage("the graph has 1 inputs, not 2");
    }

    @Test
    void readers_countEachUse_theOutputsIncluded() {
        Value a = add("a", Op.Activation.RELU, input);
        Value b = add("b", new Op.Add(), a, a);
        Value unused = add("c", Op.Activation.TANH, b);
        Graph graph = builder.build(List.of(b, a));
        assertThat(graph.readers())
                .containsOnly(Map.entry(input, 1), Map.entry(a, 3), Map.entry(b, 2), Map.entry(unused, 0));
    }

    @Test
    void applyAll_ofAPassThatChangesAnOutputsType_isRefused() {
        Graph graph = builder.build(List.of(add("", Op.Activation.RELU, input)));
        Pass wrong = (before, types) -> {
            Graph.Builder other = new Graph.Builder();
            Value x = other.input();
            return other.build(
                    List.of(other.add("", conv("conv", 5, 1), List.of(x)).output()));
        };
        assertThatIllegalStateException()
                .isThrownBy(() -> Pass.applyAll(graph, List.of(MAP), List.of(wrong)))
                .withMessageContaining("changed output 0 from (N, 4, 8, 8) to (N, 5, 8, 8)");
    }
}
