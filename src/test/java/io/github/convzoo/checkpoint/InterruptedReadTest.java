package io.github.convzoo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Channels of an interrupted thread close without saying why. */
class InterruptedReadTest {

    private final Path folder;

    InterruptedReadTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void read_inAnInterruptedThread_saysSo() throws IOException {
        Path file = Files.write(folder.resolve("a.safetensors"), new byte[100]);
        Thread.currentThread().interrupt();
        try {
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> Checkpoint.read(file))
                    .withMessageContaining("because the thread was interrupted; try again")
                    .withMessageNotContaining("null");
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void write_inAnInterruptedThread_saysSoAndLeavesNothing() throws IOException {
        Path file = folder.resolve("a.bin");
        Thread.currentThread().interrupt();
        try {
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> ReplacedFile.write(file, new byte[10]))
                    .withMessageContaining("it was not written because the thread was interrupted");
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(folder).isEmptyDirectory();
    }
}
