package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.CheckpointTrees;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.checkpoint.Value;
import io.github.convzoo.network.AlexNetVariant;
import io.github.convzoo.network.DlaVariant;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.PeleeNetVariant;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class WeightMatchTest {

    private static final Variant SMALL = DlaVariant.DLA46X_C;

    static Stream<String> names() {
        return Variant.all().keySet().stream();
    }

    /** The names and shapes that the independent implementation has. */
    private static Map<String, Shape> reference(Reference.Model model) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        for (List<Object> entry : model.state()) {
            List<?> dimensions = (List<?>) entry.get(1);
            long[] shape = dimensions.stream()
                    .mapToLong(dimension -> ((Number) dimension).longValue())
                    .toArray();
            shapes.put((String) entry.get(0), new Shape(shape));
        }
        return shapes;
    }

    @ParameterizedTest
    @MethodSource("names")
    void parameterShapes_ofEveryNetwork_areTheReferences(String name) {
        Reference.Model model = Reference.model(name);
        Variant variant = Variant.of(name);
        Network network = variant.build(variant.options().withNumClasses(model.numClasses()));

        Map<String, Shape> expected = reference(model);
        Map<String, Shape> shapes = ParameterShapes.of(network, model.input());
        assertThat(shapes).isEqualTo(expected);
        assertThat(shapes.keySet()).containsExactlyElementsOf(expected.keySet());
    }

    @ParameterizedTest
    @MethodSource("names")
    void rank_ofTheReferencesNames_fitsThatNetworkAlone(String name) throws CheckpointException {
        Variant variant = Variant.of(name);
        Network network = variant.build();
        Map<String, Shape> shapes =
                ParameterShapes.of(network, new Shape(1, 3, variant.inputSize(), variant.inputSize()));
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        shapes.forEach(
                (each, shape) -> tensors.put(each, CheckpointTrees.repeated(each, ElementType.F16, shape.getShape())));

        List<WeightMatch> matches = WeightMatch.rank(stateDict(tensors));
        assertThat(matches).hasSize(Variant.all().size());
        assertThat(matches.stream().filter(WeightMatch::fits).map(match -> match.variant()
                        .modelName()))
                .containsExactly(name);
        assertThat(matches.get(0).options()).isEqualTo(variant.options());
        assertThat(matches.get(0).matching()).isEqualTo(shapes.size());
        assertThat(matches.get(0).differences()).isEmpty();
        assertThat(matches.get(0).nearness()).isEqualTo(1);
    }

    private static Map<String, Tensor> weights(int classes, int channels) {
        Network network = SMALL.build(SMALL.options().withNumClasses(classes).withInChannels(channels));
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        ParameterShapes.of(network, new Shape(1, channels, 224, 224))
                .forEach((name, shape) ->
                        tensors.put(name, CheckpointTrees.repeated(name, ElementType.F32, shape.getShape())));
        return tensors;
    }

    private record Case(String name, Map<String, Tensor> tensors, boolean fits) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Case of(String name, boolean fits, Consumer<Map<String, Tensor>> change) {
        Map<String, Tensor> tensors = weights(5, 3);
        change.accept(tensors);
        return new Case(name, tensors, fits);
    }

    private static void put(Map<String, Tensor> tensors, String name, ElementType type, long... shape) {
        tensors.put(name, CheckpointTrees.repeated(name, type, shape));
    }

    static Stream<Case> cases() {
        return Stream.of(
                of("as it is", true, tensors -> {}),
                new Case("one channel", weights(5, 1), true),
                new Case("six channels", weights(5, 6), true),
                new Case("one class", weights(1, 3), true),
                new Case("no classifier", weights(0, 3), true),
                of("half a classifier", false, tensors -> tensors.remove("fc.weight")),
                of("the other half", false, tensors -> tensors.remove("fc.bias")),
                of("classifier of two sizes", false, tensors -> put(tensors, "fc.bias", ElementType.F32, 6)),
                of("bias of two dimensions", false, tensors -> put(tensors, "fc.bias", ElementType.F32, 5, 1)),
                of("one missing", false, tensors -> tensors.remove("level2.root.bn.weight")),
                of("one unknown", false, tensors -> put(tensors, "head.weight", ElementType.F32, 2)),
                of("another shape", false, tensors -> put(tensors, "base_layer.1.bias", ElementType.F32, 17)),
                of("whole numbers", false, tensors -> put(tensors, "base_layer.1.bias", ElementType.I32, 16)),
                of("half precision", true, tensors -> put(tensors, "base_layer.1.bias", ElementType.F16, 16)),
                of("double precision", true, tensors -> put(tensors, "base_layer.1.bias", ElementType.F64, 16)),
                of("counter", true, tensors -> put(tensors, "base_layer.1.num_batches_tracked", ElementType.I64)),
                of("counter of nothing", false, tensors -> put(tensors, "head.num_batches_tracked", ElementType.I64)),
                of(
                        "unused entry",
                        true,
                        tensors -> put(tensors, "level4.project.0.weight", ElementType.F32, 128, 64, 1, 1)),
                of(
                        "unused entry of another shape",
                        false,
                        tensors -> put(tensors, "level4.project.0.weight", ElementType.F32, 128, 64, 3, 3)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void fits_ofAnyWeights_isWhetherTheyLoad(Case weights) throws CheckpointException {
        StateDict stateDict = stateDict(weights.tensors);
        WeightMatch match = WeightMatch.of(stateDict, SMALL);

        assertThat(match.fits()).as(match.toString()).isEqualTo(weights.fits);
        assertThat(loads(stateDict, SMALL)).isEqualTo(weights.fits);
        assertThat(match.differences().isEmpty()).isEqualTo(weights.fits);
    }

    private static boolean loads(StateDict stateDict, Variant variant) {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            Network network = Conversion.network(stateDict, variant);
            Shape input = new Shape(1, network.options().inChannels(), 64, 64);
            WeightLoader.load(stateDict, network, manager, input, WeightLoader.Classifier.MUST_MATCH);
            return true;
        } catch (CheckpointException e) {
            return false;
        }
    }

    @Test
    void of_weightsThatDiffer_namesTheDifferences() throws CheckpointException {
        Map<String, Tensor> tensors = weights(5, 3);
        tensors.remove("level2.root.bn.weight");
        put(tensors, "head.weight", ElementType.F32, 2);
        put(tensors, "base_layer.1.bias", ElementType.F32, 17);
        put(tensors, "base_layer.1.weight", ElementType.I32, 16);
        put(tensors, "base_layer.1.num_batches_tracked", ElementType.I64);

        WeightMatch match = WeightMatch.rank(stateDict(tensors)).get(0);
        assertThat(match.variant()).isEqualTo(SMALL);
        assertThat(match.options().numClasses()).isEqualTo(5);
        assertThat(match.missing()).containsExactly("level2.root.bn.weight");
        assertThat(match.unknown()).containsExactly("head.weight");
        assertThat(match.ignored()).containsExactly("base_layer.1.num_batches_tracked");
        assertThat(match.differences())
                .containsExactly(
                        "missing: level2.root.bn.weight",
                        "unknown: head.weight",
                        "differing: base_layer.1.weight I32(16) for (16), base_layer.1.bias (17) for (16)");
        int parameters = weights(5, 3).size();
        assertThat(match.matching()).isEqualTo(parameters - 3);
        assertThat(match.nearness()).isEqualTo((parameters - 3.0) / (parameters + 1));
    }

    @Test
    void of_manyDifferences_namesTheFirst() throws CheckpointException {
        WeightMatch match = WeightMatch.of(stateDict(weights(5, 3)), PeleeNetVariant.PELEENET);

        assertThat(match.fits()).isFalse();
        assertThat(match.differences().get(0)).matches("missing: ([\\w.]+, ){4}[\\w.]+ and \\d+ more");
    }

    @Test
    void of_countsThatAreBeyondAllBounds_comparesWithoutMemory() throws CheckpointException {
        Map<String, Tensor> tensors = weights(5, 3);
        put(tensors, "fc.bias", ElementType.BOOL, Integer.MAX_VALUE);
        put(tensors, "base_layer.0.weight", ElementType.BOOL, 1, Integer.MAX_VALUE, 1, 1);

        WeightMatch match = WeightMatch.of(stateDict(tensors), SMALL);
        assertThat(match.options().numClasses()).isEqualTo(Integer.MAX_VALUE);
        assertThat(match.misfits())
                .extracting(WeightMatch.Misfit::name)
                .containsExactly("base_layer.0.weight", "fc.weight", "fc.bias");
    }

    @Test
    void rank_ofDjlsFile_goesByOrder(@TempDir(deletionStrategy = IgnoreFailures.class) Path folder)
            throws CheckpointException {
        Path file = folder.resolve("file.params");
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            Network network = SMALL.build(SMALL.options().withNumClasses(7));
            network.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 64, 64));
            DjlParameters.write(file, network);
        }
        List<WeightMatch> matches = WeightMatch.rank(StateDict.of(Checkpoint.read(file)));

        assertThat(matches.get(0).fits()).isTrue();
        assertThat(matches.get(0).variant()).isEqualTo(SMALL);
        assertThat(matches.get(0).options().numClasses()).isEqualTo(7);
        assertThat(matches.get(1).fits()).isFalse();
        // The compact DLAs begin alike.
        assertThat(matches.get(1).matching()).isPositive();
    }

    @Test
    void rank_ofDjlsFileWithoutAClassifier_findsTheNetworkWithoutOne(
            @TempDir(deletionStrategy = IgnoreFailures.class) Path folder) throws CheckpointException {
        Path file = folder.resolve("file.params");
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            Network network = SMALL.build(SMALL.options().withNumClasses(0));
            network.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 64, 64));
            DjlParameters.write(file, network);
        }
        WeightMatch match =
                WeightMatch.rank(StateDict.of(Checkpoint.read(file))).get(0);

        assertThat(match.fits()).isTrue();
        assertThat(match.variant()).isEqualTo(SMALL);
        assertThat(match.options().numClasses()).isZero();
    }

    @Test
    void rank_ofAnAlexNetForAnotherInputSize_findsIt() throws CheckpointException {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        ParameterShapes.of(AlexNetVariant.ALEXNET_DY.build(), new Shape(1, 3, 224, 224))
                .forEach((name, shape) ->
                        tensors.put(name, CheckpointTrees.repeated(name, ElementType.F32, shape.getShape())));

        assertThat(WeightMatch.rank(stateDict(tensors)))
                .filteredOn(WeightMatch::fits)
                .extracting(WeightMatch::variant)
                .containsExactly(AlexNetVariant.ALEXNET_DY);
    }

    @Test
    void rank_ofNothingInCommon_hasNothingThatMatches() throws CheckpointException {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        put(tensors, "a", ElementType.F32, 1);

        assertThat(WeightMatch.rank(stateDict(tensors)))
                .allMatch(match -> !match.fits() && match.matching() == 0 && match.nearness() == 0);
    }

    private static StateDict stateDict(Map<String, Tensor> tensors) throws CheckpointException {
        return StateDict.of(CheckpointTrees.of(new Value.Mapping(new LinkedHashMap<>(tensors), new ArrayList<>())));
    }
}
