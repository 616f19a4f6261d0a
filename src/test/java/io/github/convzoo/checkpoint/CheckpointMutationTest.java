package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.file;
import static io.github.convzoo.checkpoint.Crafted.resource;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Valid files with random damage: they are read, or refused with the documented exception; nothing else happens. */
class CheckpointMutationTest {
    private static final int ROUNDS = 500;
    private static final Limits SMALL =
            Limits.DEFAULT.with(Limit.TENSOR_BYTES, 1 << 20).with(Limit.VALUES, 10_000);

    private final Path directory;

    CheckpointMutationTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    /** Bytes that mean something to one of the formats are likelier to lead somewhere than random ones. */
    private static byte interesting(Random random) {
        int[] bytes = {0, 1, 0x7f, 0x80, 0xff, '"', '{', '}', '[', ']', ',', '(', 't', 'R', 'b', 'c', 'q', 'h', 'Q', '.'
        };
        return (byte) (random.nextInt(3) == 0 ? random.nextInt(256) : bytes[random.nextInt(bytes.length)]);
    }

    static byte[] mutate(byte[] valid, Random random) {
        byte[] bytes = valid.clone();
        for (int i = random.nextInt(4); i >= 0; i--) {
            int at = random.nextInt(bytes.length);
            int length = Math.min(1 + random.nextInt(8), bytes.length - at);
            switch (random.nextInt(6)) {
                case 0 -> bytes[at] = interesting(random);
                case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> bytes = Arrays.copyOf(bytes, at + 1);
                case 3 -> Arrays.fill(bytes, at, at + length, interesting(random));
                case 4 -> System.arraycopy(bytes, random.nextInt(bytes.length - length + 1), bytes, at, length);
                default -> {
                    byte[] longer = new byte[bytes.length + length];
                    System.arraycopy(bytes, 0, longer, 0, at);
                    System.arraycopy(bytes, at, longer, at + length, bytes.length - at);
                    bytes = longer;
                }
            }
        }
        return bytes;
    }

    private static void walk(Value value) {
        if (value instanceof Value.Mapping mapping) {
            mapping.entries().values().forEach(CheckpointMutationTest::walk);
            mapping.unnamed().forEach(CheckpointMutationTest::walk);
        } else if (value instanceof Value.Sequence sequence) {
            sequence.items().forEach(CheckpointMutationTest::walk);
        } else if (value instanceof Tensor tensor) {
            tensor.toFloats(FloatBuffer.allocate((int) tensor.size()));
            assertThat(tensor.bytes().remaining())
                    .isEqualTo((int) tensor.size() * tensor.type().bytes());
        }
    }

    @FunctionalInterface
    private interface Reader {
        Value read(Path file) throws CheckpointException;
    }

    private boolean isRead(byte[] bytes, Reader reader) throws IOException {
        Path file = file(directory, bytes);
        try {
            walk(reader.read(file));
            return true;
        } catch (CheckpointException e) {
            assertThat(e.getMessage()).doesNotContain("\n").hasSizeLessThan(1000);
            return false;
        } finally {
            // Thousands of small files would add up; where one cannot be deleted yet, it stays until the end.
            file.toFile().delete();
        }
    }

    private boolean isRead(byte[] bytes) throws IOException {
        return isRead(bytes, file -> Checkpoint.read(file, SMALL).root());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "types.safetensors",
                "metadata.safetensors",
                "small.pth",
                "views.pth",
                "odd.pth",
                "training_protocol4.pt",
                "arrays.npz",
                "arrays_compressed.npz",
                "mxnet_types.params",
                "mxnet_list.params",
                "mxnet_np_shape.params",
                "types_protocol2.pdparams",
                "types_protocol3.pdparams",
                "nested.pdparams",
                "torchscript_traced.pt",
                "legacy.pth",
                "views_legacy.pth",
                "training_legacy_protocol4.pt"
            })
    void file_withRandomDamage_isReadOrRefused(String name) throws IOException {
        byte[] valid = Files.readAllBytes(resource(name));
        Random random = new Random(name.hashCode());
        int refused = 0;
        for (int i = 0; i < ROUNDS; i++) {
            refused += isRead(mutate(valid, random)) ? 0 : 1;
        }
        assertThat(refused).isBetween(1, ROUNDS - 1);
    }

    /** Damage to the pickle alone, with its checksum put right: in a whole file the checksum catches it first. */
    @ParameterizedTest
    @ValueSource(strings = {"views.pth", "odd.pth", "parameters.pth", "training_protocol1.pt", "training_protocol4.pt"})
    void pickle_withRandomDamage_isReadOrRefused(String name) throws IOException {
        byte[] valid = Files.readAllBytes(resource(name));
        List<ZipDirectory.Entry> entries;
        try (MappedFile file = MappedFile.open(resource(name))) {
            entries = List.copyOf(ZipDirectory.read(file, Limits.DEFAULT).values());
        }
        Random random = new Random(name.hashCode());
        int refused = 0;
        for (int i = 0; i < 2 * ROUNDS; i++) {
            // The rest of the archive stays as it is, so that damage gets as far as the tensors.
            ZipAssembler zip = new ZipAssembler();
            for (ZipDirectory.Entry entry : entries) {
                byte[] content = Arrays.copyOfRange(valid, (int) entry.offset(), (int) entry.end());
                boolean pickle = entry.name().endsWith("/data.pkl");
                zip.add(entry.name(), pickle ? mutate(content, random) : content);
            }
            refused += isRead(zip.bytes()) ? 0 : 1;
        }
        assertThat(refused).isBetween(1, 2 * ROUNDS - 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"c_order.npy", "fortran_order.npy", "version2.npy"})
    void npy_withRandomDamage_isReadOrRefused(String name) throws IOException {
        byte[] valid = Files.readAllBytes(resource(name));
        Random random = new Random(name.hashCode());
        int refused = 0;
        for (int i = 0; i < ROUNDS; i++) {
            refused += isRead(mutate(valid, random), file -> Npy.read(file, SMALL)) ? 0 : 1;
        }
        assertThat(refused).isBetween(1, ROUNDS - 1);
    }

    @Test
    void djl_withRandomDamage_isReadOrRefused() throws IOException {
        DjlReaderTest.Djl djl = new DjlReaderTest.Djl();
        djl.parameters = 3;
        Random random = new Random(1);
        int refused = 0;
        for (int i = 0; i < 2 * ROUNDS; i++) {
            djl.header = i % 2 == 0;
            refused += isRead(mutate(djl.bytes(), random)) ? 0 : 1;
        }
        assertThat(refused).isBetween(1, 2 * ROUNDS - 1);
    }

    /** The checksum that the reader compares is the one that the JDK computes. */
    @ParameterizedTest
    @ValueSource(strings = "small.pth")
    void checksum_ofARealPickle_isThatOfTheDirectory(String name) throws IOException {
        try (MappedFile file = MappedFile.open(resource(name))) {
            ZipDirectory.Entry entry =
                    ZipDirectory.read(file, Limits.DEFAULT).values().iterator().next();
            CRC32 crc = new CRC32();
            crc.update(file.view(entry.offset(), entry.length()));
            assertThat(crc.getValue()).isEqualTo(entry.crc());
        }
    }
}
