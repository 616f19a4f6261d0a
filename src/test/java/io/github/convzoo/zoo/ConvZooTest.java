package io.github.convzoo.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.modality.cv.BufferedImageFactory;
import ai.djl.modality.cv.Image;
import ai.djl.ndarray.BaseNDManager;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.translate.TranslateException;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.data.FashionMnist;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.ImageException;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.CanonicalNames;
import io.github.convzoo.weights.LoadReport;
import io.github.convzoo.weights.Manifest;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConvZooTest {

    private static final Path BOOT = Samples.resource("fashion-mnist/ankle-boot.png");
    private static final Path TROUSER = Samples.resource("fashion-mnist/trouser.png");

    private static final LoadOptions OPTIONS = LoadOptions.of(Samples.PELEENET)
            .withPreprocessing(Preprocessing.unresized(32, 32, Normalization.IMAGENET))
            .withDevice(Device.cpu());

    @Test
    void load_forPathImageAndRgbImage_givesTheSameClassifications() throws IOException, TranslateException {
        LoadOptions options = OPTIONS.withLabels(Labels.read(Samples.resource("fashion-mnist/labels.txt")));
        for (Path image : List.of(BOOT, TROUSER)) {
            Classifications ofPath = classify(Path.class, image, options);
            Classifications ofImage = classify(Image.class, new BufferedImageFactory().fromFile(image), options);
            Classifications ofRgbImage = classify(RgbImage.class, new ImageDecoder().decode(image), options);

            assertThat(ofPath.best().getClassName()).isEqualTo(image == BOOT ? "Ankle boot" : "Trouser");
            assertThat(ofPath.best().getProbability()).isGreaterThan(0.9);
            assertThat(ofPath.getProbabilities().stream()
                            .mapToDouble(Double::doubleValue)
                            .sum())
                    .isCloseTo(1, within(1e-6));
            assertThat(ofImage.getProbabilities()).isEqualTo(ofPath.getProbabilities());
            assertThat(ofRgbImage.getProbabilities()).isEqualTo(ofPath.getProbabilities());
            assertThat(ofImage.getClassNames()).isEqualTo(ofPath.getClassNames());
            assertThat(ofRgbImage.getClassNames()).isEqualTo(ofPath.getClassNames());
        }
    }

    private static <I> Classifications classify(Class<I> type, I input, LoadOptions options)
            throws IOException, TranslateException {
        try (ZooModel<I, Classifications> model = ConvZoo.load("peleenet", type, options);
                Predictor<I, Classifications> predictor = model.newPredictor()) {
            return predictor.predict(input);
        }
    }

    @Test
    void batchPredict_ofSeveralImages_agreesWithPredict() throws IOException, TranslateException {
        try (ZooModel<RgbImage, Classifications> model = ConvZoo.load("peleenet", RgbImage.class, OPTIONS);
                Predictor<RgbImage, Classifications> predictor = model.newPredictor()) {
            List<RgbImage> images = images(9);
            List<Classifications> together = predictor.batchPredict(images);

            assertThat(together).hasSize(9);
            for (int i = 0; i < 9; i++) {
                List<Double> alone = predictor.predict(images.get(i)).getProbabilities();
                for (int c = 0; c < 10; c++) {
                    // The engine may sum in another order for another batch size.
                    assertThat(together.get(i).getProbabilities().get(c)).isCloseTo(alone.get(c), within(1e-6));
                }
            }
            assertThat(together.get(0).best().getClassName()).isEqualTo("9");
        }
    }

    @Test
    void predictors_onSeveralThreads_agreeWithOneAndLeaveNothingBehind() throws Exception {
        List<RgbImage> images = images(12);
        try (ZooModel<RgbImage, Classifications> model = ConvZoo.load("peleenet", RgbImage.class, OPTIONS)) {
            List<List<Double>> expected = probabilities(model, images);
            int arrays = model.getNDManager().getManagedArrays().size();

            ExecutorService threads = Executors.newFixedThreadPool(4);
            try {
                List<Future<List<List<Double>>>> running = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    running.add(threads.submit(() -> probabilities(model, images)));
                }
                for (Future<List<List<Double>>> each : running) {
                    assertThat(each.get()).isEqualTo(expected);
                }
            } finally {
                threads.shutdown();
            }
            assertThat(model.getNDManager().getManagedArrays()).hasSize(arrays);
        }
    }

    private static List<List<Double>> probabilities(ZooModel<RgbImage, Classifications> model, List<RgbImage> images)
            throws TranslateException {
        try (Predictor<RgbImage, Classifications> predictor = model.newPredictor()) {
            List<List<Double>> all = new ArrayList<>();
            for (RgbImage image : images) {
                all.add(predictor.predict(image).getProbabilities());
            }
            return all;
        }
    }

    @Test
    void parameters_ofALoadedModel_keepNothingForGradientsOnAnyThread() throws Exception {
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits("peleenet", OPTIONS)) {
            Network network = (Network) model.getBlock();
            for (Parameter parameter : CanonicalNames.parameters(network).values()) {
                assertThat(parameter.requiresGradient()).isFalse();
                assertThat(parameter.getArray().hasGradient()).isFalse();
            }
            assertThat(onAnotherThread(() -> keepsForGradients(model))).isFalse();

            // So that the line above can fail: what a trainable network does on a thread of its own.
            network.freezeParameters(false, each -> !each.getName().startsWith("running"));
            assertThat(onAnotherThread(() -> keepsForGradients(model))).isTrue();
        }
    }

    /** Whether gradients can be computed from the logits, for which all that was computed on the way is kept. */
    private static boolean keepsForGradients(ZooModel<NDList, NDList> model) {
        try (NDManager manager = model.getNDManager().newSubManager()) {
            NDList input = new NDList(Reference.image(manager, "", new Shape(1, 3, 32, 32)));
            NDArray sum = model.getBlock()
                    .forward(new ParameterStore(manager, false), input, false)
                    .singletonOrThrow()
                    .sum();
            // A gradient collector would turn recording on, and NDArray.hasGradient tells only of given arrays.
            JniUtils.backward((PtNDArray) sum, (PtNDArray) manager.ones(new Shape()), false, false);
            return true;
        } catch (EngineException e) {
            assertThat(e).hasMessageContaining("does not require grad");
            return false;
        }
    }

    private static boolean onAnotherThread(Callable<Boolean> question) throws InterruptedException, ExecutionException {
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            return thread.submit(question).get();
        } finally {
            thread.shutdown();
        }
    }

    @Test
    void topK_ofAPrediction_namesSoManyTheBestFirst() throws IOException, TranslateException {
        List<Classifications.Classification> three =
                classify(Path.class, BOOT, OPTIONS.withTopK(3)).topK();
        assertThat(three).hasSize(3);
        assertThat(three)
                .extracting(Classifications.Classification::getProbability)
                .isSortedAccordingTo((a, b) -> Double.compare(b, a));
        assertThat(three.get(0).getClassName()).isEqualTo("9");

        assertThat(classify(Path.class, BOOT, OPTIONS).topK()).hasSize(5);
        assertThat(classify(Path.class, BOOT, OPTIONS.withTopK(50)).topK()).hasSize(10);
        assertRefused(() -> OPTIONS.withTopK(0), "at least 1 class, not 0");
    }

    @Test
    void load_ofAnotherNumberOfLabels_namesBothCounts() {
        assertRefused(
                () -> ConvZoo.load("peleenet", Path.class, OPTIONS.withLabels(new Labels(List.of("a", "b")))),
                "there are 2 labels, but the weights have 10 classes");
    }

    @Test
    void load_forAnotherType_namesThoseThatThereAre() {
        assertRefused(
                () -> ConvZoo.load("peleenet", Integer.class, OPTIONS),
                "an image must be one of java.nio.file.Path, java.net.URL, java.io.InputStream, java.lang.String,"
                        + " byte[],"
                        + " java.io.File, java.awt.image.BufferedImage, ai.djl.modality.cv.Image,"
                        + " io.github.convzoo.image.RgbImage, not java.lang.Integer");
    }

    @Test
    void load_ofWhatIsNoClassifierOfImages_isRefused() {
        assertRefused(() -> ConvZoo.load("peleenet", Path.class, OPTIONS.withNumClasses(0)), "at least 1 class, not 0");
        assertRefused(
                () -> ConvZoo.load("peleenet", Path.class, OPTIONS.withInChannels(2)),
                "images have 3 channels, or 1 if grayscale, but the network takes 2; use loadLogits");
        assertRefused(
                () -> ConvZoo.load("peleenet", Path.class, OPTIONS.withTestTimePool(true)), "is an option of DPN only");
        assertRefused(
                () -> ConvZoo.load("pelenet", Path.class, OPTIONS), "unknown network pelenet; did you mean peleenet?");
        assertRefused(() -> ConvZoo.loadLogits("pelenet", OPTIONS), "unknown network pelenet");
        assertRefused(() -> ConvZoo.loadLogits("peleenet", OPTIONS.withInChannels(0)), "at least 1, not 0");
    }

    @Test
    void load_ofOtherClassesThanTheWeights_isRefused() {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> ConvZoo.load("peleenet", Path.class, OPTIONS.withNumClasses(12)))
                .withMessageContaining("these weights have 10 classes, not 12");
    }

    @Test
    void load_ofNoFile_namesIt(@TempDir Path folder) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> ConvZoo.load("peleenet", Path.class, LoadOptions.of(folder.resolve("none.pth"))))
                .withMessageContaining("none.pth: ");
    }

    @Test
    void predict_ofNoImage_namesIt(@TempDir Path folder) throws IOException {
        try (ZooModel<Path, Classifications> model = ConvZoo.load("peleenet", Path.class, OPTIONS);
                Predictor<Path, Classifications> predictor = model.newPredictor()) {
            assertThatExceptionOfType(TranslateException.class)
                    .isThrownBy(() -> predictor.predict(folder.resolve("none.png")))
                    .withCauseInstanceOf(ImageException.class)
                    .withMessageContaining("none.png: no such file");
        }
    }

    @Test
    void loadLogits_withoutClasses_givesFeatures() throws IOException, TranslateException {
        assertThat(output(OPTIONS.withNumClasses(0), 3)).isEqualTo(new Shape(2, 704));
        assertThat(output(OPTIONS, 3)).isEqualTo(new Shape(2, 10));
        assertThat(output(OPTIONS.withInChannels(1), 1)).isEqualTo(new Shape(2, 10));
    }

    private static Shape output(LoadOptions options, int channels) throws IOException, TranslateException {
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits("peleenet", options);
                Predictor<NDList, NDList> predictor = model.newPredictor();
                NDManager manager = model.getNDManager().newSubManager()) {
            NDArray input = Reference.image(manager, "", new Shape(2, channels, 32, 32));
            return predictor.predict(new NDList(input)).singletonOrThrow().getShape();
        }
    }

    @Test
    void onLoaded_isToldOnceWhatWasDone() throws IOException {
        List<LoadReport> reports = new ArrayList<>();
        ConvZoo.loadLogits("peleenet", OPTIONS.withInChannels(1).withOnLoaded(reports::add))
                .close();

        assertThat(reports).singleElement().satisfies(report -> {
            assertThat(report.file()).isEqualTo(Samples.PELEENET);
            assertThat(report.modelName()).isEqualTo("peleenet");
            assertThat(report.notes()).hasSize(1);
        });
    }

    @Test
    void load_thatFailsInTheEnd_closesTheModel() throws ReflectiveOperationException, IOException {
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits("peleenet", OPTIONS)) {
            NDManager engine = model.getNDManager().getParentManager();
            int open = openBelow(engine);
            assertRefused(
                    () -> ConvZoo.load("peleenet", Path.class, OPTIONS.withLabels(new Labels(List.of("a")))),
                    "there is 1 label,");
            assertThatIllegalStateException()
                    .isThrownBy(() -> ConvZoo.loadLogits("peleenet", OPTIONS.withOnLoaded(report -> {
                        throw new IllegalStateException("no");
                    })));
            assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> ConvZoo.loadLogits("dla34", OPTIONS));

            // Fewer where models that DJL itself lost in another test are collected meanwhile.
            assertThat(openBelow(engine)).isLessThanOrEqualTo(open);
        }
    }

    /** How many managers and arrays an engine's manager has to close, which DJL does not tell. */
    private static int openBelow(NDManager engine) throws ReflectiveOperationException {
        Field resources = BaseNDManager.class.getDeclaredField("resources");
        resources.setAccessible(true);
        return ((Map<?, ?>) resources.get(engine)).size();
    }

    @Test
    void close_ofAModel_freesItsParameters() throws IOException {
        ZooModel<NDList, NDList> model = ConvZoo.loadLogits("peleenet", OPTIONS);
        NDManager manager = model.getNDManager();
        List<NDArray> arrays = CanonicalNames.parameters(model.getBlock()).values().stream()
                .map(Parameter::getArray)
                .toList();
        assertThat(arrays).isNotEmpty().noneMatch(NDArray::isReleased);
        model.close();

        assertThat(manager.isOpen()).isFalse();
        assertThat(arrays).allMatch(NDArray::isReleased);
    }

    @ParameterizedTest
    @CsvSource({
        "dla34, 224, 256, BILINEAR",
        "peleenet, 224, 256, BILINEAR",
        "dpn68, 224, 256, BICUBIC",
        "dpn68b, 224, 235, BICUBIC",
        "dpn68b.ra_in1k, 224, 235, BICUBIC",
        "dpn68b.mx_in1k, 224, 256, BICUBIC",
        "dpn92_post, 224, 256, BILINEAR",
        "alexnet, 128, 146, BILINEAR"
    })
    void preprocessing_ofAName_isThePublishedOne(String name, int size, int resized, String resampling) {
        Preprocessing published = ConvZoo.preprocessing(name);

        assertThat(published.height()).isEqualTo(size);
        assertThat(published.width()).isEqualTo(size);
        assertThat(published.resizedSide()).isEqualTo(resized);
        assertThat(published.resampling()).hasToString(resampling);
    }

    @Test
    void preprocessing_ofASize_isThePublishedOneWhereThereIs() {
        assertThat(ConvZoo.preprocessing("dpn68b", 288)).isEqualTo(Manifest.preprocessing("dpn68b_ra_288"));
        assertThat(ConvZoo.preprocessing("dpn68b", 224)).isEqualTo(Manifest.preprocessing("dpn68b_ra"));
        assertThat(ConvZoo.preprocessing("dpn68b.mx_in1k", 288).resizedSide()).isEqualTo(329);
        assertThat(ConvZoo.preprocessing("dla34", 32).resizedSide()).isEqualTo(36);
        // floor(256 / 0.95), which 256 * 235 / 224 is not.
        assertThat(ConvZoo.preprocessing("dpn68b", 256).resizedSide()).isEqualTo(269);
    }

    @Test
    void preprocessing_ofEveryPublishedName_isKnown() {
        assertThat(ConvZoo.listWeights("*")).hasSize(21).allSatisfy(name -> assertThat(ConvZoo.preprocessing(name))
                .isNotNull());
    }

    @Test
    void list_byPattern_namesNetworksAndWeights() {
        assertThat(ConvZoo.list("dpn68*"))
                .startsWith("dpn68", "dpn68b")
                .allMatch(name -> name.startsWith("dpn68") && !name.contains("."));
        assertThat(ConvZoo.list("*")).containsExactlyElementsOf(Variant.all().keySet());
        assertThat(ConvZoo.list("nonet*")).isEmpty();
        assertThat(ConvZoo.listWeights("dpn68*")).containsExactly("dpn68.mx_in1k", "dpn68b.ra_in1k", "dpn68b.mx_in1k");
        assertThat(ConvZoo.listWeights("dpn68b")).containsExactly("dpn68b.ra_in1k", "dpn68b.mx_in1k");
        assertThat(ConvZoo.listWeights("*.ra_in1k")).containsExactly("dpn68b.ra_in1k");
        assertThat(ConvZoo.listWeights("alexnet")).isEmpty();
    }

    @Test
    void load_ofNoPublishedWeights_isRefused() {
        assertRefused(() -> ConvZoo.load("alexnet", LoadOptions.published()), "no published weights for alexnet");
        assertRefused(
                () -> ConvZoo.load("dpn68b.in1k", LoadOptions.published()),
                "did you mean dpn68b.ra_in1k or dpn68b.mx_in1k?");
        assertRefused(() -> ConvZoo.load("alexnet.in1k", LoadOptions.published()), "alexnet has none");
    }

    @Test
    void load_of1000Classes_namesImageNets(@TempDir Path folder) throws IOException, TranslateException {
        Network network = Variant.of("dla46x_c").build();
        Path file = Samples.write(folder.resolve("dla.safetensors"), Samples.state(network, new Shape(1, 3, 32, 32)));
        try (ZooModel<Image, Classifications> model = ConvZoo.load(
                        "dla46x_c", LoadOptions.of(file).withInputSize(64).withTopK(3));
                Predictor<Image, Classifications> predictor = model.newPredictor()) {
            Classifications result = predictor.predict(new BufferedImageFactory().fromFile(BOOT));
            assertThat(result.getClassNames()).isEqualTo(Labels.imageNet().names());
            assertThat(result.topK()).hasSize(3);
        }
    }

    @Test
    void loadFeatures_ofSomeLevels_givesTheStagesOutputs() throws IOException, TranslateException {
        try (ZooModel<NDList, NDList> model = ConvZoo.loadFeatures("peleenet", OPTIONS, 1, 3);
                ZooModel<NDList, NDList> every = ConvZoo.loadFeatures("peleenet", OPTIONS);
                Predictor<NDList, NDList> predictor = model.newPredictor();
                Predictor<NDList, NDList> everyPredictor = every.newPredictor();
                NDManager manager = model.getNDManager().newSubManager()) {
            NDArray input = Reference.image(manager, "", new Shape(2, 3, 64, 64));
            NDList maps = predictor.predict(new NDList(input));
            NDList all = everyPredictor.predict(new NDList(input));

            assertThat(maps.getShapes()).containsExactly(new Shape(2, 128, 16, 16), new Shape(2, 512, 4, 4));
            assertThat(all.getShapes())
                    .containsExactly(
                            new Shape(2, 32, 16, 16),
                            new Shape(2, 128, 16, 16),
                            new Shape(2, 256, 8, 8),
                            new Shape(2, 512, 4, 4),
                            new Shape(2, 704, 2, 2));
            assertThat(maps.get(0).toFloatArray()).isEqualTo(all.get(1).toFloatArray());
            assertThat(maps.get(1).toFloatArray()).isEqualTo(all.get(3).toFloatArray());
            assertThat(model.getBlock().getOutputShapes(new Shape[] {new Shape(2, 3, 64, 64)}))
                    .isEqualTo(maps.getShapes());
        }
        assertRefused(() -> ConvZoo.loadFeatures("peleenet", OPTIONS, 5), "levels 0 to 4");
        assertRefused(() -> ConvZoo.loadFeatures("peleenet", OPTIONS, 2, 1), "in ascending order");
        assertRefused(
                () -> ConvZoo.loadFeatures("peleenet", OPTIONS.withNumClasses(10)),
                "do not set the number of classes (10)");
    }

    @Test
    void loadFeatures_givesAModelThatCanBeDescribedAndSaved(@TempDir Path folder) throws IOException {
        try (ZooModel<NDList, NDList> model = ConvZoo.loadFeatures("peleenet", OPTIONS, 1, 3)) {
            assertThat(model.describeInput().values()).containsExactly(new Shape(1, 3, 32, 32));
            model.save(folder, "maps");
            assertThat(folder.resolve("maps-0000.params")).isNotEmptyFile();
        }
    }

    @Test
    void loadLogits_ofWeightsForOtherChannels_takesTheirs(@TempDir Path folder) throws IOException {
        Variant variant = Variant.of("dla46x_c");
        Network network = variant.build(variant.options().withInChannels(4));
        Path file = Samples.write(folder.resolve("four.safetensors"), Samples.state(network, new Shape(1, 4, 32, 32)));
        LoadOptions options = LoadOptions.of(file).withInputSize(32);
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits("dla46x_c", options)) {
            assertThat(((Network) model.getBlock()).options().inChannels()).isEqualTo(4);
        }
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> ConvZoo.loadLogits("dla46x_c", options.withInChannels(3)))
                .withMessageContaining("only weights for 3 can be adapted; request 4");
        assertRefused(() -> ConvZoo.load("dla46x_c", options), "the network takes 4");
    }

    @Test
    void load_ofAnAlexNetOfAnotherSize_saysWhichToGive(@TempDir Path folder) throws IOException {
        Network network = Variant.of("alexnet").build();
        Path file = Samples.write(folder.resolve("alex.safetensors"), Samples.state(network, new Shape(1, 3, 64, 64)));
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> ConvZoo.loadLogits("alexnet", LoadOptions.of(file)))
                .withMessageContaining("for inputs such as 57 x 57, not 128 x 128; set the input size");
        ConvZoo.loadLogits("alexnet", LoadOptions.of(file).withInputSize(64)).close();
    }

    @Test
    void loadFeatures_atTheLastLevel_poolsToThePooledFeatures() throws IOException, TranslateException {
        try (ZooModel<NDList, NDList> maps = ConvZoo.loadFeatures("peleenet", OPTIONS, 4);
                ZooModel<NDList, NDList> pooled = ConvZoo.loadLogits("peleenet", OPTIONS.withNumClasses(0));
                Predictor<NDList, NDList> mapsPredictor = maps.newPredictor();
                Predictor<NDList, NDList> pooledPredictor = pooled.newPredictor();
                NDManager manager = maps.getNDManager().newSubManager()) {
            NDArray input = Reference.image(manager, "", new Shape(2, 3, 64, 64));
            float[] expected = pooledPredictor
                    .predict(new NDList(input))
                    .singletonOrThrow()
                    .toFloatArray();
            float[] mean = mapsPredictor
                    .predict(new NDList(input))
                    .singletonOrThrow()
                    .reshape(2, 704, 4)
                    .mean(new int[] {2})
                    .toFloatArray();
            // Another way to sum the same four pixels.
            assertThat(mean).usingComparatorWithPrecision(1e-5f).containsExactly(expected);
        }
    }

    @Test
    void load_forTraining_leavesParametersTrainableAndReplacesTheClassifier() throws IOException {
        List<LoadReport> reports = new ArrayList<>();
        LoadOptions options = OPTIONS.withNumClasses(4).forTraining().withOnLoaded(reports::add);
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits("peleenet", options)) {
            Map<String, Parameter> parameters = CanonicalNames.parameters(model.getBlock());
            assertThat(parameters)
                    .allSatisfy((name, parameter) ->
                            assertThat(parameter.getArray().hasGradient()).isEqualTo(!name.contains("running_")));
            assertThat(model.getBlock().getOutputShapes(new Shape[] {new Shape(1, 3, 32, 32)}))
                    .containsExactly(new Shape(1, 4));
        }
        assertThat(reports.get(0).notes()).singleElement().satisfies(note -> assertThat(note.rule())
                .isEqualTo(LoadReport.Rule.CLASSIFIER_REPLACED));
    }

    private static List<RgbImage> images(int count) throws IOException {
        FashionMnist test = FashionMnist.test(Samples.FASHION_MNIST, 32);
        List<RgbImage> images = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            images.add(test.image(i));
        }
        return images;
    }

    private static void assertRefused(ThrowingCallable call, String message) {
        assertThatIllegalArgumentException().isThrownBy(call).withMessageContaining(message);
    }

    @Test
    void train_ofAModelForPrediction_namesTheOptionThatItLacks() throws IOException {
        for (boolean training : new boolean[] {false, true}) {
            LoadOptions options = training ? OPTIONS.forTraining() : OPTIONS;
            try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits("peleenet", options);
                    NDManager manager = model.getNDManager().newSubManager();
                    GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                NDList input = new NDList(manager.ones(new Shape(2, 3, 32, 32)));
                ParameterStore store = new ParameterStore(manager, false);
                if (training) {
                    NDArray loss = model.getBlock()
                            .forward(store, input, true)
                            .singletonOrThrow()
                            .sum();
                    collector.backward(loss);
                } else {
                    assertThatIllegalStateException()
                            .isThrownBy(() -> model.getBlock().forward(store, input, true))
                            .withMessageContaining("load it with LoadOptions.forTraining()");
                }
            }
        }
    }

    @Test
    void loadLogits_givenWhatItDoesNotTake_saysWhatItTakes() throws IOException {
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits("peleenet", OPTIONS);
                Predictor<NDList, NDList> predictor = model.newPredictor();
                NDManager manager = model.getNDManager().newSubManager()) {
            NDArray good = manager.ones(new Shape(1, 3, 32, 32));
            List<NDList> bad = List.of(
                    new NDList(),
                    new NDList(good, good),
                    new NDList(good.toType(DataType.FLOAT16, true)),
                    new NDList(good.toType(DataType.FLOAT64, true)),
                    new NDList(good.toType(DataType.UINT8, true)),
                    new NDList(manager.ones(new Shape(3, 32, 32))));
            for (NDList each : bad) {
                assertThatThrownBy(() -> predictor.predict(each))
                        .hasStackTraceContaining("peleenet takes one array of float32 of shape (N, 3, H, W), not ");
            }
        }
    }

    @Test
    void load_ofOwnWeightsUnderABundledName_doesNotTakeTheBundledLabels() throws IOException, TranslateException {
        LoadOptions options = LoadOptions.of(Samples.PELEENET).withDevice(Device.cpu());
        try (ZooModel<Path, Classifications> model = ConvZoo.load("peleenet.fmnist", Path.class, options);
                Predictor<Path, Classifications> predictor = model.newPredictor()) {
            assertThat(predictor.predict(BOOT).getClassNames()).startsWith("0", "1");
        }
    }

    @Test
    void load_withAnInputSizeNextToOwnPreprocessing_scalesIt() throws IOException {
        Preprocessing own = Preprocessing.ofCropFraction(
                64, 0.5, Resampling.NEAREST, new Normalization(List.of(0.1, 0.2, 0.3), List.of(1.0, 1.0, 1.0)));
        assertThat(ConvZoo.configuration(
                                "peleenet",
                                LoadOptions.published().withPreprocessing(own).withInputSize(96))
                        .preprocessing())
                .isEqualTo(own.withInputSize(96));
    }
}
