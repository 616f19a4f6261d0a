package io.github.convzoo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.export.ExportOptions;
import io.github.convzoo.export.ExportReport;
import io.github.convzoo.export.ExportRuntime;
import io.github.convzoo.export.Exporter;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.LoadReport;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import io.github.convzoo.zoo.CheckpointBlockFactory;
import io.github.convzoo.zoo.ClassifierTranslatorFactory;
import io.github.convzoo.zoo.CompiledRuntime;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A folder of {@code config.json} and an exported file, without weights. */
class ExportedFolderTest {

    private static final String MODEL = "peleenet.fmnist";
    private static final Path BOOT = Path.of("src/test/resources/fashion-mnist/ankle-boot.png");
    private static final Path TROUSER = Path.of("src/test/resources/fashion-mnist/trouser.png");
    private static final Path COFFEE = Path.of("src/test/resources/photos/coffee.png");
    private static final Path CAT = Path.of("src/test/resources/photos/cat.png");
    private static final LoadOptions PLAIN = LoadOptions.published();

    /** How far DJL's probabilities may be from ConvZoo's: DJL resizes without antialiasing, and in other arithmetic. */
    private static final double DJL_BOUND = 0.002;

    @TempDir
    Path folder = Path.of("");

    private ExportReport export(Path to, ExportOptions options) throws IOException {
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(MODEL, PLAIN)) {
            Network network = (Network) model.getBlock();
            ModelConfig config = ConvZoo.configuration(MODEL, PLAIN).withOptions(network.options());
            return new Exporter(network, config).export(to, options);
        }
    }

    private static Classifications predict(ZooModel<Path, Classifications> model, Path image) throws Exception {
        try (model;
                Predictor<Path, Classifications> predictor = model.newPredictor()) {
            return predictor.predict(image);
        }
    }

    private static Classifications expected(Path image) throws Exception {
        return predict(ConvZoo.load(MODEL, Path.class, PLAIN), image);
    }

    private static void assertSame(Classifications actual, Classifications expected, double tolerance) {
        assertThat(actual.getClassNames()).isEqualTo(expected.getClassNames());
        for (int i = 0; i < expected.getProbabilities().size(); i++) {
            assertThat(actual.getProbabilities().get(i))
                    .isCloseTo(expected.getProbabilities().get(i), within(tolerance));
        }
    }

    private static float[] logits(ZooModel<NDList, NDList> model, Shape shape) throws Exception {
        try (model;
                Predictor<NDList, NDList> predictor = model.newPredictor();
                NDManager manager = NDManager.newBaseManager("PyTorch")) {
            NDArray input = Reference.image(manager, "input/", shape);
            return predictor.predict(new NDList(input)).singletonOrThrow().toFloatArray();
        }
    }

    /** The formats that ConvZoo runs. */
    static Stream<ExportOptions.Format> formats() {
        return Arrays.stream(ExportOptions.Format.values())
                .filter(format -> !ExportRuntime.of(format).isEmpty());
    }

    // ConvZoo

    @ParameterizedTest
    @CsvSource({"ONNX, false, false", "ONNX, true, true", "TORCHSCRIPT, false, true", "TORCHSCRIPT, true, false"})
    void load_ofAnExportedFolder_givesTheModelsProbabilities(
            ExportOptions.Format format, boolean preprocess, boolean features) throws Exception {
        ExportOptions options =
                format == ExportOptions.Format.ONNX ? ExportOptions.onnx() : ExportOptions.torchScript();
        export(folder, options.withPreprocess(preprocess).withFeatures(features));
        assertThat(folder.toFile().list())
                .containsExactlyInAnyOrder("config.json", format.file(), "serving.properties", "synset.txt");
        List<LoadReport> reports = new ArrayList<>();
        LoadOptions told = PLAIN.withOnLoaded(reports::add);
        assertSame(predict(ConvZoo.load(folder, Path.class, told), BOOT), expected(BOOT), 1e-5);
        assertSame(predict(ConvZoo.load(folder), TROUSER), expected(TROUSER), 1e-5);
        assertThat(reports).hasSize(1);
        assertThat(reports.get(0).lines().toString())
                .contains(format == ExportOptions.Format.ONNX ? "run by ONNX Runtime" : "run by PyTorch");
        assertThat(reports.get(0).lines().toString().contains("using their logarithms as logits"))
                .isEqualTo(preprocess);
    }

    @ParameterizedTest
    @MethodSource("formats")
    void loadLogits_ofAnExportedFile_givesTheNetworksLogits_forAnyBatch(ExportOptions.Format format) throws Exception {
        Path file = export(folder, ExportOptions.of(format).withFeatures(true)).file();
        int channels = ConvZoo.configuration(file, PLAIN).options().inChannels();
        for (int batch : new int[] {1, 3}) {
            Shape shape = new Shape(batch, channels, 64, 64);
            float[] expected = logits(ConvZoo.loadLogits(MODEL, PLAIN), shape);
            float[] actual = logits(ConvZoo.loadLogits(file, PLAIN), shape);
            assertThat(actual).hasSize(10 * batch);
            for (int i = 0; i < actual.length; i++) {
                assertThat(actual[i]).isCloseTo(expected[i], within(1e-3f));
            }
        }
    }

    @Test
    void loadLogits_ofAFileThatPreprocesses_refusesWhatIsNotAnImage() throws Exception {
        export(folder, ExportOptions.torchScript().withPreprocess(true));
        int channels = ConvZoo.configuration(folder, PLAIN).options().inChannels();
        assertThatExceptionOfType(Exception.class)
                .isThrownBy(() -> logits(ConvZoo.loadLogits(folder, PLAIN), new Shape(1, channels, 64, 64)))
                .withStackTraceContaining("model.pt: needs images as bytes, but this input is not an image");
    }

    @ParameterizedTest
    @MethodSource("formats")
    void criteria_ofAnExportedFolder_loadIt_withTheServingPropertiesThatAreThere(ExportOptions.Format format)
            throws Exception {
        export(folder, ExportOptions.of(format));
        Criteria<Path, Classifications> criteria = Criteria.builder()
                .setTypes(Path.class, Classifications.class)
                .optModelPath(folder)
                .optEngine("PyTorch")
                .optArgument("blockFactory", CheckpointBlockFactory.class.getName())
                .optArgument("translatorFactory", ClassifierTranslatorFactory.class.getName())
                .optOption("hasParameter", "false")
                .build();
        assertSame(predict(criteria.loadModel(), BOOT), expected(BOOT), 1e-5);
    }

    @Test
    void criteria_withAnArgumentOfDjlsTranslatorThatTheExportDoesNotSay_isRefused() throws Exception {
        export(folder, ExportOptions.torchScript());
        Criteria<Path, Classifications> criteria = Criteria.builder()
                .setTypes(Path.class, Classifications.class)
                .optModelPath(folder)
                .optEngine("PyTorch")
                .optArgument("blockFactory", CheckpointBlockFactory.class.getName())
                .optArgument("translatorFactory", ClassifierTranslatorFactory.class.getName())
                .optArgument("width", "96")
                .optOption("hasParameter", "false")
                .build();
        assertThatExceptionOfType(Exception.class)
                .isThrownBy(criteria::loadModel)
                .withStackTraceContaining("unknown argument width");
    }

    @Test
    void folder_withBothFormats_runsOnnx_orWhatIsAskedFor() throws Exception {
        export(folder, ExportOptions.onnx());
        export(folder, ExportOptions.torchScript());
        List<String> lines = new ArrayList<>();
        LoadOptions told = PLAIN.withOnLoaded(report -> lines.addAll(report.lines()));
        ConvZoo.load(folder, Path.class, told).close();
        assertThat(lines.toString())
                .contains("several exported files found; running model.onnx", "run by ONNX Runtime");
        lines.clear();
        ConvZoo.load(folder, Path.class, told.compiled(CompiledRuntime.TORCHSCRIPT))
                .close();
        assertThat(lines.toString()).contains("running model.pt", "run by PyTorch");
    }

    @Test
    void folder_withWeights_isReadAsWeights() throws Exception {
        export(folder, ExportOptions.onnx());
        export(folder, ExportOptions.torchScript());
        Files.writeString(folder.resolve("model.onnx.data"), "");
        Files.copy(Path.of("models/peleenet_fmnist.safetensors"), folder.resolve("best.safetensors"));
        assertThat(ModelFolder.weights(folder)).hasValue(folder.resolve("best.safetensors"));
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(folder, PLAIN)) {
            assertThat(((Network) model.getBlock()).isOnlyCompiled()).isFalse();
        }
    }

    @Test
    void folder_withoutConfiguration_orWithSeveralFiles_isRefused() throws Exception {
        export(folder, ExportOptions.onnx());
        Files.move(folder.resolve("model.onnx"), folder.resolve("a.onnx"));
        // As some systems leave next to each file.
        Files.copy(folder.resolve("a.onnx"), folder.resolve("._a.onnx"));
        ConvZoo.load(folder).close();
        Files.copy(folder.resolve("a.onnx"), folder.resolve("b.onnx"));
        assertThatIOException()
                .isThrownBy(() -> ConvZoo.load(folder))
                .withMessage(folder
                        + ": several exported files found, a.onnx, b.onnx; pass one of them, or rename one"
                        + " to model.onnx");
        ConvZoo.load(folder.resolve("b.onnx")).close();
        Files.delete(folder.resolve("config.json"));
        assertThatIOException()
                .isThrownBy(() -> ConvZoo.load(folder.resolve("b.onnx")))
                .withMessageContaining("b.onnx: no config.json next to this file");
        Files.writeString(folder.resolve("c.onnx"), "not a model");
        ModelFolder.writeConfig(folder, ConvZoo.configuration(MODEL, PLAIN));
        assertThatIOException()
                .isThrownBy(() -> ConvZoo.load(folder.resolve("c.onnx")))
                .withMessageContaining("c.onnx: ONNX Runtime refused the file");
    }

    @Test
    void exportedFolder_forWhatNeedsWeights_isRefused() throws Exception {
        export(folder, ExportOptions.onnx());
        String only = "model.onnx: this is an exported graph, which can only be run; ";
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConvZoo.loadLogits(folder, PLAIN.forTraining()))
                .withMessageContaining(only + "training needs weights; add model.safetensors");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConvZoo.loadFeatures(folder, PLAIN))
                .withMessageContaining(only + "its classes, channels, features");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConvZoo.loadEmbeddings(folder, Path.class, PLAIN))
                .withMessageContaining(only + "its classes, channels, features");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConvZoo.loadLogits(folder, PLAIN.withNumClasses(9)))
                .withMessageContaining(only + "its classes, channels, features");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConvZoo.loadLogits(folder, PLAIN.withInputSize(96)))
                .withMessageContaining(
                        "model.onnx: needs inputs of (3, 64, 64) (channels, height, width), not (3, 96, 96)");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConvZoo.loadLogits(folder, PLAIN.compiled(CompiledRuntime.TORCHSCRIPT)))
                .withMessageContaining("model.onnx: this file is for the runtime onnx; omit torchscript");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConvZoo.loadLogits(folder, PLAIN.withDevice(Device.gpu())))
                .withMessageContaining("model.onnx: ONNX Runtime runs this file on the CPU; omit the device gpu(0)");
        assertThatIOException()
                .isThrownBy(() -> ConvZoo.open(folder.toString(), PLAIN).checkpoint(PLAIN))
                .withMessageContaining(only + "weights are needed");
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(folder, PLAIN);
                NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Network network = (Network) model.getBlock();
            assertThatIllegalStateException()
                    .isThrownBy(() -> network.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 64, 64)))
                    .withMessageContaining("has no parameters to train, save, or export");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new Exporter(network, ConvZoo.configuration(folder, PLAIN)))
                    .withMessage(
                            "this peleenet comes from an exported file, which can only be run; load the weights that"
                                    + " it was exported from, such as a folder with model.safetensors");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.pt", "weights.pth", "pytorch_model.bin"})
    void exportedTorchScript_withCodeOfSomebodyElse_isRefusedBeforeItRuns(String name) throws Exception {
        export(folder, ExportOptions.torchScript());
        Path file = folder.resolve(name);
        Path touched = folder.resolve("touched");
        Path original = Files.move(folder.resolve("model.pt"), folder.resolve("original"));
        try (ZipFile from = new ZipFile(original.toFile());
                ZipOutputStream to = new ZipOutputStream(Files.newOutputStream(file))) {
            to.setMethod(ZipOutputStream.STORED);
            for (ZipEntry entry : (Iterable<ZipEntry>) from.stream().map(each -> (ZipEntry) each)::iterator) {
                byte[] content = from.getInputStream(entry).readAllBytes();
                if (entry.getName().endsWith(".py")) {
                    content = new String(content, StandardCharsets.UTF_8)
                            .replace(
                                    "    return ",
                                    "    f = torch.from_file(\"" + touched + "\", True, 64)\n    return ")
                            .getBytes(StandardCharsets.UTF_8);
                }
                ZipEntry copy = new ZipEntry(entry.getName());
                CRC32 crc = new CRC32();
                crc.update(content);
                copy.setCrc(crc.getValue());
                copy.setSize(content.length);
                to.putNextEntry(copy);
                to.write(content);
            }
        }
        Files.delete(original);
        String problem = name + ": its code ";
        assertThatIOException().isThrownBy(() -> ConvZoo.load(file)).withMessageContaining(problem);
        assertThatIOException()
                .isThrownBy(() -> ConvZoo.load("peleenet", LoadOptions.of(file)))
                .withMessageContaining(problem);
        if (!name.equals("pytorch_model.bin")) {
            assertThatIOException().isThrownBy(() -> ConvZoo.load(folder)).withMessageContaining(problem);
        }
        assertThat(touched).doesNotExist();
    }

    @Test
    void exportedOnnx_givenAnotherSizeThanItsOwn_isRefused() throws Exception {
        export(folder, ExportOptions.onnx());
        assertThatExceptionOfType(Exception.class)
                .isThrownBy(() -> logits(ConvZoo.loadLogits(folder, PLAIN), new Shape(1, 3, 96, 64)))
                .withStackTraceContaining("export the model again with --input-size 96x64");
    }

    // DJL and DJL Serving

    /** The classes and probabilities that DJL alone gives, best first, by image. */
    private List<String> withDjlAlone(Path model, Path... images) throws Exception {
        Path classes = Files.createDirectories(folder.resolve("djl/io/github/convzoo/runtime"));
        Files.copy(Path.of(DjlAlone.class.getResource("DjlAlone.class").toURI()), classes.resolve("DjlAlone.class"));
        List<String> djl = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(jar -> Stream.of(
                                "api-0",
                                "pytorch-",
                                "slf4j",
                                "gson",
                                "jna",
                                "commons-compress",
                                "commons-",
                                "onnxruntime-")
                        .anyMatch(name -> Path.of(jar).getFileName().toString().startsWith(name)))
                .collect(Collectors.toCollection(ArrayList::new));
        djl.add(folder.resolve("djl").toString());
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-cp",
                String.join(File.pathSeparator, djl),
                DjlAlone.class.getName(),
                model.toString()));
        for (Path image : images) {
            command.add(image.toString());
        }
        Path errors = folder.resolve("errors.txt");
        Process process =
                new ProcessBuilder(command).redirectError(errors.toFile()).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(Files.readString(errors)).isZero();
        return output.lines().toList();
    }

    /** A network of random weights for photos: what differs is the preprocessing. */
    private static void exportForPhotos(Path to, ExportOptions options, Resampling resampling) throws IOException {
        Variant variant = Variant.of("dla46_c");
        ModelConfig config = ModelConfig.usual(variant)
                .withOptions(variant.options().withNumClasses(5))
                .withPreprocessing(Preprocessing.ofCropFraction(224, 0.875, resampling, Normalization.IMAGENET));
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Network network = variant.build(config.options());
            Reference.initialize(network, manager, "photos/", config.input());
            new Exporter(network, config).export(to, options);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "TORCHSCRIPT, BILINEAR, false",
        "TORCHSCRIPT, BILINEAR, true",
        "TORCHSCRIPT, BICUBIC, false",
        "ONNX, BILINEAR, false",
        "ONNX, BILINEAR, true"
    })
    void djlAlone_givesTheSameClass_andNearlyTheSameProbability(
            ExportOptions.Format format, Resampling resampling, boolean preprocess) throws Exception {
        Path model = folder.resolve("model");
        exportForPhotos(model, ExportOptions.of(format).withPreprocess(preprocess), resampling);
        List<Path> images = List.of(CAT, COFFEE);
        List<String> lines = withDjlAlone(model, images.toArray(Path[]::new));
        assertThat(lines).hasSize(2 * 6);
        for (int i = 0; i < images.size(); i++) {
            Classifications.Classification expected =
                    predict(ConvZoo.load(model), images.get(i)).best();
            assertThat(lines.get(6 * i)).isEqualTo("classes 5");
            String[] best = lines.get(6 * i + 1).split("\t", -1);
            assertThat(best[1]).isEqualTo(expected.getClassName());
            assertThat(Double.parseDouble(best[0])).isCloseTo(expected.getProbability(), within(DJL_BOUND));
        }
    }
}
