package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.entries;
import static io.github.convzoo.checkpoint.Crafted.floats;
import static io.github.convzoo.checkpoint.Crafted.resource;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsTest {
    private final Path directory;

    SafetensorsTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    @ParameterizedTest
    @ValueSource(strings = {"types.pth", "views.pth", "parameters.pth"})
    void tensors_ofAPyTorchFile_surviveARoundTrip(String name) throws IOException {
        Map<String, Value> tensors = entries(Checkpoint.read(resource(name)).root());
        List<Tensor> list = new ArrayList<>();
        tensors.values().forEach(value -> list.add((Tensor) value));
        Path file = directory.resolve("copy.safetensors");
        Safetensors.write(file, list, Map.of());
        Checkpoint copies = Checkpoint.read(file);
        assertThat(entries(copies.root())).containsOnlyKeys(tensors.keySet());
        for (Tensor tensor : list) {
            Tensor copy = Crafted.tensor(copies, tensor.name());
            assertThat(copy.type()).isEqualTo(tensor.type());
            assertThat(copy.shape()).containsExactly(tensor.shape());
            assertThat(copy.bytes()).isEqualTo(tensor.bytes());
        }
        assertThat(directory.toFile().list()).containsExactly("copy.safetensors");
    }

    @Test
    void readCopy_ofAFileThatIsOverwritten_keepsWhatItWas() throws IOException {
        Path file = directory.resolve("model.safetensors");
        Safetensors.write(file, List.of(floats("a", new long[] {2}, 1, 2)), Map.of("k", "v"));
        Checkpoint copy = Checkpoint.readCopy(file);
        // In place, which a mapping would show.
        Files.write(file, new byte[(int) Files.size(file)]);

        assertThat(copy.metadata()).containsExactly(Map.entry("k", "v"));
        assertThat(floats(Crafted.tensor(copy, "a"))).containsExactly(1, 2);
        assertThat(Crafted.tensor(copy, "a").bytes().isReadOnly()).isTrue();
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Checkpoint.readCopy(file))
                .withMessageStartingWith(file.toString());
        Path empty = Files.createFile(directory.resolve("empty"));
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Checkpoint.readCopy(empty))
                .withMessageStartingWith(empty.toString());
        Path none = directory.resolve("none");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Checkpoint.readCopy(none))
                .withMessageContaining("no such file");
    }

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "Windows refuses to replace a mapped file")
    void file_writtenOverTheOneThatItsTensorsCameFrom_isWhole() throws IOException {
        Path file = directory.resolve("model.safetensors");
        Safetensors.write(file, List.of(floats("a", new long[] {2}, 1, 2)), Map.of("k", "v"));
        Tensor mapped = (Tensor)
                entries(Checkpoint.read(file).root()).values().iterator().next();
        Safetensors.write(file, List.of(mapped.withName("b"), floats("a", new long[0], 7)), Map.of());
        Checkpoint read = Checkpoint.read(file);
        assertThat(floats(Crafted.tensor(read, "b"))).containsExactly(1, 2);
        assertThat(floats(Crafted.tensor(read, "a"))).containsExactly(7);
    }

    @Test
    void header_ofEqualInput_isEqualWhateverTheMapsOrder() throws IOException {
        Map<String, String> forth = new LinkedHashMap<>();
        forth.put("a", "1");
        forth.put("b", "2");
        Map<String, String> back = new LinkedHashMap<>();
        back.put("b", "2");
        back.put("a", "1");
        Tensor tensor = floats("t", new long[] {1}, 1);
        Safetensors.write(directory.resolve("forth"), List.of(tensor), forth);
        Safetensors.write(directory.resolve("back"), List.of(tensor), back);
        assertThat(directory.resolve("forth")).hasSameBinaryContentAs(directory.resolve("back"));
        byte[] bytes = Files.readAllBytes(directory.resolve("forth"));
        assertThat(ByteBuffer.wrap(bytes).get(0) % 8).isZero();
        assertThat(new String(bytes, StandardCharsets.ISO_8859_1))
                .contains("{\"__metadata__\":{\"a\":\"1\",\"b\":\"2\"},");
    }

    @Test
    void names_thatCannotBeWritten_areRefusedAndLeaveTheOldFile() throws IOException {
        Path file = directory.resolve("model.safetensors");
        Files.writeString(file, "old");
        Tensor a = floats("a", new long[] {1}, 1);
        for (List<Tensor> tensors : List.of(
                List.of(a, a), List.of(a.withName("__metadata__")), List.of(a.withName("half a pair \ud800")))) {
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> Safetensors.write(file, tensors, Map.of()))
                    .satisfies(e -> assertThat(e.tensor()).isPresent());
        }
        assertThat(file).hasContent("old");
        assertThat(directory.toFile().list()).containsExactly("model.safetensors");
    }
}
