package io.github.convzoo.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ai.djl.modality.Classifications;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.Format;
import io.github.convzoo.hub.FetchException;
import io.github.convzoo.hub.FileStore;
import io.github.convzoo.hub.Hubs;
import io.github.convzoo.hub.LoopbackServer;
import io.github.convzoo.hub.StoreSettings;
import io.github.convzoo.hub.TransferSettings;
import io.github.convzoo.weights.WeightStore;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Repositories of the hub, their weights in one file or several. */
class HubModelTest {

    private static final String NAME = "hf-hub:" + FineTuned.REPOSITORY;

    private final Path cache;
    private final Map<String, byte[]> files;
    private final LoopbackServer server;

    HubModelTest(@TempDir Path cache, @TempDir Path folder) throws IOException {
        this.cache = cache;
        files = FineTuned.inTwoFiles(folder);
        server = new LoopbackServer(Hubs.repository(FineTuned.REPOSITORY, FineTuned.COMMIT, files));
    }

    @AfterEach
    void close() throws IOException {
        server.close();
    }

    private LoadOptions options(@Nullable String offline) {
        Duration soon = Duration.ofSeconds(5);
        return LoadOptions.published()
                .withStore(new WeightStore(new FileStore(new StoreSettings(
                        List.of(URI.create(server.url())),
                        List.of(),
                        null,
                        offline,
                        cache.resolve("hf"),
                        cache,
                        new TransferSettings(soon, soon, 1, Duration.ofMillis(1), Duration.ofMillis(1), 1 << 30)))));
    }

    private long requests(String method, String file) {
        return server.requests().stream()
                .filter(request ->
                        request.method().equals(method) && request.target().endsWith("/" + file))
                .count();
    }

    @Test
    void open_ofWeightsInSeveralFiles_fetchesEachOnce_andWorksOffline() throws Exception {
        OpenModel open = ConvZoo.open(NAME, options(null));
        try (ZooModel<Path, Classifications> model = ConvZoo.load(open, Path.class, options(null))) {
            assertThat(model.getBlock().getParameters()).isNotEmpty();
        }
        assertThat(open.checkpoint(options(null)).format()).isEqualTo(Format.SAFETENSORS_INDEX);
        assertThat(FineTuned.bias(open.checkpoint(options(null)))).hasSize(3);
        assertThat(requests("HEAD", "config.json")).isEqualTo(1);
        for (String file : files.keySet()) {
            assertThat(requests("GET", file)).as(file).isEqualTo(1);
        }
        int before = server.requests().size();
        assertThat(FineTuned.bias(
                        ConvZoo.open(NAME, options("HF_HUB_OFFLINE=1")).checkpoint(options(null))))
                .isEqualTo(FineTuned.bias(open.checkpoint(options(null))));
        assertThat(server.requests()).hasSize(before);
    }

    @Test
    void open_ofAPartInTheCacheOfOtherTools_takesItFromThere() throws Exception {
        Path snapshot = Files.createDirectories(
                cache.resolve("hf/models--me--flowers/snapshots").resolve(FineTuned.COMMIT));
        Files.write(snapshot.resolve(FineTuned.SECOND), Objects.requireNonNull(files.remove(FineTuned.SECOND)));

        assertThat(FineTuned.bias(ConvZoo.open(NAME, options(null)).checkpoint(options(null))))
                .hasSize(3);
        assertThat(requests("GET", FineTuned.SECOND)).isZero();
    }

    /** It is JSON all the same, and padded with blanks. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void open_ofAConfigurationBeyond16MiB_isRefused(int over) throws Exception {
        byte[] config = Objects.requireNonNull(files.get("config.json"));
        byte[] padded = Arrays.copyOf(config, (16 << 20) + over);
        Arrays.fill(padded, config.length, padded.length, (byte) ' ');
        files.put("config.json", padded);
        if (over == 0) {
            assertThat(ConvZoo.open(NAME, options(null))
                            .checkpoint(options(null))
                            .format())
                    .isEqualTo(Format.SAFETENSORS_INDEX);
        } else {
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> ConvZoo.open(NAME, options(null)))
                    .withMessageContaining("config.json: has more than 16 MiB");
        }
    }

    @Test
    void open_ofAMissingPart_namesIt() {
        files.remove(FineTuned.SECOND);
        assertThatExceptionOfType(FetchException.class)
                .isThrownBy(() -> ConvZoo.open(NAME, options(null)))
                .withMessageContaining(FineTuned.SECOND + ": could not be fetched");
    }

    /**
     * Some would be taken for what the cache itself writes next to other files, such as the receipt config.json of
     * config.
     */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "config",
                "config.json",
                "model.safetensors.index.json",
                "model.safetensors.json",
                "model.safetensors.part",
                "a.tmp",
                "-a.safetensors",
                "../a.safetensors",
                "a/b.safetensors",
                "..",
                ".safetensors"
            })
    void open_ofAnIndexWithAnotherNameForAPart_asksForNothing(String part) {
        files.put(
                FineTuned.INDEX,
                ("{\"weight_map\": {\"fc.bias\": \"" + part + "\"}}").getBytes(StandardCharsets.UTF_8));
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> ConvZoo.open(NAME, options(null)))
                .withMessageContaining(part);
        assertThat(server.requests())
                .extracting(request -> request.target().replaceAll(".*/", ""))
                .containsOnly("config.json", "model.safetensors", FineTuned.INDEX);
    }

    @Test
    void open_ofARepositoryWithoutWeights_saysWhichNamesWereTried() {
        files.keySet().retainAll(List.of("config.json"));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> ConvZoo.open(NAME, options(null)))
                .withMessageContainingAll(
                        "holds no weights", "model.safetensors", FineTuned.INDEX, "pytorch_model.bin.index.json");
    }

    @Test
    void checkpoint_ofARepositoryForAnotherLibrary_needsNoConfiguration() throws IOException {
        files.put("config.json", "{\"model_type\": \"bert\"}".getBytes(StandardCharsets.UTF_8));
        assertThat(FineTuned.bias(ConvZoo.checkpoint(
                        LoadOptions.of(NAME).withStore(options(null).store()))))
                .hasSize(3);
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> ConvZoo.open(NAME, options(null)))
                .withMessageContaining("config.json");
    }

    /** DJL's door has the process's environment alone, so a process is what it takes. */
    @ParameterizedTest
    @ValueSource(strings = {"argument", "option", "factory"})
    void criteria_withARepositoryForWeights_loadsItWithItsLabels(String way) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                CriteriaMain.class.getName(),
                way,
                NAME,
                Samples.resource("photos").toString());
        builder.environment()
                .putAll(Map.of(
                        "HF_ENDPOINT", server.url(),
                        "HF_HOME", cache.resolve("hf").toString(),
                        "DJL_CACHE_DIR", cache.toString(),
                        "ENGINE_CACHE_DIR",
                                Path.of(System.getProperty("user.home"), ".djl.ai")
                                        .toString()));
        builder.environment().remove("HF_HUB_OFFLINE");
        builder.redirectErrorStream(true);
        Process process = builder.start();
        String out = String.join("\n", process.inputReader().lines().toList());
        assertThat(process.waitFor()).as(out).isZero();
        assertThat(out).contains("[cat, coffee, rocket]");
        assertThat(requests("GET", FineTuned.FIRST)).isEqualTo(1);
    }
}
