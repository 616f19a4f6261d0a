package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.floats;
import static io.github.convzoo.checkpoint.Crafted.refused;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

class ShardedReaderTest {
    private final Path directory;

    ShardedReaderTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) throws IOException {
        this.directory = directory;
        Safetensors.write(
                directory.resolve("1.safetensors"),
                List.of(Crafted.floats("a", new long[] {1}, 1), Crafted.floats("b", new long[] {1}, 2)),
                Map.of());
        Safetensors.write(
                directory.resolve("2.safetensors"), List.of(Crafted.floats("c", new long[] {1}, 3)), Map.of());
    }

    private Path index(String json) throws IOException {
        return Files.writeString(Files.createTempFile(directory, "index", ".json"), json);
    }

    private static String map(String entries) {
        return "{\"weight_map\": {" + entries.replace('\'', '"') + "}}";
    }

    private static final String VALID = "'a': '1.safetensors', 'c': '2.safetensors', 'b': '1.safetensors'";

    @Test
    void tensors_ofAllFiles_areReadInTheOrderOfTheIndex() throws IOException {
        Checkpoint checkpoint =
                Checkpoint.read(index("{\"metadata\": {\"total_size\": 12, \"by\": \"x\", \"odd\": -1.5e3}, "
                        + map(VALID).substring(1)));
        assertThat(checkpoint.format()).isEqualTo(Format.SAFETENSORS_INDEX);
        assertThat(checkpoint.metadata()).isEqualTo(Map.of("total_size", "12", "by", "x", "odd", "-1.5e3"));
        assertThat(Crafted.entries(checkpoint.root()).keySet()).containsExactly("a", "c", "b");
        assertThat(floats(Crafted.tensor(checkpoint, "b"))).containsExactly(2);
        assertThat(Crafted.tensor(checkpoint, "c").bytes().isDirect()).isTrue();
    }

    /** As JSON has them. */
    static final String[] PATH_TRICKS = {
        "../1.safetensors",
        "/etc/passwd",
        "sub/1.safetensors",
        "..",
        ".hidden",
        "a\\\\b",
        "C:x",
        "C:/x",
        "//host/share",
        "file:///etc/passwd",
        "~/1.safetensors",
        "\uff0e\uff0e\u2215x",
        "nul\\u0000",
        "",
        " "
    };

    @ParameterizedTest
    @FieldSource("PATH_TRICKS")
    void file_thatIsNotBesideTheIndex_isRefused(String name) throws IOException {
        CheckpointException refusal = refused(index(map("'a': '" + name + "'")));
        assertThat(refusal).hasMessageContaining("not a plain file name");
        assertThat(refusal.tensor()).hasValue("a");
    }

    @Test
    void index_thatDiffersFromItsFiles_isRefused() throws IOException {
        assertThat(refused(index(map(VALID + ", 'd': '2.safetensors'")))).hasMessageContaining("no such tensor");
        assertThat(refused(index(map("'a': '1.safetensors'")))).hasMessageContaining("but not in the index");
        assertThat(refused(index(map(VALID + ", 'a': '1.safetensors'")))).hasMessageContaining("twice");
        assertThat(refused(index(map("'a': '3.safetensors'")))).hasMessageContaining("no such file");
    }

    @Test
    void file_thatHoldsNoNamedTensors_isRefused() throws IOException {
        Files.writeString(directory.resolve("again.json"), map("'a': 'again.json'"));
        assertThat(refused(directory.resolve("again.json"))).hasMessageContaining("neither a safetensors file nor");
        Files.copy(Crafted.resource("mxnet_types.params"), directory.resolve("m.params"));
        assertThat(refused(index(map("'w': 'm.params'")))).hasMessageContaining("neither a safetensors file nor");
        Files.write(
                directory.resolve("list.pth"),
                Crafted.torch(new PickleAssembler().list().stop(), new byte[0]).bytes());
        assertThat(refused(index(map("'w': 'list.pth'")))).hasMessageContaining("neither a safetensors file nor");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"architectures\": []} | such as a model's configuration, not an index of weights",
                "{} | no weight_map",
                "{\"metadata\": {\"a\": []}, \"weight_map\": {}} | instead of text or a number",
                "{\"metadata\": {\"a\": 01}} | instead of text or a number",
                "{\"metadata\": {\"a\": truth}} | instead of text or a number",
                "{\"weight_map\": {}, \"weight_map\": {}} | twice",
                "{\"weight_map\": {}} x | after its end",
                "{\"weight_map\": { | not valid JSON"
            })
    void index_thatIsMalformed_isRefused(String json, String message) throws IOException {
        assertThat(refused(index(json))).hasMessageContaining(message);
    }

    @Test
    void limits_letThroughWhatTheySay() throws IOException {
        // As long as the headers of the files that it names.
        Path index = index(map(VALID) + " ".repeat(300));
        int length = (int) Files.size(index);
        Limits enough = Limits.DEFAULT
                .with(Limit.HEADER_BYTES, length)
                .with(Limit.TENSORS, 3)
                .with(Limit.NAME_LENGTH, 1);
        assertThat(Checkpoint.read(index, enough).format()).isEqualTo(Format.SAFETENSORS_INDEX);
        assertThat(refused(index, enough.with(Limit.TENSORS, 2))).hasMessageContaining("--limit tensors=N");
        assertThat(refused(index, enough.with(Limit.HEADER_BYTES, length - 1)))
                .hasMessageContaining("--limit headerBytes=N");
        Path named = index(map("'ab': '1.safetensors'"));
        assertThat(refused(named, enough)).hasMessageContaining("--limit nameLength=N");
    }

    @Test
    void index_withRandomDamage_isReadOrRefused() throws IOException {
        // Blanks, which some damage leaves blanks, or turns into others.
        String metadata = "{\"metadata\": {\"note\": \"" + "x".repeat(200) + "\"}," + " ".repeat(50);
        byte[] valid = (metadata + map(VALID).substring(1)).getBytes(StandardCharsets.UTF_8);
        Random random = new Random(1);
        Path file = directory.resolve("damaged.json");
        int refused = 0;
        for (int i = 0; i < 500; i++) {
            Files.write(file, CheckpointMutationTest.mutate(valid, random));
            try {
                Checkpoint read = Checkpoint.read(file);
                assertThat(Crafted.entries(read.root()).values()).allMatch(Tensor.class::isInstance);
            } catch (CheckpointException e) {
                assertThat(e.getMessage()).doesNotContain("\n");
                refused++;
            }
        }
        assertThat(refused).isBetween(1, 499);
    }

    @Test
    void tensors_ofPytorchFiles_areRead() throws IOException {
        byte[] pickle = new PickleAssembler()
                .dict()
                .text("w")
                .tensor("FloatStorage", "0", 2, 0, new long[] {2}, new long[] {1})
                .setItem()
                .stop();
        byte[] data = {0, 0, (byte) 0x80, 0x3f, 0, 0, 0, 0x40};
        Files.write(
                directory.resolve("pytorch_model-00001-of-00002.bin"),
                Crafted.torch(pickle, data).bytes());
        Files.copy(Crafted.resource("views_legacy.pth"), directory.resolve("pytorch_model-00002-of-00002.bin"));
        List<String> legacy = List.copyOf(Crafted.entries(
                        Checkpoint.read(Crafted.resource("views_legacy.pth")).root())
                .keySet());
        StringBuilder map = new StringBuilder("'w': 'pytorch_model-00001-of-00002.bin'");
        legacy.forEach(name -> map.append(", '" + name + "': 'pytorch_model-00002-of-00002.bin'"));
        Checkpoint checkpoint = Checkpoint.read(index(map(map.toString())));

        assertThat(checkpoint.format()).isEqualTo(Format.PYTORCH_INDEX);
        assertThat(floats(Crafted.tensor(checkpoint, "w"))).containsExactly(1, 2);
        assertThat(Crafted.entries(checkpoint.root())).hasSize(1 + legacy.size());
        assertThat(refused(index(map("'x': 'pytorch_model-00001-of-00002.bin'"))))
                .hasMessageContaining("but not in the index");
    }
}
