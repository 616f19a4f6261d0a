package io.github.convzoo.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.ndarray.NDManager;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.GradientCollector;
import com.google.gson.Gson;
import com.google.gson.annotations.SerializedName;
import io.github.convzoo.Samples;
import io.github.convzoo.export.ExportOptions;
import io.github.convzoo.export.Exporter;
import io.github.convzoo.hub.FileStore;
import io.github.convzoo.hub.StoreSettings;
import io.github.convzoo.image.Area;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.WeightSaver;
import io.github.convzoo.weights.WeightStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExplainerTest {

    private static final String BUNDLED = "peleenet.fmnist";
    private static final Path BOOT = Samples.FASHION_MNIST.resolve("ankle-boot.png");
    private static final LoadOptions PLAIN = LoadOptions.published();

    @TempDir
    Path folder = Path.of("");

    /** What PyTorch computes: src/test/python/explain_fixtures.py. */
    private record Fixture(String salt, int size, int classes, List<Expected> networks) {}

    private record Expected(
            String model,
            int best,
            int other,
            List<Float> logits,
            @SerializedName("class_map") List<List<Float>> classMap,
            @SerializedName("other_class_map") List<List<Float>> otherClassMap,
            @SerializedName("grad_cam") Map<String, List<List<Float>>> gradCam) {

        @Override
        public String toString() {
            return model;
        }
    }

    private static Fixture fixture() {
        try {
            return new Gson().fromJson(Files.readString(Samples.resource("explain/maps.json")), Fixture.class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Stream<Expected> networks() {
        return fixture().networks.stream();
    }

    /** The fixture's image: an 8 x 8 pattern and noise. */
    private static RgbImage image(int size) {
        double[] coarse = Reference.uniform("convzoo/explain/coarse", 8 * 8 * 3);
        double[] noise = Reference.uniform("convzoo/explain/noise", size * size * 3);
        byte[] samples = new byte[noise.length];
        for (int i = 0; i < samples.length; i++) {
            int channel = i % 3;
            int column = i / 3 % size * 8 / size;
            int row = i / 3 / size * 8 / size;
            samples[i] = (byte) Math.floor(192 * coarse[(row * 8 + column) * 3 + channel] + 64 * noise[i]);
        }
        return RgbImage.of(size, size, samples);
    }

    private Path weights(String model, int classes, int size) throws IOException {
        Path file = folder.resolve(model + ".safetensors");
        Variant variant = Variant.of(model);
        ModelConfig config = ModelConfig.usual(variant)
                .withOptions(variant.options().withNumClasses(classes))
                .withPreprocessing(Preprocessing.unresized(size, size, Normalization.IMAGENET));
        Network network = variant.build(config.options());
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Reference.initialize(network, manager, "convzoo/", config.input());
            WeightSaver.save(file, network, config);
        }
        return file;
    }

    private LoadOptions cached(LoadOptions options) {
        return options.withStore(new WeightStore(new FileStore(StoreSettings.fromEnvironment(
                name -> name.equals("DJL_CACHE_DIR") ? folder.resolve("cache").toString() : null))));
    }

    private static void assertSame(ActivationMap actual, List<List<Float>> expected, double tolerance) {
        assertThat(actual.height()).isEqualTo(expected.size());
        assertThat(actual.width()).isEqualTo(expected.get(0).size());
        double largest = 0;
        for (List<Float> row : expected) {
            for (float value : row) {
                largest = Math.max(largest, Math.abs(value));
            }
        }
        for (int row = 0; row < expected.size(); row++) {
            for (int column = 0; column < expected.get(row).size(); column++) {
                assertThat(actual.value(row, column))
                        .isCloseTo(expected.get(row).get(column), within((float) (tolerance * largest)));
            }
        }
    }

    private static List<List<Float>> rows(ActivationMap map) {
        return IntStream.range(0, map.height())
                .mapToObj(row -> IntStream.range(0, map.width())
                        .mapToObj(column -> map.value(row, column))
                        .toList())
                .toList();
    }

    @ParameterizedTest
    @MethodSource("networks")
    void maps_ofEachFamily_areThoseOfPyTorch(Expected expected) throws Exception {
        Fixture fixture = fixture();
        RgbImage image = image(fixture.size);
        Path weights = weights(expected.model, fixture.classes, fixture.size);
        try (Explainer explainer = ConvZoo.loadExplainer(weights, PLAIN)) {
            Explanation best = explainer.explain(image);
            assertThat(best.classNumber()).isEqualTo(expected.best);
            assertThat(best.predicted()).isTrue();
            assertThat(best.layer()).isEmpty();
            assertThat(best.probability()).isCloseTo(probability(expected.logits, expected.best), within(1e-5));
            assertSame(best.map(), expected.classMap, 1e-5);
            Explanation other = explainer.explain(image, expected.other);
            assertThat(other.classNumber()).isEqualTo(expected.other);
            assertThat(other.predicted()).isFalse();
            assertThat(other.probability()).isCloseTo(probability(expected.logits, expected.other), within(1e-5));
            assertSame(other.map(), expected.otherClassMap, 1e-5);
            for (Map.Entry<String, List<List<Float>>> layer : expected.gradCam.entrySet()) {
                Explanation byGradient = explainer.explainLayer(image, layer.getKey(), expected.other);
                assertThat(byGradient.layer()).contains(layer.getKey());
                assertThat(byGradient.classNumber()).isEqualTo(expected.other);
                // A float32 gradient through up to 60 layers.
                assertSame(byGradient.map(), layer.getValue(), 1e-4);
            }
            String last = expected.gradCam.keySet().iterator().next();
            assertThat(explainer.layers()).contains(last);
            assertSame(explainer.explainLayer(image, last).map(), rows(best.map()), 1e-5);
        }
    }

    private static double probability(List<Float> logits, int number) {
        double sum = logits.stream().mapToDouble(Math::exp).sum();
        return Math.exp(logits.get(number)) / sum;
    }

    @ParameterizedTest
    @EnumSource(
            value = CompiledRuntime.class,
            names = {"ONNX", "TORCHSCRIPT"})
    void compiled_givesTheSameMaps(CompiledRuntime runtime) throws Exception {
        RgbImage image = image(96);
        for (String model : List.of("dpn68", "peleenet")) {
            Path weights = weights(model, 7, 96);
            try (Explainer eager = ConvZoo.loadExplainer(weights, PLAIN);
                    Explainer compiled = ConvZoo.loadExplainer(weights, cached(PLAIN.compiled(runtime)))) {
                for (int number : new int[] {0, 6}) {
                    Explanation expected = eager.explain(image, number);
                    Explanation actual = compiled.explain(image, number);
                    assertSame(actual.map(), rows(expected.map()), 1e-5);
                    assertThat(actual.probability()).isCloseTo(expected.probability(), within(1e-5));
                }
                String layer = eager.layers().get(3);
                assertThat(compiled.explainLayer(image, layer).map().values())
                        .isEqualTo(eager.explainLayer(image, layer).map().values());
            }
        }
    }

    private Path exported(ExportOptions options) throws Exception {
        Path to = folder.resolve("exported");
        try (ZooModel<?, ?> model = ConvZoo.loadLogits(BUNDLED, PLAIN)) {
            Network network = (Network) model.getBlock();
            ModelConfig config = ConvZoo.configuration(BUNDLED, PLAIN).withOptions(network.options());
            new Exporter(network, config).export(to, options);
        }
        return to;
    }

    @ParameterizedTest
    @CsvSource({"ONNX, false, false", "ONNX, true, true", "TORCHSCRIPT, false, true", "TORCHSCRIPT, true, false"})
    void exportedFolder_withClassMaps_givesTheSameMapsWithoutWeights(
            ExportOptions.Format format, boolean preprocess, boolean features) throws Exception {
        Path exported = exported(ExportOptions.of(format)
                .withClassMaps(true)
                .withPreprocess(preprocess)
                .withFeatures(features));
        RgbImage image = new ImageDecoder().decode(BOOT);
        try (Explainer eager = ConvZoo.loadExplainer(BUNDLED, PLAIN);
                Explainer file = ConvZoo.loadExplainer(exported, PLAIN);
                ZooModel<Path, Classifications> predicting = ConvZoo.load(exported);
                Predictor<Path, Classifications> predictor = predicting.newPredictor()) {
            Explanation expected = eager.explain(image);
            Explanation actual = file.explain(image);
            assertThat(actual.className()).isEqualTo("Ankle boot").isEqualTo(expected.className());
            assertThat(actual.probability())
                    .isCloseTo(predictor.predict(BOOT).best().getProbability(), within(1e-9));
            assertSame(actual.map(), rows(expected.map()), 1e-5);
            assertThat(file.layers()).isEmpty();
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> file.explainLayer(image, "features.transition2"))
                    .withMessage("peleenet: an exported graph has no gradients for the layer features.transition2; add"
                            + " model.safetensors, or explain the last map");
        }
    }

    @Test
    void exportedFolder_withoutClassMaps_isRefused() throws Exception {
        Path exported = exported(ExportOptions.onnx().withFeatures(true));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConvZoo.loadExplainer(exported, PLAIN))
                .withMessage(
                        exported + ": this is an exported graph without class activation maps; export it again with"
                                + " them (--class-maps), or add model.safetensors");
    }

    @Test
    void probability_isThatOfAPrediction() throws Exception {
        try (Explainer explainer = ConvZoo.loadExplainer(BUNDLED, PLAIN);
                ZooModel<Path, Classifications> model = ConvZoo.load(BUNDLED, Path.class, PLAIN);
                Predictor<Path, Classifications> predictor = model.newPredictor()) {
            RgbImage image = new ImageDecoder().decode(BOOT);
            List<Double> predicted = predictor.predict(BOOT).getProbabilities();
            for (int number = 0; number < 10; number++) {
                assertThat(explainer.explain(image, number).probability()).isEqualTo(predicted.get(number));
                // By gradients, normalizations are not folded into the convolutions.
                assertThat(explainer.explainLayer(image, "features", number).probability())
                        .isCloseTo(predicted.get(number), within(1e-5));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"alexnet", "alexnet_dy"})
    void networkWithHiddenLayers_hasNoClassMapButGradCam(String model) throws Exception {
        Path weights = weights(model, 5, 96);
        try (Explainer explainer = ConvZoo.loadExplainer(weights, PLAIN)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> explainer.explain(image(96)))
                    .withMessage(model + ": there is no class activation map, because the network has ReLU (at"
                            + " classifier) instead of a global average pool before its classifier; use Grad-CAM on a"
                            + " layer, such as features");
            ActivationMap map = explainer.explainLayer(image(96), "features.15").map();
            assertThat(map.values()).hasSize(25).doesNotContain(Float.NaN);
            assertThat(map.sum()).isNotZero();
        }
    }

    @Test
    void testTimePooling_hasNoClassMapButGradCam() throws Exception {
        Path weights = weights("dpn68", 5, 224);
        try (Explainer explainer = ConvZoo.loadExplainer(weights, PLAIN.withTestTimePool(true))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> explainer.explain(image(224)))
                    .withMessage("dpn68: there is no class activation map, because the network has Scale instead of one"
                            + " linear layer or 1 x 1 convolution; use Grad-CAM on a layer, such as"
                            + " features.conv5_bn_ac");
            ActivationMap map =
                    explainer.explainLayer(image(224), "features.conv5_bn_ac").map();
            assertThat(map.values()).hasSize(49);
            assertThat(map.sum()).isNotZero();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "features.transition9 | peleenet has no layer features.transition9; similar: features.transition1,"
                        + " features.transition2, features.transition3, features.transition4,",
                "xyz | peleenet has no layer xyz",
                "pooled | peleenet: the output of pooled is",
            })
    void layer_thatHasNoMap_isRefusedWithSimilarNames(String layer, String message) throws Exception {
        try (Explainer explainer = ConvZoo.loadExplainer(BUNDLED, PLAIN)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> explainer.explainLayer(image(64), layer))
                    .withMessageStartingWith(message);
        }
    }

    @Test
    void layers_areAllThatHaveAMap_andEachCanBeExplained() throws Exception {
        try (Explainer explainer = ConvZoo.loadExplainer(weights("dla46x_c", 3, 32), PLAIN)) {
            List<String> layers = explainer.layers();
            assertThat(layers)
                    .contains("base_layer", "base_layer.0", "level5", "level2.tree1.conv1")
                    .doesNotContain("", "pooled");
            for (String layer : layers) {
                assertThat(explainer.explainLayer(image(32), layer).map().values())
                        .as(layer)
                        .doesNotContain(Float.NaN);
            }
        }
    }

    @Test
    void classNumber_ofNumberLabelOrSynonym_isFound() throws Exception {
        Labels labels = new Labels(List.of("crane, bird", "Crane, machine", "tench, Tinca tinca", "0", "4"));
        LoadOptions options = PLAIN.withLabels(labels);
        try (Explainer explainer = ConvZoo.loadExplainer(weights("dla46x_c", 5, 32), options)) {
            assertThat(explainer.labels()).isEqualTo(labels);
            assertThat(explainer.classNumber("2")).isEqualTo(2);
            assertThat(explainer.classNumber(" tinca TINCA")).isEqualTo(2);
            assertThat(explainer.classNumber("tench, Tinca tinca")).isEqualTo(2);
            assertThat(explainer.classNumber("4")).isEqualTo(4);
            assertRefused(
                    explainer,
                    "crane",
                    "crane is ambiguous: class 0 (crane, bird) or class 1 (Crane, machine); pass the number");
            assertRefused(explainer, "0", "0 is ambiguous: class 3 (0) or class 0 (crane, bird); rename the labels");
            assertRefused(explainer, "5", "unknown class 5; pass a number from 0 to 4, or a name; similar: 0, 4");
            assertRefused(explainer, "-1", "unknown class -1; pass a number from 0 to 4, or a name; similar: 0, 4");
            assertRefused(
                    explainer,
                    "tenches, tinca tinca",
                    "unknown class tenches, tinca tinca; pass a number from 0 to 4, or a name; similar: tench, Tinca"
                            + " tinca");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> explainer.explain(image(32), 5))
                    .withMessage("the classes are 0 to 4; there is no class 5");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> explainer.explainLayer(image(32), "level5", -1))
                    .withMessage("the classes are 0 to 4; there is no class -1");
        }
    }

    private static void assertRefused(Explainer explainer, String text, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> explainer.classNumber(text))
                .withMessage(message);
    }

    @Test
    void threads_getTheSameMaps() throws Exception {
        RgbImage image = new ImageDecoder().decode(BOOT);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (Explainer explainer = ConvZoo.loadExplainer(BUNDLED, PLAIN)) {
            Explanation expected = explainer.explain(image, 3);
            Explanation expectedLayer = explainer.explainLayer(image, "features.transition3", 3);
            List<Future<?>> done = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                done.add(threads.submit(() -> {
                    assertThat(explainer.explain(image, 3).map().values())
                            .isEqualTo(expected.map().values());
                    Explanation layer = explainer.explainLayer(image, "features.transition3", 3);
                    assertThat(layer.map().values())
                            .isEqualTo(expectedLayer.map().values());
                }));
            }
            for (Future<?> each : done) {
                each.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void gradCam_whileTheProcessTrains_saysSo_andWorksAfterwards() throws Exception {
        RgbImage image = image(64);
        try (Explainer explainer = ConvZoo.loadExplainer(BUNDLED, PLAIN)) {
            try (GradientCollector training = Engine.getEngine("PyTorch").newGradientCollector()) {
                assertThat(training).isNotNull();
                assertThatIllegalStateException()
                        .isThrownBy(() -> explainer.explainLayer(image, "features"))
                        .withMessageStartingWith("Grad-CAM is not possible while this process trains");
                assertThat(explainer.explain(image).map().values()).hasSize(4);
            }
            assertThat(explainer.explainLayer(image, "features").map().values()).hasSize(4);
        }
    }

    @Test
    void explainer_keepsNothingPerImage_andSaysThatItIsClosed() throws Exception {
        RgbImage image = image(64);
        Explainer explainer = ConvZoo.loadExplainer(BUNDLED, PLAIN);
        explainer.close();
        explainer.close();
        assertThatIllegalStateException()
                .isThrownBy(() -> explainer.explain(image))
                .withMessage("the explainer of peleenet is closed; load the model again");
        assertThatIllegalStateException()
                .isThrownBy(() -> explainer.explainLayer(image, "features", 0))
                .withMessage("the explainer of peleenet is closed; load the model again");
    }

    @Test
    void training_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConvZoo.loadExplainer(BUNDLED, PLAIN.forTraining()))
                .withMessage("a model for training cannot explain images; load it without forTraining()");
    }

    @Test
    void explanation_ofACroppedImage_mapsTheInputBackToTheImage() throws Exception {
        // Resized to 128 x 64 and cropped to 64 x 64: the middle half of the image.
        RgbImage wide = RgbImage.of(200, 100, new byte[200 * 100 * 3]);
        try (Explainer explainer = ConvZoo.loadExplainer(
                BUNDLED, PLAIN.withPreprocessing(ConvZoo.preprocessing(BUNDLED).withCropFraction(1)))) {
            Explanation explanation = explainer.explain(wide);
            assertThat(explanation.area()).isEqualTo(new Area(50, 0, 100, 100));
            assertThat(explanation.imageWidth()).isEqualTo(200);
            assertThat(explanation.imageHeight()).isEqualTo(100);
            float[] upsampled = explanation.upsampled();
            IntStream.range(0, upsampled.length).forEach(i -> assertThat(Float.isNaN(upsampled[i]))
                    .as("pixel %d", i)
                    .isEqualTo(i % 200 < 50 || i % 200 >= 150));
            // The outer half of the outer positions is constant.
            assertThat(upsampled[50]).isEqualTo(explanation.map().value(0, 0));
            assertThat(upsampled[99 * 200 + 149]).isEqualTo(explanation.map().value(1, 1));
            assertThat(explanation.at(100, 0))
                    .isCloseTo(
                            (explanation.map().value(0, 0) + explanation.map().value(0, 1)) / 2, within(1e-6f));
        }
    }
}
