package io.github.convzoo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplacedFileTest {
    private final Path directory;
    private final Path file;

    ReplacedFileTest(@TempDir Path directory) throws IOException {
        this.directory = directory;
        this.file = Files.writeString(directory.resolve("file"), "old");
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    private void isUntouched() {
        assertThat(file).hasContent("old");
        assertThat(directory.toFile().list()).containsExactly("file");
    }

    @Test
    void file_whileItIsWritten_keepsItsOldContent() throws IOException {
        ReplacedFile.write(file, out -> {
            out.write(bytes("new"));
            assertThat(file).hasContent("old");
        });
        assertThat(file).hasContent("new");
        assertThat(directory.toFile().list()).containsExactly("file");
    }

    @Test
    void failure_whileWriting_leavesTheOldFileAndNothingElse() {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> ReplacedFile.write(file, out -> {
                    out.write(bytes("half"));
                    throw new IOException("no space left on device");
                }))
                .withMessageContaining("no space left")
                .withCauseInstanceOf(IOException.class);
        isUntouched();
        assertThatIllegalStateException()
                .isThrownBy(() -> ReplacedFile.write(file, out -> {
                    throw new IllegalStateException("a bug in the content");
                }));
        isUntouched();
    }

    @Test
    void target_thatIsADirectoryOrInNone_isRefused() {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> ReplacedFile.write(directory, out -> {}))
                .withMessageContaining("directory");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> ReplacedFile.write(directory.resolve("none/file"), out -> {}))
                .withMessageContaining("create it first");
        isUntouched();
    }
}
