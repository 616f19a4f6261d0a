package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.file;
import static io.github.convzoo.checkpoint.Crafted.floats;
import static io.github.convzoo.checkpoint.Crafted.refused;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;

class NpzReaderTest {
    private final Path directory;

    NpzReaderTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    static byte[] deflated(String name, byte[] content) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            zip.putNextEntry(new ZipEntry(name));
            zip.write(content);
            zip.closeEntry();
        }
        return out.toByteArray();
    }

    /** An array of bytes. */
    static byte[] zeros(int length) {
        byte[] header = ("{'descr': '|u1', 'fortran_order': False, 'shape': (" + length + ",), }\n")
                .getBytes(StandardCharsets.US_ASCII);
        byte[] array = Arrays.copyOf(
                new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (byte) header.length, 0},
                10 + header.length + length);
        System.arraycopy(header, 0, array, 10, header.length);
        return array;
    }

    private static byte[] array() throws IOException {
        return Files.readAllBytes(Crafted.resource("c_order.npy"));
    }

    private Path stored(String name, byte[] content) throws IOException {
        ZipAssembler zip = new ZipAssembler();
        zip.add(name, content);
        return file(directory, zip.bytes());
    }

    @Test
    void storedArray_isAViewOnTheFile() throws IOException {
        Checkpoint checkpoint = Checkpoint.read(stored("conv1.weight.npy", array()));
        assertThat(checkpoint.format()).isEqualTo(Format.NUMPY_ZIP);
        Tensor tensor = Crafted.tensor(checkpoint, "conv1.weight");
        assertThat(tensor.bytes().isDirect()).isTrue();
        assertThat(floats(tensor)).containsExactly(0, 1, 2, 3, 4, 5);
    }

    @Test
    void deflatedArray_isInflated() throws IOException {
        Path file = file(directory, deflated("conv1.weight.npy", array()));
        assertThat(floats(Crafted.tensor(Checkpoint.read(file), "conv1.weight")))
                .containsExactly(0, 1, 2, 3, 4, 5);
    }

    @Test
    void entry_thatIsNoArray_isRefusedByItsName() throws IOException {
        CheckpointException refusal = refused(stored("w.npy", new byte[10]));
        assertThat(refusal).hasMessageContaining("not an .npy file");
        assertThat(refusal.tensor()).hasValue("w");
        assertThat(refused(stored("w.npy", new byte[0]))).hasMessageContaining("not an .npy file");
        assertThat(refused(file(directory, deflated("w.npy", new byte[10])))).hasMessageContaining("not an .npy file");
    }

    @Test
    void array_thatIsShorterOrLongerThanItsEntry_isRefused() throws IOException {
        byte[] array = array();
        assertThat(refused(stored("w.npy", Arrays.copyOf(array, array.length - 1))))
                .hasMessageContaining("there are 23");
        assertThat(refused(stored("w.npy", Arrays.copyOf(array, array.length + 1))))
                .hasMessageContaining("there are 25");
        assertThat(refused(file(directory, deflated("w.npy", Arrays.copyOf(array, array.length + 1)))))
                .hasMessageContaining("there are 25");
        assertThat(refused(stored("w.npy", Arrays.copyOf(array, 20)))).hasMessageContaining("truncated");
    }

    @Test
    void array_thatIsBigEndian_isRefusedByItsName() throws IOException {
        CheckpointException refusal = refused(stored("w.npy", Files.readAllBytes(Crafted.resource("big_endian.npy"))));
        assertThat(refusal).hasMessageContaining("big-endian");
        assertThat(refusal.tensor()).hasValue("w");
    }

    @Test
    void compressedData_thatIsDamaged_isRefused() throws IOException {
        byte[] valid = deflated("w.npy", zeros(1000));
        // The data begins behind the local header and the name.
        int data = 30 + "w.npy".length();
        byte[] badBlock = valid.clone();
        badBlock[data] = (byte) 0xff;
        assertThat(refused(file(directory, badBlock))).hasMessageContaining("compressed data is corrupt");
        // The directory says how long the content is, behind the compressed length.
        int directoryAt = valid.length - 22 - 46 - "w.npy".length();
        for (int change : new int[] {-1, 1}) {
            byte[] bytes = valid.clone();
            bytes[directoryAt + 24] += (byte) change;
            // So does the descriptor.
            assertThat(refused(file(directory, bytes))).hasMessageContaining("differs from the directory");
            bytes[directoryAt - 4] += (byte) change;
            assertThat(refused(file(directory, bytes))).hasMessageContaining("do not inflate to");
        }
        byte[] badSum = valid.clone();
        badSum[directoryAt + 16]++;
        badSum[directoryAt - 12]++;
        assertThat(refused(file(directory, badSum))).hasMessageContaining("checksum is wrong");
    }

    @Test
    void bomb_isRefusedBeforeItIsInflated() throws IOException {
        byte[] bomb = deflated("w.npy", zeros(40 << 20));
        assertThat(bomb).hasSizeLessThan(64 << 10);
        assertThat(refused(file(directory, bomb))).hasMessageContaining("--limit inflatedBytes=N");
    }

    @Test
    void manyArrays_thatAreTooLargeTogether_areRefused() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            for (int i = 0; i < 10; i++) {
                zip.putNextEntry(new ZipEntry(i + ".npy"));
                zip.write(zeros(10_000));
                zip.closeEntry();
            }
        }
        Path file = file(directory, out.toByteArray());
        assertThat(Checkpoint.read(file).format()).isEqualTo(Format.NUMPY_ZIP);
        CheckpointException refusal = refused(file, Limits.DEFAULT.with(Limit.INFLATED_BYTES, 50_000));
        assertThat(refusal).hasMessageContaining("--limit inflatedBytes=N");
        assertThat(refusal.tensor()).hasValue("5");
    }

    @Test
    void arrays_moreThanAllowed_areRefused() throws IOException {
        ZipAssembler zip = new ZipAssembler();
        zip.add("a.npy", array());
        zip.add("b.npy", array());
        Path file = file(directory, zip.bytes());
        assertThat(Crafted.entries(Checkpoint.read(file, Limits.DEFAULT.with(Limit.TENSORS, 2))
                        .root()))
                .hasSize(2);
        assertThat(refused(file, Limits.DEFAULT.with(Limit.TENSORS, 1))).hasMessageContaining("--limit tensors=N");
    }

    @Test
    void archive_withAnythingElseInIt_isNone() throws IOException {
        ZipAssembler zip = new ZipAssembler();
        zip.add("a.npy", array());
        zip.add("readme.txt", "x");
        assertThat(refused(file(directory, zip.bytes())))
                .hasMessageContaining("this zip archive was not written by torch.save, and");
    }
}
