package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonParser;
import io.github.convzoo.hub.Hubs;
import io.github.convzoo.hub.LoopbackServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PullCommandTest {

    private static final byte[] CONTENT = Hubs.bytes(50_000, 6);

    private final Path directory;

    private final LoopbackServer hub;
    private final Map<String, @Nullable String> environment;

    PullCommandTest(@TempDir Path directory) throws IOException {
        this.directory = directory;
        hub = new LoopbackServer(Hubs.file(CONTENT));
        environment = new HashMap<>(Map.of(
                "HF_ENDPOINT", hub.url(),
                "HF_HOME", directory.resolve("hf").toString(),
                "DJL_CACHE_DIR", directory.resolve("djl").toString()));
    }

    @AfterEach
    void stop() throws IOException {
        hub.close();
    }

    @Test
    void pull_name_downloadsItAndSaysWhereItIs() {
        CommandRun run = CommandRun.of(environment, "pull", "dla34");
        assertThat(run.status()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out()).isEqualToIgnoringNewLines(file("dla34.in1k") + ": dla34.in1k, 50,000 bytes, verified");
        assertThat(file("dla34.in1k")).hasBinaryContent(CONTENT);
    }

    @Test
    void pull_again_asksNobody() {
        CommandRun first = CommandRun.of(environment, "pull", "dla34.in1k");
        hub.requests().clear();
        environment.put("HF_HUB_OFFLINE", "1");
        assertThat(CommandRun.of(environment, "pull", "dla34.in1k")).isEqualTo(first);
        assertThat(hub.requests()).isEmpty();
    }

    @Test
    void pull_pattern_takesEveryTagAndPrintsJson() {
        CommandRun run = CommandRun.of(environment, "pull", "dpn68*", "dpn68", "--json");
        assertThat(run.status()).isZero();
        JsonArray rows = JsonParser.parseString(run.out()).getAsJsonArray();
        assertThat(rows)
                .extracting(row -> row.getAsJsonObject().get("weights").getAsString())
                .containsExactly("dpn68.mx_in1k", "dpn68b.ra_in1k", "dpn68b.mx_in1k");
        assertThat(rows.get(0).getAsJsonObject().get("sha256").getAsString()).isEqualTo(Hubs.sha256(CONTENT));
        assertThat(rows.get(0).getAsJsonObject().get("state").getAsString()).isEqualTo("verified");
        assertThat(rows.get(0).getAsJsonObject().get("size").getAsLong()).isEqualTo(50_000);
    }

    @Test
    void pull_unknownName_isMisuse() {
        for (String name : new String[] {"dla35", "dla35*", "dla34.mx_in1k", "dla34.in1kx", "dla34.in1"}) {
            CommandRun run = CommandRun.of(environment, "pull", "dla34", name);
            assertThat(run.status()).isEqualTo(2);
            assertThat(run.err())
                    .startsWith("convzoo: there are no published weights " + name)
                    .hasLineCount(1);
        }
        assertThat(hub.requests()).isEmpty();
    }

    @Test
    void pull_noName_isMisuse() {
        CommandRun run = CommandRun.of(environment, "pull");
        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err()).hasLineCount(1).endsWith("see convzoo pull --help" + System.lineSeparator());
    }

    @Test
    void pull_wrongEndpoint_isMisuse() {
        environment.put("HF_ENDPOINT", "localhost");
        CommandRun run = CommandRun.of(environment, "pull", "dla34");
        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err()).hasLineCount(1).contains("https://huggingface.co");
    }

    @Test
    void pull_oneCannotBeHad_hasTheOthersAndFails() throws Exception {
        CommandRun.of(environment, "pull", "dla60");
        environment.put("DJL_OFFLINE", "true");
        CommandRun run = CommandRun.of(environment, "pull", "dla34", "dla60");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.out()).hasLineCount(1).contains("dla60.in1k");
        assertThat(run.err())
                .hasLineCount(1)
                .startsWith("convzoo: dla34.in1k: it is not cached")
                .contains("DJL_OFFLINE=true", file("dla34.in1k").toString());
        assertThat(Files.exists(file("dla34.in1k"))).isFalse();
    }

    private Path file(String weights) {
        return directory.resolve("djl/cache/convzoo").resolve(weights).resolve("model.safetensors");
    }
}
