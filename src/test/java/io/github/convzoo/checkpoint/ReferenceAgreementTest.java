package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.file;
import static io.github.convzoo.checkpoint.Crafted.floats;
import static io.github.convzoo.checkpoint.Crafted.refused;
import static io.github.convzoo.checkpoint.Crafted.refusedPickle;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What PyTorch, NumPy, or Python read in another way, or not at all, is refused. Each expectation was checked with
 * PyTorch 2.15, NumPy 2.4, and Python 3.11.
 */
class ReferenceAgreementTest {
    private final Path directory;

    ReferenceAgreementTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    private Path hostile(String name) throws IOException {
        try (var in = Objects.requireNonNull(getClass().getResourceAsStream("/cases/hostile/" + name), name)) {
            return file(directory, in.readAllBytes());
        }
    }

    private static PickleAssembler pickle() {
        return new PickleAssembler();
    }

    private Value read(PickleAssembler pickle) throws IOException {
        return Crafted.readPickle(directory, pickle.stop()).root();
    }

    private CheckpointException refusal(PickleAssembler pickle) throws IOException {
        return refusedPickle(directory, pickle.stop());
    }

    @ParameterizedTest
    @CsvSource({
        "eocd_comment.pth, after its end record",
        "case_sto_b.pth, in another case",
        "numel_less.pth, must have 2 elements of 4 bytes",
        "cp437.npz, not marked as UTF-8"
    })
    void file_thatReadersSeeInTwoWays_isRefused(String name, String message) throws IOException {
        assertThat(refused(hostile(name))).hasMessageContaining(message);
    }

    // Archives of torch.save.

