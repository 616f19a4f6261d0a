package io.github.convzoo.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.offset;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import io.github.convzoo.nn.CanonicalNames;
import io.github.convzoo.nn.Layer;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class NetworkTest {

    private NDManager manager;

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager("PyTorch");
    }

    @AfterEach
    void close() {
        manager.close();
    }

    static Stream<Variant> variants() {
        return Variant.all().values().stream();
    }

    /** Counted by others, and printed by them to the third place. */
    @ParameterizedTest
    @CsvSource({
        "dla34, 3.060",
        "dla46_c, 0.574",
        "dla46x_c, 0.533",
        "dla60x_c, 0.581",
        "dla60, 4.236",
        "dla60x, 3.517",
        "dla102, 7.165",
        "dla102x, 5.848",
        "dla102x2, 9.284",
        "dla169, 11.558",
        "dla60_res2net, 4.123",
        "dla60_res2next, 3.459",
        "dpn68, 2.326",
        "dpn68b, 2.326",
        "dpn92, 6.502",
        "dpn98, 11.671",
        "dpn131, 16.014",
        "dpn107, 18.299",
        "peleenet, 0.508"
    })
    void layers_ofPublishedNetwork_addUpToThePublishedMultiplyAdds(String name, double giga) {
        long sum = Layer.list(Variant.of(name).build(), new Shape(1, 3, 224, 224)).stream()
                .mapToLong(Layer::multiplyAdds)
                .sum();
        assertThat(sum / 1e9).isCloseTo(giga, within(0.00051));
    }

    @ParameterizedTest
    @CsvSource({"alexnet, 10, 7526794", "alexnet_dy, 10, 8324368", "dpn92_post, 4, 67994324"})
    void layers_ofTutorialNetwork_haveTheGivenNumberOfParameters(String name, int classes, long expected) {
        Variant variant = Variant.of(name);
        long side = variant.inputSize();
        List<Layer> layers =
                Layer.list(variant.build(variant.options().withNumClasses(classes)), new Shape(1, 3, side, side));
        long parameters = layers.stream().mapToLong(Layer::parameters).sum();
        long statistics = layers.stream().mapToLong(Layer::statistics).sum();
        // AlexNet's are given with BatchNorm's running statistics, DPN's without.
        assertThat(parameters + (variant instanceof AlexNetVariant ? statistics : 0))
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @MethodSource("variants")
    void layers_ofEveryNetwork_haveTheParametersThatTheBlockAllocates(Variant variant) {
        Network network = variant.build();
        Shape shape = new Shape(1, 3, 64, 64);
        List<Layer> layers = Layer.list(network, shape);
        // Views on one zero: the shapes without the memory.
        network.setInitializer((m, s, type) -> m.zeros(new Shape(1), type).broadcast(s), parameter -> true);
        network.initialize(manager, DataType.FLOAT32, shape);

        long trained = 0;
        long statistics = 0;
        for (Parameter parameter : CanonicalNames.parameters(network).values()) {
            long size = parameter.getShape().size();
            if (parameter.requiresGradient()) {
                trained += size;
            } else {
                statistics += size;
            }
        }
        assertThat(layers.stream().mapToLong(Layer::parameters).sum()).isEqualTo(trained);
        assertThat(layers.stream().mapToLong(Layer::statistics).sum()).isEqualTo(statistics);
        assertThat(layers.get(layers.size() - 1).output()).isEqualTo(network.getOutputShapes(new Shape[] {shape})[0]);
        assertThat(CanonicalNames.parameters(network))
                .containsKeys(network.firstConvolution() + ".weight", network.classifier() + ".weight");
    }

    @ParameterizedTest
    @CsvSource({
        "dla46x_c, 256",
        "dla34, 512",
        "peleenet, 704",
        "dpn68, 832",
        "dpn68b, 832",
        "alexnet, 2048",
        "alexnet_dy, 2048"
    })
    void forward_withoutClasses_givesPooledFeatures(String name, long features) {
        Variant variant = Variant.of(name);
        Network network = variant.build(variant.options().withNumClasses(0));
        NDArray output = forward(network, new Shape(2, 3, 64, 64));
        assertThat(output.getShape()).isEqualTo(new Shape(2, features));
        assertThat(CanonicalNames.parameters(network)).doesNotContainKey(network.classifier() + ".weight");
    }

    @ParameterizedTest
    @CsvSource({
        "dla46_c, 1, 32, 64",
        "dla34, 4, 31, 63",
        "peleenet, 1, 36, 31",
        "dpn68, 6, 17, 50",
        "alexnet, 2, 64, 80",
        "dpn68b, 5, 1, 1"
    })
    void forward_ofOtherChannelsAndSizes_givesLogits(String name, int channels, long height, long width) {
        Variant variant = Variant.of(name);
        Network network =
                variant.build(variant.options().withInChannels(channels).withNumClasses(7));
        assertThat(forward(network, new Shape(2, channels, height, width)).getShape())
                .isEqualTo(new Shape(2, 7));
    }

    /** The engine records gradients on every thread but the one that started it. */
    @ParameterizedTest
    @ValueSource(
            strings = {"dla46_c", "dla60_res2net", "dla102", "peleenet", "dpn68", "dpn68b", "dpn92_post", "alexnet_dy"})
    void forward_onAnotherThreadThatRecordsGradients_givesTheSameLogits(String name) throws Exception {
        Network network = Variant.of(name).build();
        Shape shape = new Shape(2, 3, 64, 64);
        Reference.initialize(network, manager, "a", shape);
        NDArray input = Reference.image(manager, "a", shape);
        float[] expected = forward(network, input).toFloatArray();

        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            float[] actual =
                    thread.submit(() -> forward(network, input).toFloatArray()).get();
            assertThat(actual).containsExactly(expected, offset(1e-4f));
        } finally {
            thread.shutdown();
        }
    }

    @Test
    void peleenet_withOneWidthOrFour_isTheSameWhereTheyAreEqual() {
        NetworkOptions options = PeleeNetVariant.PELEENET.options();
        Shape input = new Shape(1, 3, 64, 64);
        assertThat(Layer.list(new PeleeNet(List.of(24), List.of(2), options), input))
                .isEqualTo(Layer.list(new PeleeNet(List.of(24, 24, 24, 24), List.of(2, 2, 2, 2), options), input));
        PeleeNet uneven = new PeleeNet(List.of(8, 16, 24, 32), List.of(1, 2, 4, 4), options.withNumClasses(0));
        long channels = 32 + 3 * 8 + 4 * 16 + 8 * 24 + 6 * 32;
        assertThat(uneven.getOutputShapes(new Shape[] {input})[0]).isEqualTo(new Shape(1, channels));
    }

    @Test
    void peleenet_ofImpossibleWidths_isRefused() {
        NetworkOptions options = PeleeNetVariant.PELEENET.options();
        assertRefused(() -> new PeleeNet(List.of(32, 32), List.of(1), options), "one number or four");
        assertRefused(() -> new PeleeNet(List.of(31), List.of(1), options), "even and at least 2 because");
        assertRefused(() -> new PeleeNet(List.of(32), List.of(0), options), "at least 1, not 0");
        assertRefused(() -> new PeleeNet(List.of(2), List.of(1), options), "leaves no channels for a bottleneck");
    }

    @Test
    void options_thatMakeNoSense_areRefused() {
        NetworkOptions options = DlaVariant.DLA34.options();
        assertRefused(() -> options.withNumClasses(-1), "not -1");
        assertRefused(() -> options.withInChannels(0), "at least 1, not 0");
        assertRefused(() -> options.withDropout(1), "[0, 1), not 1.0");
        assertRefused(() -> options.withDropout(Double.NaN), "[0, 1), not NaN");
        NetworkOptions pooled = DpnVariant.DPN68.options().withFamily(new DpnOptions(true, LastActivation.RELU));
        assertRefused(() -> DpnVariant.DPN68.build(pooled.withNumClasses(0)), "needs at least 1 class");
        assertRefused(() -> DlaVariant.DLA34.build(options.withDropout(0.2)), "dla34 has no dropout");
        assertRefused(
                () -> DlaVariant.DLA34.build(options.withFamily(DpnOptions.PUBLISHED)), "dla34 has no options such as");
    }

    @Test
    void variant_thatDoesNotExist_isRefusedWithThoseThatDo() {
        assertRefused(() -> Variant.of("dla35"), "unknown network dla35; did you mean dla34?");
        assertRefused(() -> Variant.of("nonet50"), "unknown network nonet50; choose from dla34, dla46_c");
        Variant.all().forEach((name, variant) -> {
            assertThat(Variant.of(name)).isSameAs(variant);
            assertThat(variant.modelName()).isEqualTo(name);
        });
    }

    @ParameterizedTest
    @CsvSource({
        "dla34, 224, 225, '32k or 32k - 1 pixels, k at least 1, not 224 x 225'",
        "dla34, 16, 32, '32k or 32k - 1'",
        "dla34, 0, 32, '32k or 32k - 1'",
        "peleenet, 28, 32, '4k or 4k - 1 pixels, at least 31, not 28 x 32'",
        "peleenet, 33, 32, '4k or 4k - 1'",
        "dpn92_post, 4, 9, 'at least 5 pixels, not 4 x 9'",
        "alexnet, 56, 128, 'at least 57 pixels'",
    })
    void input_ofWrongSize_isRefusedBeforeAnythingIsAllocated(String name, long height, long width, String message) {
        Network network = Variant.of(name).build();
        Shape shape = new Shape(1, 3, height, width);
        assertRefused(() -> network.initialize(manager, DataType.FLOAT32, shape), message);
        assertRefused(() -> network.getOutputShapes(new Shape[] {shape}), message);
        assertThat(network.isInitialized()).isFalse();
        assertThat(CanonicalNames.parameters(network).values()).noneMatch(Parameter::isInitialized);
    }

    @Test
    void input_ofWrongRankOrChannels_isRefused() {
        Network network = DlaVariant.DLA46X_C.build();
        network.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 32, 32));
        ParameterStore store = new ParameterStore(manager, false);
        for (Shape wrong : List.of(new Shape(3, 32, 32), new Shape(1, 1, 32, 32), new Shape(1, 32, 32, 3))) {
            assertRefused(
                    () -> network.forward(store, new NDList(manager.zeros(wrong)), false),
                    "dla46x_c expects an input of shape (N, 3, H, W), not " + wrong);
        }
        assertRefused(
                () -> network.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 32, 32), new Shape(1)),
                "has one input, not 2");
    }

    @Test
    void alexnet_onceInitialized_keepsToSizesOfTheSameLastMap() {
        Network network = AlexNetVariant.ALEXNET.build();
        network.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 128, 128));
        ParameterStore store = new ParameterStore(manager, false);
        assertRefused(
                () -> network.forward(store, new NDList(manager.zeros(new Shape(1, 3, 224, 224))), false),
                "128 x 128, for which its linear layers were initialized, not 224 x 224");
        NDList output = network.forward(store, new NDList(manager.zeros(new Shape(1, 3, 130, 125))), false);
        assertThat(output.singletonOrThrow().getShape()).isEqualTo(new Shape(1, 10));
    }

    @Test
    void alexnet_onceCleared_takesAnotherSize() {
        Network network = AlexNetVariant.ALEXNET.build();
        network.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 128, 128));
        network.clear();
        network.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 64, 64));
        assertThat(forward(network, Reference.image(manager, "", new Shape(1, 3, 64, 64)))
                        .getShape())
                .isEqualTo(new Shape(1, 10));
    }

    @Test
    void testTimePool_ofSmallInput_isRefused_andOfTrainedSizeChangesNothing() {
        Variant variant = DpnVariant.DPN68;
        Network pooled = variant.build(
                variant.options().withNumClasses(5).withFamily(new DpnOptions(true, LastActivation.RELU)));
        assertRefused(
                () -> pooled.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 192, 224)),
                "at least 193 pixels for test-time pooling, not 192 x 224");

        Network plain = variant.build(variant.options().withNumClasses(5));
        Shape shape = new Shape(1, 3, 193, 224);
        Reference.initialize(pooled, manager, "a", shape);
        Reference.initialize(plain, manager, "a", shape);
        NDArray input = Reference.image(manager, "a", shape);
        NDArray difference =
                forward(pooled, input).sub(forward(plain, input)).abs().max();
        assertThat(difference.getFloat()).isLessThan(1e-4f);
    }

    @Test
    void dropout_inTrainingOnly_changesLogits() {
        Network network = AlexNetVariant.ALEXNET.build();
        Shape shape = new Shape(4, 3, 64, 64);
        Reference.initialize(network, manager, "a", shape);
        NDArray input = Reference.image(manager, "a", shape);
        assertThat(forward(network, input)).isEqualTo(forward(network, input));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray once = network.forward(store, new NDList(input), true).singletonOrThrow();
        NDArray again = network.forward(store, new NDList(input), true).singletonOrThrow();
        assertThat(once).isNotEqualTo(again);
    }

    @ParameterizedTest
    @CsvSource({"dla34, fc", "peleenet, classifier", "dpn68, classifier"})
    void weights_atStart_areAsPublished(String name, String classifier) {
        Network network = Variant.of(name).build();
        network.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 64, 64));
        Map<String, Parameter> parameters = CanonicalNames.parameters(network);
        parameters.forEach((parameter, value) -> {
            NDArray array = value.getArray();
            Shape shape = array.getShape();
            if (shape.dimension() == 4 && shape.size() > 10_000) {
                double expected = Math.sqrt(2.0 / (shape.get(0) * shape.get(2) * shape.get(3)));
                assertThat(std(array)).as(parameter).isCloseTo(expected, within(0.05 * expected));
            } else if (shape.dimension() == 1) {
                boolean one = parameter.endsWith(".weight") || parameter.endsWith("running_var");
                assertThat(array.toFloatArray()).as(parameter).containsOnly(one ? 1f : 0f);
            }
        });
        if (name.equals("peleenet")) {
            NDArray weight = Objects.requireNonNull(parameters.get(classifier + ".weight"))
                    .getArray();
            assertThat(std(weight)).isCloseTo(0.01, within(0.0005));
        }
    }

    private NDArray forward(Network network, Shape shape) {
        Reference.initialize(network, manager, "", shape);
        return forward(network, Reference.image(manager, "", shape));
    }

    private NDArray forward(Network network, NDArray input) {
        return network.forward(new ParameterStore(manager, false), new NDList(input), false)
                .singletonOrThrow();
    }

    private static double std(NDArray array) {
        double squares = 0;
        for (float value : array.toFloatArray()) {
            squares += (double) value * value;
        }
        return Math.sqrt(squares / array.size());
    }

    private static void assertRefused(Runnable call, String message) {
        assertThatIllegalArgumentException().isThrownBy(call::run).withMessageContaining(message);
    }
}
