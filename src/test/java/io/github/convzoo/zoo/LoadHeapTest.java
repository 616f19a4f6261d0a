package io.github.convzoo.zoo;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.github.convzoo.network.Reference;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The largest network, of 350 MB, loaded by a process whose heap is smaller by far. */
@Timeout(120)
class LoadHeapTest {

    @Test
    void load_ofDpn107_doesWithAHeapOf128Mebibytes(@TempDir Path folder) throws Exception {
        List<List<Object>> state = Reference.model("dpn107").state();
        Path file = sparse(folder.resolve("dpn107.safetensors"), state);
        assertThat(file.toFile().length()).isGreaterThan(340_000_000);
        Process process = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-Xmx128m",
                        // JDK 24 and later print warnings otherwise.
                        "--enable-native-access=ALL-UNNAMED",
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                        "-cp",
                        System.getProperty("java.class.path"),
                        LoadMain.class.getName(),
                        "dpn107",
                        file.toString())
                .redirectErrorStream(true)
                .start();
        try {
            assertThat(process.inputReader().lines()).containsExactly(Integer.toString(state.size()), "dpn107");
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
        } finally {
            process.destroyForcibly();
        }
    }

    /** A safetensors file of zeros, which takes no place on the disk where the file system knows of holes. */
    private static Path sparse(Path file, List<List<Object>> state) throws IOException {
        JsonObject header = new JsonObject();
        long offset = 0;
        for (List<Object> each : state) {
            JsonArray shape = new JsonArray();
            long elements = 1;
            for (Object dimension : (List<?>) each.get(1)) {
                long length = ((Number) dimension).longValue();
                shape.add(length);
                elements *= length;
            }
            JsonArray offsets = new JsonArray();
            offsets.add(offset);
            offset += Float.BYTES * elements;
            offsets.add(offset);
            JsonObject tensor = new JsonObject();
            tensor.addProperty("dtype", "F32");
            tensor.add("shape", shape);
            tensor.add("data_offsets", offsets);
            header.add((String) each.get(0), tensor);
        }
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer start = ByteBuffer.allocate(8 + json.length).order(ByteOrder.LITTLE_ENDIAN);
        start.putLong(json.length).put(json).flip();
        try (FileChannel out = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            out.write(start);
            out.write(ByteBuffer.allocate(1), 8 + json.length + offset - 1);
        }
        return file;
    }
}
