package io.github.convzoo.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.Application;
import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.modality.cv.BufferedImageFactory;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.translator.ImageClassificationTranslatorFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.Artifact;
import ai.djl.repository.MRL;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ModelZoo;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import com.google.gson.JsonArray;
import com.google.gson.JsonParser;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.FormatWriters;
import io.github.convzoo.hub.Hubs;
import io.github.convzoo.hub.LoopbackServer;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.Manifest;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** DJL's own door. */
class CriteriaTest {

    private static final Path BOOT = Samples.resource("fashion-mnist/ankle-boot.png");
    private static final Path LABELS = Samples.resource("fashion-mnist/labels.txt");

    // Images are padded where the size is as small as this, for the published way resizes to 36 and crops.
    private static final int SIZE = 32;

    private static <I, O> Criteria.Builder<I, O> peleenet(Class<I> input, Class<O> output) {
        return Criteria.builder()
                .setTypes(input, output)
                .optGroupId("io.github.convzoo")
                .optArtifactId("peleenet")
                .optDevice(Device.cpu())
                .optArgument("weights", Samples.PELEENET.toString())
                .optArgument("labels", LABELS.toString())
                .optArgument("inputSize", SIZE)
                .optArgument("topK", 3);
    }

    private static LoadOptions sameOptions() throws IOException {
        return LoadOptions.of(Samples.PELEENET)
                .withLabels(Labels.read(LABELS))
                .withInputSize(SIZE)
                .withTopK(3)
                .withDevice(Device.cpu());
    }

    private static <I, O> O predict(Criteria<I, O> criteria, I input) throws Exception {
        try (ZooModel<I, O> model = criteria.loadModel();
                Predictor<I, O> predictor = model.newPredictor()) {
            return predictor.predict(input);
        }
    }

    private static List<Double> expected() throws IOException, TranslateException {
        try (ZooModel<Path, Classifications> model = ConvZoo.load("peleenet", Path.class, sameOptions());
                Predictor<Path, Classifications> predictor = model.newPredictor()) {
            return predictor.predict(BOOT).getProbabilities();
        }
    }

    @Test
    void loadModel_forEveryTypeOfImage_givesWhatConvZooGives() throws Exception {
        List<Double> expected = expected();
        assertSame(predict(peleenet(Path.class, Classifications.class).build(), BOOT), expected);
        assertSame(
                predict(
                        peleenet(URL.class, Classifications.class).build(),
                        BOOT.toUri().toURL()),
                expected);
        assertSame(predict(peleenet(String.class, Classifications.class).build(), BOOT.toString()), expected);
        assertSame(
                predict(
                        peleenet(String.class, Classifications.class).build(),
                        BOOT.toUri().toString()),
                expected);
        assertSame(predict(peleenet(String.class, Classifications.class).build(), dataUrl()), expected);
        Image image = new BufferedImageFactory().fromFile(BOOT);
        assertSame(predict(peleenet(Image.class, Classifications.class).build(), image), expected);
        assertSame(predict(peleenet(RgbImage.class, Classifications.class).build(), RgbImage.of(image)), expected);
        try (InputStream in = Files.newInputStream(BOOT)) {
            assertSame(
                    predict(peleenet(InputStream.class, Classifications.class).build(), in), expected);
        }
    }

    private static void assertSame(Classifications actual, List<Double> expected) {
        assertThat(actual.getProbabilities()).isEqualTo(expected);
        assertThat(actual.getClassNames()).contains("Ankle boot").hasSize(10);
        assertThat(actual.topK()).hasSize(3);
    }

    private static String dataUrl() throws IOException {
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(Files.readAllBytes(BOOT));
    }

    @Test
    void loadModel_forInputAndOutput_servesImagesAndJson() throws Exception {
        List<Double> expected = expected();
        Input image = new Input();
        image.add(Files.readAllBytes(BOOT));
        Input json = new Input();
        json.addProperty("Content-Type", "application/json; charset=utf-8");
        json.add("{\"image_url\": \"" + dataUrl() + "\"}");
        try (ZooModel<Input, Output> model =
                        peleenet(Input.class, Output.class).build().loadModel();
                Predictor<Input, Output> predictor = model.newPredictor()) {
            Output output = predictor.predict(image);
            assertThat(output.getProperty("Content-Type", null)).isEqualTo("application/json");
            JsonArray best = JsonParser.parseString(output.getAsString(0)).getAsJsonArray();
            assertThat(best).hasSize(3);
            double probability =
                    best.get(0).getAsJsonObject().get("probability").getAsDouble();
            assertThat(expected).contains(probability);
            assertThat(predictor.predict(json).getAsString(0)).isEqualTo(output.getAsString(0));
        }
    }

