package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.file;
import static io.github.convzoo.checkpoint.Crafted.refused;
import static io.github.convzoo.checkpoint.Crafted.safetensors;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;

/** Each limit lets n through and refuses n + 1. */
class LimitsTest {
    private static final Limits DEFAULT = Limits.DEFAULT;

    private final Path directory;

    LimitsTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    private void holds(byte[] content, Limits enough, Limits tooFew, String name) throws IOException {
        Path file = file(directory, content);
        assertThat(Checkpoint.read(file, enough).root()).isNotNull();
        assertThat(refused(file, tooFew)).hasMessageContaining("--limit " + name + "=N");
    }

    private static byte[] torch(PickleAssembler pickle) {
        return Crafted.torch(pickle.stop(), new byte[24]).bytes();
    }

    private static PickleAssembler pickle() {
        return new PickleAssembler();
    }

    private static byte[] twoTensors(String name) {
        return safetensors(
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,3],\"data_offsets\":[0,3]},\"" + name
                        + "\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[3,5]}}",
                5);
    }

    @Test
    void headerBytes_areLimited() throws IOException {
        byte[] file = twoTensors("b");
        int length = file.length - 8 - 5;
        holds(
                file,
                DEFAULT.with(Limit.HEADER_BYTES, length),
                DEFAULT.with(Limit.HEADER_BYTES, length - 1),
                "headerBytes");
        // A zip archive's directory: 46 bytes and the name for each of four entries.
        int directoryBytes = 4 * 46
                + "model/data.pkl".length()
                + "model/byteorder".length()
                + "model/data/0".length()
                + "model/version".length();
        holds(
                torch(pickle().op('N')),
                DEFAULT.with(Limit.HEADER_BYTES, directoryBytes),
                DEFAULT.with(Limit.HEADER_BYTES, directoryBytes - 1),
                "headerBytes");
    }

    @Test
    void headerBytes_ofNpy_areLimited() {
        Path file = Crafted.resource("c_order.npy");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Npy.read(file, DEFAULT.with(Limit.HEADER_BYTES, 117)))
                .withMessageContaining("--limit headerBytes=N");
        assertThat(npyIsRead(file, DEFAULT.with(Limit.HEADER_BYTES, 118))).isTrue();
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Npy.read(file, DEFAULT.with(Limit.TENSOR_BYTES, 23)))
                .withMessageContaining("--limit tensorBytes=N");
        assertThat(npyIsRead(file, DEFAULT.with(Limit.TENSOR_BYTES, 24))).isTrue();
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Npy.read(file, DEFAULT.with(Limit.DIMENSIONS, 1)))
                .withMessageContaining("--limit dimensions=N");
        Path fortran = Crafted.resource("fortran_order.npy");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Npy.read(fortran, DEFAULT.with(Limit.COPIED_BYTES, 23)))
                .withMessageContaining("--limit copiedBytes=N");
        assertThat(npyIsRead(fortran, DEFAULT.with(Limit.COPIED_BYTES, 24))).isTrue();
    }

    private static boolean npyIsRead(Path file, Limits limits) {
        try {
            return Npy.read(file, limits).size() == 6;
        } catch (CheckpointException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void tensors_areLimited() throws IOException {
        holds(twoTensors("b"), DEFAULT.with(Limit.TENSORS, 2), DEFAULT.with(Limit.TENSORS, 1), "tensors");
        long[] one = {1};
        byte[] two = torch(pickle().tensor("FloatStorage", "0", 6, 0, one, one)
                .tensor("FloatStorage", "0", 6, 0, one, one)
                .op(0x86));
        holds(two, DEFAULT.with(Limit.TENSORS, 2), DEFAULT.with(Limit.TENSORS, 1), "tensors");
        byte[] metadata = safetensors("{\"__metadata__\":{\"a\":\"1\",\"b\":\"2\"}}", 0);
        holds(metadata, DEFAULT.with(Limit.TENSORS, 2), DEFAULT.with(Limit.TENSORS, 1), "tensors");
        // One tensor in three places.
        byte[] shared = torch(pickle().tensor("FloatStorage", "0", 6, 0, one, one)
                .put(0)
                .get(0)
                .get(0)
                .op(0x87));
        holds(shared, DEFAULT.with(Limit.TENSORS, 3), DEFAULT.with(Limit.TENSORS, 2), "tensors");
    }

    @Test
    void nameLength_isLimited() throws IOException {
        holds(
                twoTensors("xxxxx"),
                DEFAULT.with(Limit.NAME_LENGTH, 5),
                DEFAULT.with(Limit.NAME_LENGTH, 4),
                "nameLength");
        String key = "x".repeat(50);
        byte[] mapping = torch(pickle().dict().text(key).op('N', 's'));
        holds(mapping, DEFAULT.with(Limit.NAME_LENGTH, 50), DEFAULT.with(Limit.NAME_LENGTH, 49), "nameLength");
        ZipAssembler zip = new ZipAssembler();
        zip.add("model/data.pkl", pickle().op('N').stop());
        zip.add("model/version", "3");
        holds(zip.bytes(), DEFAULT.with(Limit.NAME_LENGTH, 14), DEFAULT.with(Limit.NAME_LENGTH, 13), "nameLength");
    }

    @Test
    void nameLength_ofGlobals_isLimited() throws IOException {
        byte[] global = torch(pickle().global("x".repeat(60), "y"));
        assertThat(Checkpoint.read(file(directory, global), DEFAULT.with(Limit.NAME_LENGTH, 60))
                        .placeholders())
                .hasSize(1);
        assertThat(refused(file(directory, global), DEFAULT.with(Limit.NAME_LENGTH, 59)))
                .hasMessageContaining("59 characters");
    }

    @Test
    void dimensions_areLimited() throws IOException {
        holds(twoTensors("b"), DEFAULT.with(Limit.DIMENSIONS, 3), DEFAULT.with(Limit.DIMENSIONS, 2), "dimensions");
        long[] ones = {1, 1, 1};
        holds(
                torch(pickle().tensor("FloatStorage", "0", 6, 0, ones, ones)),
                DEFAULT.with(Limit.DIMENSIONS, 3),
                DEFAULT.with(Limit.DIMENSIONS, 2),
                "dimensions");
    }

    @Test
    void tensorBytes_areLimited() throws IOException {
        holds(twoTensors("b"), DEFAULT.with(Limit.TENSOR_BYTES, 3), DEFAULT.with(Limit.TENSOR_BYTES, 2), "tensorBytes");
        byte[] spread = torch(pickle().tensor("FloatStorage", "0", 6, 0, new long[] {2}, new long[] {5}));
        holds(spread, DEFAULT.with(Limit.TENSOR_BYTES, 24), DEFAULT.with(Limit.TENSOR_BYTES, 23), "tensorBytes");
        byte[] expanded = torch(pickle().tensor("FloatStorage", "0", 6, 0, new long[] {100}, new long[] {0}));
        holds(expanded, DEFAULT.with(Limit.TENSOR_BYTES, 400), DEFAULT.with(Limit.TENSOR_BYTES, 399), "tensorBytes");
    }

    @Test
    void copiedBytes_areLimited() throws IOException {
        byte[] expanded = torch(pickle().tensor("FloatStorage", "0", 6, 0, new long[] {100}, new long[] {0}));
        holds(expanded, DEFAULT.with(Limit.COPIED_BYTES, 400), DEFAULT.with(Limit.COPIED_BYTES, 399), "copiedBytes");
    }

    @Test
    void pickleBytes_areLimited() throws IOException {
        byte[] bytes = pickle().text("x".repeat(100)).stop();
        byte[] file = Crafted.torch(bytes, new byte[24]).bytes();
        holds(
                file,
                DEFAULT.with(Limit.PICKLE_BYTES, bytes.length),
                DEFAULT.with(Limit.PICKLE_BYTES, bytes.length - 1),
                "pickleBytes");
    }

    @Test
    void values_areLimited() throws IOException {
        // A list counts two, each of its items one.
        byte[] file = torch(pickle().list().mark().op('N', 'N', 'N', 'e'));
        holds(file, DEFAULT.with(Limit.VALUES, 5), DEFAULT.with(Limit.VALUES, 4), "values");
        // A mapping counts four.
        holds(torch(pickle().dict()), DEFAULT.with(Limit.VALUES, 4), DEFAULT.with(Limit.VALUES, 3), "values");
        // Shared values count where they are spelled out: the outer list, and three times a list of two.
        byte[] shared = torch(pickle().op('N', 'N', 0x86).put(0).get(0).get(0).op(0x87));
        holds(shared, DEFAULT.with(Limit.VALUES, 10), DEFAULT.with(Limit.VALUES, 9), "values");
    }

    @Test
    void memoEntries_areLimited() throws IOException {
        byte[] file = torch(pickle().op('N').put(99));
        holds(file, DEFAULT.with(Limit.MEMO_ENTRIES, 100), DEFAULT.with(Limit.MEMO_ENTRIES, 99), "memoEntries");
    }

    @Test
    void nestingDepth_isLimited() throws IOException {
        byte[] file = torch(pickle().list().list().dict().op('a', 'a'));
        holds(file, DEFAULT.with(Limit.NESTING_DEPTH, 3), DEFAULT.with(Limit.NESTING_DEPTH, 2), "nestingDepth");
        // The deep part is met first at the top, where it is not too deep, and then again inside a list.
        byte[] shared = torch(pickle().list().list().op('a').put(0).get(0).op(0x85, 0x86));
        holds(shared, DEFAULT.with(Limit.NESTING_DEPTH, 4), DEFAULT.with(Limit.NESTING_DEPTH, 3), "nestingDepth");
    }

    @Test
    void nestingDepth_atItsLargest_doesNotOverflowTheStack() throws IOException {
        PickleAssembler pickle = pickle();
        for (int i = 0; i < 256; i++) {
            pickle.op(']');
        }
        for (int i = 0; i < 255; i++) {
            pickle.op('a');
        }
        byte[] file = torch(pickle);
        holds(file, DEFAULT.with(Limit.NESTING_DEPTH, 256), DEFAULT.with(Limit.NESTING_DEPTH, 255), "nestingDepth");
        Value root = Checkpoint.read(file(directory, file), DEFAULT.with(Limit.NESTING_DEPTH, 256))
                .root();
        assertThat(root.toString()).hasSizeGreaterThan(256);
        assertThat(root.hashCode()).isNotZero();
    }

    @Test
    void zipEntries_areLimited() throws IOException {
        byte[] file = torch(pickle().op('N'));
        holds(file, DEFAULT.with(Limit.ZIP_ENTRIES, 4), DEFAULT.with(Limit.ZIP_ENTRIES, 3), "zipEntries");
    }

    @Test
    void inflatedBytes_areLimited() throws IOException {
        byte[] array = NpzReaderTest.zeros(10_000);
        byte[] file = NpzReaderTest.deflated("w.npy", array);
        int compressed;
        try (MappedFile mapped = MappedFile.open(file(directory, file))) {
            compressed = (int) ZipDirectory.read(mapped, DEFAULT)
                    .values()
                    .iterator()
                    .next()
                    .length();
        }
        int beyond = array.length - 4 * compressed;
        holds(
                file,
                DEFAULT.with(Limit.INFLATED_BYTES, beyond),
                DEFAULT.with(Limit.INFLATED_BYTES, beyond - 1),
                "inflatedBytes");
        holds(file, DEFAULT.with(Limit.TENSOR_BYTES, 10_000), DEFAULT.with(Limit.TENSOR_BYTES, 9999), "tensorBytes");
    }

    @Test
    void limit_thatIsNotPossible_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DEFAULT.with(Limit.TENSORS, 0))
                .withMessage("tensors must be a positive number, not 0");
        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULT.with(Limit.NESTING_DEPTH, 257));
    }

    @Test
    void with_anotherValue_keepsTheOtherLimits() {
        Limits two = DEFAULT.with(Limit.TENSORS, 3).with(Limit.NAME_LENGTH, 4);
        assertThat(two.of(Limit.TENSORS)).isEqualTo(3);
        assertThat(two.of(Limit.NAME_LENGTH)).isEqualTo(4);
        assertThat(two.of(Limit.VALUES)).isEqualTo(500_000);
        assertThat(DEFAULT.with(Limit.TENSORS, 50_000)).isEqualTo(DEFAULT);
        assertThat(two.with(Limit.TENSORS, 50_000)).isEqualTo(DEFAULT.with(Limit.NAME_LENGTH, 4));
    }

    /** The defaults that docs/reference/security.md lists. */
    @Test
    void defaults_areThoseOfTheDocumentation() {
        assertThat(Arrays.stream(Limit.values()).map(limit -> limit + "=" + DEFAULT.of(limit)))
                .containsExactly(
                        "headerBytes=8388608",
                        "pickleBytes=8388608",
                        "values=500000",
                        "memoEntries=250000",
                        "nestingDepth=64",
                        "tensors=50000",
                        "zipEntries=50000",
                        "nameLength=4096",
                        "dimensions=32",
                        "tensorBytes=2147483647",
                        "copiedBytes=268435456",
                        "inflatedBytes=16777216");
    }

    @Test
    void with_aSettingInText_changesThatLimit() {
        assertThat(DEFAULT.with("pickleBytes=64M")).isEqualTo(DEFAULT.with(Limit.PICKLE_BYTES, 64 << 20));
        assertThat(DEFAULT.with(" values = 7 ")).isEqualTo(DEFAULT.with(Limit.VALUES, 7));
        assertThat(DEFAULT.with("headerBytes=3k")).isEqualTo(DEFAULT.with(Limit.HEADER_BYTES, 3 << 10));
        assertThat(DEFAULT.with("inflatedBytes=1G")).isEqualTo(DEFAULT.with(Limit.INFLATED_BYTES, 1 << 30));
        assertThat(DEFAULT.with("tensorBytes=2147483647"))
                .isEqualTo(DEFAULT.with(Limit.TENSOR_BYTES, Integer.MAX_VALUE));
    }

    @Test
    void with_aSettingThatIsNone_saysWhatIsRight() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DEFAULT.with("pickle=1"))
                .withMessageContaining("unknown limit pickle; did you mean pickleBytes?");
        for (String setting : new String[] {"pickleBytes", "pickleBytes=", "pickleBytes=-1", "pickleBytes=1T", "=1"}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> DEFAULT.with(setting))
                    .withMessageContaining("write a limit as NAME=NUMBER");
        }
        for (String setting : new String[] {"values=2147483648", "values=2G", "values=9999999999G"}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> DEFAULT.with(setting))
                    .withMessageContaining("exceeds the maximum, values=2147483647");
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DEFAULT.with("nestingDepth=9G"))
                .withMessage("nestingDepth=9G exceeds the maximum, nestingDepth=256");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DEFAULT.with("speed=9G"))
                .withMessageStartingWith("unknown limit speed; choose from headerBytes, pickleBytes, values");
        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULT.with("values=0"));
    }

    /** An array's state, with its bytes as the given opcodes put them. */
    private static PickleAssembler array(PickleAssembler pickle, int bytes) {
        return PickleReaderTest.state(PickleReaderTest.begin(pickle, "a" + pickle.bytes().length), "u1", "|", bytes);
    }

    @Test
    void bytesOfArrays_doNotCountAsPickle() throws IOException {
        int size = 4000;
        PickleAssembler binary = pickle().dict();
        PickleAssembler text = pickle().dict().text("latin1").put(0).op('0');
        for (int i = 0; i < 10; i++) {
            array(binary, size).op('B').int32(size);
            for (int j = 0; j < size; j++) {
                binary.op(j);
            }
            binary.tuple().op('b').setItem();
            array(text, size).global("_codecs", "encode").text((char) ('a' + i) + "b".repeat(size - 1));
            text.get(0).op(0x86).reduce().tuple().op('b').setItem();
        }
        for (PickleAssembler pickle : new PickleAssembler[] {binary, text}) {
            int length = pickle.bytes().length + 1;
            byte[] file = torch(pickle);
            int besides = length - 10 * size;
            // What is decoded counts until it is found to be an array's bytes.
            int slack = pickle == text ? size : 0;
            Limits enough = DEFAULT.with(Limit.PICKLE_BYTES, besides + slack).with(Limit.VALUES, 1000);
            assertThat(Crafted.entries(Checkpoint.read(file(directory, file), enough)
                                    .root())
                            .values())
                    .hasSize(10)
                    .allMatch(Tensor.class::isInstance);
            assertThat(refused(file(directory, file), DEFAULT.with(Limit.PICKLE_BYTES, besides - 1)))
                    .hasMessageContaining("--limit pickleBytes=N");
        }
    }

    @Test
    void text_decodedAgainAndAgain_countsEachTime() throws IOException {
        PickleAssembler pickle = pickle().mark()
                .text("b".repeat(4000))
                .put(0)
                .text("latin1")
                .put(1)
                .op('0', '0');
        for (int i = 0; i < 20; i++) {
            pickle.global("_codecs", "encode").get(0).get(1).op(0x86).reduce();
        }
        byte[] file = torch(pickle.op('l'));
        assertThat(refused(file(directory, file), DEFAULT.with(Limit.VALUES, 4000)))
                .hasMessageContaining("--limit values=N");
    }
}
