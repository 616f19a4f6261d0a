package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.hub.Hubs;
import io.github.convzoo.hub.LoopbackServer;
import io.github.convzoo.image.Labels;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import io.github.convzoo.zoo.FineTuned;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code hf-hub:owner/name} wherever a command takes a model, with a hub on loopback. */
class HubCommandsTest {

    private static final String NAME = "hf-hub:" + FineTuned.REPOSITORY;
    private static final String PHOTO = Samples.resource("photos/cat.png").toString();

    private final Path directory;
    private final Map<String, byte[]> files;
    private final LoopbackServer server;
    private final Map<String, @Nullable String> environment;

    HubCommandsTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) throws IOException {
        this.directory = directory;
        files = FineTuned.inTwoFiles(directory);
        server = new LoopbackServer(Hubs.repository(FineTuned.REPOSITORY, FineTuned.COMMIT, files));
        environment = Map.of(
                "HF_ENDPOINT", server.url(),
                "HF_HOME", directory.resolve("hf").toString(),
                "DJL_CACHE_DIR", directory.resolve("djl").toString());
    }

    @AfterEach
    void close() throws IOException {
        server.close();
    }

    private CommandRun succeeding(String... args) {
        CommandRun run = CommandRun.of(environment, args);
        assertThat(run.status()).as(run.err()).isZero();
        return run;
    }

    /** The hub is asked once where the branch is, so that a command opens the model once. */
    private void assertOpenedOnce() {
        assertThat(server.requests().stream().filter(request -> request.method().equals("HEAD")))
                .hasSize(1);
        for (String file : files.keySet()) {
            assertThat(server.requests().stream()
                            .filter(request -> request.method().equals("GET")
                                    && request.target().endsWith("/" + file)))
                    .as(file)
                    .hasSizeLessThanOrEqualTo(1);
        }
    }

    @Test
    void inspect_ofARepository_saysWhatItsWeightsFit() {
        JsonObject report = JsonParser.parseString(
                        succeeding("inspect", NAME, "fc.*", "--json").out())
                .getAsJsonObject();
        assertThat(report.get("format").getAsString()).isEqualTo("safetensors_index");
        assertThat(report.getAsJsonArray("fits").toString()).contains("\"model\":\"dla46x_c\"", "\"numClasses\":3");
        assertThat(report.getAsJsonArray("tensors")).hasSize(2);
        assertOpenedOnce();
    }

    @Test
    void inspect_ofARepositoryForAnotherLibrary_showsItsTensors() {
        files.put("config.json", "{\"model_type\": \"bert\"}".getBytes(StandardCharsets.UTF_8));
        assertThat(succeeding("inspect", NAME, "--no-stats").out()).contains("fits", "dla46x_c with 3 classes");
    }

    @Test
    void inspect_ofNoRepository_fails() {
        CommandRun run = CommandRun.of(environment, "inspect", "hf-hub:me/none");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).hasLineCount(1).contains("me/none@main", "no such repository");
        run = CommandRun.of(environment, "inspect", "hf-hub:none");
        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err()).hasLineCount(1).contains("write hf-hub:owner/name");
    }

    @Test
    void predict_ofARepository_opensItOnce() {
        assertThat(succeeding("predict", PHOTO, "--model", NAME, "--device", "cpu")
                        .out())
                .contains("cat", "coffee", "rocket");
        assertOpenedOnce();
    }

    /** In a process of its own, whose logger has the level that the command asks for. */
    @Test
    void predict_verbose_printsTheReportOnce() throws Exception {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "predict",
                PHOTO,
                "--model",
                NAME,
                "--input-size",
                "64",
                "--verbose");
        builder.environment().putAll(environment);
        builder.environment()
                .put(
                        "ENGINE_CACHE_DIR",
                        Path.of(System.getProperty("user.home"), ".djl.ai").toString());
        builder.environment().remove("HF_HUB_OFFLINE");
        builder.redirectErrorStream(true);
        Process process = builder.start();
        List<String> lines = process.inputReader().lines().toList();
        assertThat(process.waitFor()).as(lines.toString()).isZero();
        assertThat(lines.stream().filter(line -> line.contains("tensors loaded into")))
                .hasSize(1);
        assertThat(lines.stream().filter(line -> line.contains("input size 64 x 64 instead of")))
                .hasSize(1);
    }

    @Test
    void convert_ofARepository_writesOneFile() throws IOException {
        Path out = directory.resolve("converted");
        succeeding("convert", NAME, "--output", out.toString());
        assertOpenedOnce();
        assertThat(FineTuned.bias(Checkpoint.read(out.resolve("model.safetensors"))))
                .hasSize(3);
        assertThat(ModelFolder.config(out).flatMap(ModelConfig::labels).map(Labels::names))
                .contains(List.of("cat", "coffee", "rocket"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--model", "--weights"})
    void train_ofARepository_startsFromItsWeights(String option) throws IOException {
        Path data = directory.resolve("data");
        for (String part : List.of("train", "val")) {
            for (String name : List.of("cat", "coffee", "rocket")) {
                Path folder = Files.createDirectories(data.resolve(part).resolve(name));
                Files.copy(Path.of(PHOTO), folder.resolve("1.png"));
                Files.copy(Path.of(PHOTO), folder.resolve("2.png"));
            }
        }
        Path run = directory.resolve("run");
        CommandRun trained = succeeding(
                "train",
                option,
                NAME,
                "--data",
                data.toString(),
                "--output",
                run.toString(),
                "--epochs",
                "1",
                "--batch-size",
                "2",
                "--input-size",
                "64",
                "--lr",
                "1e-9",
                "--device",
                "cpu");
        assertOpenedOnce();
        assertThat(trained.err()).doesNotContain("from scratch");
        List<Float> before = FineTuned.bias(Checkpoint.read(
                directory.resolve("djl/cache/convzoo/me--flowers@" + FineTuned.COMMIT + "/" + FineTuned.INDEX)));
        List<Float> after = FineTuned.bias(Checkpoint.read(run.resolve("last/model.safetensors")));
        for (int i = 0; i < 3; i++) {
            assertThat(after.get(i)).isCloseTo(before.get(i), within(1e-6f));
        }
        assertThat(ModelFolder.config(run).map(config -> config.variant().modelName()))
                .contains("dla46x_c");
    }
}