    @Test
    void input_thatIsNoImage_isRefusedWithAReason() throws Exception {
        Input empty = new Input();
        Input text = new Input();
        text.add("hello");
        Input local = new Input();
        local.addProperty("Content-Type", "application/json");
        local.add("{\"image_url\": \"" + BOOT.toUri() + "\"}");
        Input none = new Input();
        none.addProperty("Content-Type", "application/json");
        none.add("[1]");
        try (ZooModel<Input, Output> model =
                        peleenet(Input.class, Output.class).build().loadModel();
                Predictor<Input, Output> predictor = model.newPredictor()) {
            assertRefused(predictor, empty, "the request is empty");
            assertRefused(predictor, text, "the request: ");
            assertRefused(predictor, local, "starts with http:, https:, or data:");
            assertRefused(predictor, none, "must have an image_url");
        }
    }

    /** A request that cannot be answered is answered with what is wrong with it. */
    private static void assertRefused(Predictor<Input, Output> predictor, Input input, String message)
            throws TranslateException {
        Output output = predictor.predict(input);
        assertThat(output.getCode()).isEqualTo(400);
        assertThat(output.getMessage()).contains(message);
    }

    @Test
    void loadModel_forArrays_givesLogitsPooledFeaturesOrMaps() throws Exception {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            NDArray input = Reference.image(manager, "", new Shape(2, 3, 32, 32));
            try (ZooModel<NDList, NDList> direct = ConvZoo.loadLogits("peleenet", sameOptions());
                    Predictor<NDList, NDList> predictor = direct.newPredictor()) {
                float[] expected =
                        predictor.predict(new NDList(input)).singletonOrThrow().toFloatArray();
                assertThat(logits(manager, arrays().build(), input)).isEqualTo(expected);
            }
            assertThat(shapes(arrays().optArgument("numClasses", "0"), input)).containsExactly(new Shape(2, 704));
            assertThat(shapes(arrays().optArgument("featuresOnly", "true"), input))
                    .hasSize(5);
            assertThat(shapes(arrays().optArgument("featuresOnly", List.of(2.0, 4.0)), input))
                    .containsExactly(new Shape(2, 256, 4, 4), new Shape(2, 704, 1, 1));
            NDArray gray = Reference.image(manager, "", new Shape(2, 1, 32, 32));
            assertThat(shapes(arrays().optArgument("inChannels", 1.0), gray)).containsExactly(new Shape(2, 10));
        }
    }

    private static Criteria.Builder<NDList, NDList> arrays() {
        return peleenet(NDList.class, NDList.class);
    }

    private static float[] logits(NDManager manager, Criteria<NDList, NDList> criteria, NDArray input)
            throws Exception {
        NDList output = predict(criteria, new NDList(input));
        output.attach(manager);
        return output.singletonOrThrow().toFloatArray();
    }

    private static Shape[] shapes(Criteria.Builder<NDList, NDList> criteria, NDArray input) throws Exception {
        return predict(criteria.build(), new NDList(input)).getShapes();
    }

    @Test
    void loadModel_withWrongArguments_isRefused() {
        assertIllegal(peleenet(Path.class, Classifications.class).optArgument("topk", 3), "unknown argument topk");
        assertIllegal(
                peleenet(Path.class, Classifications.class).optArgument("inputSize", "large"),
                "the argument inputSize must be a whole number, or height x width such as 192x320, not large");
        assertIllegal(
                peleenet(Path.class, Classifications.class).optArgument("testTimePool", "yes"),
                "testTimePool must be true or false");
        assertIllegal(
                peleenet(NDList.class, NDList.class).optArgument("featuresOnly", "level2"),
                "featuresOnly must be true");
        assertIllegal(
                peleenet(NDList.class, NDList.class).optArgument("lastActivation", "gelu"),
                "must be relu, elu, or silu, not gelu");
        assertIllegal(
                peleenet(Path.class, Classifications.class).optArgument("inChannels", 4), "images have 3 channels");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> peleenet(Path.class, Classifications.class)
                        .optArgument("numClasses", 11)
                        .build()
                        .loadModel())
                .withMessageContaining("10 classes, not 11");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> peleenet(Path.class, Classifications.class)
                        .optArgument("labels", "none.txt")
                        .build()
                        .loadModel())
                .withMessageContaining("none.txt");
    }

    private static void assertIllegal(Criteria.Builder<?, ?> criteria, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> criteria.build().loadModel())
                .withMessageContaining(message);
    }

    @Test
    void loadModel_thatNobodyHas_saysWhatThereIs() {
        assertNotFound(
                peleenet(Path.class, Path.class), "from java.nio.file.Path to java.nio.file.Path is not supported");
        assertNotFound(
                peleenet(Path.class, Classifications.class).optFilter("tag", "in22k"),
                "filter tag in1k, fmnist, not {tag=in22k}");
        assertNotFound(
                Criteria.builder()
                        .setTypes(Path.class, Classifications.class)
                        .optGroupId("io.github.convzoo")
                        .optArtifactId("alexnet"),
                "alexnet has no published weights; pass a file in the argument weights");
        assertNotFound(
                Criteria.builder().setTypes(Path.class, Classifications.class).optGroupId("io.github.convzoo"),
                "by artifact id");
    }

    private static void assertNotFound(Criteria.Builder<?, ?> criteria, String message) {
        assertThatExceptionOfType(ModelNotFoundException.class)
                .isThrownBy(() -> criteria.build().loadModel())
                .havingCause()
                .withMessageContaining(message);
    }

    @Test
    void loadModel_ofPublishedWeightsInTheCache_takesThoseOfTheTag(@TempDir Path cache) throws Exception {
        Network network = Variant.of("dpn68b").build();
        Path file = cache.resolve("cache/convzoo/dpn68b.mx_in1k/model.safetensors");
        Files.createDirectories(file.getParent());
        Samples.write(file, Samples.state(network, new Shape(1, 3, 32, 32)));
        String before = System.getProperty("DJL_CACHE_DIR");
        System.setProperty("DJL_CACHE_DIR", cache.toString());
        System.setProperty("ai.djl.offline", "true");
        try {
            Criteria<Image, Classifications> criteria = Criteria.builder()
                    .setTypes(Image.class, Classifications.class)
                    .optArtifactId("io.github.convzoo:dpn68b")
                    .optFilter("tag", "mx_in1k")
                    .build();
            assertThat(criteria.isDownloaded()).isTrue();
            criteria.downloadModel();
            Classifications result = predict(criteria, new BufferedImageFactory().fromFile(BOOT));
            assertThat(result.getClassNames()).isEqualTo(Labels.imageNet().names());
            Criteria<Image, Classifications> other = criteria.toBuilder()
                    .setTypes(Image.class, Classifications.class)
                    .optFilter("tag", "ra_in1k")
                    .build();
            assertThat(other.isDownloaded()).isFalse();
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(other::loadModel)
                    .withMessageContaining("dpn68b.ra_in1k: it is not cached");
        } finally {
            System.clearProperty("ai.djl.offline");
            if (before == null) {
                System.clearProperty("DJL_CACHE_DIR");
            } else {
                System.setProperty("DJL_CACHE_DIR", before);
            }
        }
    }

    @Test
    void modelPath_ofACheckpoint_isLoadedByTheFactories(@TempDir Path folder) throws Exception {
        Path alone = folder.resolve("model");
        Files.createDirectories(alone);
        Files.copy(Samples.PELEENET, alone.resolve("mine.safetensors"));
        Files.copy(LABELS, alone.resolve("names.txt"));
        for (Path path : List.of(alone, alone.resolve("mine.safetensors"))) {
            Criteria<Path, Classifications> criteria = Criteria.builder()
                    .setTypes(Path.class, Classifications.class)
                    .optModelPath(path)
                    .optEngine("PyTorch")
                    .optDevice(Device.cpu())
                    .optArgument("model", "peleenet")
                    .optArgument("labels", "names.txt")
                    .optArgument("inputSize", SIZE)
                    .optArgument("topK", 3)
                    .optArgument("blockFactory", CheckpointBlockFactory.class.getName())
                    .optTranslatorFactory(new ClassifierTranslatorFactory())
                    .optOption("hasParameter", "false")
                    .build();
            assertSame(predict(criteria, BOOT), expected());
        }
    }

    @Test
    void modelPath_withServingProperties_needsNothingElse(@TempDir Path folder) throws Exception {
        Files.copy(Samples.PELEENET, folder.resolve("mine.safetensors"));
        Files.copy(LABELS, folder.resolve("names.txt"));
        Files.writeString(
                folder.resolve("serving.properties"),
                """
                engine=PyTorch
                option.hasParameter=false
                blockFactory=io.github.convzoo.zoo.CheckpointBlockFactory
                translatorFactory=io.github.convzoo.zoo.ClassifierTranslatorFactory
                model=peleenet
                labels=names.txt
                inputSize=32
                topK=3
                """);
        Input image = new Input();
        image.add(Files.readAllBytes(BOOT));
        Criteria<Input, Output> criteria = Criteria.builder()
                .setTypes(Input.class, Output.class)
                .optModelPath(folder)
                .optDevice(Device.cpu())
                .build();
        JsonArray best =
                JsonParser.parseString(predict(criteria, image).getAsString(0)).getAsJsonArray();
        assertThat(best).hasSize(3);
        assertThat(expected())
                .contains(best.get(0).getAsJsonObject().get("probability").getAsDouble());
    }

    @Test
    void modelPath_withoutOneCheckpoint_isRefused(@TempDir Path folder) throws Exception {
        Criteria.Builder<NDList, NDList> criteria = Criteria.builder()
                .setTypes(NDList.class, NDList.class)
                .optModelPath(folder)
                .optEngine("PyTorch")
                .optArgument("blockFactory", CheckpointBlockFactory.class.getName())
                .optOption("hasParameter", "false");
        assertIllegal(criteria, "is not a model folder; choose from dla34");
        criteria.optArgument("model", "alexnet");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> criteria.build().loadModel())
                .withMessageContaining("no checkpoint found");
        criteria.optArgument("model", "peleenet");
        Files.copy(Samples.PELEENET, folder.resolve("a.safetensors"));
        Files.copy(Samples.PELEENET, folder.resolve("b.safetensors"));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> criteria.build().loadModel())
                .withMessageContaining("several files may be its weights, a.safetensors, b.safetensors");
    }

    @Test
    void listModels_ofThisZoo_namesEveryNetworkAndItsWeights() throws IOException {
        ModelZoo zoo = ModelZoo.getModelZoo("io.github.convzoo");
        assertThat(ModelZoo.listModelZoo()).contains(zoo);
        List<MRL> models = ModelZoo.listModels(Criteria.builder()
                        .optGroupId("io.github.convzoo")
                        .optModelZoo(zoo)
                        .build())
                .get(Application.CV.IMAGE_CLASSIFICATION);
        assertThat(models)
                .filteredOn(mrl -> mrl.getGroupId().equals("io.github.convzoo"))
                .extracting(MRL::getArtifactId)
                .containsExactlyInAnyOrderElementsOf(Stream.concat(
                                Variant.all().keySet().stream(),
                                Manifest.rows().stream().map(Manifest.Row::name))
                        .toList());
        assertThat(zoo.getModelLoader("dpn68b.mx_in1k").getMrl().listArtifacts())
                .extracting(Artifact::getName)
                .containsExactly("dpn68b.mx_in1k");
        MRL dpn68b = zoo.getModelLoader("dpn68b").getMrl();
        assertThat(dpn68b.listArtifacts())
                .extracting(Artifact::getName)
                .containsExactly("dpn68b.ra_in1k", "dpn68b.mx_in1k");
        assertThat(dpn68b.getDefaultArtifact().getName()).isEqualTo("dpn68b.ra_in1k");
    }

    @Test
    void loadModel_forImagesOfWhatIsNoClassifier_isRefusedBeforeLoading() {
        assertIllegal(
                peleenet(Path.class, Classifications.class)
                        .optArgument("weights", "none.pth")
                        .optArgument("featuresOnly", true),
                "feature maps need the types NDList to NDList");
        assertIllegal(
                peleenet(Path.class, Classifications.class)
                        .optArgument("weights", "none.pth")
                        .optArgument("numClasses", 0),
                "at least 1 class, not 0");
    }

    @Test
    void loadModel_withAFactoryOfTheUsersOwn_passesItsArgumentsOn() throws Exception {
        Criteria<Image, Classifications> criteria = peleenet(Image.class, Classifications.class)
                .optTranslatorFactory(new ImageClassificationTranslatorFactory())
                .optArgument("applySoftmax", true)
                .optArgument("width", 32)
                .optArgument("height", 32)
                .optArgument("resize", true)
                .optArgument("synset", "a,b,c,d,e,f,g,h,i,j")
                .build();
        Classifications result = predict(criteria, new BufferedImageFactory().fromFile(BOOT));
        assertThat(result.getClassNames()).startsWith("a", "b");
    }

    @Test
    void downloadModel_withoutAnArtifact_leavesItToOthers() throws Exception {
        Criteria<Path, Classifications> criteria = Criteria.builder()
                .setTypes(Path.class, Classifications.class)
                .optGroupId("io.github.convzoo")
                .build();
        assertThat(criteria.isDownloaded()).isTrue();
        criteria.downloadModel();
        assertThat(peleenet(Path.class, Classifications.class)
                        .optArgument("weights", "none.pth")
                        .build()
                        .isDownloaded())
                .isFalse();
    }

    @Test
    void factories_writtenAndReadAgain_areWhatTheyWere() throws Exception {
        for (Object factory : List.of(new ClassifierTranslatorFactory(), new CheckpointBlockFactory())) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
                out.writeObject(factory);
            }
            try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
                assertThat(in.readObject()).isInstanceOf(factory.getClass());
            }
        }
    }

    @Test
    void modelPath_ofAShardedCheckpoint_isLoadedByItsIndex(@TempDir Path folder) throws Exception {
        Network network = Variant.of("peleenet").build();
        FormatWriters.sharded(folder, Samples.state(network, new Shape(1, 3, 32, 32)), 3);
        Criteria<NDList, NDList> criteria = Criteria.builder()
                .setTypes(NDList.class, NDList.class)
                .optModelPath(folder)
                .optEngine("PyTorch")
                .optArgument("model", "peleenet")
                .optArgument("blockFactory", CheckpointBlockFactory.class.getName())
                .optTranslatorFactory(new ClassifierTranslatorFactory())
                .optOption("hasParameter", "false")
                .build();
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            NDArray input = Reference.image(manager, "", new Shape(1, 3, 32, 32));
            assertThat(predict(criteria, new NDList(input)).getShapes()).containsExactly(new Shape(1, 1000));
        }
    }

    @Test
    void url_thatLeadsNowhere_isNamedWithoutItsSecrets() throws Exception {
        byte[] boot = Files.readAllBytes(BOOT);
        try (LoopbackServer server = new LoopbackServer((request, out) -> {
                    if (request.target().startsWith("/boot.png")) {
                        Hubs.send(request, out, boot, boot.length);
                    } else if (request.target().equals("/moved.png")) {
                        LoopbackServer.status(out, 302, "Location", "/boot.png");
                    } else {
                        LoopbackServer.status(out, 404);
                    }
                });
                ZooModel<String, Classifications> model =
                        peleenet(String.class, Classifications.class).build().loadModel();
                Predictor<String, Classifications> predictor = model.newPredictor()) {
            assertThat(predictor.predict(server.url() + "/boot.png?key=secret").getProbabilities())
                    .isEqualTo(expected());
            assertWrong(predictor, server.url() + "/none.png?key=secret", "/none.png: the server responded 404");
            assertWrong(predictor, server.url() + "/moved.png", "responded 302 with a redirect, which is not followed");
            assertWrong(predictor, "http://127.0.0.1:1/a.png", "http://127.0.0.1:1/a.png: cannot be downloaded");
            assertWrong(predictor, "img:1.png", "not an image URL");
            assertWrong(predictor, "data:image/png,abc", "base64 data URL");
            assertWrong(predictor, "a\0b", "neither a URL nor a path");
        }
    }

    private static void assertWrong(Predictor<String, Classifications> predictor, String image, String message) {
        assertThatExceptionOfType(TranslateException.class)
                .isThrownBy(() -> predictor.predict(image))
                .satisfies(e -> assertThat(e.getMessage()).contains(message).doesNotContain("secret"));
    }

    @Test
    void imageUrl_ofThisNetwork_isNotFetched() throws Exception {
        try (LoopbackServer server = new LoopbackServer((request, out) -> LoopbackServer.status(out, 200));
                ZooModel<Input, Output> model =
                        peleenet(Input.class, Output.class).build().loadModel();
                Predictor<Input, Output> predictor = model.newPredictor()) {
            Input json = new Input();
            json.addProperty("Content-Type", "application/json");
            json.add("{\"image_url\": \"" + server.url() + "/a.png\"}");
            assertRefused(predictor, json, "is at an internal network address");
            assertThat(server.requests()).isEmpty();
        }
    }

    @Test
    void resourceDirectory_ofWhatIsNotDownloaded_doesNotExist(@TempDir Path cache) throws IOException {
        Path home = cache.resolve("cache/convzoo/dla34.in1k");
        Files.createDirectories(home);
        Files.write(home.resolve("model.safetensors.part"), new byte[10]);
        String before = System.getProperty("DJL_CACHE_DIR");
        System.setProperty("DJL_CACHE_DIR", cache.toString());
        try {
            MRL mrl = ModelZoo.getModelZoo("io.github.convzoo")
                    .getModelLoader("dla34")
                    .getMrl();
            assertThat(mrl.isPrepared(mrl.getDefaultArtifact())).isFalse();
        } finally {
            if (before == null) {
                System.clearProperty("DJL_CACHE_DIR");
            } else {
                System.setProperty("DJL_CACHE_DIR", before);
            }
        }
    }
}
