package io.github.convzoo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TextFileTest {

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final Path file;

    TextFileTest(@TempDir Path directory) {
        file = directory.resolve("config.json");
    }

    private void refused(String message) {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> TextFile.read(file))
                .withMessageStartingWith(file + ": ")
                .withMessageContaining(message);
    }

    @Test
    void read_ofText_givesItAsItIs() throws IOException {
        Files.writeString(file, "\ufeffä\r\n猫");
        assertThat(TextFile.read(file)).isEqualTo("\ufeffä\r\n猫");
        Files.writeString(file, "");
        assertThat(TextFile.read(file)).isEmpty();
    }

    @Test
    void read_ofMoreThanTheLimit_isRefusedWithLittleMemory() throws IOException {
        Files.write(file, new byte[TextFile.MAX_BYTES]);
        assertThat(TextFile.read(file)).hasSize(TextFile.MAX_BYTES);
        for (long length : new long[] {TextFile.MAX_BYTES + 1, 1L << 33}) {
            try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
                sparse.setLength(length);
            }
            long time = threads.getCurrentThreadCpuTime();
            long memory = threads.getCurrentThreadAllocatedBytes();
            refused("more than 16 MiB");
            assertThat(threads.getCurrentThreadAllocatedBytes() - memory).isLessThan(4L * TextFile.MAX_BYTES);
            assertThat(threads.getCurrentThreadCpuTime() - time).isLessThan(1_000_000_000L);
        }
    }

    @Test
    void read_ofWhatIsNoText_isRefused() throws IOException {
        refused("cannot be read");
        Files.write(file, "\u00e4".getBytes(StandardCharsets.ISO_8859_1));
        refused("not UTF-8; save it as UTF-8");
        Files.delete(file);
        Files.createDirectory(file);
        refused("not a regular file");
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void read_ofAFileWithoutEnd_isRefused() throws Exception {
        Files.createSymbolicLink(file, Path.of("/dev/zero"));
        refused("not a regular file");
        Files.delete(file);
        assertThat(new ProcessBuilder("mkfifo", file.toString()).start().waitFor())
                .isZero();
        refused("not a regular file");
    }
}
