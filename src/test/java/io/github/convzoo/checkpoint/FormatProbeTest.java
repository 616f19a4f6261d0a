package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.file;
import static io.github.convzoo.checkpoint.Crafted.refused;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FormatProbeTest {
    private final Path directory;

    FormatProbeTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    @Test
    void file_thatIsMissing_isRefused() {
        CheckpointException refusal = refused(directory.resolve("missing.pth"));
        assertThat(refusal).hasMessageContaining("missing.pth: there is no such file");
        assertThat(refusal.offset()).isEmpty();
        assertThat(refusal.tensor()).isEmpty();
    }

    @Test
    void directory_insteadOfAFile_isRefused() {
        assertThat(refused(directory)).hasMessageContaining("a directory");
    }

    @Test
    void file_thatIsEmpty_isRefused() throws IOException {
        assertThat(refused(file(directory, new byte[0]))).hasMessageContaining("empty");
    }

    @Test
    void format_underAMisleadingName_isToldFromTheContent() throws IOException {
        Path file = directory.resolve("model.pth");
        Files.write(file, Crafted.safetensors("{}", 0));
        assertThat(Checkpoint.read(file).format()).isEqualTo(Format.SAFETENSORS);
        assertThat(Checkpoint.read(file).file()).isEqualTo(file);
    }

    @ParameterizedTest
    @CsvSource({
        "version https://git-lfs.github.com/spec/v1, git lfs pull",
        "<!DOCTYPE html>, web page",
        "hello world, this is text (hello world)",
        "x, no known format"
    })
    void file_thatIsNoCheckpoint_isRefusedAndSaysWhatItIs(String content, String message) throws IOException {
        assertThat(refused(file(directory, content.getBytes(StandardCharsets.UTF_8))))
                .hasMessageContaining(message);
    }

    @Test
    void pickleGzipAndTar_areToldApart() throws IOException {
        assertThat(refused(file(directory, new PickleAssembler().op('N').stop())))
                .hasMessageContaining("bare pickle");
        assertThat(refused(file(directory, new byte[] {0x1f, (byte) 0x8b, 8, 0})))
                .hasMessageContaining("gzip");
        byte[] tar = new byte[512];
        System.arraycopy("ustar".getBytes(StandardCharsets.US_ASCII), 0, tar, 257, 5);
        assertThat(refused(file(directory, tar))).hasMessageContaining("tar archive");
    }
}
