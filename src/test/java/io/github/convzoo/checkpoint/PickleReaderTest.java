package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.at;
import static io.github.convzoo.checkpoint.Crafted.file;
import static io.github.convzoo.checkpoint.Crafted.floats;
import static io.github.convzoo.checkpoint.Crafted.refused;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PickleReaderTest {
    private final Path directory;

    PickleReaderTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    /** A mapping whose entry "w" is an array that has no state yet. */
    private static PickleAssembler begun() {
        return begin(new PickleAssembler().dict(), "w");
    }

    static PickleAssembler begin(PickleAssembler pickle, String name) {
        return pickle.text(name)
                .global("numpy.core.multiarray", "_reconstruct")
                .mark()
                .global("numpy", "ndarray")
                .tuple(0)
                .text("b")
                .tuple()
                .reduce();
    }

    private static PickleAssembler state(String code, String order, long... shape) {
        return state(begun(), code, order, shape);
    }

    static PickleAssembler state(PickleAssembler pickle, String code, String order, long... shape) {
        pickle.mark().whole(1).tuple(shape);
        pickle.global("numpy", "dtype").mark().text(code).op(0x89, 0x88).tuple().reduce();
        return pickle.mark()
                .whole(3)
                .text(order)
                .op('N', 'N', 'N')
                .whole(-1)
                .whole(-1)
                .whole(0)
                .tuple()
                .op('b', 0x89);
    }

    private static byte[] array(String code, String order, int bytes, long... shape) {
        PickleAssembler pickle = state(code, order, shape).op('B').int32(bytes);
        for (int i = 0; i < bytes; i++) {
            pickle.op(i);
        }
        return pickle.tuple().op('b').setItem().stop();
    }

    /** Bytes written as text and decoded, as protocol 2 has it. */
    private static byte[] asText(String text, int times) {
        PickleAssembler pickle = state("u1", "|", 70_000).global("_codecs", "encode");
        pickle.text(text).put(1).text("latin1").put(2).op(0x86).reduce();
        for (int i = 1; i < times; i++) {
            pickle.op('0').global("_codecs", "encode").get(1).get(2).op(0x86).reduce();
        }
        return pickle.tuple().op('b').setItem().stop();
    }

    private Value read(byte[] pickle) throws IOException {
        return Checkpoint.read(file(directory, pickle)).root();
    }

    private CheckpointException refusal(byte[] pickle) throws IOException {
        return refused(file(directory, pickle));
    }

    @Test
    void array_isAViewUnderItsName() throws IOException {
        Checkpoint checkpoint = Checkpoint.read(file(directory, array("u1", "|", 6, 2, 3)));
        assertThat(checkpoint.format()).isEqualTo(Format.PICKLE);
        assertThat(checkpoint.placeholders()).isEmpty();
        Tensor tensor = Crafted.tensor(checkpoint, "w");
        assertThat(tensor.name()).isEqualTo("w");
        assertThat(tensor.bytes().isDirect()).isTrue();
        assertThat(floats(tensor)).containsExactly(0, 1, 2, 3, 4, 5);
    }

    @Test
    void array_whoseBytesAreNotThoseOfItsShape_isRefused() throws IOException {
        for (int bytes : new int[] {0, 23, 25}) {
            CheckpointException refusal = refusal(array("f4", "<", bytes, 2, 3));
            assertThat(refusal).hasMessageContaining("takes 24 bytes, not " + bytes);
            assertThat(refusal.tensor()).hasValue("w");
        }
        assertThat(refusal(array("f4", "<", 0, Long.MAX_VALUE, 2))).hasMessageContaining("larger than any file");
        assertThat(refusal(array("f4", "<", 0, 1L << 62))).hasMessageContaining("larger than any file");
        assertThat(refusal(array("f4", "<", 0, -1))).hasMessageContaining("never use");
    }

    @Test
    void array_ofAnUnsupportedKind_isAPlaceholder() throws IOException {
        Value placeholder = new Value.Placeholder("numpy.ndarray");
        assertThat(at(read(array("f4", ">", 24, 2, 3)), "w")).isEqualTo(placeholder);
        assertThat(at(read(array("c8", "<", 8, 1)), "w")).isEqualTo(placeholder);
        assertThat(at(read(begun().setItem().stop()), "w")).isEqualTo(placeholder);
        byte[] objects = state("O8", "|", 1).list().tuple().op('b').setItem().stop();
        assertThat(at(read(objects), "w")).isEqualTo(placeholder);
    }

    @Test
    void array_withAMalformedState_isRefused() throws IOException {
        assertThat(refusal(begun().tuple(1, 2).op('b').setItem().stop())).hasMessageContaining("not what NumPy writes");
        assertThat(refusal(begun().op('N', 'b').setItem().stop())).hasMessageContaining("not what NumPy writes");
    }

    @Test
    void array_whoseTypeHasAnArgumentThatNumPyDoesNotWrite_isRefused() throws IOException {
        PickleAssembler pickle = begun().mark().whole(1).tuple(1);
        pickle.global("numpy", "dtype")
                .mark()
                .text("u1")
                .op(0x89, 0x88, 0x88)
                .tuple()
                .reduce();
        byte[] bytes = pickle.op(0x89).op('C', 1, 7).tuple().op('b').setItem().stop();
        assertThat(refusal(bytes)).hasMessageContaining("numpy.dtype");
    }

    /** An array of two bytes, with the given states of itself (up to its data) and of its type. */
    private static byte[] twoBytes(String version, String typeState) {
        PickleAssembler pickle = begun().mark();
        pickle.ascii(version + (version.equals("N") ? "" : "\n"))
                .tuple(2)
                .global("numpy", "dtype")
                .mark()
                .text("u1")
                .tuple()
                .reduce();
        pickle.mark();
        for (String item : typeState.split(" ", -1)) {
            if (item.equals("None")) {
                pickle.op('N');
            } else if (item.matches("-?[0-9]+")) {
                pickle.ascii("I" + item + "\n");
            } else {
                pickle.text(item);
            }
        }
        return pickle.tuple()
                .op('b', 0x89)
                .op('C', 2, 7, 8)
                .tuple()
                .op('b')
                .setItem()
                .stop();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "3 | None None None -1 -1",
                "3 | None None None -1 -1 0 0",
                "4 | None None None -1 -1 0",
                "4 | None None None -1 -1 0 None None",
                "2 | None None None -1 -1 0",
                "2 | None None None -1 -1",
                "5 | None None None -1 -1 0 None None",
                "-1 | None None None -1 -1 0",
                "5 | None None None -1 -1 0 None",
                "None | None None None -1 -1 0",
                "3 None None None None -1 -1 0",
                "3 1 None None None -1 -1 0",
                "3 || None None None -1 -1 0",
                "3 x None None None -1 -1 0",
            })
    void elementType_withAStateThatNumPyRefuses_isRefused(String state) throws IOException {
        assertThat(refusal(twoBytes("I1", state))).hasMessageContaining("element type is not what NumPy writes");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "3 | a None None -1 -1 0",
                "3 | None a None -1 -1 0",
                "3 | None None a -1 -1 0",
                "3 | None None None 1 -1 0",
                "3 | None None None -1 1 0",
                "3 | None None None -1 -1 63",
                "3 | None None None -1 -1 None",
            })
    void elementType_thatIsNoPlainNumber_isAPlaceholder(String state) throws IOException {
        assertThat(at(read(twoBytes("I1", state)), "w")).isEqualTo(new Value.Placeholder("numpy.ndarray"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"3 | None None None -1 -1 0", "3 < None None None -1 -1 0", "4 = None None None -1 -1 0 x"})
    void elementType_asNumPyWritesIt_isRead(String state) throws IOException {
        assertThat(at(read(twoBytes("I1", state)), "w")).isInstanceOf(Tensor.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"I0", "I2", "I-1", "N", "I01", "F1.0"})
    void array_withAVersionThatNumPyRefuses_isRefused(String version) throws IOException {
        assertThat(refusal(twoBytes(version, "3 | None None None -1 -1 0")))
                .hasMessageContaining("the state of an array is not what NumPy writes");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"N t", "] X", "t N", "t K\u0001", "t X X", ") X", "T X", "t Y", "t C\u0001f", "t C\u0002bb"})
    void array_ofArgumentsThatNumPyDoesNotTake_isRefused(String arguments) throws IOException {
        PickleAssembler pickle = new PickleAssembler()
                .dict()
                .text("w")
                .global("numpy.core.multiarray", "_reconstruct")
                .mark()
                .global("numpy", "ndarray");
        for (String argument : arguments.split(" ", -1)) {
            if (argument.equals("X")) {
                pickle.text("b");
            } else if (argument.equals("Y")) {
                pickle.text("f");
            } else if (argument.equals("T")) {
                pickle.tuple(1);
            } else if (argument.equals("t")) {
                pickle.tuple(0);
            } else {
                pickle.ascii(argument);
            }
        }
        assertThat(refusal(pickle.tuple().reduce().setItem().stop())).hasMessageContaining("never use");
    }

    @Test
    void array_asAKey_isRefused() throws IOException {
        PickleAssembler key = new PickleAssembler()
                .dict()
                .global("numpy.core.multiarray", "_reconstruct")
                .mark()
                .global("numpy", "ndarray")
                .tuple(0)
                .text("b")
                .tuple()
                .reduce();
        assertThat(refusal(key.op('N', 's').stop())).hasMessageContaining("which Python does not allow");
    }

    @Test
    void longText_isDecodedToBytes() throws IOException {
        Tensor tensor = (Tensor) at(read(asText("\u00ffa".repeat(35_000), 1)), "w");
        ByteBuffer bytes = tensor.bytes();
        assertThat(bytes.get(0)).isEqualTo((byte) 0xff);
        assertThat(bytes.get(69_999)).isEqualTo((byte) 'a');
    }

    @Test
    void longText_thatIsNoLatin1OrDecodedAgainAndAgain_isRefused() throws IOException {
        assertThat(refusal(asText("\u0100".repeat(70_000), 1))).hasMessageContaining("not Latin-1");
        assertThat(refusal(asText("\u20ac".repeat(70_000), 1))).hasMessageContaining("not Latin-1");
        assertThat(refusal(asText("a".repeat(70_000), 2))).hasMessageContaining("more bytes than the file has");
    }

    @Test
    void file_withTrailingBytesOrTruncated_isRefused() throws IOException {
        byte[] bytes = array("u1", "|", 6, 6);
        assertThat(refusal(Arrays.copyOf(bytes, bytes.length + 1)))
                .hasMessageContaining("continues after the end of its pickle");
        for (int length = 0; length < bytes.length; length++) {
            assertThat(refusal(Arrays.copyOf(bytes, length))).isNotNull();
        }
    }

    @Test
    void limits_letThroughWhatTheySay() throws IOException {
        Path file = file(directory, array("u1", "|", 6, 2, 3));
        Limits enough =
                Limits.DEFAULT.with(Limit.TENSORS, 1).with(Limit.DIMENSIONS, 2).with(Limit.TENSOR_BYTES, 6);
        assertThat(Checkpoint.read(file, enough).format()).isEqualTo(Format.PICKLE);
        assertThat(refused(file, enough.with(Limit.DIMENSIONS, 1))).hasMessageContaining("--limit dimensions=N");
        assertThat(refused(file, enough.with(Limit.TENSOR_BYTES, 5))).hasMessageContaining("--limit tensorBytes=N");
        // Data does not count as pickle.
        byte[] large = array("u1", "|", 100_000, 100_000);
        int besides = large.length - 100_000;
        file = file(directory, large);
        assertThat(Checkpoint.read(file, Limits.DEFAULT.with(Limit.PICKLE_BYTES, besides))
                        .format())
                .isEqualTo(Format.PICKLE);
        assertThat(refused(file, Limits.DEFAULT.with(Limit.PICKLE_BYTES, besides - 1)))
                .hasMessageContaining("--limit pickleBytes=N");
    }

    /** A mapping of arrays of four bytes each, of type uint16 in two rows. */
    private static PickleAssembler arrays(PickleAssembler pickle, String... names) {
        for (String name : names) {
            state(begin(pickle, name), "u2", "<", 2).op('B').int32(4).op(0x80, 0x3f, 0x00, 0x40);
            pickle.tuple().op('b').setItem();
        }
        return pickle;
    }

    private Checkpoint checkpoint(PickleAssembler pickle) throws IOException {
        return Checkpoint.read(file(directory, pickle.stop()));
    }

    @Test
    void arraysOfNumpy_inPytorchsOrientation_stayAsTheyAre() throws IOException {
        Checkpoint checkpoint = Checkpoint.read(Crafted.resource("numpy_linear.pkl"));
        assertThat(checkpoint.format()).isEqualTo(Format.PICKLE);
        Tensor weight = Crafted.tensor(checkpoint, "classifier.weight");
        Tensor canonical = Dialect.of(checkpoint.format()).tensor("classifier.weight", weight);
        assertThat(canonical.shape()).containsExactly(2, 10);
        assertThat(floats(canonical)).isEqualTo(floats(weight));
    }

    @Test
    void marksOfPaddle_anywhere_makeItPaddles() throws IOException {
        PickleAssembler table = arrays(new PickleAssembler().dict(), "w");
        table.text("StructuredToParameterName@@").dict().setItem();
        assertThat(checkpoint(table).format()).isEqualTo(Format.PADDLE);
        assertThat(checkpoint(arrays(new PickleAssembler().dict(), "bn._mean", "bn._variance"))
                        .format())
                .isEqualTo(Format.PADDLE);
        PickleAssembler nested = new PickleAssembler().dict().text("model");
        arrays(nested.dict(), "bn._mean", "bn._variance").setItem();
        assertThat(checkpoint(nested).format()).isEqualTo(Format.PADDLE);
        assertThat(Checkpoint.read(Crafted.resource("nested.pdparams")).format())
                .isEqualTo(Format.PADDLE);
    }

    @Test
    void namesOfPaddle_alone_orNextToPytorchs_areNoMark() throws IOException {
        String[][] namesOfOthers = {
            {"bn._mean"},
            {"bn._variance"},
            {"w"},
            {"bn_mean", "bn_variance"},
            {"bn._mean", "bn._variance", "other.running_mean"}
        };
        for (String[] names : namesOfOthers) {
            assertThat(checkpoint(arrays(new PickleAssembler().dict(), names)).format())
                    .as(String.join(" ", names))
                    .isEqualTo(Format.PICKLE);
        }
    }

    @Test
    void uint16_isBfloat16InPaddlesFilesAlone() throws IOException {
        Checkpoint paddle = checkpoint(arrays(new PickleAssembler().dict(), "bn._mean", "bn._variance"));
        Tensor mean = Crafted.tensor(paddle, "bn._mean");
        assertThat(mean.type()).isEqualTo(ElementType.BF16);
        assertThat(floats(mean)).containsExactly(1, 2);
        assertThat(at(checkpoint(arrays(new PickleAssembler().dict(), "w")).root(), "w"))
                .isEqualTo(new Value.Placeholder("numpy.ndarray"));
    }

    @Test
    void stateDict_ofPickleDump_isRead() throws IOException {
        Checkpoint checkpoint = Checkpoint.read(Crafted.resource("pickle_dump.pkl"));
        assertThat(checkpoint.format()).isEqualTo(Format.PICKLE);
        Tensor bias = Crafted.tensor(checkpoint, "fc.bias");
        assertThat(floats(bias)).hasSize(10).containsOnly(0);
        assertThat(Crafted.tensor(checkpoint, "fc.weight").shape()).containsExactly(10, 256, 1, 1);
        assertThat(Crafted.tensor(checkpoint, "fc.weight").bytes().isDirect()).isTrue();
    }

    /** A tensor of two numbers, over a storage that the pickle holds as the given file. */
    private static PickleAssembler embedded(byte[] storage) {
        PickleAssembler pickle = new PickleAssembler().dict().text("w");
        pickle.global("torch._utils", "_rebuild_tensor_v2").mark();
        pickle.global("torch.storage", "_load_from_bytes").op('B').int32(storage.length);
        for (byte each : storage) {
            pickle.op(each);
        }
        pickle.op(0x85).reduce().whole(0).tuple(2).tuple(1).op(0x89).dict().tuple();
        return pickle.reduce().setItem();
    }

    private static PyTorchLegacyReaderTest.Legacy storage() {
        PyTorchLegacyReaderTest.Legacy legacy = new PyTorchLegacyReaderTest.Legacy(
                new PickleAssembler().legacy().storage("FloatStorage", "0", 2).stop());
        legacy.keys = new PickleAssembler().list().text("0").op('a').stop();
        legacy.data = new byte[] {2, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte) 0x80, 0x3f, 0, 0, 0, 0x40};
        return legacy;
    }

    @Test
    void storage_insideAPickle_isReadOrRefusedAsAFile() throws IOException {
        assertThat(floats(Crafted.tensor(checkpoint(embedded(storage().bytes())), "w")))
                .containsExactly(1, 2);
        byte[] valid = storage().bytes();
        for (int length = 0; length < valid.length; length++) {
            assertThat(refusal(embedded(Arrays.copyOf(valid, length)).stop())).isNotNull();
        }
        assertThat(refusal(embedded(Arrays.copyOf(valid, valid.length + 1)).stop()))
                .hasMessageContaining("not in PyTorch's format");
        PyTorchLegacyReaderTest.Legacy other = storage();
        other.object = new PickleAssembler().list().stop();
        other.keys = new PickleAssembler().list().stop();
        other.data = new byte[0];
        assertThat(refusal(embedded(other.bytes()).stop())).hasMessageContaining("not in PyTorch's format");
        PyTorchLegacyReaderTest.Legacy twice = storage();
        twice.object = new PickleAssembler()
                .global("torch.storage", "_load_from_bytes")
                .op('C', 0, 0x85)
                .reduce()
                .stop();
        assertThat(refusal(embedded(twice.bytes()).stop())).hasMessageContaining("a storage inside a storage");
    }

    @Test
    void storage_thatBuildsMuch_isRefused() throws IOException {
        PyTorchLegacyReaderTest.Legacy legacy = storage();
        PickleAssembler many = new PickleAssembler().mark();
        for (int i = 0; i < 70; i++) {
            many.op('N');
        }
        legacy.object = many.op('l').stop();
        assertThat(refusal(embedded(legacy.bytes()).stop())).hasMessageContaining("--limit values=N");
    }

    @Test
    void pickles_ofOldProtocols_areKnown() throws IOException {
        byte[] one = new PickleAssembler('}', 'q', 0, 'U', 1, 'a', 'N', 's').stop();
        assertThat(at(read(one), "a")).isEqualTo(new Value.None());
        byte[] text = new PickleAssembler('(').ascii("dp0\nVa\np1\nNs").stop();
        assertThat(at(read(text), "a")).isEqualTo(new Value.None());
        byte[] escaped = new PickleAssembler('(').ascii("dp0\nV\\u0041\np1\nNs").stop();
        assertThat(refusal(escaped)).hasMessageContaining("save it again with torch.save");
    }

    @Test
    void pickle_ofSomethingElse_saysHowToSave() throws IOException {
        assertThat(refusal(new PickleAssembler().list().stop()))
                .hasMessageContaining("save it again with torch.save(model.state_dict(), path)");
    }
}
