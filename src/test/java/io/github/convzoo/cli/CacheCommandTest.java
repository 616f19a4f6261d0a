package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.convzoo.hub.Hubs;
import io.github.convzoo.hub.LoopbackServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheCommandTest {

    private static final byte[] CONTENT = Hubs.bytes(50_000, 7);

    private final Map<String, @Nullable String> environment;
    private final Path file;
    private final Path part;

    CacheCommandTest(@TempDir Path directory) throws IOException {
        try (LoopbackServer hub = new LoopbackServer(Hubs.file(CONTENT))) {
            environment = Map.of(
                    "HF_ENDPOINT", hub.url(),
                    "HF_HOME", directory.resolve("hf").toString(),
                    "DJL_CACHE_DIR", directory.resolve("djl").toString());
            CommandRun.of(environment, "pull", "dla34");
        }
        file = directory.resolve("djl/cache/convzoo/dla34.in1k/model.safetensors");
        part = file.resolveSibling("dla34-2b83ff04.pth.part");
        Files.write(part, new byte[1234]);
    }

    @Test
    void list_files_areShownWithSizeAndState() {
        CommandRun run = CommandRun.of(environment, "cache", "list");
        assertThat(run.status()).isZero();
        assertThat(run.out())
                .hasLineCount(4)
                .containsPattern("dla34.in1k +1,234  partial +" + part)
                .containsPattern("dla34.in1k +50,000  verified +" + file);
    }

    @Test
    void list_json_hasHashes() {
        CommandRun run = CommandRun.of(environment, "cache", "list", "--json");
        JsonObject row =
                JsonParser.parseString(run.out()).getAsJsonArray().get(1).getAsJsonObject();
        assertThat(row.get("weights").getAsString()).isEqualTo("dla34.in1k");
        assertThat(row.get("path").getAsString()).isEqualTo(file.toString());
        assertThat(row.get("sha256").getAsString()).isEqualTo(Hubs.sha256(CONTENT));
        assertThat(row.get("expected").getAsString()).isEqualTo(Hubs.sha256(CONTENT));
    }

    @Test
    void verify_goodFiles_isDone() {
        CommandRun run = CommandRun.of(environment, "cache", "verify");
        assertThat(run.status()).isZero();
        assertThat(run.err()).isEmpty();
    }

    @Test
    void verify_corruptFile_failsWithBothHashes() throws Exception {
        byte[] flipped = CONTENT.clone();
        flipped[0] ^= 1;
        Files.write(file, flipped);
        CommandRun run = CommandRun.of(environment, "cache", "verify");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).hasLineCount(1).contains(file.toString(), Hubs.sha256(CONTENT), Hubs.sha256(flipped));
    }

    @Test
    void prune_partialFile_isRemovedAndTheGoodOneKept() {
        CommandRun run = CommandRun.of(environment, "cache", "prune");
        assertThat(run.status()).isZero();
        assertThat(run.out()).contains(part.toString()).doesNotContain(file + System.lineSeparator());
        assertThat(part).doesNotExist();
        assertThat(file).exists();
    }

    @Test
    void prune_all_removesEverything() {
        CommandRun run = CommandRun.of(environment, "cache", "prune", "--all", "--json");
        assertThat(JsonParser.parseString(run.out()).getAsJsonArray()).hasSize(2);
        assertThat(file.getParent()).doesNotExist();
    }

    @Test
    void cache_noCommand_isMisuse() {
        CommandRun run = CommandRun.of(environment, "cache");
        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err()).hasLineCount(1).startsWith("convzoo: ");
    }

    private Path compiled(String name, boolean complete, Instant modified) throws IOException {
        Path folder = Files.createDirectories(
                file.resolve("../../../convzoo-compiled").normalize().resolve(name));
        Files.write(folder.resolve("config.json"), new byte[7]);
        // A process that was killed leaves its draft in a folder of its own.
        Path model = folder.resolve(complete ? "model.onnx" : ".export12/model.onnx");
        Files.createDirectories(model.getParent());
        Files.write(model, new byte[4_000]);
        Files.setLastModifiedTime(folder, FileTime.from(modified));
        return folder;
    }

    @Test
    void list_compiledModels_areShownWithSizeAndState() throws IOException {
        Path whole = compiled("dla34-ab", true, Instant.now());
        Path part = compiled("dla60-cd", false, Instant.now());
        assertThat(CommandRun.of(environment, "cache", "list").out())
                .hasLineCount(6)
                .containsPattern("dla34-ab +4,007  compiled +" + whole)
                .containsPattern("dla60-cd +4,007  partial +" + part);
        assertThat(JsonParser.parseString(CommandRun.of(environment, "cache", "list", "--json")
                                .out())
                        .getAsJsonArray()
                        .get(2)
                        .getAsJsonObject()
                        .get("size")
                        .getAsLong())
                .isEqualTo(4_007);
    }

    @Test
    void list_compiledModels_areInTheOrderOfTheirNames() throws IOException {
        for (String name : List.of("dpn92-e", "dla34-b", "peleenet-f", "alexnet-a", "dpn68-d", "dla60-c")) {
            compiled(name, true, Instant.now());
        }
        assertThat(CommandRun.of(environment, "cache", "list").out())
                .containsSubsequence("alexnet-a", "dla34-b", "dla60-c", "dpn68-d", "dpn92-e", "peleenet-f");
    }

    @Test
    void prune_compiledModels_removesOldIncompleteOnesAlone() throws IOException {
        Instant old = Instant.now().minusSeconds(3_660);
        Path whole = compiled("dla34-ab", true, old);
        Path leftOver = compiled("dla60-cd", false, old);
        Path now = compiled("dla60-ef", false, Instant.now().minusSeconds(3_000));
        CommandRun run = CommandRun.of(environment, "cache", "prune");
        assertThat(run.out()).contains("dla60-cd").doesNotContain("dla34-ab", "dla60-ef");
        assertThat(leftOver).doesNotExist();
        assertThat(whole).exists();
        assertThat(now).exists();
        CommandRun.of(environment, "cache", "prune", "--all");
        assertThat(whole.getParent()).isEmptyDirectory();
    }
}
