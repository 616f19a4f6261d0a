package io.github.convzoo.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import com.google.gson.Gson;
import com.google.gson.reflect.TypeToken;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.Safetensors;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.hub.FileStore;
import io.github.convzoo.hub.Hubs;
import io.github.convzoo.hub.LoopbackServer;
import io.github.convzoo.hub.StoreSettings;
import io.github.convzoo.hub.TransferSettings;
import io.github.convzoo.image.Labels;
import io.github.convzoo.network.FeatureExtractor;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.LoadReport;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.WeightStore;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders as timm writes them, held to the probabilities that timm gives with nothing else. */
class ModelFolderAcceptanceTest {

    private static final List<String> NAMES = List.of("cat", "coffee", "rocket");
    private static final Path CAT = Samples.resource("photos/cat.png");
    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    private final Path home;

    /** Written anew for each test: that takes less than sharing what a test may change. */
    ModelFolderAcceptanceTest(@TempDir Path home) throws IOException {
        this.home = home;
        for (String name : List.of("dla46x_c", "dla46x_c_border", "dpn68b")) {
            Path folder = Files.createDirectories(home.resolve(name));
            Files.copy(Samples.resource("model-folder/" + name + "/config.json"), folder.resolve("config.json"));
            Variant variant = Variant.of(name.replace("_border", ""));
            Map<String, Tensor> state =
                    Samples.state(variant.build(variant.options().withNumClasses(3)), new Shape(1, 3, 32, 32));
            Safetensors.write(folder.resolve("model.safetensors"), state.values(), Map.of("format", "pt"));
        }
    }

    private static Map<String, List<Double>> expected(String name) throws IOException {
        String json = Files.readString(Samples.resource("model-folder/" + name + "/expected.json"));
        return new Gson().fromJson(json, new TypeToken<Map<String, List<Double>>>() {}.getType());
    }

