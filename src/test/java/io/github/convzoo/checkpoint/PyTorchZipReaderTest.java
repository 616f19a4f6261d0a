package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.at;
import static io.github.convzoo.checkpoint.Crafted.file;
import static io.github.convzoo.checkpoint.Crafted.floats;
import static io.github.convzoo.checkpoint.Crafted.refused;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PyTorchZipReaderTest {
    private static final long HUGE = Long.MAX_VALUE;

    private final Path directory;

    PyTorchZipReaderTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    /** Six floats, 0 to 5. */
    private static byte[] six() {
        ByteBuffer data = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 6; i++) {
            data.putFloat(i);
        }
        return data.array();
    }

    private static PickleAssembler entry(String name) {
        return new PickleAssembler().dict().text(name);
    }

    private Path tensor(long offset, long[] shape, long[] strides) throws IOException {
        byte[] pickle = entry("w")
                .tensor("FloatStorage", "0", 6, offset, shape, strides)
                .setItem()
                .stop();
        return file(directory, Crafted.torch(pickle, six()).bytes());
    }

    private static long[] longs(long... numbers) {
        return numbers;
    }

    private float[] read(long offset, long[] shape, long[] strides) throws IOException {
        return floats(
                (Tensor) at(Checkpoint.read(tensor(offset, shape, strides)).root(), "w"));
    }

    @Test
    void tensor_withEveryKindOfStride_isReadRowMajor() throws IOException {
        assertThat(read(0, longs(2, 3), longs(3, 1))).containsExactly(0, 1, 2, 3, 4, 5);
        assertThat(read(0, longs(3, 2), longs(1, 3))).containsExactly(0, 3, 1, 4, 2, 5);
        assertThat(read(1, longs(2), longs(4))).containsExactly(1, 5);
        assertThat(read(2, longs(2, 2), longs(0, 1))).containsExactly(2, 3, 2, 3);
        assertThat(read(5, longs(), longs())).containsExactly(5);
        assertThat(read(5, longs(1, 1), longs(HUGE, HUGE))).containsExactly(5);
        assertThat(read(0, longs(0, 7), longs(7, 1))).isEmpty();
        assertThat(read(0, longs(7, 0), longs(HUGE, HUGE))).isEmpty();
    }

    @Test
    void tensor_reachingBeyondItsStorage_isRefused() throws IOException {
        for (Path file : new Path[] {tensor(1, longs(2, 3), longs(3, 1))}) {
            CheckpointException refusal = refused(file);
            assertThat(refusal).hasMessageContaining("exceed its storage 0 of 24 bytes");
            assertThat(refusal.tensor()).hasValue("w");
            assertThat(refusal.offset()).isPresent();
        }
        assertThat(refused(tensor(0, longs(7), longs(1)))).hasMessageContaining("exceed its storage");
        assertThat(refused(tensor(0, longs(2), longs(6)))).hasMessageContaining("exceed its storage");
        assertThat(refused(tensor(6, longs(), longs()))).hasMessageContaining("exceed its storage");
        assertThat(refused(tensor(7, longs(0), longs(1)))).hasMessageContaining("exceed its storage");
    }

    @Test
    void tensor_whoseSizesOverflow_isRefused() throws IOException {
        assertThat(refused(tensor(0, longs(HUGE, HUGE), longs(1, 1)))).hasMessageContaining("larger than any file");
        assertThat(refused(tensor(0, longs(2), longs(HUGE)))).hasMessageContaining("larger than any file");
        assertThat(refused(tensor(HUGE, longs(1), longs(1)))).hasMessageContaining("larger than any file");
        assertThat(refused(tensor(0, longs(HUGE), longs(0)))).hasMessageContaining("larger than any file");
        // 2^62 float32 are 2^64 bytes, 0 in 64 bits.
        assertThat(refused(tensor(0, longs(1L << 62), longs(0)))).hasMessageContaining("larger than any file");
    }

    @Test
    void tensor_withNegativeOrMissingSizes_isRefused() throws IOException {
        assertThat(refused(tensor(-1, longs(1), longs(1)))).hasMessageContaining("never use");
        assertThat(refused(tensor(0, longs(-1), longs(1)))).hasMessageContaining("never use");
        assertThat(refused(tensor(5, longs(2), longs(-1)))).hasMessageContaining("never use");
        assertThat(refused(tensor(0, longs(2, 3), longs(1)))).hasMessageContaining("never use");
    }

    @Test
    void storage_thatIsMissing_isRefusedUnlessItIsEmpty() throws IOException {
        byte[] missing = entry("w")
                .tensor("FloatStorage", "1", 1, 0, longs(1), longs(1))
                .setItem()
                .stop();
        CheckpointException refusal =
                refused(file(directory, Crafted.torch(missing, six()).bytes()));
        assertThat(refusal).hasMessageContaining("no storage 1");
        assertThat(refusal.tensor()).hasValue("w");
        byte[] empty = entry("w")
                .tensor("FloatStorage", "1", 0, 0, longs(0), longs(1))
                .setItem()
                .stop();
        Value root = Checkpoint.read(file(directory, Crafted.torch(empty, six()).bytes()))
                .root();
        assertThat(floats((Tensor) at(root, "w"))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 5, 7, Long.MAX_VALUE})
    void storage_ofAnotherLengthThanItsEntry_isRefused(long elements) throws IOException {
        byte[] pickle = entry("w")
                .tensor("FloatStorage", "0", elements, 0, longs(0), longs(1))
                .setItem()
                .stop();
        assertThat(refused(file(directory, Crafted.torch(pickle, six()).bytes())))
                .hasMessageContaining("storage 0");
    }

    @Test
    void storage_withPathTricksInItsKey_isMissing() throws IOException {
        byte[] pickle = entry("w")
                .tensor("FloatStorage", "../data.pkl", 1, 0, longs(1), longs(1))
                .setItem()
                .stop();
        assertThat(refused(file(directory, Crafted.torch(pickle, six()).bytes())))
                .hasMessageContaining("no storage");
    }

    @Test
    void parameter_withArgumentsThatPyTorchDoesNotTake_isRefused() throws IOException {
        for (int count = 1; count <= 5; count++) {
            for (String name : new String[] {"_rebuild_parameter", "_rebuild_parameter_with_state"}) {
                PickleAssembler pickle = entry("w").global("torch._utils", name).mark();
                pickle.tensor("FloatStorage", "0", 6, 0, longs(6), longs(1));
                for (int i = 1; i < count; i++) {
                    pickle.op('N');
                }
                Path file = file(
                        directory,
                        Crafted.torch(pickle.tuple().reduce().setItem().stop(), six())
                                .bytes());
                if (count == (name.endsWith("_with_state") ? 4 : 3)) {
                    assertThat(Crafted.tensor(Checkpoint.read(file), "w").shape())
                            .containsExactly(6);
                } else {
                    assertThat(refused(file)).hasMessageContaining(name);
                }
            }
        }
    }

    /** PyTorch sets the attributes on the tensor, and some replace its numbers. */
    @ParameterizedTest
    @CsvSource({
        "N, true",
        "}, true",
        "}tag, true",
        "NN, true",
        "N}tag, true",
        "}tag}, true",
        "}data, false",
        "}real, false",
        "}imag, false",
        "}shape, false",
        "N}data, false",
        "}data}, false",
        "], false",
        ") , false",
        "NNN, false",
        "}1, false",
    })
    void attributesOfATensor_thatReplaceItsNumbers_areRefused(String state, boolean harmless) throws IOException {
        for (boolean parameter : new boolean[] {true, false}) {
            PickleAssembler pickle = entry("w");
            if (parameter) {
                pickle.global("torch._utils", "_rebuild_parameter_with_state").mark();
                pickle.tensor("FloatStorage", "0", 6, 0, longs(6), longs(1)).op(0x89, 'N');
            } else {
                pickle.global("torch._tensor", "_rebuild_from_type_v2").mark();
                pickle.global("torch._utils", "_rebuild_tensor_v2").global("torch", "Tensor");
                pickle.mark().storage("FloatStorage", "0", 6).op('K', 0, 'K', 6, 0x85, 'K', 1, 0x85, 0x89, '}');
                pickle.tuple();
            }
            List<String> parts = new ArrayList<>();
            Matcher matcher = Pattern.compile("N|[\\])]|\\}[a-z0-9]*").matcher(state);
            while (matcher.find()) {
                parts.add(matcher.group());
            }
            for (String part : parts) {
                pickle.op(part.charAt(0));
                String key = part.substring(1);
                if (key.equals("1")) {
                    pickle.op('K', 1, 'N', 's');
                } else if (!key.isEmpty()) {
                    pickle.text(key).op('N', 's');
                }
            }
            if (parts.size() > 1) {
                pickle.op(parts.size() == 2 ? 0x86 : 0x87);
            }
            Path file = file(
                    directory,
                    Crafted.torch(pickle.tuple().reduce().setItem().stop(), six())
                            .bytes());
            if (harmless) {
                assertThat(Crafted.tensor(Checkpoint.read(file), "w").shape()).containsExactly(6);
            } else {
                assertThat(refused(file)).hasMessageContaining(parameter ? "_with_state" : "_rebuild_from_type_v2");
            }
        }
    }

    @Test
    void storage_thatIsCalled_isRefused() throws IOException {
        byte[] pickle = entry("w")
                .storage("FloatStorage", "0", 6)
                .op(')', 'R')
                .setItem()
                .stop();
        assertThat(refused(file(directory, Crafted.torch(pickle, six()).bytes())))
                .hasMessageContaining("calls something other than a global");
    }

    /** Legacy files have a sixth item, and PyTorch refuses it here. */
    @Test
    void persistentId_ofALegacyFile_isRefused() throws IOException {
        byte[] pickle = new PickleAssembler()
                .mark()
                .text("storage")
                .global("torch", "FloatStorage")
                .text("0")
                .text("cpu")
                .whole(6)
                .op('N')
                .tuple()
                .op('Q')
                .stop();
        assertThat(refused(file(directory, Crafted.torch(pickle, six()).bytes())))
                .hasMessageContaining("not a storage");
    }

    @Test
    void persistentId_thatIsNoStorage_isRefused() throws IOException {
        byte[] pickle = new PickleAssembler()
                .mark()
                .text("module")
                .global("torch", "FloatStorage")
                .text("0")
                .text("cpu")
                .whole(6)
                .tuple()
                .op('Q')
                .stop();
        assertThat(refused(file(directory, Crafted.torch(pickle, six()).bytes())))
                .hasMessageContaining("not a storage");
    }

    @Test
    void tensor_thatIsALazyView_isAPlaceholderWithARemedy() throws IOException {
        for (String view : new String[] {"neg", "conj"}) {
            byte[] pickle = new PickleAssembler()
                    .global("torch._utils", "_rebuild_tensor_v2")
                    .mark()
                    .storage("FloatStorage", "0", 6)
                    .whole(0)
                    .tuple(6)
                    .tuple(1)
                    .op(0x89, '}', '}')
                    .text(view)
                    .op(0x88, 's')
                    .tuple()
                    .reduce()
                    .stop();
            Value read = Checkpoint.read(
                            file(directory, Crafted.torch(pickle, six()).bytes()))
                    .root();
            assertThat(((Value.Placeholder) read).remedy().orElseThrow())
                    .contains(view.equals("neg") ? "tensor.resolve_neg()" : "a complex tensor");
        }
    }

    @Test
    void tensor_overUntypedStorage_takesTheTypeThatIsGiven() throws IOException {
        byte[] pickle = new PickleAssembler()
                .global("torch._utils", "_rebuild_tensor_v3")
                .mark()
                .mark()
                .text("storage")
                .global("torch.storage", "UntypedStorage")
                .text("0")
                .text("cpu")
                .whole(24)
                .tuple()
                .op('Q')
                .whole(1)
                .tuple(5)
                .tuple(1)
                .op(0x89, '}')
                .global("torch", "float32")
                .tuple()
                .reduce()
                .stop();
        Tensor tensor = (Tensor)
                Checkpoint.read(file(directory, Crafted.torch(pickle, six()).bytes()))
                        .root();
        assertThat(tensor.name()).isEmpty();
        assertThat(floats(tensor)).containsExactly(1, 2, 3, 4, 5);
    }

    @ParameterizedTest
    @CsvSource({"byteorder, big", "byteorder, middle", "version, 11", "version, 0", "version, three", "version, ''"})
    void archive_withAnotherByteOrderOrVersion_isRefused(String entry, String content) throws IOException {
        ZipAssembler zip = new ZipAssembler();
        zip.add("model/data.pkl", new PickleAssembler().op('N').stop());
        zip.add("model/byteorder", entry.equals("byteorder") ? content : "little");
        zip.add("model/version", entry.equals("version") ? content : "3");
        assertThat(refused(file(directory, zip.bytes()))).hasMessageContaining("is not supported");
    }

    @Test
    void archive_fromBeforeByteOrderWasWritten_isRead() throws IOException {
        ZipAssembler zip = new ZipAssembler();
        zip.add("archive/data.pkl", new PickleAssembler().op('N').stop());
        zip.add("archive/version", "3\n");
        assertThat(Checkpoint.read(file(directory, zip.bytes())).root()).isEqualTo(new Value.None());
    }

    @Test
    void archive_withoutPickleOrVersion_isRefused() throws IOException {
        ZipAssembler noPickle = new ZipAssembler();
        noPickle.add("model/version", "3");
        assertThat(refused(file(directory, noPickle.bytes()))).hasMessageContaining("no model/data.pkl");
        ZipAssembler noVersion = new ZipAssembler();
        noVersion.add("model/data.pkl", new PickleAssembler().op('N').stop());
        assertThat(refused(file(directory, noVersion.bytes()))).hasMessageContaining("no version");
        ZipAssembler other = new ZipAssembler();
        other.add("w.txt", new byte[10]);
        assertThat(refused(file(directory, other.bytes()))).hasMessageContaining("was not written by torch.save");
    }

    @Test
    void pickle_withAWrongChecksum_isRefused() throws IOException {
        ZipAssembler zip = Crafted.torch(new PickleAssembler().op('N').stop(), six());
        zip.entry(0).crc = 1;
        zip.entry(0).localCrc = 1;
        assertThat(refused(file(directory, zip.bytes()))).hasMessageContaining("checksum");
    }

    @Test
    void tensorInsideLists_thatIsDamaged_isNamedByItsPath() throws IOException {
        byte[] pickle = entry("state")
                .list()
                .tensor("FloatStorage", "0", 6, 0, longs(7), longs(1))
                .op('a')
                .setItem()
                .stop();
        assertThat(refused(file(directory, Crafted.torch(pickle, six()).bytes()))
                        .tensor())
                .hasValue("state/0");
    }
}
