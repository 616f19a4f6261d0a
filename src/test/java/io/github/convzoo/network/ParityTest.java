package io.github.convzoo.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import io.github.convzoo.nn.CanonicalNames;
import io.github.convzoo.nn.DynamicConv2d;
import io.github.convzoo.nn.Layer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every network against what an independent PyTorch implementation computes. */
class ParityTest {

    /** Of the largest logit: the references are float32 themselves, and summation orders differ. */
    private static final double TOLERANCE = 1e-5;

    static Stream<String> references() {
        return Stream.concat(
                Variant.all().keySet().stream(),
                Stream.of(
                        "alexnet_dy_t30",
                        "dpn68_test_time_pool",
                        "dpn68_relu",
                        "dpn68b_relu",
                        "dpn92_relu",
                        "dpn98_relu",
                        "dpn131_relu",
                        "dpn107_relu"));
    }

    @ParameterizedTest
    @MethodSource("references")
    void network_withReferenceWeights_agreesInParametersStagesAndLogits(String name) {
        Reference.Model reference = Reference.model(name);
        Network network = network(reference);

        long trainable = 0;
        for (Layer layer : Layer.list(network, reference.input())) {
            trainable += layer.parameters();
        }
        assertThat(trainable)
                .as("trainable parameters")
                .isEqualTo(Reference.model(reference.model()).trainableParameters());

        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Reference.initialize(network, manager, reference.salt(), reference.input());
            assertThat(names(network)).containsExactlyEntriesOf(state(Reference.model(reference.model())));
            if (reference.temperature() != null) {
                assertThat(DynamicConv2d.setTemperature(network, reference.temperature()))
                        .isEqualTo(3);
            }
            try (NDManager inference = manager.newSubManager()) {
                NDArray input = Reference.image(inference, reference.salt(), reference.input());
                ParameterStore parameters = new ParameterStore(inference, false);
                assertLogits(network.forward(parameters, new NDList(input), false), reference);
                assertStages(network, parameters, input, reference);
                network.foldNorms();
                assertLogits(network.forward(parameters, new NDList(input), false), reference);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"dla34", "dla60_res2net", "dla102", "peleenet", "dpn68", "dpn68b", "dpn92_post", "alexnet_dy"})
    void forward_ofSmallInput_leavesOnlyInputAndOutputOpen(String name) {
        Variant variant = Variant.of(name);
        Network network = variant.build();
        try (NDManager manager = NDManager.newBaseManager("PyTorch");
                NDManager inference = manager.newSubManager()) {
            Shape shape = new Shape(2, 3, 64, 64);
            network.initialize(manager, DataType.FLOAT32, shape);
            NDArray input = Reference.image(inference, "", shape);
            NDList output = network.forward(new ParameterStore(inference, false), new NDList(input), false);
            assertThat(inference.getManagedArrays())
                    .usingElementComparator((a, b) -> a == b ? 0 : 1)
                    .containsExactlyInAnyOrder(input, output.singletonOrThrow());
        }
    }

    private static Network network(Reference.Model reference) {
        Variant variant = Variant.of(reference.model());
        NetworkOptions options = variant.options().withNumClasses(reference.numClasses());
        if (variant instanceof DpnVariant && variant != DpnVariant.DPN48B) {
            // Fixtures that do not say it were made with the activation of timm 0.6.
            LastActivation last =
                    LastActivation.of(reference.lastActivation() == null ? "elu" : reference.lastActivation());
            options = options.withFamily(new DpnOptions(reference.testTimePool() != null, last));
        }
        return variant.build(options);
    }

    private static Map<String, Shape> names(Block network) {
        Map<String, Shape> names = new LinkedHashMap<>();
        for (Map.Entry<String, Parameter> each :
                CanonicalNames.parameters(network).entrySet()) {
            names.put(each.getKey(), each.getValue().getArray().getShape());
        }
        return names;
    }

    private static Map<String, Shape> state(Reference.Model reference) {
        Map<String, Shape> state = new LinkedHashMap<>();
        for (List<Object> entry : reference.state()) {
            List<?> dimensions = (List<?>) entry.get(1);
            state.put(
                    (String) entry.get(0),
                    new Shape(dimensions.stream()
                            .mapToLong(each -> ((Number) each).longValue())
                            .toArray()));
        }
        return state;
    }

    private static void assertLogits(NDList output, Reference.Model reference) {
        NDArray logits = output.singletonOrThrow();
        assertThat(logits.getShape()).isEqualTo(new Shape(reference.input().get(0), reference.numClasses()));
        float[] actual = logits.toFloatArray();
        List<Float> expected = new ArrayList<>();
        reference.logits().forEach(expected::addAll);
        double scale = expected.stream().mapToDouble(Math::abs).max().orElseThrow();
        double worst = 0;
        for (int i = 0; i < actual.length; i++) {
            worst = Math.max(worst, Math.abs(actual[i] - (double) expected.get(i)));
        }
        assertThat(worst / scale).as("largest deviation of a logit").isLessThanOrEqualTo(TOLERANCE);
    }

    private static void assertStages(
            Network network, ParameterStore parameters, NDArray input, Reference.Model reference) {
        NDList x = new NDList(input);
        int seen = 0;
        for (Map.Entry<String, Block> stage : network.stages().entrySet()) {
            NDList y = stage.getValue().forward(parameters, x, false);
            if (x.get(0) != input) {
                x.close();
            }
            x = y;
            for (Reference.Stage expected : reference.stages()) {
                if (expected.name().equals(stage.getKey())) {
                    assertStage(x.singletonOrThrow(), expected);
                    seen++;
                }
            }
        }
        assertThat(seen).isEqualTo(reference.stages().size());
    }

    private static void assertStage(NDArray actual, Reference.Stage expected) {
        String name = expected.name();
        assertThat(actual.getShape().getShape())
                .as(name)
                .containsExactly(
                        expected.shape().stream().mapToLong(Long::longValue).toArray());
        float[] values = actual.toFloatArray();
        double sum = 0;
        for (float value : values) {
            sum += value;
        }
        double mean = sum / values.length;
        double squares = 0;
        double largest = 0;
        for (float value : values) {
            squares += (value - mean) * (value - mean);
            largest = Math.max(largest, Math.abs(value));
        }
        double std = Math.sqrt(squares / (values.length - 1));
        // The reference's own means are float32 sums of up to millions of values.
        assertThat(mean).as(name + " mean").isCloseTo(expected.mean(), within(TOLERANCE * expected.std()));
        assertThat(std).as(name + " std").isCloseTo(expected.std(), within(TOLERANCE * expected.std()));
        for (int i = 0; i < expected.first().size(); i++) {
            assertThat((double) values[i])
                    .as(name + " value " + i)
                    .isCloseTo(expected.first().get(i), within(TOLERANCE * largest));
        }
    }
}
