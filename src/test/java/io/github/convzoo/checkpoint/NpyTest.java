package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.file;
import static io.github.convzoo.checkpoint.Crafted.floats;
import static io.github.convzoo.checkpoint.Crafted.resource;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class NpyTest {
    private final Path directory;

    NpyTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    private static byte[] npy(String header, int dataBytes) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(10 + text.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0})
                .putShort((short) text.length)
                .put(text)
                .array();
    }

    private void refused(byte[] bytes, String message) throws IOException {
        Path file = file(directory, bytes);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Npy.read(file))
                .withMessageContaining(message);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "BF16")
    void array_ofEachType_survivesARoundTrip(ElementType type) throws IOException {
        byte[] data = new byte[6 * type.bytes()];
        for (int i = 0; i < data.length; i++) {
            data[i] = (byte) (37 * i);
        }
        Path file = directory.resolve("array.npy");
        Npy.write(file, Tensor.of("a", type, new long[] {3, 2}, ByteBuffer.wrap(data)));
        Tensor read = Npy.read(file);
        assertThat(read.type()).isEqualTo(type);
        assertThat(read.shape()).containsExactly(3, 2);
        assertThat(read.bytes()).isEqualTo(ByteBuffer.wrap(data));
    }

    @Test
    void bfloat16_whichNumPyLacks_isRefused() {
        Tensor tensor = Tensor.of("a", ElementType.BF16, new long[] {1}, ByteBuffer.allocate(2));
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Npy.write(directory.resolve("a.npy"), tensor))
                .withMessageContaining("BF16");
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void array_thatIsEmptyOrScalar_isRead() throws IOException {
        Path file = file(directory, npy("{'descr':'<f4','fortran_order':True,'shape':(0,3)}\n", 0));
        assertThat(Npy.read(file).shape()).containsExactly(0, 3);
        file = file(directory, npy("{'shape': (), 'descr': '<f4', 'fortran_order': True, }", 4));
        assertThat(floats(Npy.read(file))).containsExactly(0);
        file = file(directory, npy("{'shape': (2L,), 'descr': '|u1', 'fortran_order': False}", 2));
        assertThat(Npy.read(file).shape()).containsExactly(2);
    }

    @ParameterizedTest
    @CsvSource({"big_endian.npy, big-endian", "fields.npy, fields", "small.pth, not an .npy file"})
    void file_ofUnsupportedKind_isRefused(String name, String message) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Npy.read(resource(name)))
                .withMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "{}",
                "[]",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",
                "{'descr': '<f4', 'fortran_order': False}",
                "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
                "{'descr': '<f4', 'fortran_order': False, 'shape': 1}",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'shape': (1,)}",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,)}",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807,4)}",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (0,)}",
                "{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}",
                "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
                "{'descr': 'f4', 'fortran_order': False, 'shape': (1,)}",
                "{'descr': '<\\x664', 'fortran_order': False, 'shape': (1,)}"
            })
    void header_thatIsMalformedOrDoesNotFit_isRefused(String header) throws IOException {
        refused(npy(header, 4), directory.toString());
    }

    @Test
    void file_truncatedAnywhereOrTooLong_isRefused() throws IOException {
        byte[] whole = Files.readAllBytes(resource("c_order.npy"));
        for (int length = 0; length < whole.length; length++) {
            refused(Arrays.copyOf(whole, length), directory.toString());
        }
        refused(Arrays.copyOf(whole, whole.length + 1), "more than one array");
        whole[6] = 4;
        refused(whole, "version 4");
    }
}
