package io.github.convzoo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files inside a jar, which cannot be mapped. */
class OtherFileSystemTest {
    private final Path jar;

    OtherFileSystemTest(@TempDir Path directory) {
        jar = directory.resolve("models.jar");
    }

    private FileSystem open() throws IOException {
        return FileSystems.newFileSystem(URI.create("jar:" + jar.toUri()), Map.of("create", "true"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"metadata.safetensors", "small.pth", "arrays.npz", "mxnet_types.params", "pickle_dump.pkl"})
    void file_inAJar_isReadAsAnyOther(String name) throws IOException {
        try (FileSystem files = open()) {
            Path inside = files.getPath("/models", name);
            Files.createDirectories(inside.getParent());
            Files.copy(Crafted.resource(name), inside);
        }
        Checkpoint expected = Checkpoint.read(Crafted.resource(name));
        Checkpoint copied;
        Checkpoint read;
        try (FileSystem files = open()) {
            Path inside = files.getPath("/models", name);
            read = Checkpoint.read(inside);
            copied = Checkpoint.readCopy(inside);
            assertThat(read.file()).isEqualTo(inside);
        }
        // The tensors outlive the file system.
        assertSame(read, expected);
        assertSame(copied, expected);
    }

    private static void assertSame(Checkpoint read, Checkpoint expected) {
        assertThat(read.format()).isEqualTo(expected.format());
        Map<String, Value> entries = Crafted.entries(read.root());
        assertThat(entries.keySet()).isEqualTo(Crafted.entries(expected.root()).keySet());
        Crafted.entries(expected.root()).forEach((name, value) -> {
            if (value instanceof Tensor tensor) {
                assertThat(((Tensor) Objects.requireNonNull(entries.get(name))).bytes())
                        .isEqualTo(tensor.bytes());
            }
        });
    }

    @Test
    void index_inAJar_findsTheFilesNextToIt() throws IOException {
        try (FileSystem files = open()) {
            Path shard = files.getPath("/1.safetensors");
            Path local = jar.resolveSibling("1.safetensors");
            Safetensors.write(local, List.of(Crafted.floats("a", new long[] {1}, 7)), Map.of());
            Files.copy(local, shard);
            Path index =
                    Files.writeString(files.getPath("/index.json"), "{\"weight_map\": {\"a\": \"1.safetensors\"}}");
            assertThat(Crafted.floats(Crafted.tensor(Checkpoint.read(index), "a")))
                    .containsExactly(7);
        }
    }

    @Test
    void file_missingOrDamagedInAJar_isRefusedByItsPath() throws IOException {
        try (FileSystem files = open()) {
            Path missing = files.getPath("/none.pth");
            CheckpointException refusal =
                    catchThrowableOfType(CheckpointException.class, () -> Checkpoint.read(missing));
            assertThat(refusal).hasMessage("/none.pth: no such file; check the path");
            assertThat(refusal.file()).isEqualTo(missing);
            Path text = Files.writeString(files.getPath("/text.pth"), "Entry not found");
            assertThat(catchThrowableOfType(CheckpointException.class, () -> Checkpoint.read(text)))
                    .hasMessageContaining("a server's error response");
            Path empty = Files.createFile(files.getPath("/empty.pth"));
            assertThat(catchThrowableOfType(CheckpointException.class, () -> Checkpoint.read(empty)))
                    .hasMessageContaining("the file is empty");
        }
    }

    @Test
    void temporaryFiles_areGoneOnceTheFileIsRead() throws IOException {
        Path small = Crafted.resource("small.pth");
        try (FileSystem files = open()) {
            Path inside = Files.copy(small, files.getPath("/small.pth"));
            List<Path> before = temporaryFiles();
            assertThat(Checkpoint.read(inside).root()).isNotNull();
            assertThat(temporaryFiles()).isSubsetOf(before);
        }
    }

    private static List<Path> temporaryFiles() throws IOException {
        try (var files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(file -> file.getFileName().toString().endsWith(".weights"))
                    .toList();
        }
    }
}
