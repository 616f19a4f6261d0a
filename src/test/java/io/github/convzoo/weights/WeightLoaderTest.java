package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.ConstantInitializer;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.CheckpointTrees;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.checkpoint.Value;
import io.github.convzoo.network.AlexNetVariant;
import io.github.convzoo.network.DlaVariant;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.CanonicalNames;
import io.github.convzoo.weights.LoadReport.Rule;
import io.github.convzoo.weights.WeightLoader.Classifier;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class WeightLoaderTest {

    private static final Variant VARIANT = DlaVariant.DLA46X_C;
    private static final Shape INPUT = new Shape(1, 3, 32, 32);
    private static final String FIRST = "base_layer.0.weight";
    private static final String PROJECT = "level4.project.0.weight";

    /** Of the largest logit: float32 sums in another order. */
    private static final double TOLERANCE = 1e-5;

    private static Map<String, Tensor> complete = Map.of();

    private NDManager manager;

    @BeforeAll
    static void makeState() {
        complete = Samples.state(network(10, 3), INPUT);
    }

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager("PyTorch");
    }

    @AfterEach
    void close() {
        manager.close();
    }

    @Test
    void load_ofItsOwnState_setsEveryParameterBitForBit() throws CheckpointException {
        Network network = network(10, 3);
        LoadReport report = load(complete, network);

        assertHolds(network, complete);
        assertThat(report.loaded()).containsExactlyElementsOf(complete.keySet());
        assertThat(report.notes()).isEmpty();
        assertThat(report.lines()).containsExactly("tree.pth: " + complete.size() + " tensors loaded into dla46x_c");
        assertThat(manager.getManagedArrays()).hasSameSizeAs(complete.keySet());
    }

    /** If the engine read the file, the process would end. */
    @Test
    @Timeout(120)
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "Windows does not shorten a file that is mapped")
    void load_ofAFileThatIsShortenedMeanwhile_isAnErrorLikeAnyOther(@TempDir Path folder) throws Exception {
        Network network = DlaVariant.DLA46X_C.build();
        network.initialize(manager, DataType.FLOAT32, INPUT);
        Path file = folder.resolve("whole.safetensors");
        WeightSaver.save(file, network);
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        // JDK 24 and later print warnings otherwise.
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:-CreateCoredumpOnCrash",
                        "-XX:ErrorFile=" + folder.resolve("crash.log"),
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ShortenedLoadMain.class.getName(),
                        file.toString())
                .redirectErrorStream(true)
                .start();
        List<String> lines = process.inputReader().lines().toList();
        assertThat(process.waitFor()).as("%s", lines).isZero();
        assertThat(lines).hasSize(2);
        assertThat(lines.get(0)).contains("its file was truncated while in use");
        assertThat(lines.get(1)).isEqualTo("loaded " + network.getParameters().size());
    }

    @Test
    void load_fromTrainingCheckpoint_namesThePlace() throws CheckpointException {
        Network network = network(10, 3);
        Value root =
                new Value.Mapping(Map.of("state_dict", new Value.Mapping(Map.copyOf(complete), List.of())), List.of());
        LoadReport report = WeightLoader.load(
                StateDict.of(CheckpointTrees.of(root)), network, manager, INPUT, Classifier.MUST_MATCH);

        assertThat(report.lines().get(0)).startsWith("tree.pth (state_dict): ");
        assertHolds(network, complete);
    }

    @Test
    void load_withoutSomeEntries_namesTheMissing() {
        Map<String, Tensor> state = changed();
        state.remove("level5.tree1.conv2.weight");
        state.remove("fc.bias");
        assertFails(
                state,
                "tree.pth: does not fit dla46x_c; missing: level5.tree1.conv2.weight, fc.bias; check that it is a"
                        + " checkpoint of this model");
    }

    @Test
    void load_withManyEntriesMissing_namesFiveAndCountsTheRest() {
        Map<String, Tensor> state = new LinkedHashMap<>(Map.of(FIRST, tensor(FIRST)));
        assertFails(
                state,
                "missing: base_layer.1.weight, base_layer.1.bias, base_layer.1.running_mean, base_layer.1.running_var,"
                        + " level0.0.weight and " + (complete.size() - 6) + " more");
    }

    @Test
    void load_withUnknownEntry_namesIt() {
        Map<String, Tensor> state = changed();
        state.put("head.weight", Samples.zeros("head.weight", ElementType.F32, 2));
        assertFails(state, "tensor head.weight: has every parameter of dla46x_c and more: head.weight");
    }

    @Test
    void load_ofAnotherShape_namesTensorAndBothShapes() {
        Map<String, Tensor> state = changed();
        state.put("level0.1.bias", Samples.zeros("level0.1.bias", ElementType.F32, 17));
        assertFails(state, "tensor level0.1.bias: has shape (17), but dla46x_c has (16)");
    }

    @Test
    void load_ofSameSizeButAnotherShape_isNoMatch() {
        Map<String, Tensor> state = changed();
        state.put("level0.0.weight", Samples.zeros("level0.0.weight", ElementType.F32, 16, 16, 9));
        assertFails(state, "tensor level0.0.weight: has shape (16, 16, 9), but dla46x_c has (16, 16, 3, 3)");
    }

    @ParameterizedTest
    @EnumSource(
            value = ElementType.class,
            names = {"I64", "I32", "I16", "I8", "U8", "BOOL"})
    void load_ofWeightsThatAreNoFloats_isRefused(ElementType type) {
        Map<String, Tensor> state = changed();
        state.put("level0.1.bias", Samples.zeros("level0.1.bias", type, 16));
        assertFails(state, "tensor level0.1.bias: has elements of type " + type + "; weights must be floating-point");
    }

    @Test
    void load_ofAnotherVariantsWeights_isRefused() {
        Map<String, Tensor> state = Samples.state(
                DlaVariant.DLA46_C.build(DlaVariant.DLA46_C.options().withNumClasses(10)), INPUT);
        assertThat(state.keySet()).isEqualTo(complete.keySet());
        assertFails(state, "check that it is a checkpoint of this variant");
    }

    @ParameterizedTest
    @EnumSource(
            value = ElementType.class,
            names = {"F64", "F32", "BF16", "F16"})
    void load_ofOtherPrecisions_convertsToTheNearestFloat(ElementType type) throws CheckpointException {
        Map<String, Tensor> state = new LinkedHashMap<>();
        Map<String, float[]> expected = new LinkedHashMap<>();
        Random random = new Random(7);
        complete.forEach((name, tensor) -> {
            float[] values = new float[(int) tensor.size()];
            state.put(name, random(tensor, type, random, values));
            expected.put(name, values);
        });
        Network network = network(10, 3);
        load(state, network);

        assertHoldsValues(network, expected);
    }

    /** Random elements of a type, all of magnitude 1 to 2, and what they are as float32. */
    private static Tensor random(Tensor like, ElementType type, Random random, float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < values.length; i++) {
            int sign = random.nextInt(2);
            switch (type) {
                case F64 -> {
                    double value = (1 + random.nextDouble()) * (1 - 2 * sign);
                    bytes.putDouble(value);
                    values[i] = (float) value;
                }
                case F32 -> {
                    values[i] = (1 + random.nextFloat()) * (1 - 2 * sign);
                    bytes.putFloat(values[i]);
                }
                case BF16 -> {
                    // Sign, exponent 0 in excess of 127, and seven bits of fraction.
                    int fraction = random.nextInt(1 << 7);
                    bytes.putShort((short) (sign << 15 | 127 << 7 | fraction));
                    values[i] = (1 + fraction / 128f) * (1 - 2 * sign);
                }
                case F16 -> {
                    // Sign, exponent 0 in excess of 15, and ten bits of fraction.
                    int fraction = random.nextInt(1 << 10);
                    bytes.putShort((short) (sign << 15 | 15 << 10 | fraction));
                    values[i] = (1 + fraction / 1024f) * (1 - 2 * sign);
                }
                default -> throw new IllegalArgumentException(type.toString());
            }
        }
        return Tensor.of(like.name(), type, like.shape(), bytes.flip());
    }

    @Test
    void load_ofBatchCounters_ignoresAndReportsThem() throws CheckpointException {
        Map<String, Tensor> state = changed();
        state.put("base_layer.1.num_batches_tracked", Samples.counter("base_layer.1.num_batches_tracked"));
        state.put("level0.1.num_batches_tracked", Samples.counter("level0.1.num_batches_tracked"));
        Network network = network(10, 3);
        LoadReport report = load(state, network);

        assertThat(report.notes())
                .containsExactly(new LoadReport.Note(
                        Rule.BATCH_COUNTER,
                        List.of("base_layer.1.num_batches_tracked", "level0.1.num_batches_tracked")));
        assertThat(report.lines().get(1))
                .isEqualTo("ignored: BatchNorm's batch counters (base_layer.1.num_batches_tracked and 1 more)");
        assertHolds(network, complete);
    }

    @Test
    void load_ofTheDlaAuthorsFile_ignoresAndReportsTheUnusedProjection() throws CheckpointException {
        Network network = VARIANT.build();
        LoadReport report = WeightLoader.load(Samples.DLA_AUTHORS, network, manager, INPUT, Classifier.MUST_MATCH);

        assertThat(report.notes())
                .filteredOn(note -> note.rule() == Rule.UNUSED_ENTRY)
                .singleElement()
                .satisfies(note -> assertThat(note.names())
                        .containsExactlyInAnyOrder(
                                PROJECT,
                                "level4.project.1.weight",
                                "level4.project.1.bias",
                                "level4.project.1.running_mean",
                                "level4.project.1.running_var"));
        assertThat(report.lines()).anyMatch(line -> line.contains("the network does not use (" + PROJECT + " and 4"));
        Map<String, Tensor> file = new LinkedHashMap<>(
                StateDict.of(Checkpoint.read(Samples.DLA_AUTHORS)).tensors());
        file.keySet().retainAll(CanonicalNames.parameters(network).keySet());
        assertHolds(network, file);
        assertThat(file).hasSameSizeAs(complete);
    }

    @Test
    void load_ofUnusedEntryWithAnotherShape_isRefused() {
        Map<String, Tensor> state = changed();
        state.put(PROJECT, Samples.zeros(PROJECT, ElementType.F32, 128, 64, 3, 3));
        assertFails(state, "tensor " + PROJECT + ": has shape (128, 64, 3, 3), but dla46x_c has (128, 64, 1, 1)");
    }

    @Test
    void load_ofUnusedEntryForAnotherNetwork_isUnknown() {
        Variant alexnet = AlexNetVariant.ALEXNET;
        Shape input = new Shape(1, 3, 64, 64);
        Map<String, Tensor> state = Samples.state(alexnet.build(), input);
        state.put(PROJECT, Samples.zeros(PROJECT, ElementType.F32, 128, 64, 1, 1));

        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() ->
                        WeightLoader.load(stateDict(state), alexnet.build(), manager, input, Classifier.MUST_MATCH))
                .withMessageContaining("has every parameter of alexnet and more: " + PROJECT);
    }

    @Test
    void load_ofOtherClassesThatMustMatch_namesBothCounts() {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> load(complete, network(12, 3)))
                .withMessageContaining("fc.bias: these weights have 10 classes, not 12; request 10");
    }

    @Test
    void load_ofOtherClassesThatMayDiffer_leavesTheClassifierAtItsInitialValues() throws CheckpointException {
        Network network = network(12, 3);
        Parameter weight = parameter(network, "fc.weight");
        Parameter bias = parameter(network, "fc.bias");
        weight.setInitializer(new ConstantInitializer(0.25f));
        bias.setInitializer(new ConstantInitializer(-2));
        LoadReport report = WeightLoader.load(stateDict(complete), network, manager, INPUT, Classifier.MAY_DIFFER);

        assertThat(report.notes())
                .containsExactly(new LoadReport.Note(Rule.CLASSIFIER_REPLACED, List.of("fc.weight", "fc.bias")));
        assertThat(report.lines())
                .containsExactly(
                        "tree.pth: " + (complete.size() - 2) + " tensors loaded into dla46x_c",
                        "left at its initial values: the classifier, because the number of classes differs"
                                + " (fc.weight and 1 more)");
        assertThat(weight.getArray().toFloatArray()).hasSize(12 * 256).containsOnly(0.25f);
        assertThat(bias.getArray().toFloatArray()).hasSize(12).containsOnly(-2);
        Map<String, Tensor> rest = changed();
        rest.remove("fc.weight");
        rest.remove("fc.bias");
        assertThat(report.loaded()).containsExactlyElementsOf(rest.keySet());
        assertHolds(network, rest);
    }

    @Test
    void load_ofSameClassesThatMayDiffer_loadsTheClassifier() throws CheckpointException {
        Network network = network(10, 3);
        WeightLoader.load(stateDict(complete), network, manager, INPUT, Classifier.MAY_DIFFER);

        assertHolds(network, complete);
    }

    @Test
    void load_ofOtherClassesThatMayDiffer_isStrictInEverythingElse() {
        Map<String, Tensor> state = changed();
        state.remove("level5.tree1.conv2.weight");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() ->
                        WeightLoader.load(stateDict(state), network(12, 3), manager, INPUT, Classifier.MAY_DIFFER))
                .withMessageContaining("missing: level5.tree1.conv2.weight;");
    }

    @Test
    void load_withoutClasses_leavesTheFilesClassifierOut() throws CheckpointException {
        Network network = network(0, 3);
        LoadReport report = load(complete, network);

        assertThat(report.notes())
                .containsExactly(new LoadReport.Note(Rule.CLASSIFIER_LEFT_OUT, List.of("fc.weight", "fc.bias")));
        assertThat(report.loaded()).hasSize(complete.size() - 2).doesNotContain("fc.weight", "fc.bias");
    }

    @Test
    void load_forOneChannel_sumsTheFirstConvolutionOverItsChannels() throws CheckpointException {
        float[] three = Samples.floats(tensor(FIRST));
        float[] expected = new float[three.length / 3];
        int plane = 49;
        for (int i = 0; i < expected.length; i++) {
            int first = i / plane * 3 * plane + i % plane;
            expected[i] = three[first] + three[first + plane] + three[first + 2 * plane];
        }
        assertAdapted(1, expected);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4, 6, 7})
    void load_forOtherChannels_repeatsAndScalesTheFirstConvolution(int channels) throws CheckpointException {
        float[] three = Samples.floats(tensor(FIRST));
        int plane = 49;
        float[] expected = new float[three.length / 3 * channels];
        for (int filter = 0; filter < 16; filter++) {
            for (int channel = 0; channel < channels; channel++) {
                for (int i = 0; i < plane; i++) {
                    expected[(filter * channels + channel) * plane + i] =
                            three[(filter * 3 + channel % 3) * plane + i] * (3f / channels);
                }
            }
        }
        assertAdapted(channels, expected);
    }

    private void assertAdapted(int channels, float[] expected) throws CheckpointException {
        Network network = network(10, channels);
        LoadReport report = load(complete, network);

        Map<String, float[]> values = new LinkedHashMap<>();
        complete.forEach((name, tensor) -> values.put(name, name.equals(FIRST) ? expected : Samples.floats(tensor)));
        assertHoldsValues(network, values);
        assertThat(parameter(network, FIRST).getArray().getShape()).isEqualTo(new Shape(16, channels, 7, 7));
        assertThat(report.notes()).containsExactly(new LoadReport.Note(Rule.INPUT_CHANNELS_ADAPTED, List.of(FIRST)));
        assertThat(report.lines().get(1))
                .isEqualTo("adapted from 3 input channels: the first convolution (" + FIRST + ")");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 6})
    void load_forGrayImages_givesTheLogitsOfThreeEqualChannels(int channels) throws CheckpointException {
        Network three = network(10, 3);
        load(complete, three);
        Network other = network(10, channels);
        load(complete, other);
        NDArray gray = Reference.image(manager, "gray", new Shape(2, 1, 32, 32));

        float[] expected = logits(three, gray.repeat(1, 3));
        float[] actual = logits(other, gray.repeat(1, channels));
        float largest = 0;
        float worst = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            worst = Math.max(worst, Math.abs(expected[i] - actual[i]));
        }
        assertThat(worst / largest).isLessThanOrEqualTo((float) TOLERANCE);
    }

    private float[] logits(Network network, NDArray input) {
        return network.forward(new ParameterStore(manager, false), new NDList(input), false)
                .singletonOrThrow()
                .toFloatArray();
    }

    @Test
    void load_ofWeightsForOtherThanThreeChannels_isNotAdapted() throws CheckpointException {
        Map<String, Tensor> gray = Samples.state(network(10, 1), new Shape(1, 1, 32, 32));
        Network network = network(10, 1);
        assertThat(load(gray, network).notes()).isEmpty();
        assertHolds(network, gray);

        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> load(gray, network(10, 3)))
                .withMessageContaining("these weights take 1 input channel, not 3");
    }

    @Test
    void load_intoAnInitializedNetwork_replacesItsArrays() throws CheckpointException {
        Network network = network(10, 3);
        network.initialize(manager, DataType.FLOAT32, INPUT);
        load(complete, network);

        assertHolds(network, complete);
        assertThat(manager.getManagedArrays()).hasSameSizeAs(complete.keySet());
    }

    @Test
    void load_intoAnInitializedNetwork_keepsTheShapeItIsInitializedFor() throws CheckpointException {
        Variant alexnet = AlexNetVariant.ALEXNET;
        Map<String, Tensor> state = Samples.state(alexnet.build(), new Shape(1, 3, 64, 64));
        Network network = alexnet.build();
        network.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 64, 64));
        WeightLoader.load(stateDict(state), network, manager, new Shape(1, 3, 128, 128), Classifier.MUST_MATCH);

        assertHolds(network, state);
    }

    @Test
    void load_thatFails_leavesAnUninitializedNetworkSo() throws CheckpointException {
        Network network = network(10, 3);
        // The last parameter: all the others have their arrays by then.
        Map<String, Tensor> state = changed();
        state.put("fc.weight", Samples.zeros("fc.weight", ElementType.F32, 10, 255));
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> load(state, network));

        assertThat(network.isInitialized()).isFalse();
        assertThat(CanonicalNames.parameters(network).values()).noneMatch(Parameter::isInitialized);
        assertThat(manager.getManagedArrays()).isEmpty();
        load(complete, network);
        assertHolds(network, complete);
    }

    @Test
    void load_forAnInputThatDoesNotFit_leavesAnUninitializedNetworkSo() {
        Network network = network(10, 3);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> WeightLoader.load(
                        stateDict(complete), network, manager, new Shape(1, 3, 40, 40), Classifier.MUST_MATCH))
                .withMessageContaining("not 40 x 40");
        assertThat(network.isInitialized()).isFalse();
    }

    @Test
    void load_thatFails_leavesAnInitializedNetworkUnchanged() {
        Network network = network(10, 3);
        network.initialize(manager, DataType.FLOAT32, INPUT);
        Map<String, float[]> before = Samples.values(network);
        Map<String, Tensor> state = changed();
        state.put("fc.weight", Samples.zeros("fc.weight", ElementType.F32, 10, 255));
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> load(state, network));
        state.remove("fc.weight");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> load(state, network));

        assertHoldsValues(network, before);
    }

    @Test
    void load_restoresTheInitializersOfAFreshNetwork() throws CheckpointException {
        Network network = network(10, 3);
        parameter(network, FIRST).setInitializer(new ConstantInitializer(3));
        load(complete, network);
        network.clear();
        network.initialize(manager, DataType.FLOAT32, INPUT);

        assertThat(parameter(network, FIRST).getArray().toFloatArray()).containsOnly(3);
    }

    @Test
    void load_fromAFile_isIndependentOfItAfterwards(@TempDir Path folder) throws IOException {
        Path file = Samples.write(folder.resolve("weights.safetensors"), complete);
        Network network = network(10, 3);
        WeightLoader.load(file, network, manager, INPUT, Classifier.MUST_MATCH);
        // In place: views on the mapped file would see it.
        Files.write(file, new byte[(int) Files.size(file)], StandardOpenOption.WRITE);

        assertHolds(network, complete);
    }

    @Test
    void load_ofNoFile_namesIt(@TempDir Path folder) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> WeightLoader.load(
                        folder.resolve("none.pth"), network(10, 3), manager, INPUT, Classifier.MUST_MATCH))
                .withMessageContaining("none.pth: ");
    }

    private static Network network(int classes, int channels) {
        return VARIANT.build(VARIANT.options().withNumClasses(classes).withInChannels(channels));
    }

    private static Map<String, Tensor> changed() {
        return new LinkedHashMap<>(complete);
    }

    private static Tensor tensor(String name) {
        return Objects.requireNonNull(complete.get(name), name);
    }

    private static Parameter parameter(Network network, String name) {
        return Objects.requireNonNull(CanonicalNames.parameters(network).get(name), name);
    }

    private static StateDict stateDict(Map<String, Tensor> tensors) throws CheckpointException {
        return StateDict.of(CheckpointTrees.of(new Value.Mapping(new LinkedHashMap<>(tensors), new ArrayList<>())));
    }

    private LoadReport load(Map<String, Tensor> tensors, Network network) throws CheckpointException {
        int channels = network.options().inChannels();
        return WeightLoader.load(
                stateDict(tensors), network, manager, new Shape(1, channels, 32, 32), Classifier.MUST_MATCH);
    }

    private void assertFails(Map<String, Tensor> tensors, String message) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> load(tensors, network(10, 3)))
                .withMessageStartingWith("tree.pth: ")
                .withMessageContaining(message);
    }

    private static void assertHolds(Network network, Map<String, Tensor> expected) {
        Map<String, float[]> values = new LinkedHashMap<>();
        expected.forEach((name, tensor) -> values.put(name, Samples.floats(tensor)));
        assertHoldsValues(network, values);
    }

    private static void assertHoldsValues(Network network, Map<String, float[]> expected) {
        Map<String, float[]> actual = Samples.values(network);
        assertThat(actual.keySet()).containsAll(expected.keySet());
        expected.forEach((name, values) -> assertThat(actual.get(name)).as(name).isEqualTo(values));
    }

    private LoadReport loadForTraining(Map<String, Tensor> tensors, Network network) throws CheckpointException {
        return WeightLoader.load(stateDict(tensors), network, manager, INPUT, Classifier.MAY_DIFFER);
    }

    private static Map<String, Tensor> withoutClassifier() {
        Map<String, Tensor> state = changed();
        state.remove("fc.weight");
        state.remove("fc.bias");
        return state;
    }

    @Test
    void load_withoutAClassifierForTraining_beginsWithANewOne() throws CheckpointException {
        Network network = network(10, 3);
        parameter(network, "fc.bias").setInitializer(new ConstantInitializer(-2));
        LoadReport report = loadForTraining(withoutClassifier(), network);

        assertThat(report.notes())
                .containsExactly(new LoadReport.Note(Rule.CLASSIFIER_NEW, List.of("fc.weight", "fc.bias")));
        assertThat(report.loaded()).hasSize(complete.size() - 2).doesNotContain("fc.weight", "fc.bias");
        assertThat(parameter(network, "fc.bias").getArray().toFloatArray()).containsOnly(-2);
        assertHolds(network, withoutClassifier());
    }

    @Test
    void load_withoutAClassifierForPrediction_hintsAtFeatures() {
        assertFails(
                withoutClassifier(),
                "has everything that dla46x_c needs except its classifier (fc.weight, fc.bias); for pooled features,"
                        + " pass"
                        + " --num-classes 0");
    }

    @Test
    void load_withoutAClassifierIntoAFeatureNetwork_setsEverything() throws CheckpointException {
        assertThat(load(withoutClassifier(), network(0, 3)).notes()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"fc.weight", "fc.bias"})
    void load_withHalfAClassifier_isRefusedEvenForTraining(String lost) {
        Map<String, Tensor> state = changed();
        state.remove(lost);
        assertFails(state, "does not fit dla46x_c; missing: " + lost + ";");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> loadForTraining(state, network(10, 3)))
                .withMessageContaining("does not fit dla46x_c; missing: " + lost + ";");
    }

    @Test
    void load_withoutMoreThanTheClassifier_isRefusedForTraining() {
        Map<String, Tensor> state = withoutClassifier();
        state.remove("level0.1.bias");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> loadForTraining(state, network(10, 3)))
                .withMessageContaining("missing: level0.1.bias;");
    }

    @Test
    void load_ofALinearClassifierForAConvolution_isReshapedAndNoted() throws CheckpointException {
        Map<String, Tensor> state = changed();
        state.computeIfPresent("fc.weight", (name, tensor) -> tensor.withShape(10, 256));
        Network network = network(10, 3);
        LoadReport report = load(state, network);

        assertHolds(network, complete);
        assertThat(report.notes()).containsExactly(new LoadReport.Note(Rule.CLASSIFIER_RESHAPED, List.of("fc.weight")));
        assertThat(load(state, network).notes()).hasSameSizeAs(report.notes());
        assertHolds(network, complete);
    }

    @Test
    void load_ofAPointwiseClassifierForALinearLayer_isReshapedAndNoted() throws CheckpointException {
        Variant alexnet = AlexNetVariant.ALEXNET;
        Shape input = new Shape(1, 3, 64, 64);
        Map<String, Tensor> state = Samples.state(alexnet.build(), input);
        Map<String, Tensor> pointwise = new LinkedHashMap<>(state);
        pointwise.computeIfPresent(
                "classifier.6.weight", (name, tensor) -> tensor.withShape(tensor.shape()[0], tensor.shape()[1], 1, 1));
        Network network = alexnet.build();
        LoadReport report = WeightLoader.load(stateDict(pointwise), network, manager, input, Classifier.MUST_MATCH);

        assertHolds(network, state);
        assertThat(report.notes()).extracting(LoadReport.Note::rule).containsExactly(Rule.CLASSIFIER_RESHAPED);
    }

    @Test
    void load_ofOtherLayersInAnotherForm_isRefused() {
        Map<String, Tensor> state = changed();
        String name = "level1.0.weight";
        state.computeIfPresent("level2.project.0.weight", (each, tensor) -> tensor.withShape(64, 32));
        assertThat(state).containsKey(name);
        assertFails(state, "tensor level2.project.0.weight: has shape (64, 32), but dla46x_c has (64, 32, 1, 1)");
    }

    @Test
    void load_ofAnAveragedAndProfiledModel_ignoresTheCountsByName() throws CheckpointException {
        Map<String, Tensor> state = new LinkedHashMap<>();
        state.put("n_averaged", Samples.counter("n_averaged"));
        complete.forEach((name, tensor) -> state.put("module." + name, tensor));
        state.put("module.total_ops", Samples.zeros("total_ops", ElementType.F64, 1));
        state.put("module.fc.total_params", Samples.zeros("total_params", ElementType.F64, 1));
        Network network = network(10, 3);
        LoadReport report = load(state, network);

        assertHolds(network, complete);
        assertThat(report.notes())
                .containsExactly(
                        new LoadReport.Note(Rule.AVERAGE_COUNT, List.of("n_averaged")),
                        new LoadReport.Note(Rule.PROFILER_COUNT, List.of("total_ops", "fc.total_params")));
    }

    @Test
    void load_ofTensorsThatOnlySoundLikeCounts_isRefused() {
        for (String name : List.of("fc.n_averaged", "subtotal_ops")) {
            Map<String, Tensor> state = changed();
            state.put(name, Samples.counter(name));
            assertFails(state, "and more: " + name);
        }
        Map<String, Tensor> state = changed();
        state.put("fc.total_ops", Samples.zeros("fc.total_ops", ElementType.F64, 2));
        assertFails(state, "and more: fc.total_ops");
        state.remove("fc.total_ops");
        state.put("n_averaged", Samples.zeros("n_averaged", ElementType.F32, 1));
        assertFails(state, "and more: n_averaged");
    }

    @Test
    void load_withMoreThanEverything_saysHowToContinue() {
        Map<String, Tensor> state = changed();
        state.put("head.weight", Samples.zeros("head.weight", ElementType.F32, 2));
        state.put("head.bias", Samples.zeros("head.bias", ElementType.F32, 2));
        assertFails(
                state, "and more: head.weight, head.bias; if these are irrelevant, ignore them with --ignore 'head.*'");
        state.put("fc.scale", state.remove("head.weight").withName("fc.scale"));
        state.put("fc.shift", state.remove("head.bias").withName("fc.shift"));
        // A pattern for both would take the network's own weights.
        assertFails(state, "with --ignore 'fc.scale'");
    }
}
