package io.github.convzoo.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.graph.ClassMaps;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Type;
import io.github.convzoo.graph.Types;
import io.github.convzoo.graph.Value;
import io.github.convzoo.nn.CanonicalNames;
import io.github.convzoo.nn.GraphBlock;
import io.github.convzoo.nn.PreparedGraph;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClassMapsTest {

    private static final int CLASSES = 7;
    private static final int SIDE = 64;
    private static final Shape INPUT = new Shape(2, 3, SIDE, SIDE);

    static Stream<Variant> variants() {
        return Variant.all().values().stream();
    }

    private static Network network(Variant variant) {
        return variant.build(variant.options().withNumClasses(CLASSES));
    }

    @ParameterizedTest
    @MethodSource("variants")
    void classMaps_ofEveryNetworkWithAveragePooling_haveThePositionsOfTheLastMap(Variant variant) {
        Graph graph = network(variant).graph();
        if (variant instanceof AlexNetVariant) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> ClassMaps.of(graph))
                    .withMessage("there is no class activation map, because the network has ReLU (at classifier)"
                            + " instead of a global average pool before its classifier");
            return;
        }
        Graph maps = ClassMaps.of(graph);
        assertThat(maps.outputs()).hasSize(2).first().isEqualTo(graph.outputs().get(0));
        Types types = GraphBlock.types(maps, INPUT);
        assertThat(types.of(maps.outputs().get(1))).isEqualTo(Type.of(2, CLASSES, 2, 2));
    }

    @ParameterizedTest
    @ValueSource(strings = {"dla34", "dla46x_c", "dla60_res2net", "peleenet", "dpn48b", "dpn68b"})
    void classMaps_averagedPlusTheBias_areTheLogits(String model) {
        Network network = network(Variant.of(model));
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Reference.initialize(network, manager, "maps/", new Shape(1, 3, SIDE, SIDE));
            network.freezeParameters(true);
            float[] bias = Objects.requireNonNull(
                            CanonicalNames.parameters(network).get(network.classifier() + ".bias"))
                    .getArray()
                    .toFloatArray();
            NDArray input = Reference.image(manager, "maps/", INPUT);
            NDList outputs = network.run(ClassMaps.of(network.graph()), new NDList(input));
            float[] logits = outputs.get(0).toFloatArray();
            float[] means =
                    outputs.get(1).mean(new int[] {2}).mean(new int[] {2}).toFloatArray();
            double largest = 0;
            for (float logit : logits) {
                largest = Math.max(largest, Math.abs(logit));
            }
            for (int i = 0; i < logits.length; i++) {
                assertThat((double) means[i] + bias[i % CLASSES]).isCloseTo(logits[i], within(1e-5 * largest));
            }
        }
    }

    @Test
    void classMaps_ofANetworkThatIsItsInput_areRefused() {
        Graph.Builder builder = new Graph.Builder();
        Value input = builder.input();
        Graph graph = builder.build(List.of(input));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ClassMaps.of(graph))
                .withMessage("there is no class activation map, because the network has its input instead of one linear"
                        + " layer or 1 x 1 convolution");
    }

    @ParameterizedTest
    @ValueSource(strings = {"dla46x_c", "dla60_res2net", "peleenet", "dpn48b"})
    void halves_ofEveryNamedValue_computeTheSame(String model) {
        Network network = network(Variant.of(model));
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Reference.initialize(network, manager, "halves/", new Shape(1, 3, SIDE, SIDE));
            network.freezeParameters(true);
            Graph graph = network.graph();
            NDArray input = Reference.image(manager, "halves/", INPUT);
            float[] expected = network.run(graph, new NDList(input)).get(0).toFloatArray();
            List<Value> values = List.copyOf(graph.names().values());
            for (int i = 0; i < values.size(); i++) {
                Graph.Halves halves = graph.splitAt(values.get(i));
                assertThat(halves.before().outputs()).isEqualTo(halves.after().inputs());
                assertThat(halves.before().outputs()).first().isEqualTo(values.get(i));
                List<Object> both = new ArrayList<>(halves.before().nodes());
                both.addAll(halves.after().nodes());
                assertThat(both).containsExactlyInAnyOrderElementsOf(new ArrayList<Object>(graph.nodes()));
                if (i % (values.size() / 6) == 0) {
                    try (NDManager scope = manager.newSubManager();
                            PreparedGraph before = network.prepare(halves.before());
                            PreparedGraph after = network.prepare(halves.after())) {
                        NDArray copy = input.duplicate();
                        copy.attach(scope);
                        NDList between = before.run(new NDList(copy));
                        assertThat(after.runDifferentiably(between).get(0).toFloatArray())
                                .isEqualTo(expected);
                    }
                }
            }
        }
    }

    @Test
    void valueThatNoOutputDependsOn_isNotSplitAt() {
        Graph.Builder builder = new Graph.Builder();
        Value input = builder.input();
        Value other = builder.input();
        Graph graph = builder.build(List.of(input));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> graph.splitAt(other))
                .withMessage("the outputs do not depend on %1");
    }
}
