package io.github.convzoo.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Type;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.network.DpnOptions;
import io.github.convzoo.network.FeatureExtractor;
import io.github.convzoo.network.LastActivation;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.DynamicConv2d;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.assertj.core.api.Assumptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ExporterTest {

    private static final int CLASSES = 7;
    private static final String SMALL = "dla46_c";
    private static final int SIDE = 64;

    private final NDManager manager = NDManager.newBaseManager("PyTorch");

    @TempDir
    Path folder = Path.of("");

    @AfterEach
    void close() {
        manager.close();
    }

    /** A network with values, and its configuration. */
    private record Given(Network network, ModelConfig config) {

        Exporter exporter() {
            return new Exporter(network, config);
        }
    }

    private Given given(String model, int side) {
        Variant variant = Variant.of(model);
        return given(ModelConfig.usual(variant).withOptions(variant.options().withNumClasses(CLASSES)), side, side);
    }

    private Given given(ModelConfig usual, int height, int width) {
        ModelConfig config = usual.withPreprocessing(
                Preprocessing.unresized(height, width, usual.preprocessing().normalization()));
        Network network = config.variant().build(config.options());
        Reference.initialize(network, manager, "export/", new Shape(1, 3, height, width));
        network.freezeParameters(true);
        return new Given(network, config);
    }

    private NDArray logits(Network network, NDArray input) {
        return network.forward(new ParameterStore(manager, false), new NDList(input), false)
                .singletonOrThrow();
    }

    private static void assertClose(NDArray actual, NDArray expected, double tolerance) {
        assertThat(actual.getShape()).isEqualTo(expected.getShape());
        float scale = expected.abs().max().getFloat();
        assertThat(expected.sub(actual).abs().max().getFloat()).isLessThanOrEqualTo((float) (tolerance * scale));
    }

    private NDList run(Path file, ExportOptions.Format format, NDArray input) throws IOException {
        try (ExportedModel model = ExportRuntime.of(format).get(0).open(file)) {
            return model.run(new NDList(input));
        }
    }

    /** A file for any machine of each format, and files for the processors that this machine can stand in for. */
    static List<ExportOptions> files() {
        List<ExportOptions> files = new ArrayList<>(List.of(ExportOptions.onnx(), ExportOptions.torchScript()));
        if (Target.here() != Target.ANY) {
            files.add(ExportOptions.onnx().withTarget(Target.AVX2));
            files.add(ExportOptions.torchScript().withTarget(Target.AVX2));
            files.add(ExportOptions.torchScript().withTarget(Target.AVX512));
        }
        return files;
    }

    /** The largest, which have the same parts as others: ExportEveryNetwork exports them too, when asked. */
    private static final Set<String> LARGE = Set.of(
            "dla102",
            "dla102x",
            "dla102x2",
            "dla169",
            "dpn92",
            "dpn92_post",
            "dpn98",
            "dpn107",
            "dpn131",
            "dpn98_post");

    static Stream<String> models() {
        return Variant.all().keySet().stream().filter(name -> !LARGE.contains(name));
    }

    /** The formats that a runtime reads. */
    static Stream<ExportOptions.Format> formats() {
        return Arrays.stream(ExportOptions.Format.values())
                .filter(format -> !ExportRuntime.of(format).isEmpty());
    }

    // The same logits, whatever the batch

    @ParameterizedTest
    @MethodSource("models")
    void export_ofANetwork_givesItsLogits_forAnyBatch(String model) throws IOException {
        assertLogits(given(model, SIDE), SIDE, SIDE);
    }

    @ParameterizedTest
    @CsvSource({"dla46_c, 96, 32", "peleenet, 36, 64", "dpn68b, 33, 47", "alexnet_dy, 130, 64"})
    void export_forAnotherSize_givesItsLogits(String model, int height, int width) throws IOException {
        Variant variant = Variant.of(model);
        ModelConfig config =
                ModelConfig.usual(variant).withOptions(variant.options().withNumClasses(CLASSES));
        assertLogits(given(config, height, width), height, width);
    }

    private void assertLogits(Given given, int height, int width) throws IOException {
        for (ExportOptions options : files()) {
            ExportReport report = given.exporter().export(folder, options);
            assertThat(report.file())
                    .isEqualTo(folder.resolve(options.format().file()))
                    .exists();
            assertThat(report.bytes()).isEqualTo(Files.size(report.file()));
            assertThat(report.checks()).hasSize(1).allSatisfy(check -> assertThat(check.difference())
                    .isBetween(0.0, 1e-5));
            try (ExportedModel exported =
                    ExportRuntime.of(options.format()).get(0).open(report.file())) {
                for (int batch : new int[] {1, 2, 5}) {
                    NDArray input = Reference.image(manager, "batch/", new Shape(batch, 3, height, width));
                    NDArray actual = exported.run(new NDList(input)).singletonOrThrow();
                    assertClose(actual, logits(given.network, input), 1e-5);
                }
            }
        }
        assertThat(folder.toFile().list())
                .containsExactlyInAnyOrder("config.json", "model.onnx", "model.pt", "serving.properties", "synset.txt");
    }

    @ParameterizedTest
    @MethodSource("formats")
    void export_ofTestTimePoolingAndElu_givesTheLogits(ExportOptions.Format format) throws IOException {
        Variant variant = Variant.of("dpn68");
        ModelConfig config = ModelConfig.usual(variant)
                .withOptions(
                        variant.options().withNumClasses(CLASSES).withFamily(new DpnOptions(true, LastActivation.ELU)));
        Given given = given(config, 256, 256);
        ExportOptions options = ExportOptions.of(format);
        Path file = given.exporter().export(folder, options).file();
        NDArray input = Reference.image(manager, "pool/", new Shape(1, 3, 256, 256));
        assertClose(run(file, format, input).singletonOrThrow(), logits(given.network, input), 1e-5);
    }

    @ParameterizedTest
    @MethodSource("formats")
    void export_ofADynamicConvolution_hasItsTemperature(ExportOptions.Format format) throws IOException {
        Given given = given("alexnet_dy", SIDE);
        DynamicConv2d.setTemperature(given.network, 4);
        ExportOptions options = ExportOptions.of(format);
        Path file = given.exporter().export(folder, options).file();
        NDArray input = Reference.image(manager, "t/", new Shape(3, 3, SIDE, SIDE));
        NDArray actual = run(file, format, input).singletonOrThrow();
        assertClose(actual, logits(given.network, input), 1e-5);
        DynamicConv2d.setTemperature(given.network, 1);
        assertThat(logits(given.network, input).sub(actual).abs().max().getFloat())
                .isGreaterThan(1e-4f);
    }

    // Options

    @ParameterizedTest
    @MethodSource("formats")
    void withPreprocess_takesBytes_andGivesProbabilities(ExportOptions.Format format) throws IOException {
        Normalization normalization = new Normalization(List.of(0.1, 0.5, 0.9), List.of(0.2, 0.5, 0.3));
        Variant variant = Variant.of(SMALL);
        ModelConfig usual =
                ModelConfig.usual(variant).withOptions(variant.options().withNumClasses(CLASSES));
        Given given = given(usual.withPreprocessing(usual.preprocessing().withNormalization(normalization)), SIDE, 96);
        ExportOptions options = ExportOptions.of(format).withPreprocess(true);
        Path file = given.exporter().export(folder, options).file();

        NDArray bytes =
                manager.randomUniform(0, 255.99f, new Shape(2, SIDE, 96, 3)).toType(DataType.UINT8, true);
        NDArray mean = manager.create(new float[] {0.1f, 0.5f, 0.9f});
        NDArray std = manager.create(new float[] {0.2f, 0.5f, 0.3f});
        NDArray normalized =
                bytes.toType(DataType.FLOAT32, true).div(255).sub(mean).div(std).transpose(0, 3, 1, 2);
        NDArray expected = logits(given.network, normalized).softmax(1);
        assertClose(run(file, format, bytes).singletonOrThrow(), expected, 1e-5);
    }

    @ParameterizedTest
    @MethodSource("formats")
    void features_areTheLastMapAndThePooledVector(ExportOptions.Format format) throws IOException {
        for (String model : List.of(SMALL, "peleenet", "alexnet")) {
            Given given = given(model, SIDE);
            ExportOptions options = ExportOptions.of(format).withFeatures(true);
            Path at = folder.resolve(model);
            Path file = given.exporter().export(at, options).file();
            NDArray input = Reference.image(manager, "f/", new Shape(2, 3, SIDE, SIDE));
            NDList outputs = run(file, format, input);
            int last = given.network.featureStages().size() - 1;
            NDArray map = new FeatureExtractor(given.network, last)
                    .forward(new ParameterStore(manager, false), new NDList(input), false)
                    .singletonOrThrow();
            assertThat(outputs).hasSize(3);
            assertClose(outputs.get(0), logits(given.network, input), 1e-5);
            assertClose(outputs.get(1), map, 1e-5);
            if (!model.equals("alexnet")) {
                assertClose(outputs.get(2), map.mean(new int[] {3}).mean(new int[] {2}), 1e-5);
            } else {
                assertThat(outputs.get(2).getShape()).isEqualTo(new Shape(2, 2048));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"ONNX, FLOAT16, 2e-2", "TORCHSCRIPT, FLOAT16, 2e-2", "TORCHSCRIPT, BFLOAT16, 1e-1"})
    void halfPrecision_isHalfTheSize_andTakesAndGivesFloats(
            ExportOptions.Format format, Precision precision, double tolerance) throws IOException {
        Given given = given(SMALL, SIDE);
        long whole = given.exporter()
                .export(folder.resolve("whole"), ExportOptions.of(format))
                .bytes();
        Path at = folder.resolve("half");
        ExportReport report =
                given.exporter().export(at, ExportOptions.of(format).withPrecision(precision));
        assertThat((double) report.bytes() / whole).isBetween(0.5, 0.56);
        NDArray input = Reference.image(manager, "h/", new Shape(2, 3, SIDE, SIDE));
        NDArray actual = run(report.file(), format, input).singletonOrThrow();
        assertThat(actual.getDataType()).isEqualTo(DataType.FLOAT32);
        NDArray expected = logits(given.network, input);
        assertClose(actual, expected, tolerance);
        assertThat(actual.sub(expected).abs().max().getFloat()).isPositive();
    }

    @Test
    void forOneProcessor_inHalfPrecision_isRefused() {
        ExportOptions half = ExportOptions.torchScript().withPrecision(Precision.FLOAT16);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> half.withTarget(Target.AVX2))
                .withMessageContaining("AVX2")
                .withMessageContaining("use the target ANY");
        assertThat(ExportOptions.onnx()
                        .withPrecision(Precision.FLOAT16)
                        .withTarget(Target.AVX512)
                        .target())
                .isEqualTo(Target.AVX512);
    }

    @Test
    void torchScript_forOneProcessor_onAGpu_isRefused() throws IOException {
        Assumptions.assumeThat(Target.here()).isNotEqualTo(Target.ANY);
        Path file = given(SMALL, SIDE)
                .exporter()
                .export(folder, ExportOptions.torchScript().withTarget(Target.AVX2))
                .file();
        assertThatIOException()
                .isThrownBy(() -> ExportRuntime.TORCHSCRIPT.open(file, Device.gpu(1)))
                .withMessage(file + ": exported for CPUs (target AVX2), but the device is gpu(1);"
                        + " export it again for any target");
    }

    @Test
    void bfloat16_inOnnx_isRefused_andNothingIsLeft() {
        Path at = folder.resolve("new");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> given(SMALL, SIDE)
                        .exporter()
                        .export(at, ExportOptions.onnx().withPrecision(Precision.BFLOAT16)))
                .withMessageContaining("bfloat16");
        assertThat(at).doesNotExist();
    }

    @Test
    void bfloat16_inOnnx_leavesAnEmptyFolderThatIsThere() {
        assertThatIllegalArgumentException().isThrownBy(() -> given(SMALL, SIDE)
                .exporter()
                .export(folder, ExportOptions.onnx().withPrecision(Precision.BFLOAT16)));
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void preprocess_withoutClassifier_isRefused() {
        Variant variant = Variant.of(SMALL);
        Given given =
                given(ModelConfig.usual(variant).withOptions(variant.options().withNumClasses(0)), SIDE, SIDE);
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        given.exporter().export(folder, ExportOptions.onnx().withPreprocess(true)))
                .withMessageContaining("has no classifier");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void withoutClassifier_theOutputIsPooled() throws Exception {
        Variant variant = Variant.of(SMALL);
        Given given =
                given(ModelConfig.usual(variant).withOptions(variant.options().withNumClasses(0)), SIDE, SIDE);
        Path file = given.exporter().export(folder, ExportOptions.onnx()).file();
        try (OrtSession session = OrtEnvironment.getEnvironment().createSession(file.toString())) {
            assertThat(session.getOutputNames()).containsExactly("pooled");
        }
    }

    @ParameterizedTest
    @MethodSource("formats")
    void features_withoutClassifier_areThePooledVectorTwice(ExportOptions.Format format) throws IOException {
        Variant variant = Variant.of(SMALL);
        Given given =
                given(ModelConfig.usual(variant).withOptions(variant.options().withNumClasses(0)), SIDE, SIDE);
        Path file = given.exporter()
                .export(folder, ExportOptions.of(format).withFeatures(true))
                .file();
        NDArray input = Reference.image(manager, "f/", new Shape(2, 3, SIDE, SIDE));
        NDList outputs = run(file, format, input);
        assertThat(outputs).hasSize(3);
        assertClose(outputs.get(0), logits(given.network, input), 1e-5);
        assertThat(outputs.get(2)).isEqualTo(outputs.get(0));
    }

    @ParameterizedTest
    @MethodSource("formats")
    void withPreprocess_inHalfPrecision_takesBytes_andGivesFloats(ExportOptions.Format format) throws IOException {
        Given given = given(SMALL, SIDE);
        ExportOptions options = ExportOptions.of(format).withPreprocess(true).withPrecision(Precision.FLOAT16);
        Path file = given.exporter().export(folder, options).file();
        NDArray bytes =
                manager.randomUniform(0, 255.99f, new Shape(2, SIDE, SIDE, 3)).toType(DataType.UINT8, true);
        NDArray probabilities = run(file, format, bytes).singletonOrThrow();
        assertThat(probabilities.getDataType()).isEqualTo(DataType.FLOAT32);
        assertThat(probabilities.sum(new int[] {1}).sub(1).abs().max().getFloat())
                .isLessThan(1e-2f);
    }

    @Test
    void planes_areTheImagesShape_channelsFirst() {
        Shape image = new Shape(64, 96, 3);
        assertThat(new ExportedInput(true, Optional.of(image)).planes()).hasValue(new Shape(3, 64, 96));
        Shape planes = new Shape(3, 64, 96);
        assertThat(new ExportedInput(false, Optional.of(planes)).planes()).hasValue(planes);
        assertThat(new ExportedInput(true, Optional.empty()).planes()).isEmpty();
    }

    // The folder

    @Test
    void export_intoItsOwnModelFolder_keepsTheRest() throws IOException {
        Given given = given(SMALL, SIDE);
        ModelFolder.writeConfig(folder, given.config);
        Files.writeString(folder.resolve("notes.txt"), "mine");
        // As another tool formats it.
        Path config = folder.resolve("config.json");
        Files.writeString(config, Files.readString(config) + "\n\n");
        String before = Files.readString(config);
        given.exporter().export(folder, ExportOptions.onnx());
        assertThat(Files.readString(config)).isEqualTo(before);
        assertThat(folder.toFile().list())
                .containsExactlyInAnyOrder(
                        "config.json", "model.onnx", "notes.txt", "serving.properties", "synset.txt");
    }

    @Test
    void export_intoAnotherModelsFolder_isRefused() throws IOException {
        ModelFolder.writeConfig(folder, ModelConfig.usual(Variant.of("peleenet")));
        assertThatIOException()
                .isThrownBy(() -> given(SMALL, SIDE).exporter().export(folder, ExportOptions.onnx()))
                .withMessageContaining("has another model (peleenet)");
        assertThat(folder.toFile().list()).containsExactly("config.json");
    }

    @Test
    void exporter_ofANetworkWithoutParameters_isRefused() {
        Variant variant = Variant.of(SMALL);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Exporter(variant.build(), ModelConfig.usual(variant)))
                .withMessageContaining("has no parameters");
    }

    @Test
    void export_forASizeThatDoesNotFit_isRefused() {
        Given given = given(SMALL, SIDE);
        ModelConfig config = given.config.withPreprocessing(Preprocessing.unresized(65, 64, Normalization.IMAGENET));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Exporter(given.network, config).export(folder, ExportOptions.onnx()))
                .withMessageContaining("32k or 32k - 1");
        assertThat(folder).isEmptyDirectory();
    }

    // What is in the file

    @Test
    void onnx_namesItsInputsOutputsAndMetadata() throws Exception {
        Labels labels = new Labels(
                IntStream.range(0, CLASSES).mapToObj(i -> "class " + i).toList());
        Given plain = given(SMALL, SIDE);
        Given given = new Given(plain.network, plain.config.withLabels(labels));
        Path file = given.exporter().export(folder, ExportOptions.onnx()).file();
        try (OrtSession session = OrtEnvironment.getEnvironment().createSession(file.toString())) {
            Map<String, NodeInfo> inputs = session.getInputInfo();
            Map<String, NodeInfo> outputs = session.getOutputInfo();
            assertThat(inputs).containsOnlyKeys("input");
            assertThat(outputs).containsOnlyKeys("logits");
            TensorInfo input = (TensorInfo) inputs.values().iterator().next().getInfo();
            assertThat(input.getShape()).containsExactly(-1, 3, SIDE, SIDE);
            assertThat(input.getDimensionNames()).startsWith("batch");
            TensorInfo output = (TensorInfo) outputs.values().iterator().next().getInfo();
            assertThat(output.getShape()).containsExactly(-1, CLASSES);
            assertThat(output.getDimensionNames()).startsWith("batch");
            Map<String, String> metadata = session.getMetadata().getCustomMetadata();
            assertThat(metadata)
                    .containsEntry("model", SMALL)
                    .containsEntry("labels", String.join("\n", labels.names()));
            assertThat(ModelConfig.parse(metadata.getOrDefault("config.json", ""), "metadata"))
                    .isEqualTo(given.config);
            assertThat(session.getMetadata().getProducerName()).isEqualTo("convzoo");
        }
    }

    @Test
    void torchScript_hasCanonicalNamesAsIdentifiers_andMetadata() throws IOException {
        Given given = given(SMALL, SIDE);
        Path file = given.exporter().export(folder, ExportOptions.torchScript()).file();
        try (ZipFile zip = new ZipFile(file.toFile())) {
            List<String> names = new ArrayList<>();
            zip.stream().forEach(entry -> names.add(entry.getName()));
            assertThat(names)
                    .contains("model/extra/config.json", "model/extra/model", "model/version", "model/constants.pkl");
            String code = new String(
                    zip.getInputStream(zip.getEntry("model/code/__torch__/convzoo.py"))
                            .readAllBytes(),
                    StandardCharsets.UTF_8);
            assertThat(code)
                    .contains("  base_layer_0_weight : Tensor\n", "self.level5_tree1_conv2_weight", "torch.relu_(");
        }
    }

    @Test
    void weights_beyondWhatAMessageHolds_areInAFileNextToTheModel() throws IOException {
        Given given = given(SMALL, SIDE);
        Graph graph = given.network.graph();
        Type input = Type.of(Type.ANY, 3, SIDE, SIDE);
        NetworkFile file = new NetworkFile(
                graph, input, List.of("logits"), given.network.parameterValues(), Precision.FLOAT32, Map.of(), true);
        Path path = folder.resolve("model.onnx");
        OnnxWriter.write(file, path, 1000);
        long bytes = given.network.getParameters().values().stream()
                .mapToLong(parameter -> parameter.getArray().size() * Float.BYTES)
                .sum();
        assertThat(Files.size(folder.resolve("model.onnx.data"))).isEqualTo(bytes);
        assertThat(Files.size(path)).isLessThan(100_000);
        NDArray images = Reference.image(manager, "d/", new Shape(1, 3, SIDE, SIDE));
        assertClose(
                run(path, ExportOptions.Format.ONNX, images).singletonOrThrow(), logits(given.network, images), 1e-5);
    }

    // The check

    private static NetworkFile file(ExportSource.Recorded recorded) {
        return new NetworkFile(
                recorded.graph(),
                recorded.input(),
                recorded.outputs(),
                recorded.traced().parameterValues(),
                Precision.FLOAT32,
                Map.of(),
                true);
    }

    @Test
    void check_ofAFileThatComputesSomethingElse_fails() throws IOException {
        Given given = given(SMALL, SIDE);
        Path file = given.exporter().export(folder, ExportOptions.onnx()).file();
        given.network.clear();
        Reference.initialize(given.network, manager, "other/", new Shape(1, 3, SIDE, SIDE));
        ExportSource.Recorded recorded = new NetworkSource(given.network, given.config).record(ExportOptions.onnx());
        NetworkFile network = file(recorded);
        ExportCheck check = ExportCheck.onNoise(recorded);
        assertThatExceptionOfType(ExportException.class)
                .isThrownBy(() -> check.check(network, file, Path.of("there/model.onnx"), ExportOptions.Format.ONNX))
                .withMessageContaining("model.onnx: ONNX Runtime computes different results from the network");
    }

    /** They would be broadcast, and then be equal. */
    @Test
    void check_ofOutputsWithOtherSizes_fails() throws IOException {
        Given given = given(SMALL, SIDE);
        Path file = given.exporter().export(folder, ExportOptions.onnx()).file();
        ExportSource.Recorded recorded = new NetworkSource(given.network, given.config).record(ExportOptions.onnx());
        NetworkFile network = file(recorded);
        ExportCheck check = ExportCheck.onImages(
                inputs -> new NDList(
                        recorded.reference().run(inputs).singletonOrThrow().expandDims(0)),
                images -> Reference.image(images, "sizes/", new Shape(2, 3, SIDE, SIDE)));
        assertThatExceptionOfType(ExportException.class)
                .isThrownBy(() -> check.check(network, file, Path.of("there/model.onnx"), ExportOptions.Format.ONNX))
                .withMessageContaining("model.onnx: with ONNX Runtime, the outputs are [(2, ")
                .withMessageContaining("but the network's are [(1, 2, ");
    }

    /** As Ctrl-C does it. The model, its configuration, and the files for DJL belong together. */
    @Test
    void export_interruptedWhileItsFilesAreMovedIntoPlace_movesAllOfThem() throws Exception {
        Given given = given(SMALL, SIDE);
        FutureTask<ExportReport> task = new FutureTask<>(() -> given.exporter().export(folder, ExportOptions.onnx()));
        Thread thread = new Thread(task);
        thread.start();
        while (!Files.exists(folder.resolve("model.onnx")) && thread.isAlive()) {
            Thread.onSpinWait();
        }
        while (thread.isAlive()) {
            thread.interrupt();
        }
        assertThat(task.get().file()).isEqualTo(folder.resolve("model.onnx"));
        assertThat(folder.toFile().list())
                .containsExactlyInAnyOrder("model.onnx", "config.json", "serving.properties", "synset.txt");
    }

    @Test
    void export_interruptedBefore_writesNothing() throws Exception {
        Given given = given(SMALL, SIDE);
        Thread.currentThread().interrupt();
        try {
            assertThatIOException().isThrownBy(() -> given.exporter().export(folder, ExportOptions.torchScript()));
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void export_interruptedWhileItsFileIsChecked_writesNothing() throws Exception {
        Given given = given(SMALL, SIDE);
        ExportDraft plain = given.exporter().draft(ExportOptions.onnx());
        ExportDraft draft = plain.quantized(
                plain.graph(),
                images -> {
                    Thread.currentThread().interrupt();
                    return Reference.image(images, "interrupted/", new Shape(2, 3, SIDE, SIDE));
                },
                8,
                "as an example");
        try {
            assertThatIOException().isThrownBy(() -> draft.write(folder));
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void export_ofDamagedWeights_saysSo_andWritesNothing() throws IOException {
        Given given = given(SMALL, SIDE);
        given.network.getParameters().values().forEach(parameter -> parameter
                .getArray()
                .set(new float[Math.toIntExact(parameter.getArray().size())]));
        given.network.getParameters().values().iterator().next().getArray().addi(Float.NaN);
        for (ExportOptions options : files()) {
            assertThatExceptionOfType(ExportException.class)
                    .isThrownBy(() -> given.exporter().export(folder, options))
                    .withMessageContaining(": the network's output is NaN for random input; nothing was written. Its"
                            + " weights are damaged");
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void open_ofAFileThatIsNoModel_saysWhich() throws IOException {
        Path file = Files.writeString(folder.resolve("model.onnx"), "not a model");
        assertThatIOException()
                .isThrownBy(() -> ExportRuntime.ONNX_RUNTIME.open(file))
                .withMessageContaining("model.onnx: ONNX Runtime refused the file");
    }
}