    private CheckpointException refusedTorch(String... names) throws IOException {
        ZipAssembler zip = Crafted.torch(pickle().op('N').stop(), new byte[4]);
        for (String name : names) {
            zip.add(name, "big");
        }
        return refused(file(directory, zip.bytes()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "model/DATA.pkl",
                "model/data/0A,model/data/0a",
                "model/Version",
                "model/BYTEORDER",
                "model/constants.PKL",
                "MODEL/data/0"
            })
    void entries_thatDifferInCaseAlone_areRefused(String names) throws IOException {
        assertThat(refusedTorch(names.split(",", -1)).getMessage())
                .containsAnyOf("in another case", "is outside the directory");
    }

    @Test
    void byteorder_inAnotherCase_isRefusedAndNotMissed() throws IOException {
        ZipAssembler zip = new ZipAssembler();
        zip.add("model/data.pkl", pickle().op('N').stop());
        zip.add("model/ByteOrder", "big");
        zip.add("model/version", "3\n");
        assertThat(refused(file(directory, zip.bytes()))).hasMessageContaining("in another case");
    }

    @Test
    void entries_thatDifferInTheCaseOfOtherLetters_areTwo() throws IOException {
        ZipAssembler zip = Crafted.torch(pickle().op('N').stop(), new byte[4]);
        zip.add("model/data/\u00e9", new byte[1]);
        zip.add("model/data/\u00c9", new byte[1]);
        assertThat(Checkpoint.read(file(directory, zip.bytes())).root()).isEqualTo(new Value.None());
    }

    @Test
    void byteorder_withBlanks_isRefused() throws IOException {
        ZipAssembler zip = new ZipAssembler();
        zip.add("model/data.pkl", pickle().op('N').stop());
        zip.add("model/byteorder", "little\n");
        zip.add("model/version", "3\n");
        assertThat(refused(file(directory, zip.bytes()))).hasMessageContaining("the byte order is");
    }

    @Test
    void code_withoutConstants_isRefused() throws IOException {
        assertThat(refusedTorch("model/code/__torch__.py")).hasMessageContaining("no model/constants.pkl");
    }

    @Test
    void directoryEntry_outsideTheArchivesDirectory_isRefused() throws IOException {
        ZipAssembler zip = new ZipAssembler();
        zip.add("other/", "");
        zip.add("model/data.pkl", pickle().op('N').stop());
        zip.add("model/version", "3\n");
        assertThat(refused(file(directory, zip.bytes()))).isNotNull();
    }

    // Storages.

    @Test
    void elementType_ofAnAlias_hasTheNameThatPyTorchShows() throws IOException {
        assertThat(read(pickle().global("torch", "float"))).isEqualTo(new Value.Text("torch.float32"));
        assertThat(read(pickle().global("torch", "float64"))).isEqualTo(new Value.Text("torch.float64"));
        assertThat(read(pickle().global("torch", "complex64"))).isEqualTo(new Value.Text("torch.complex64"));
    }

    @Test
    void storage_thatNoTensorUses_mustBeThereAndAsLongAsItsElements() throws IOException {
        assertThat(read(pickle().storage("FloatStorage", "0", 6).op('0', 'N'))).isEqualTo(new Value.None());
        assertThat(refusal(pickle().storage("FloatStorage", "0", 5).op('0', 'N')))
                .hasMessageContaining("must have 5 elements of 4 bytes, but has 24 bytes");
        assertThat(refusal(pickle().storage("ComplexFloatStorage", "0", 4).op('0', 'N')))
                .hasMessageContaining("must have 4 elements of 8 bytes");
        assertThat(refusal(pickle().storage("FloatStorage", "1", 6).op('0', 'N')))
                .hasMessageContaining("has no storage 1");
        assertThat(refusal(pickle().storage("FloatStorage", "0", Long.MAX_VALUE).op('0', 'N')))
                .hasMessageContaining("must have");
    }

    private static PickleAssembler twoTensors(String firstType, long first, String secondType, long second) {
        long[] one = {1};
        return pickle().dict()
                .text("a")
                .tensor(firstType, "0", first, 0, one, one)
                .setItem()
                .text("b")
                .tensor(secondType, "0", second, 0, one, one)
                .setItem();
    }

    @Test
    void storage_namedAsTwoTypesOrLengths_isRefused() throws IOException {
        assertThat(read(twoTensors("FloatStorage", 6, "FloatStorage", 6))).isNotNull();
        assertThat(refusal(twoTensors("FloatStorage", 6, "IntStorage", 6))).hasMessageContaining("of which PyTorch");
        assertThat(refusal(twoTensors("FloatStorage", 6, "FloatStorage", 5))).hasMessageContaining("of which PyTorch");
        assertThat(refusal(twoTensors("FloatStorage", 6, "DoubleStorage", 3))).hasMessageContaining("of which PyTorch");
        assertThat(refusal(twoTensors("ComplexFloatStorage", 3, "DoubleStorage", 3)))
                .hasMessageContaining("as 3 elements of ComplexFloatStorage and as 3 elements of DoubleStorage");
    }

    @ParameterizedTest
    @ValueSource(ints = {22, 23, 25, 26, 27, 28, 0})
    void storage_thatIsNotAsLongAsItsElements_isRefused(int bytes) throws IOException {
        byte[] pickle = pickle().tensor("FloatStorage", "0", 6, 0, new long[] {1}, new long[] {1})
                .stop();
        byte[] file = Crafted.torch(pickle, new byte[bytes]).bytes();
        assertThat(refused(file(directory, file))).hasMessageContaining("must have 6 elements");
    }

    private static PickleAssembler view(PickleAssembler pickle, String name, String key, String viewKey, long offset) {
        return pickle.text(name)
                .global("torch._utils", "_rebuild_tensor")
                .mark()
                .mark()
                .text("storage")
                .global("torch", "FloatStorage")
                .text(key)
                .text("cpu")
                .whole(4)
                .mark()
                .text(viewKey)
                .whole(offset)
                .whole(2)
                .tuple()
                .tuple()
                .op('Q')
                .whole(0)
                .tuple(2)
                .tuple(1)
                .tuple()
                .reduce()
                .setItem();
    }

    private Path legacy(PickleAssembler object) throws IOException {
        return file(directory, new PyTorchLegacyReaderTest.Legacy(object.stop()).bytes());
    }

    @Test
    void views_ofOneKeyOnDifferentParts_areRefused() throws IOException {
        Path same = legacy(view(view(pickle().dict(), "a", "7", "v", 1), "b", "7", "v", 1));
        assertThat(floats(Crafted.tensor(Checkpoint.read(same), "b"))).containsExactly(1, 2);
        Path two = legacy(view(view(pickle().dict(), "a", "7", "v", 1), "b", "7", "w", 2));
        assertThat(floats(Crafted.tensor(Checkpoint.read(two), "b"))).containsExactly(2, 3);
        assertThat(refused(legacy(view(view(pickle().dict(), "a", "7", "v", 1), "b", "7", "v", 2))))
                .hasMessageContaining("two views of the key v");
        assertThat(refused(legacy(view(view(pickle().dict(), "a", "7", "v", 1), "b", "8", "v", 1))))
                .hasMessageContaining("two views of the key v");
    }

    @Test
    void view_ofAStoragesKey_isRefused() throws IOException {
        assertThat(refused(legacy(view(pickle().dict(), "a", "7", "7", 1))))
                .hasMessageContaining("a storage and a view of the key 7");
    }

    @Test
    void legacyFile_thatIsATarArchiveToo_isRefused() throws IOException {
        byte[] object =
                pickle().dict().text("w").text("x".repeat(600)).setItem().stop();
        PyTorchLegacyReaderTest.Legacy legacy = new PyTorchLegacyReaderTest.Legacy(object);
        legacy.keys = pickle().list().stop();
        legacy.data = new byte[0];
        byte[] file = legacy.bytes();
        assertThat(Checkpoint.read(file(directory, file)).format()).isEqualTo(Format.PYTORCH_LEGACY);
        int sum = 8 * ' ';
        for (int i = 0; i < 512; i++) {
            sum += i >= 148 && i < 156 ? 0 : Byte.toUnsignedInt(file[i]);
        }
        byte[] digits = String.format("%06o  ", sum).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(digits, 0, file, 148, 8);
        assertThat(refused(file(directory, file))).hasMessageContaining("both a file of torch.save and a tar archive");
        file[150]++;
        assertThat(Checkpoint.read(file(directory, file)).format()).isEqualTo(Format.PYTORCH_LEGACY);
    }

    // Keys.

    @Test
    void keys_thatAreEqualInPython_areRefused() throws IOException {
        int[][] equal = {
            {'K', 1}, {0x88}, {'G', 0x3f, 0xf0, 0, 0, 0, 0, 0, 0}, {'M', 1, 0}, {0x8a, 1, 1}, {'I', '0', '1', '\n'}
        };
        for (int[] one : equal) {
            for (int[] other : equal) {
                assertThat(refusal(
                                pickle().dict().op(one).op('N', 's').op(other).op('N', 's')))
                        .hasMessageContaining("two entries at");
            }
        }
        int[][] zeros = {{'K', 0}, {0x89}, {'G', 0x80, 0, 0, 0, 0, 0, 0, 0}, {'G', 0, 0, 0, 0, 0, 0, 0, 0}};
        for (int[] other : zeros) {
            assertThat(refusal(
                            pickle().dict().op(zeros[0]).op('N', 's').op(other).op('N', 's')))
                    .hasMessageContaining("two entries at");
        }
        assertThat(refusal(pickle().dict().op('N', 'N', 's', 'N', 'N', 's'))).hasMessageContaining("two entries at");
    }

    @Test
    void keys_ofTuplesAndBytesThatAreEqual_areRefused() throws IOException {
        assertThat(refusal(pickle().dict().op('K', 1, 0x85, 'N', 's', 0x88, 0x85, 'N', 's')))
                .hasMessageContaining("two entries at");
        assertThat(refusal(pickle().dict().op('C', 1, 'a', 'N', 's', 'C', 1, 'a', 'N', 's')))
                .hasMessageContaining("two entries at");
        assertThat(refusal(pickle().dict()
                        .global("torch", "float32")
                        .op('N', 's')
                        .global("torch", "float")
                        .op('N', 's')))
                .hasMessageContaining("two entries at");
    }

    @Test
    void keys_thatDifferInPython_areKept() throws IOException {
        Value.Mapping mapping = (Value.Mapping) read(pickle().dict()
                .op('K', 1, 'N', 's')
                .text("1")
                .op('N', 's')
                .op('G', 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 'N', 's')
                .op('K', 1, 0x85, 'N', 's')
                .op('K', 2, 0x85, 'N', 's')
                .op('C', 1, '1', 'N', 's'));
        assertThat(mapping.entries()).containsOnlyKeys("1", "1.5");
        assertThat(mapping.unnamed()).hasSize(4);
    }

    @Test
    void key_thatPythonCannotHash_isRefused() throws IOException {
        for (int[] key : new int[][] {{']'}, {'}'}, {0x8f}, {']', 0x85}, {']', 0x85, 0x85}}) {
            assertThat(refusal(pickle().dict().op(key).op('N', 's'))).hasMessageContaining("does not allow");
        }
        assertThat(read(pickle().dict().op('(', 0x91, 'N', 's'))).isNotNull();
    }

    // Other opcodes.

    @ParameterizedTest
    @ValueSource(
            strings = {
                "V\\u0041",
                "V\\x41",
                "Va\\",
                "I010",
                "I12L",
                "I-0",
                "I0x1",
                "I+1",
                "I1_0",
                "L007L",
                "L-0L",
                "I02"
            })
    void line_thatPythonSpellsOtherwise_isRefused(String line) throws IOException {
        assertThat(refusal(pickle().ascii(line + "\n"))).isNotNull();
    }

    @Test
    void append_toATupleOrSet_isRefused() throws IOException {
        assertThat(refusal(pickle().op(')', 'N', 'a'))).hasMessageContaining("appends to something other than a list");
        assertThat(refusal(pickle().op(')', '(', 'N', 'e'))).hasMessageContaining("appends to");
        assertThat(refusal(pickle().op(0x8f, '(', 'N', 'e'))).hasMessageContaining("appends to");
        assertThat(refusal(pickle().op(']', '(', 'N', 0x90))).hasMessageContaining("appends to");
        assertThat(read(pickle().op(0x8f, '(', 'N', 0x90))).isEqualTo(new Value.Sequence(List.of(new Value.None())));
    }

    @Test
    void arguments_thatAreNotATuple_areRefused() throws IOException {
        assertThat(refusal(pickle().global("collections", "OrderedDict").op(']', 'R')))
                .hasMessageContaining("arguments are not a tuple");
    }

    /** The argument behind the hooks says of a view whether it is conjugated or negated. */
    @Test
    void tensor_withAnotherThingThanAMappingForItsViews_isRefused() throws IOException {
        for (char views : new char[] {'}', 'N'}) {
            assertThat(read(viewed(views))).isInstanceOf(Tensor.class);
        }
        for (int views : new int[] {0x88, 0x89, ']', ')'}) {
            assertThat(refusal(viewed(views))).hasMessageContaining("_rebuild_tensor_v2 with arguments");
        }
    }

    private static PickleAssembler viewed(int views) {
        PickleAssembler pickle =
                pickle().global("torch._utils", "_rebuild_tensor_v2").mark();
        pickle.storage("FloatStorage", "0", 6).whole(0).tuple(1).tuple(1).op(0x89);
        return pickle.global("collections", "OrderedDict")
                .op(')')
                .reduce()
                .op(views)
                .tuple()
                .reduce();
    }

    @ParameterizedTest
    @ValueSource(strings = {"FloatStorage", "float32"})
    void call_ofAStorageOrElementType_isRefused(String name) throws IOException {
        assertThat(refusal(pickle().global("torch", name).op(')').reduce()))
                .hasMessageContaining("torch." + name + " with arguments");
    }

    @Test
    void counter_ofAList_whichCountsItsItems_isRefused() throws IOException {
        assertThat(refusal(pickle().global("collections", "Counter")
                        .op(']', '(')
                        .text("a")
                        .op('K', 1, 0x86, 'e', 0x85, 'R')))
                .hasMessageContaining("never use");
    }

    @Test
    void bytes_ofCharactersBeyondLatin1_areRefused() throws IOException {
        assertThat(refusal(pickle().global("_codecs", "encode")
                        .text("\u4e2d")
                        .text("latin1")
                        .op(0x86, 'R')))
                .hasMessageContaining("not Latin-1");
    }

    @Test
    void tensor_withMoreOrFewerArgumentsThanItsFunctionTakes_isRefused() throws IOException {
        for (String name : new String[] {"_rebuild_tensor", "_rebuild_tensor_v2"}) {
            for (int extra = 0; extra < 5; extra++) {
                PickleAssembler pickle = pickle().global("torch._utils", name)
                        .mark()
                        .storage("FloatStorage", "0", 6)
                        .whole(0)
                        .tuple(1)
                        .tuple(1);
                for (int i = 0; i < extra; i++) {
                    pickle.op(i == 0 ? 0x89 : '}');
                }
                pickle.tuple().reduce();
                boolean right = name.endsWith("v2") ? extra == 2 || extra == 3 : extra == 0;
                if (right) {
                    assertThat(read(pickle)).isInstanceOf(Tensor.class);
                } else {
                    assertThat(refusal(pickle)).hasMessageContaining("never use");
                }
            }
        }
    }

    // NumPy.

    private static byte[] npy(int version, String header, int dataBytes) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer out = ByteBuffer.allocate(8 + (version == 1 ? 2 : 4) + text.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN);
        out.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', (byte) version, 0});
        return (version == 1 ? out.putShort((short) text.length) : out.putInt(text.length))
                .put(text)
                .array();
    }

