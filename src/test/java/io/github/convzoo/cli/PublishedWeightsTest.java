package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.FormatWriters;
import io.github.convzoo.checkpoint.Npy;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.hub.Hubs;
import io.github.convzoo.hub.LoopbackServer;
import io.github.convzoo.image.Labels;
import io.github.convzoo.network.Variant;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What needs nothing but a name: the first run downloads, the second does without the network. */
class PublishedWeightsTest {

    private static final Path PHOTO = Samples.resource("fashion-mnist/ankle-boot.png");

    private final Path directory;
    private final Map<String, @Nullable String> environment;
    private @Nullable LoopbackServer hub;

    PublishedWeightsTest(@TempDir Path directory) {
        this.directory = directory;
        environment = new HashMap<>(Map.of(
                "HF_HOME", directory.resolve("hf").toString(),
                "DJL_CACHE_DIR", directory.resolve("djl").toString()));
    }

    @AfterEach
    void stop() throws IOException {
        if (hub != null) {
            hub.close();
        }
    }

    /** A hub that has one file at one place. */
    private LoopbackServer serve(String target, Path file) throws IOException {
        LoopbackServer.Handler found = Hubs.file(Files.readAllBytes(file));
        LoopbackServer server = new LoopbackServer((request, out) -> {
            if (request.target().equals(target)) {
                found.answer(request, out);
            } else {
                LoopbackServer.status(out, 404);
            }
        });
        hub = server;
        environment.put("HF_ENDPOINT", server.url());
        environment.put("CONVZOO_MIRROR", server.url() + "/mirror");
        return server;
    }

    private Path weights(String model) throws CheckpointException {
        return Samples.write(
                directory.resolve(model + ".safetensors"),
                Samples.state(Variant.of(model).build(), new Shape(1, 3, 32, 32)));
    }

    private CommandRun predict(String model, Object... more) {
        Object[] args = new Object[more.length + 5];
        args[0] = "predict";
        args[1] = PHOTO;
        args[2] = "--model";
        args[3] = model;
        args[4] = "--json";
        System.arraycopy(more, 0, args, 5, more.length);
        return run(args);
    }

    private CommandRun run(Object... args) {
        return CommandRun.of(environment, Stream.of(args).map(Object::toString).toArray(String[]::new));
    }

    private void assertDownloadedOnceAndSameAs(LoopbackServer server, Path file, String model) {
        CommandRun first = predict(model);
        assertThat(first.err()).isEmpty();
        assertThat(first.status()).isZero();
        assertThat(server.requests()).isNotEmpty();
        server.requests().clear();

        assertThat(predict(model)).isEqualTo(first);
        environment.put("HF_HUB_OFFLINE", "1");
        assertThat(predict(model)).isEqualTo(first);
        assertThat(server.requests()).isEmpty();
        CommandRun own = predict(model, "--weights", file);
        assertThat(own.out()).isEqualTo(first.out());
        assertThat(own.err()).contains(file + ": no configuration found; using the preprocessing of " + model);
        JsonArray predictions = predictions(first);
        assertThat(predictions).hasSize(5);
        JsonObject best = predictions.get(0).getAsJsonObject();
        assertThat(best.get("label").getAsString())
                .isEqualTo(Labels.imageNet().name(best.get("classNumber").getAsInt()));
    }

    private static JsonArray predictions(CommandRun run) {
        JsonElement first = JsonParser.parseString(run.out()).getAsJsonArray().get(0);
        return first.getAsJsonObject().getAsJsonArray("predictions");
    }

    @Test
    void predict_withDla34_downloadsItOnce() throws IOException {
        Path file = weights("dla34");
        LoopbackServer server = serve("/timm/dla34.in1k/resolve/main/model.safetensors", file);
        assertDownloadedOnceAndSameAs(server, file, "dla34");
    }

    @Test
    void predict_withATagOfDpn68b_downloadsThatOne() throws IOException {
        Path file = weights("dpn68b");
        LoopbackServer server = serve("/timm/dpn68b.mx_in1k/resolve/main/model.safetensors", file);
        assertDownloadedOnceAndSameAs(server, file, "dpn68b.mx_in1k");
    }

    @Test
    void predict_withPeleeNet_readsTheAuthorsTrainingCheckpointFromAMirror() throws IOException {
        Path file = directory.resolve("peleenet_acc7208.pth.tar");
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        Samples.state(Variant.of("peleenet").build(), new Shape(1, 3, 32, 32))
                .forEach((name, tensor) -> tensors.put("module." + name, tensor.withName("module." + name)));
        FormatWriters.pytorch(file, tensors);
        LoopbackServer server = serve("/mirror/peleenet_acc7208.pth.tar", file);
        assertDownloadedOnceAndSameAs(server, file, "peleenet");
    }

    @Test
    void predict_thatCannotDownload_saysWhereItLooked() {
        environment.put("DJL_OFFLINE", "true");
        CommandRun run = predict("dla34");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err())
                .hasLineCount(1)
                .startsWith("convzoo: dla34.in1k: it is not cached")
                .contains("DJL_OFFLINE=true");
    }

    @Test
    void predict_ofNoPublishedWeights_asksForAFile() {
        CommandRun run = predict("alexnet");
        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err()).hasLineCount(1).contains("there are no published weights for alexnet");
        assertThat(predict("dla35").err()).hasLineCount(1).contains("unknown network dla35");
        assertThat(predict("dla34.mx").err()).hasLineCount(1).contains("choose from dla34.in1k");
    }

    @Test
    void forward_withAnotherLastActivation_givesOtherLogits() throws IOException {
        Path file = weights("dpn68");
        serve("/timm/dpn68.mx_in1k/resolve/main/model.safetensors", file);
        Path input = directory.resolve("in.npy");
        float[] values = new float[3 * 32 * 32];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) Math.sin(i);
        }
        Npy.write(input, Samples.tensor("input", values, 1, 3, 32, 32));
        float[] usual = logits(input);
        assertThat(logits(input, "--last-activation", "ReLU")).isEqualTo(usual);
        assertThat(logits(input, "--last-activation", "elu")).isNotEqualTo(usual);
        CommandRun wrong = forward(input, "--last-activation", "gelu");
        assertThat(wrong.status()).isEqualTo(2);
        assertThat(wrong.err()).contains("must be relu, elu, or silu, not gelu");
    }

    private CommandRun forward(Path input, Object... more) {
        Object[] args = new Object[more.length + 7];
        args[0] = "forward";
        args[1] = "--model";
        args[2] = "dpn68";
        args[3] = "--input";
        args[4] = input;
        args[5] = "--output";
        args[6] = directory.resolve("out.npy");
        System.arraycopy(more, 0, args, 7, more.length);
        return run(args);
    }

    private float[] logits(Path input, Object... more) throws IOException {
        Files.deleteIfExists(directory.resolve("out.npy"));
        CommandRun run = forward(input, more);
        assertThat(run.err()).isEmpty();
        Tensor logits = Npy.read(directory.resolve("out.npy"));
        return Samples.floats(logits);
    }
}
