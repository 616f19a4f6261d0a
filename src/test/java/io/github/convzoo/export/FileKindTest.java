package io.github.convzoo.export;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.convzoo.Samples;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands' tests have real files of both kinds. */
class FileKindTest {

    private static final byte[] GRAPH = new byte[100_000];

    @TempDir
    Path folder = Path.of("");

    private FileKind of(String name, byte[] content) throws Exception {
        return FileKind.of(Files.write(folder.resolve(name), content));
    }

    private static ProtobufMessage metadata(String key) {
        return new ProtobufMessage().text(1, key).text(2, "x".repeat(1000));
    }

    private static ProtobufMessage onnx(String producer, String... keys) {
        ProtobufMessage model = new ProtobufMessage().integer(1, 8).text(2, producer);
        for (String key : keys) {
            model.message(14, metadata(key));
        }
        return model.bytes(7, GRAPH);
    }

    @Test
    void onnx_isOfTheKindThatItsMetadataSay() throws Exception {
        assertThat(of("a.onnx", onnx("convzoo").toBytes())).isEqualTo(FileKind.FLOATS);
        assertThat(of("a.onnx", onnx("convzoo", "model", "target").toBytes())).isEqualTo(FileKind.FLOATS);
        assertThat(of("a.onnx", onnx("convzoo", "weight_bits2").toBytes())).isEqualTo(FileKind.FLOATS);
        assertThat(of("a.onnx", onnx("convzoo", "model", "weight_bits").toBytes()))
                .isEqualTo(FileKind.INTEGERS);
        // Metadata after the graph, and fields of other kinds.
        ProtobufMessage last = onnx("convzoo").number(99, 1).message(14, metadata("weight_bits"));
        assertThat(of("a.onnx", last.toBytes())).isEqualTo(FileKind.INTEGERS);
        assertThat(of("a.onnx", onnx("pytorch", "weight_bits").toBytes())).isEqualTo(FileKind.UNKNOWN);
    }

    @Test
    void damagedOnnx_isUnknown() throws Exception {
        byte[] whole = onnx("convzoo", "weight_bits").toBytes();
        assertThat(of("a.onnx", Arrays.copyOf(whole, whole.length - 1))).isEqualTo(FileKind.UNKNOWN);
        assertThat(of("a.onnx", new byte[0])).isEqualTo(FileKind.UNKNOWN);
        assertThat(of("a.onnx", "text".getBytes(StandardCharsets.UTF_8))).isEqualTo(FileKind.UNKNOWN);
        assertThat(of("a.onnx", new byte[] {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}))
                .isEqualTo(FileKind.UNKNOWN);
    }

    @Test
    void torchScript_isOfTheKindThatItsEntriesSay() throws Exception {
        assertThat(archive("model/code/__torch__/convzoo.py")).isEqualTo(FileKind.FLOATS);
        assertThat(archive("model/code/__torch__/convzoo.py", "model/extra/weight_bits"))
                .isEqualTo(FileKind.INTEGERS);
        assertThat(archive("model/code/__torch__/other.py", "model/extra/weight_bits"))
                .isEqualTo(FileKind.UNKNOWN);
        assertThat(FileKind.of(Samples.PELEENET)).isEqualTo(FileKind.UNKNOWN);
    }

    private FileKind archive(String... entries) throws Exception {
        Path file = folder.resolve("model.pt");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            for (String each : entries) {
                zip.putNextEntry(new ZipEntry(each));
            }
        }
        return FileKind.of(file);
    }
}
