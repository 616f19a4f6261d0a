package io.github.convzoo.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HubCacheTest {

    @Test
    void commit_isOfAShortFileAlone(@TempDir Path directory) throws IOException {
        HubCache cache = new HubCache(directory);
        assertThat(cache.commit("me/flowers", "main")).isEmpty();
        Path reference = Files.createDirectories(directory.resolve("models--me--flowers/refs"))
                .resolve("main");
        Files.writeString(reference, "abc123" + "\n".repeat(1018));
        assertThat(cache.commit("me/flowers", "main")).contains("abc123");
        Files.writeString(reference, "abc123" + "\n".repeat(1019));
        assertThat(cache.commit("me/flowers", "main")).isEmpty();
        Files.writeString(reference, "../evil");
        assertThat(cache.commit("me/flowers", "main")).isEmpty();
    }
}
