package io.github.convzoo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.ParameterStore;
import io.github.convzoo.hub.FileStore;
import io.github.convzoo.hub.StoreSettings;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.WeightSaver;
import io.github.convzoo.weights.WeightStore;
import io.github.convzoo.zoo.CompiledRuntime;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class CompiledModelTest {

    private static final String MODEL = "dla46_c";
    private static final int SIDE = 64;
    private static final Path IMAGE = Path.of("src/test/resources/fashion-mnist/ankle-boot.png");

    @TempDir
    Path folder = Path.of("");

    private Path weights = Path.of("");
    private LoadOptions options = LoadOptions.published();

    @BeforeEach
    void writeWeights() throws Exception {
        weights = folder.resolve("weights.safetensors");
        Variant variant = Variant.of(MODEL);
        ModelConfig config =
                ModelConfig.usual(variant).withOptions(variant.options().withNumClasses(5));
        config = config.withPreprocessing(config.preprocessing(SIDE));
        Network network = variant.build(config.options());
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Reference.initialize(network, manager, "compiled/", config.input());
            WeightSaver.save(weights, network, config);
        }
        options = LoadOptions.of(weights)
                .withStore(new WeightStore(new FileStore(StoreSettings.fromEnvironment(name ->
                        name.equals("DJL_CACHE_DIR") ? folder.resolve("cache").toString() : null))));
    }

    private float[] logits(LoadOptions loading, int batch, int side) throws Exception {
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(MODEL, loading);
                Predictor<NDList, NDList> predictor = model.newPredictor();
                NDManager manager = NDManager.newBaseManager("PyTorch")) {
            NDArray input = Reference.image(manager, "input/", new Shape(batch, 3, side, side));
            try (NDList output = predictor.predict(new NDList(input))) {
                return output.singletonOrThrow().toFloatArray();
            }
        }
    }

    private static void assertClose(float[] actual, float[] expected) {
        float largest = 0;
        float difference = 0;
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
        }
        assertThat(difference).isLessThanOrEqualTo(1e-5f * largest);
    }

    private List<Path> cached() throws Exception {
        Path cache = folder.resolve("cache/cache/convzoo-compiled");
        if (!Files.exists(cache)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(cache)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> file.getFileName().toString().startsWith("model."))
                    .toList();
        }
    }

    @ParameterizedTest
    @EnumSource(CompiledRuntime.class)
    void compiled_givesTheSameLogits_forAnyBatch(CompiledRuntime runtime) throws Exception {
        for (int batch : new int[] {1, 3}) {
            assertClose(logits(options.compiled(runtime), batch, SIDE), logits(options, batch, SIDE));
        }
        String extension = runtime == CompiledRuntime.TORCHSCRIPT ? ".pt" : ".onnx";
        assertThat(cached()).hasSize(1).allSatisfy(file -> assertThat(file.toString())
                .endsWith(extension));
    }

    /** Streams and servers form batches as images come; what an image gives must not depend on its neighbors. */
    @Test
    void onnxRuntime_anyBatch_givesTheBitsOfEachImageAlone() throws Exception {
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(MODEL, options.compiled(CompiledRuntime.ONNX));
                Predictor<NDList, NDList> predictor = model.newPredictor();
                NDManager manager = NDManager.newBaseManager("PyTorch")) {
            assertThat(((Network) model.getBlock()).isBatchInvariant()).isTrue();
            NDArray input = Reference.image(manager, "input/", new Shape(8, 3, SIDE, SIDE));
            List<float[]> alone = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                NDList one = new NDList(input.get(i + ":" + (i + 1)));
                alone.add(predictor.predict(one).singletonOrThrow().toFloatArray());
            }
            for (int batch = 2; batch <= 8; batch++) {
                NDArray logits =
                        predictor.predict(new NDList(input.get("0:" + batch))).singletonOrThrow();
                for (int i = 0; i < batch; i++) {
                    assertThat(logits.get(i).toFloatArray()).isEqualTo(alone.get(i));
                }
            }
        }
        try (ZooModel<NDList, NDList> model =
                ConvZoo.loadLogits(MODEL, options.compiled(CompiledRuntime.TORCHSCRIPT))) {
            assertThat(((Network) model.getBlock()).isBatchInvariant()).isFalse();
        }
    }

    @Test
    void compiled_forAnotherSize_runsTheNetworkItself() throws Exception {
        assertClose(logits(options.compiled(), 1, 96), logits(options, 1, 96));
    }

    /** The network checks its input before a compiled form sees it. */
    @ParameterizedTest
    @EnumSource(CompiledRuntime.class)
    void compiledBlock_givenAVector_saysWhatTheNetworkSays(CompiledRuntime runtime) throws Exception {
        assertThat(refusalOfAVector(options.compiled(runtime)))
                .isEqualTo(refusalOfAVector(options))
                .contains(MODEL);
    }

    private String refusalOfAVector(LoadOptions loading) throws Exception {
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(MODEL, loading);
                NDManager manager = NDManager.newBaseManager("PyTorch")) {
            NDList vector = new NDList(manager.ones(new Shape(1, 3)));
            IllegalArgumentException refused =
                    catchThrowableOfType(IllegalArgumentException.class, () -> model.getBlock()
                            .forward(new ParameterStore(manager, false), vector, false));
            return String.valueOf(refused.getMessage());
        }
    }

    @Test
    void compiled_again_takesWhatIsCached() throws Exception {
        logits(options.compiled(), 1, SIDE);
        Path file = cached().get(0);
        FileTime old = FileTime.fromMillis(1_000_000_000_000L);
        Files.setLastModifiedTime(file, old);
        logits(options.compiled(), 1, SIDE);
        assertThat(cached()).containsExactly(file);
        assertThat(Files.getLastModifiedTime(file)).isEqualTo(old);
    }

    @ParameterizedTest
    @EnumSource(CompiledRuntime.class)
    void compiled_thatIsDamagedInTheCache_isMadeAgain(CompiledRuntime runtime) throws Exception {
        float[] expected = logits(options.compiled(runtime), 1, SIDE);
        Path file = cached().get(0);
        byte[] whole = Files.readAllBytes(file);
        byte[] zeroed = whole.clone();
        Arrays.fill(zeroed, whole.length / 2, whole.length / 2 + 1000, (byte) 0);
        for (byte[] damaged : List.of(new byte[0], Arrays.copyOf(whole, whole.length / 2), new byte[1000], zeroed)) {
            Files.write(file, damaged);
            assertClose(logits(options.compiled(runtime), 1, SIDE), expected);
            assertThat(cached()).containsExactly(file);
            // So two processes that make it at the same time agree on its checksum.
            assertThat(file).hasBinaryContent(whole);
        }
        Files.delete(file.resolveSibling("checksums"));
        assertClose(logits(options.compiled(runtime), 1, SIDE), expected);
        assertThat(file.resolveSibling("checksums")).isNotEmptyFile();
    }

    /** Preprocessing is not in the file, but in the configuration next to it. */
    @Test
    void compiled_withOtherPreprocessing_hasItsOwnFolder() throws Exception {
        logits(options.compiled(), 1, SIDE);
        Files.delete(cached().get(0));
        LoadOptions other = options.withPreprocessing(
                Preprocessing.unresized(SIDE, SIDE, new Normalization(List.of(0.1, 0.2, 0.3), List.of(1.0, 1.0, 1.0))));
        assertClose(logits(other.compiled(), 1, SIDE), logits(other, 1, SIDE));
    }

    @ParameterizedTest
    @EnumSource(CompiledRuntime.class)
    void compiled_afterWeightsAreReplaced_computesWithTheNewOnes(CompiledRuntime runtime) throws Exception {
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(MODEL, options.compiled(runtime));
                NDManager manager = NDManager.newBaseManager("PyTorch")) {
            NDList input = new NDList(Reference.image(manager, "replaced/", new Shape(1, 3, SIDE, SIDE)));
            ParameterStore store = new ParameterStore(manager, false);
            NDArray before = model.getBlock().forward(store, input, false).head();
            Block other = Variant.of(MODEL).build(((Network) model.getBlock()).options());
            other.initialize(manager, DataType.FLOAT32, new Shape(1, 3, SIDE, SIDE));
            other.getParameters()
                    .values()
                    .forEach(parameter -> parameter.getArray().muli(0));
            ByteArrayOutputStream zeros = new ByteArrayOutputStream();
            other.saveParameters(new DataOutputStream(zeros));
            model.getBlock()
                    .loadParameters(manager, new DataInputStream(new ByteArrayInputStream(zeros.toByteArray())));
            NDArray after = model.getBlock().forward(store, input, false).head();
            assertThat(before.abs().max().getFloat()).isPositive();
            assertThat(after.abs().max().getFloat()).isZero();
        }
    }

    @Test
    void compiled_ofOtherWeightsOrSize_isAnotherFile() throws Exception {
        logits(options.compiled(), 1, SIDE);
        logits(options.compiled().withInputSize(96), 1, 96);
        logits(options.compiled().withNumClasses(0), 1, SIDE);
        assertThat(cached()).hasSize(3);
        Variant variant = Variant.of(MODEL);
        Network network = variant.build(variant.options().withNumClasses(5));
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Reference.initialize(network, manager, "others/", new Shape(1, 3, SIDE, SIDE));
            WeightSaver.save(weights, network, ModelConfig.usual(variant).withOptions(network.options()));
        }
        assertClose(
                logits(options.compiled().withInputSize(SIDE), 1, SIDE), logits(options.withInputSize(SIDE), 1, SIDE));
        assertThat(cached()).hasSize(4);
    }

    @Test
    void compiled_byTwoAtOnce_isOneFile() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            List<Future<float[]>> results = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                results.add(threads.submit(() -> logits(options.compiled(), 1, SIDE)));
            }
            assertThat(results.get(0).get()).isEqualTo(results.get(1).get());
        } finally {
            threads.shutdown();
        }
        assertThat(cached()).hasSize(1);
        try (Stream<Path> left = Files.list(folder.resolve("cache/cache/convzoo-compiled"))) {
            assertThat(left).hasSize(1);
        }
    }

    @Test
    void compiled_sharedByThreads_givesEachItsOwn() throws Exception {
        float[] expected = logits(options, 2, SIDE);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(MODEL, options.compiled())) {
            List<Future<float[]>> results = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                results.add(threads.submit(() -> {
                    try (Predictor<NDList, NDList> predictor = model.newPredictor();
                            NDManager manager = NDManager.newBaseManager("PyTorch")) {
                        NDArray input = Reference.image(manager, "input/", new Shape(2, 3, SIDE, SIDE));
                        try (NDList output = predictor.predict(new NDList(input))) {
                            return output.singletonOrThrow().toFloatArray();
                        }
                    }
                }));
            }
            for (Future<float[]> result : results) {
                assertClose(result.get(), expected);
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void compiled_classifier_givesTheSameClasses() throws Exception {
        try (ZooModel<Path, Classifications> plain = ConvZoo.load(MODEL, Path.class, options);
                ZooModel<Path, Classifications> compiled = ConvZoo.load(MODEL, Path.class, options.compiled());
                Predictor<Path, Classifications> expected = plain.newPredictor();
                Predictor<Path, Classifications> actual = compiled.newPredictor()) {
            List<Double> probabilities = expected.predict(IMAGE).getProbabilities();
            List<Double> others = actual.predict(IMAGE).getProbabilities();
            for (int i = 0; i < probabilities.size(); i++) {
                assertThat(others.get(i)).isCloseTo(probabilities.get(i), within(1e-5));
            }
        }
    }

    @Test
    void criteria_compile_byAnArgument() throws Exception {
        Criteria<NDList, NDList> criteria = Criteria.builder()
                .setTypes(NDList.class, NDList.class)
                .optGroupId("io.github.convzoo")
                .optArtifactId(MODEL)
                .optArgument("weights", weights.toString())
                .optArgument("compiled", "torchscript")
                .build();
        System.setProperty("DJL_CACHE_DIR", folder.resolve("cache").toString());
        try (ZooModel<NDList, NDList> model = criteria.loadModel();
                Predictor<NDList, NDList> predictor = model.newPredictor();
                NDManager manager = NDManager.newBaseManager("PyTorch")) {
            NDArray input = Reference.image(manager, "input/", new Shape(1, 3, SIDE, SIDE));
            assertClose(
                    predictor.predict(new NDList(input)).singletonOrThrow().toFloatArray(), logits(options, 1, SIDE));
        } finally {
            System.clearProperty("DJL_CACHE_DIR");
        }
        assertThat(cached()).hasSize(1);
    }

    @Test
    void compiled_forTraining_orFeatures_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConvZoo.loadLogits(MODEL, options.compiled().forTraining()))
                .withMessageContaining("a compiled model cannot be trained");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConvZoo.loadFeatures(MODEL, options.compiled(), 2))
                .withMessageContaining("feature maps cannot be compiled");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CompiledRuntime.of("tvm"))
                .withMessage("runtime must be one of [fastest, onnx, torchscript], not tvm");
    }

    /** Loads a compiled model; ends with 3 if ONNX Runtime is refused for not being there. */
    static final class WithoutOnnxRuntime {
        public static void main(String[] args) throws Exception {
            LoadOptions options = LoadOptions.of(Path.of(args[0])).compiled(CompiledRuntime.of(args[1]));
            try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(MODEL, options);
                    Predictor<NDList, NDList> predictor = model.newPredictor();
                    NDManager manager = NDManager.newBaseManager("PyTorch")) {
                predictor.predict(new NDList(manager.zeros(new Shape(1, 3, SIDE, SIDE))));
            } catch (IllegalArgumentException e) {
                System.err.println(e.getMessage());
                System.exit(String.valueOf(e.getMessage()).startsWith("ONNX Runtime is not on the class path") ? 3 : 4);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"fastest, 0", "torchscript, 0", "onnx, 3"})
    void compiled_withoutOnnxRuntimeOnTheClassPath_isTorchScript(String runtime, int status) throws Exception {
        String classPath = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(jar -> !jar.contains("onnxruntime"))
                .collect(Collectors.joining(File.pathSeparator));
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-DDJL_CACHE_DIR=" + folder.resolve("cache"),
                        "-cp",
                        classPath,
                        WithoutOnnxRuntime.class.getName(),
                        weights.toString(),
                        runtime)
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isEqualTo(status);
        assertThat(cached()).hasSize(status == 0 ? 1 : 0).allSatisfy(file -> assertThat(file.toString())
                .endsWith("model.pt"));
    }

    @Test
    void cache_afterCompiling_listsTheModelAsComplete() throws Exception {
        logits(options.compiled(CompiledRuntime.TORCHSCRIPT), 1, SIDE);
        CompiledCache cache = new CompiledCache(folder.resolve("cache/cache/convzoo-compiled"));
        CompiledCache.Entry entry = cache.list().get(0);
        assertThat(cache.list()).hasSize(1);
        assertThat(entry.name()).startsWith(MODEL + "-");
        assertThat(entry.complete()).isTrue();
        assertThat(entry.size()).isGreaterThan(Files.size(entry.path().resolve("model.pt")));
    }
}
