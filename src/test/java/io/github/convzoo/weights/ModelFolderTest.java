package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.convzoo.network.DlaVariant;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelFolderTest {

    private final Path folder;

    ModelFolderTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"best.ckpt", "best.PTH", "final.pkl", "model.bin", "weights", "a.npz", "b.pdparams", "c.tar"})
    void weights_ofAnyName_areTheOnlyFileOfTheFolder(String name) throws IOException {
        for (String other : new String[] {"README.md", "config.json", "synset.txt", "serving.properties", ".hidden"}) {
            Files.writeString(folder.resolve(other), "x");
        }
        Files.createDirectory(folder.resolve("last"));
        assertThat(ModelFolder.weights(folder)).isEmpty();

        Files.writeString(folder.resolve(name), "x");

        assertThat(ModelFolder.weights(folder)).contains(folder.resolve(name));
    }

    @Test
    void weights_ofUsualNames_goBeforeOthers() throws IOException {
        String[] ascending = {
            "optimizer.pt",
            "pytorch_model.bin.index.json",
            "pytorch_model.bin",
            "model.safetensors.index.json",
            "model.safetensors"
        };
        for (String name : ascending) {
            Files.writeString(folder.resolve(name), "x");
            assertThat(ModelFolder.weights(folder)).contains(folder.resolve(name));
        }
    }

    @Test
    void weights_ofSeveralFiles_areRefusedByName() throws IOException {
        Files.writeString(folder.resolve("last.ckpt"), "x");
        Files.writeString(folder.resolve("best.ckpt"), "x");

        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> ModelFolder.weights(folder))
                .withMessageStartingWith(folder + ": ")
                .withMessageContaining("best.ckpt, last.ckpt");
        // Of a sharded checkpoint the index is what is read.
        Files.writeString(folder.resolve("dla.safetensors.index.json"), "{}");
        assertThat(ModelFolder.weights(folder)).contains(folder.resolve("dla.safetensors.index.json"));
    }

    @Test
    void config_isWhatWasWritten_andFolderIsMade() throws IOException {
        ModelConfig config = ModelConfig.usual(DlaVariant.DLA46_C);
        Path made = folder.resolve("a").resolve("b");

        ModelFolder.writeConfig(made, config);

        assertThat(ModelFolder.config(made)).contains(config);
        assertThat(ModelFolder.config(folder)).isEmpty();
        Path file = Files.writeString(folder.resolve("file"), "x");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> ModelFolder.writeConfig(file, config))
                .withMessageStartingWith(file + ": ");
    }

    @Test
    void config_thatIsDamaged_isRefused() throws IOException {
        Path file = folder.resolve("config.json");
        Files.write(file, "{\"architecture\": \"dl\u00e434\"}".getBytes(StandardCharsets.ISO_8859_1));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> ModelFolder.config(folder))
                .withMessage(file + ": not UTF-8; save it as UTF-8");
        Files.write(file, new byte[(1 << 24) + 1]);
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> ModelFolder.config(folder))
                .withMessageContaining("more than 16 MiB");
    }
}
