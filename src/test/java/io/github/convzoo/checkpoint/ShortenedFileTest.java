package io.github.convzoo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;

/**
 * A file that another process shortens while it is read is an error like any other. Touching a mapping of what is gone
 * ends the process, so each file is read in one of its own; it opens the file, cuts it, and reads on.
 */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "Windows does not shorten a file that is mapped")
class ShortenedFileTest {
    private static final int FLOATS = 20_000;

    private final Path directory;

    ShortenedFileTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    /** Files of several pages in each part that a reader looks at. */
    private Map<String, byte[]> files() throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        PickleAssembler many = new PickleAssembler().dict();
        for (int i = 0; i < 1000; i++) {
            many.text("the name of an entry " + i).op('N', 's');
        }
        byte[] pickle = many.text("w")
                .tensor("FloatStorage", "0", FLOATS, 0, new long[] {FLOATS}, new long[] {1})
                .setItem()
                .stop();
        files.put("torch", Crafted.torch(pickle, new byte[4 * FLOATS]).bytes());
        files.put("pickle", pickle);
        PyTorchLegacyReaderTest.Legacy legacy = new PyTorchLegacyReaderTest.Legacy(pickle);
        files.put("legacy", legacy.bytes());
        byte[] array = NpzReaderTest.zeros(100_000);
        new Random(1).nextBytes(array);
        System.arraycopy(NpzReaderTest.zeros(100_000), 0, array, 0, 100);
        ZipAssembler stored = new ZipAssembler();
        stored.add("w.npy", array);
        stored.add("v.npy", array);
        files.put("stored", stored.bytes());
        ByteArrayOutputStream deflated = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(deflated)) {
            for (String name : new String[] {"w.npy", "v.npy"}) {
                zip.putNextEntry(new ZipEntry(name));
                zip.write(array);
                zip.closeEntry();
            }
        }
        files.put("deflated", deflated.toByteArray());
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i < 2000; i++) {
            header.append(i == 0 ? "" : ",")
                    .append("\"w" + i + "\":{\"dtype\":\"U8\",\"shape\":[10],\"data_offsets\":[" + 10 * i + ","
                            + (10 * i + 10) + "]}");
        }
        files.put("safetensors", Crafted.safetensors(header.append('}').toString(), 20_000));
        MxnetAssembler mxnet = new MxnetAssembler();
        for (int i = 0; i < 500; i++) {
            mxnet.int32(MxnetAssembler.V2, 0, 1).int64(1).data(0, new byte[4]).name("the name of an array " + i);
        }
        files.put("mxnet", mxnet.bytes());
        DjlReaderTest.Djl djl = new DjlReaderTest.Djl();
        djl.parameters = 500;
        files.put("djl", djl.bytes());
        return files;
    }

    private List<String> outcomes(String what, Map<String, byte[]> files) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + directory.resolve("crash.log"),
                "-Dstdout.encoding=UTF-8",
                "-cp",
                System.getProperty("java.class.path"),
                Cutting.class.getName(),
                what));
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            command.add(Files.write(directory.resolve(file.getKey()), file.getValue())
                    .toString());
        }
        Path output = directory.resolve("outcomes");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(process.waitFor()).as("%s", Files.readString(output)).isZero();
        return Files.readAllLines(output);
    }

    @Test
    @Timeout(120)
    void file_shortenedWhileItIsRead_isAnErrorLikeAnyOther() throws Exception {
        Map<String, byte[]> files = files();
        List<String> outcomes = outcomes("read", files);
        assertThat(outcomes).hasSize(files.size() * Cutting.PARTS);
        assertThat(outcomes).allMatch(outcome -> outcome.contains("shortened") || outcome.contains("truncated"));
        assertThat(outcomes).anyMatch(outcome -> outcome.contains("was shortened while it was read"));
    }

    @Test
    @Timeout(120)
    void tensor_ofAFileThatIsShortened_isAnErrorToTheLibrary() throws Exception {
        Map<String, byte[]> files = Map.of("views", files().get("safetensors"));
        List<String> outcomes = outcomes("use", files);
        assertThat(outcomes).hasSize(4).allMatch(outcome -> outcome.contains("its file was shortened"));
    }

    /** The process that reads. */
    static final class Cutting {
        static final int PARTS = 24;

        private Cutting() {}

        public static void main(String[] arguments) throws IOException {
            PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
            for (int i = 1; i < arguments.length; i++) {
                Path file = Path.of(arguments[i]);
                if (arguments[0].equals("use")) {
                    use(file, out);
                } else {
                    byte[] content = Files.readAllBytes(file);
                    for (int part = 0; part < PARTS; part++) {
                        Files.write(file, content);
                        out.println(file.getFileName() + ": " + read(file, part * (content.length - 1L) / (PARTS - 1)));
                    }
                }
            }
        }

        private static String read(Path file, long cut) throws IOException {
            try (MappedFile mapped = MappedFile.open(file);
                    FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(cut);
                return "read: " + Checkpoint.read(mapped, Limits.DEFAULT).format();
            } catch (CheckpointException e) {
                return String.valueOf(e.getMessage());
            }
        }

        /** What the library does with tensors, several times: the JVM compiles it meanwhile. */
        private static void use(Path file, PrintStream out) throws IOException {
            byte[] content = Files.readAllBytes(file);
            List<Use> uses = List.of(
                    tensor -> tensor.toFloats(FloatBuffer.allocate((int) tensor.size())),
                    tensor -> tensor.forEach(x -> {}),
                    tensor -> tensor.hasSameElements(
                            Tensor.of("", tensor.type(), tensor.shape(), ByteBuffer.allocate((int) tensor.size()))),
                    tensor -> tensor.withShape(5, 2).transposed().bytes());
            for (Use use : uses) {
                Files.write(file, content);
                Tensor last = Crafted.tensor(Checkpoint.read(file), "w1999");
                for (int i = 0; i < 20_000; i++) {
                    use.of(last);
                }
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    channel.truncate(1);
                }
                try {
                    use.of(last);
                    out.println("used");
                } catch (UncheckedIOException e) {
                    out.println(e.getMessage());
                }
            }
        }

        private interface Use {
            void of(Tensor tensor) throws IOException;
        }
    }
}