    private static void assertLikeTimm(ZooModel<Path, Classifications> model, String name) throws Exception {
        try (Predictor<Path, Classifications> predictor = model.newPredictor()) {
            for (Map.Entry<String, List<Double>> each : expected(name).entrySet()) {
                Classifications given = predictor.predict(Samples.resource("photos/" + each.getKey()));
                assertThat(given.getClassNames()).isEqualTo(NAMES);
                for (int i = 0; i < 3; i++) {
                    // timm's own sums are in float32 too, in another order.
                    assertThat(given.getProbabilities().get(i))
                            .isCloseTo(each.getValue().get(i), within(2e-5));
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"dla46x_c", "dla46x_c_border", "dpn68b"})
    void load_ofTimmsFolder_givesTimmsProbabilitiesAndLabels(String name) throws Exception {
        try (ZooModel<Path, Classifications> model = ConvZoo.load(home.resolve(name))) {
            assertLikeTimm(model, name);
            assertThat(model.getArtifactNames()).containsExactly("synset.txt");
            String synset = model.getArtifact("synset.txt", in -> new String(readAll(in), StandardCharsets.UTF_8));
            assertThat(synset).isEqualTo("cat\ncoffee\nrocket\n");
            assertThat(model.getArtifact("synset.txt").openStream().readAllBytes())
                    .hasSize(18);
        }
    }

    private static byte[] readAll(java.io.InputStream in) {
        try {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void load_ofTheFolderAsText_isTheSame() throws Exception {
        Path folder = home.resolve("dla46x_c");
        for (String text :
                List.of(folder.toString(), "local-dir:" + folder, folder.toUri().toString())) {
            try (ZooModel<Path, Classifications> model = ConvZoo.load(text, Path.class, LoadOptions.published())) {
                assertLikeTimm(model, "dla46x_c");
            }
        }
    }

    @Test
    void load_asWeightsOfItsNetwork_isTheSame_andOfAnotherIsRefused() throws Exception {
        Path folder = home.resolve("dla46x_c");
        try (ZooModel<Path, Classifications> model = ConvZoo.load("dla46x_c", Path.class, LoadOptions.of(folder))) {
            assertLikeTimm(model, "dla46x_c");
        }
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> ConvZoo.load("dla34", Path.class, LoadOptions.of(folder)))
                .withMessageContainingAll(folder + "/config.json: is for dla46x_c", "dla34");
    }

    @Test
    void criteria_withTheFolder_givesTimmsProbabilities() throws Exception {
        Path folder = home.resolve("dla46x_c");
        Criteria<Path, Classifications> byArgument = Criteria.builder()
                .setTypes(Path.class, Classifications.class)
                .optGroupId("io.github.convzoo")
                .optArtifactId("dla46x_c")
                .optArgument("weights", folder.toString())
                .build();
        Criteria<Path, Classifications> byPath = Criteria.builder()
                .setTypes(Path.class, Classifications.class)
                .optModelPath(folder)
                .optEngine("PyTorch")
                .optArgument("blockFactory", CheckpointBlockFactory.class.getName())
                .optArgument("translatorFactory", ClassifierTranslatorFactory.class.getName())
                .optOption("hasParameter", "false")
                .build();
        for (Criteria<Path, Classifications> criteria : List.of(byArgument, byPath)) {
            try (ZooModel<Path, Classifications> model = criteria.loadModel()) {
                assertLikeTimm(model, "dla46x_c");
            }
        }
    }

    /** S5: whatever the file is called, it is served, and not the published weights. */
    @ParameterizedTest
    @ValueSource(strings = {"best.ckpt", "best.PTH", "final.pkl"})
    void criteria_withAFileOfAnyName_readsIt(String name, @TempDir Path folder) throws Exception {
        Files.copy(home.resolve("dla46x_c/model.safetensors"), folder.resolve(name));
        Criteria<Path, Classifications> criteria = Criteria.builder()
                .setTypes(Path.class, Classifications.class)
                .optModelPath(folder)
                .optEngine("PyTorch")
                .optArgument("model", "dla46x_c")
                .optArgument("blockFactory", CheckpointBlockFactory.class.getName())
                .optArgument("translatorFactory", ClassifierTranslatorFactory.class.getName())
                .optOption("hasParameter", "false")
                .build();
        try (ZooModel<Path, Classifications> model = criteria.loadModel();
                Predictor<Path, Classifications> predictor = model.newPredictor()) {
            assertThat(predictor.predict(CAT).getProbabilities().get(1))
                    .isCloseTo(
                            Objects.requireNonNull(expected("dla46x_c").get("cat.png"))
                                    .get(1),
                            within(2e-5));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"topk", "lables", "inputsize", "option.x.y"})
    void criteria_withAMisspeltArgument_isRefused(String name) {
        Criteria<Path, Classifications> criteria = Criteria.builder()
                .setTypes(Path.class, Classifications.class)
                .optModelPath(home.resolve("dla46x_c"))
                .optEngine("PyTorch")
                .optArgument(name, "1")
                .optArgument("blockFactory", CheckpointBlockFactory.class.getName())
                .optArgument("translatorFactory", ClassifierTranslatorFactory.class.getName())
                .optOption("hasParameter", "false")
                .build();
        if (name.startsWith("option.")) {
            // DJL Serving's own.
            assertThat(loads(criteria)).isTrue();
        } else {
            assertThatIllegalArgumentException()
                    .isThrownBy(criteria::loadModel)
                    .withMessageContaining("unknown argument " + name + "; choose from weights");
        }
    }

    private static boolean loads(Criteria<?, ?> criteria) {
        try (ZooModel<?, ?> model = criteria.loadModel()) {
            return model.getBlock() != null;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void batchPredict_ofRequests_runsOneArrayAndFailsAlone() throws Exception {
        Criteria<Input, Output> criteria = Criteria.builder()
                .setTypes(Input.class, Output.class)
                .optModelPath(home.resolve("dla46x_c"))
                .optEngine("PyTorch")
                .optArgument("blockFactory", CheckpointBlockFactory.class.getName())
                .optArgument("translatorFactory", ClassifierTranslatorFactory.class.getName())
                .optOption("hasParameter", "false")
                .build();
        Input good = input(Files.readAllBytes(CAT));
        Input bad = input("not an image".getBytes(StandardCharsets.UTF_8));
        Input other = input(Files.readAllBytes(Samples.resource("photos/coffee.png")));
        try (ZooModel<Input, Output> model = criteria.loadModel();
                Predictor<Input, Output> predictor = model.newPredictor()) {
            List<Output> outputs = predictor.batchPredict(List.of(good, bad, other, new Input()));

            assertThat(outputs).extracting(Output::getCode).containsExactly(200, 400, 200, 400);
            assertThat(outputs.get(1).getMessage()).startsWith("the request: unknown image format");
            assertThat(outputs.get(3).getMessage()).startsWith("the request is empty");
            assertThat(outputs.get(0).getAsString(0)).contains("rocket");
            for (int i : List.of(0, 2)) {
                Classifications alone = (Classifications)
                        predictor.predict(i == 0 ? good : other).getData();
                Classifications together = (Classifications) outputs.get(i).getData();
                for (int c = 0; c < 3; c++) {
                    // The engine may sum in another order for another batch size.
                    assertThat(together.getProbabilities().get(c))
                            .isCloseTo(alone.getProbabilities().get(c), within(1e-6));
                }
            }
            assertThat(predictor.batchPredict(List.of(bad, bad)))
                    .extracting(Output::getCode)
                    .containsExactly(400, 400);
        }
    }

    private static Input input(byte[] bytes) {
        Input input = new Input();
        input.add(bytes);
        return input;
    }

    @Test
    void load_withOptionsThatDiffer_namesEveryOverride() throws Exception {
        List<LoadReport> reports = new ArrayList<>();
        LoadOptions options = LoadOptions.published()
                .withInputSize(96)
                .withUpright(false)
                .withLabels(new Labels(List.of("a", "b", "c")))
                .withDevice(Device.cpu())
                .withOnLoaded(reports::add);
        try (ZooModel<Path, Classifications> model = ConvZoo.load(home.resolve("dla46x_c"), Path.class, options);
                Predictor<Path, Classifications> predictor = model.newPredictor()) {
            assertThat(predictor.predict(CAT).getClassNames()).containsExactly("a", "b", "c");
        }

        String where = " of " + home.resolve("dla46x_c/config.json");
        assertThat(reports).singleElement().satisfies(report -> assertThat(report.lines())
                .contains(
                        "override: input size 96 x 96 instead of 224 x 224" + where,
                        "override: orientation as stored instead of upright" + where,
                        "override: the labels given instead of those" + where));
        reports.clear();
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(
                home.resolve("dpn68b"), LoadOptions.published().withOnLoaded(reports::add))) {
            assertThat(model.getBlock()).isNotNull();
            assertThat(reports.get(0).remarks())
                    .containsExactly(new LoadReport.Remark(
                            LoadReport.Remark.Kind.SETTING,
                            "last activation: relu (" + home.resolve("dpn68b/config.json") + ")"));
        }
    }

    @Test
    void load_ofAFolderThatContradictsItself_namesBoth(@TempDir Path folder) throws IOException {
        String json = Files.readString(home.resolve("dla46x_c/config.json"));
        Files.copy(home.resolve("dla46x_c/model.safetensors"), folder.resolve("model.safetensors"));
        Path config = folder.resolve("config.json");

        Files.writeString(config, json.replace("\"dla46x_c\"", "\"dla46_c\""));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> ConvZoo.load(folder))
                .withMessageContainingAll(
                        config + ": is for dla46_c", folder.resolve("model.safetensors") + " are for dla46x_c");
        Files.writeString(
                config,
                json.replace("\"num_classes\": 3", "\"num_classes\": 4").replace("\"rocket\"", "\"rocket\", \"x\""));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> ConvZoo.load(folder))
                .withMessageContaining(config + ": has 4 classes, but the weights in ")
                .withMessageContaining(" have 3");
        Files.writeString(config, json.replace("\"in_chans\": 3", "\"in_chans\": 1"));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> ConvZoo.load(folder))
                .withMessageContaining(config + ": has 1 input channels, but the weights in ");
        Files.delete(config);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConvZoo.load(folder))
                .withMessageContaining(folder + ": the network is unknown");
        Files.delete(folder.resolve("model.safetensors"));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> ConvZoo.load(folder))
                .withMessageStartingWith(folder + ": no weights found");
    }

    @Test
    void loadEmbeddings_ofAFolder_givesAVectorPerImage() throws Exception {
        try (ZooModel<Path, float[]> model =
                        ConvZoo.loadEmbeddings(home.resolve("dla46x_c"), Path.class, LoadOptions.published());
                Predictor<Path, float[]> predictor = model.newPredictor()) {
            float[] cat = predictor.predict(CAT);
            List<float[]> both = predictor.batchPredict(List.of(CAT, Samples.resource("photos/coffee.png")));
            assertThat(cat).hasSize(256);
            assertThat(both.get(0)).containsExactly(cat, within(1e-5f));
            assertThat(both.get(1)).isNotEqualTo(both.get(0));
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConvZoo.load(
                        home.resolve("dla46x_c"),
                        Path.class,
                        LoadOptions.published().withNumClasses(0)))
                .withMessageContaining("ConvZoo.loadEmbeddings");
    }

    @Test
    void loadFeatures_ofAFolder_leavesTheClassifierOut() throws Exception {
        List<LoadReport> reports = new ArrayList<>();
        try (ZooModel<NDList, NDList> model = ConvZoo.loadFeatures(
                home.resolve("dla46x_c"), LoadOptions.published().withOnLoaded(reports::add), 5)) {
            assertThat(model.getBlock()).isInstanceOf(FeatureExtractor.class);
            assertThat(reports.get(0).loaded()).noneMatch(name -> name.startsWith("fc."));
        }
    }

    /** A hub with one repository that a user pushed to: a fine-tuned dla46x_c with labels. */
    private LoopbackServer hub(Map<String, String> refs, String weightsName) throws IOException {
        byte[] config = Files.readAllBytes(home.resolve("dla46x_c/config.json"));
        byte[] weights = Files.readAllBytes(home.resolve("dla46x_c/model.safetensors"));
        return new LoopbackServer((request, out) -> {
            String[] parts = request.target().split("/", 6);
            String commit = parts.length < 6 || !parts[1].equals("me") || !parts[2].equals("flowers")
                    ? ""
                    : refs.getOrDefault(parts[4], parts[4]);
            boolean isConfig = parts.length == 6 && parts[5].equals("config.json");
            boolean isWeights = parts.length == 6 && parts[5].equals(weightsName);
            if (!commit.equals(COMMIT) || (!isConfig && !isWeights)) {
                LoopbackServer.status(out, 404);
                return;
            }
            byte[] content = isConfig ? config : weights;
            if (request.method().equals("HEAD")) {
                LoopbackServer.head(out, 200, "X-Repo-Commit", commit, "Content-Length", content.length);
            } else {
                Hubs.send(
                        request,
                        out,
                        content,
                        content.length,
                        "X-Repo-Commit",
                        commit,
                        isWeights ? "X-Linked-ETag" : "ETag",
                        isWeights ? Hubs.quoted(content) : "\"0123456789012345678901234567890123456789\"");
            }
        });
    }

    private static WeightStore store(String endpoint, Path cache, boolean offline) {
        Duration soon = Duration.ofSeconds(5);
        return new WeightStore(new FileStore(new StoreSettings(
                List.of(URI.create(endpoint)),
                List.of(),
                null,
                offline ? "HF_HUB_OFFLINE=1" : null,
                cache.resolve("hf"),
                cache,
                new TransferSettings(soon, soon, 1, Duration.ofMillis(1), Duration.ofMillis(1), 1 << 30))));
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.safetensors", "pytorch_model.bin"})
    void load_fromTheHub_hasLabelsAndPreprocessing_andThenWorksOffline(String weightsName, @TempDir Path cache)
            throws Exception {
        Map<String, String> refs = new ConcurrentHashMap<>(Map.of("main", COMMIT, "v1", COMMIT));
        try (LoopbackServer server = hub(refs, weightsName)) {
            LoadOptions online = LoadOptions.published().withStore(store(server.url(), cache, false));
            for (String name : List.of("hf-hub:me/flowers", "hf-hub:me/flowers@v1", "hf-hub:me/flowers@" + COMMIT)) {
                try (ZooModel<Path, Classifications> model = ConvZoo.load(name, Path.class, online)) {
                    assertLikeTimm(model, "dla46x_c");
                }
            }
            // Three names of one commit are one download.
            assertThat(server.requests().stream()
                            .filter(request -> request.method().equals("GET")
                                    && request.target().endsWith(weightsName)))
                    .hasSize(1);
            // What another repository or revision has is not there, and that is said.
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> ConvZoo.load("hf-hub:me/flowers@v2", Path.class, online))
                    .withMessageContaining("no such repository or revision");
            int before = server.requests().size();
            List<LoadReport> reports = new ArrayList<>();
            LoadOptions offline = LoadOptions.published()
                    .withStore(store(server.url(), cache, true))
                    .withOnLoaded(reports::add);
            try (ZooModel<Path, Classifications> model = ConvZoo.load("hf-hub:me/flowers", Path.class, offline)) {
                assertLikeTimm(model, "dla46x_c");
            }
            assertThat(server.requests()).hasSize(before);
            assertThat(reports.get(0).lines())
                    .anySatisfy(line -> assertThat(line).contains("used at commit " + COMMIT, "HF_HUB_OFFLINE=1"));
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> ConvZoo.load("hf-hub:me/other", Path.class, offline))
                    .withMessageContaining("the network is off");
        }
    }

    @Test
    void load_ofABranchThatMoved_takesWhereItIsNow(@TempDir Path cache) throws Exception {
        Map<String, String> refs = new ConcurrentHashMap<>(Map.of("main", "f".repeat(40)));
        try (LoopbackServer server = hub(refs, "model.safetensors")) {
            LoadOptions options = LoadOptions.published().withStore(store(server.url(), cache, false));
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> ConvZoo.load("hf-hub:me/flowers", Path.class, options));
            refs.put("main", COMMIT);
            try (ZooModel<Path, Classifications> model = ConvZoo.load("hf-hub:me/flowers", Path.class, options)) {
                assertLikeTimm(model, "dla46x_c");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"hf-hub:", "hf-hub:me", "hf-hub:me/", "hf-hub:a/b/c", "hf-hub:me/x@", "hf-hub:../x"})
    void load_ofNoRepository_isRefused(String name) {
        assertThatIllegalArgumentException().isThrownBy(() -> ConvZoo.load(name, Path.class, LoadOptions.published()));
    }

    @Test
    void configuration_ofAFolder_isWhatItSays() throws IOException {
        ModelConfig config = ConvZoo.configuration(home.resolve("dla46x_c").toString(), LoadOptions.published());
        assertThat(config.labels()).contains(new Labels(NAMES));
        assertThat(declared("dla34")).isEmpty();
        assertThat(declared("peleenet.fmnist")).isPresent();
        assertThat(declared(home.resolve("dla46x_c").toString())).contains(config);
    }

    private static Optional<ModelConfig> declared(String model) throws IOException {
        return ConvZoo.open(model, LoadOptions.published()).declared(LoadOptions.published());
    }
}