    private static String shaped(String shape) {
        return "{'descr': '|u1', 'fortran_order': False, 'shape': " + shape + ", }\n";
    }

    private void refusedNpy(int version, String header, int dataBytes) throws IOException {
        Path file = file(directory, npy(version, header, dataBytes));
        assertThatExceptionOfType(CheckpointException.class).as("%s", header).isThrownBy(() -> Npy.read(file));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(2)", "( 2 )", "(2L)", "(02,)", "(002,)", "(2,,)", "(0_2,)", "(1_0,)", "(+2,)", "(0x2,)", "2,", "[2]"
            })
    void shape_thatPythonReadsOtherwise_isRefused(String shape) throws IOException {
        refusedNpy(1, shaped(shape), 2);
        refusedNpy(3, shaped(shape), 2);
    }

    @Test
    void shape_withPython2sSuffix_isReadInTheVersionsThatPython2Wrote() throws IOException {
        for (int version : new int[] {1, 2}) {
            assertThat(Npy.read(file(directory, npy(version, shaped("(2L,)"), 2)))
                            .shape())
                    .containsExactly(2);
        }
        refusedNpy(3, shaped("(2L,)"), 2);
    }

    @Test
    void header_thatIsIndentedBehindALineFeed_isRefused() throws IOException {
        refusedNpy(1, "\n " + shaped("(2,)"), 2);
        refusedNpy(1, shaped("(2,)") + " ", 2);
        assertThat(Npy.read(file(directory, npy(1, shaped("(2,)").strip() + "  \n\n", 2)))
                        .shape())
                .containsExactly(2);
        assertThat(Npy.read(file(directory, npy(1, "  " + shaped("(2,\n 1)"), 2)))
                        .shape())
                .containsExactly(2, 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"<f1", "<f3", "<q", "f4", "<f4 ", "|zz", "<U", "<i16", "<M8[]"})
    void elementType_thatNumPyDoesNotHave_isRefused(String type) throws IOException {
        ZipAssembler zip = new ZipAssembler();
        zip.add("w.npy", npy(1, "{'descr': '" + type + "', 'fortran_order': False, 'shape': (2,)}", 2));
        assertThat(refused(file(directory, zip.bytes()))).hasMessageContaining("unknown to NumPy");
    }

    @ParameterizedTest
    @ValueSource(strings = {"|O", "<c8", "<u4", "|S3", "<U12", "|V8", "<M8[ns]", "<m8"})
    void elementType_thatIsNotRead_isAPlaceholder(String type) throws IOException {
        ZipAssembler zip = new ZipAssembler();
        zip.add("w.npy", npy(1, "{'descr': '" + type + "', 'fortran_order': False, 'shape': (2,)}", 2));
        assertThat(Crafted.at(Checkpoint.read(file(directory, zip.bytes())).root(), "w"))
                .isEqualTo(new Value.Placeholder("numpy." + type));
    }

    @Test
    void array_whoseNameIsAnotherEntrys_isRefused() throws IOException {
        byte[] array = npy(1, shaped("(2,)"), 2);
        ZipAssembler zip = new ZipAssembler();
        zip.add("w.npy", array);
        zip.add("w.npy.npy", array);
        assertThat(refused(file(directory, zip.bytes()))).hasMessageContaining("which NumPy would read instead");
        ZipAssembler cases = new ZipAssembler();
        cases.add("w.npy", array);
        cases.add("W.npy", array);
        assertThat(Crafted.entries(
                        Checkpoint.read(file(directory, cases.bytes())).root()))
                .containsOnlyKeys("w", "W");
    }

    @Test
    void name_beyondAscii_isReadIfTheArchiveSaysItsEncoding() throws IOException {
        ZipAssembler zip = new ZipAssembler();
        zip.add("\u00e9.npy", npy(1, shaped("(2,)"), 2));
        assertThat(refused(file(directory, zip.bytes()))).hasMessageContaining("code page 437");
        zip.entry(0).flags = 1 << 11;
        assertThat(refused(file(directory, zip.bytes()))).hasMessageContaining("differs between its local header");
        zip.entry(0).localFlags = 1 << 11;
        assertThat(Crafted.entries(Checkpoint.read(file(directory, zip.bytes())).root()))
                .containsOnlyKeys("\u00e9");
    }

    @Test
    void storedArray_withAWrongChecksum_isRefused() throws IOException {
        ZipAssembler zip = new ZipAssembler();
        zip.add("w.npy", npy(1, shaped("(2000000,)"), 2_000_000));
        byte[] file = zip.bytes();
        assertThat(Checkpoint.read(file(directory, file)).format()).isEqualTo(Format.NUMPY_ZIP);
        for (int place : new int[] {200, 1 << 20, 2_000_000}) {
            byte[] changed = Arrays.copyOf(file, file.length);
            changed[place]++;
            assertThat(refused(Files.write(directory.resolve("changed" + place), changed)))
                    .hasMessageContaining("checksum is wrong");
        }
    }
}
