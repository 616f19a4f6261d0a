package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.file;
import static io.github.convzoo.checkpoint.Crafted.floats;
import static io.github.convzoo.checkpoint.Crafted.refused;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;

class PyTorchLegacyReaderTest {
    private final Path directory;

    PyTorchLegacyReaderTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    /** A file part by part, each of which can be wrong. */
    static final class Legacy {
        byte[] version = new PickleAssembler().whole(1001).stop();
        byte[] machine =
                new PickleAssembler().dict().text("little_endian").op(0x88, 's').stop();
        byte[] object;
        byte[] keys = new PickleAssembler().list().text("7").op('a').stop();
        long elements = 4;
        float[] values = {0, 1, 2, 3};
        /** Stands for these two, where it is not null. */
        byte @Nullable [] data;

        byte[] rest = {};

        Legacy(byte[] object) {
            this.object = object;
        }

        byte[] bytes() {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] magic = new BigInteger("1950a86a20f9469cfc6c", 16).toByteArray();
            PickleAssembler first = new PickleAssembler().op(0x8a, magic.length);
            for (int i = magic.length - 1; i >= 0; i--) {
                first.op(magic[i]);
            }
            out.writeBytes(first.stop());
            out.writeBytes(version);
            out.writeBytes(machine);
            out.writeBytes(object);
            out.writeBytes(keys);
            ByteBuffer storage = ByteBuffer.allocate(8 + 4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
            storage.putLong(elements);
            for (float value : values) {
                storage.putFloat(value);
            }
            out.writeBytes(data == null ? storage.array() : data);
            out.writeBytes(rest);
            return out.toByteArray();
        }
    }

    private static PickleAssembler storage(long elements) {
        return new PickleAssembler()
                .dict()
                .text("w")
                .global("torch._utils", "_rebuild_tensor")
                .mark()
                .mark()
                .text("storage")
                .global("torch", "FloatStorage")
                .text("7")
                .text("cpu")
                .whole(elements);
    }

    private static byte[] tensor(PickleAssembler storage, long offset, long size) {
        return storage.tuple()
                .op('Q')
                .whole(offset)
                .tuple(size)
                .tuple(1)
                .tuple()
                .reduce()
                .setItem()
                .stop();
    }

    private static Legacy valid() {
        return new Legacy(tensor(storage(4).op('N'), 1, 3));
    }

    private static Legacy view(long offset, long elements, long size) {
        PickleAssembler view = storage(4).mark().text("140").whole(offset).whole(elements);
        return new Legacy(tensor(view.tuple(), 0, size));
    }

    private Checkpoint read(Legacy legacy) throws IOException {
        return Checkpoint.read(file(directory, legacy.bytes()));
    }

    private CheckpointException refusal(Legacy legacy) throws IOException {
        return refused(file(directory, legacy.bytes()));
    }

    @Test
    void file_ofAllItsParts_isRead() throws IOException {
        Checkpoint checkpoint = read(valid());
        assertThat(checkpoint.format()).isEqualTo(Format.PYTORCH_LEGACY);
        assertThat(floats(Crafted.tensor(checkpoint, "w"))).containsExactly(1, 2, 3);
        assertThat(Crafted.tensor(checkpoint, "w").bytes().isDirect()).isTrue();
    }

    @Test
    void storageView_ofAnOlderFile_isThatPartOfTheStorage() throws IOException {
        assertThat(floats(Crafted.tensor(read(view(1, 2, 2)), "w"))).containsExactly(1, 2);
        assertThat(floats(Crafted.tensor(read(view(4, 0, 0)), "w"))).isEmpty();
    }

    @Test
    void storageView_beyondItsStorage_isRefused() throws IOException {
        assertThat(refusal(view(1, 4, 2))).hasMessageContaining("exceeds its storage 7 of 4 elements");
        assertThat(refusal(view(5, 0, 0))).hasMessageContaining("exceeds its storage");
        assertThat(refusal(view(Long.MAX_VALUE, 2, 2))).hasMessageContaining("exceeds its storage");
        assertThat(refusal(view(1, Long.MAX_VALUE, 2))).hasMessageContaining("exceeds its storage");
        assertThat(refusal(view(1, 2, 3))).hasMessageContaining("exceed its storage 7 of 8 bytes");
    }

    @Test
    void storageView_thatIsNone_isTheWholeStorage_andAnythingElseIsRefused() throws IOException {
        Legacy odd = new Legacy(tensor(storage(4).whole(1), 0, 1));
        assertThat(refusal(odd)).hasMessageContaining("never use");
    }

    @Test
    void persistentId_ofAnotherLength_isRefused() throws IOException {
        assertThat(refusal(new Legacy(tensor(storage(4), 1, 3)))).hasMessageContaining("not a storage of torch.save");
        assertThat(refusal(new Legacy(tensor(storage(4).op('N', 'N'), 1, 3))))
                .hasMessageContaining("not a storage of torch.save");
    }

    @Test
    void modelObject_namedByItsModule_isAPlaceholder() throws IOException {
        Legacy whole = new Legacy(new PickleAssembler()
                .mark()
                .text("module")
                .global("net", "Net")
                .text("net.py")
                .text("class Net: pass")
                .tuple()
                .op('Q', ')', 0x81, '}', 'b')
                .stop());
        whole.keys = new PickleAssembler().list().stop();
        byte[] bytes = whole.bytes();
        // Without storages the file ends with the keys.
        byte[] cut = Arrays.copyOf(bytes, bytes.length - 8 - 16);
        assertThat(Checkpoint.read(file(directory, cut)).root()).isEqualTo(new Value.Placeholder("net.Net"));
    }

    @Test
    void version_thatIsAnother_isRefused() throws IOException {
        Legacy legacy = valid();
        legacy.version = new PickleAssembler().whole(1002).stop();
        assertThat(refusal(legacy)).hasMessageContaining("the version of the format is 1002");
        legacy.version = new PickleAssembler().op('N').stop();
        assertThat(refusal(legacy)).hasMessageContaining("is not a number");
    }

    @Test
    void file_thatIsBigEndianOrDoesNotSay_isRefused() throws IOException {
        Legacy legacy = valid();
        legacy.machine =
                new PickleAssembler().dict().text("little_endian").op(0x89, 's').stop();
        assertThat(refusal(legacy)).hasMessageContaining("little-endian");
        legacy.machine = new PickleAssembler().dict().stop();
        assertThat(refusal(legacy)).hasMessageContaining("little-endian");
        legacy.machine = new PickleAssembler().op('N').stop();
        assertThat(refusal(legacy)).hasMessageContaining("little-endian");
    }

    @Test
    void keys_thatAreNotThoseOfTheObject_areRefused() throws IOException {
        Legacy legacy = valid();
        legacy.keys = new PickleAssembler().list().text("8").op('a').stop();
        assertThat(refusal(legacy)).hasMessageContaining("not those that the object refers to");
        legacy.keys =
                new PickleAssembler().list().text("7").op('a').text("7").op('a').stop();
        assertThat(refusal(legacy)).hasMessageContaining("not those that the object refers to");
        legacy.keys = new PickleAssembler().op('N').stop();
        assertThat(refusal(legacy)).hasMessageContaining("not a list");
    }

    @Test
    void storage_withoutAKey_isRefused() throws IOException {
        Legacy legacy = valid();
        legacy.keys = new PickleAssembler().list().stop();
        byte[] bytes = legacy.bytes();
        byte[] cut = Arrays.copyOf(bytes, bytes.length - 24);
        assertThat(refused(file(directory, cut))).hasMessageContaining("no storage 7");
        assertThat(refusal(legacy)).hasMessageContaining("continues after its last storage");
    }

    @Test
    void storage_ofAnotherLengthThanItsObjectSays_isRefused() throws IOException {
        for (long elements : new long[] {3, 5, -1, Long.MAX_VALUE}) {
            Legacy legacy = valid();
            legacy.elements = elements;
            assertThat(refusal(legacy)).hasMessageContaining("storage 7 has " + elements + " elements");
        }
    }

    @Test
    void storage_thatIsTruncated_isRefused() throws IOException {
        Legacy legacy = valid();
        legacy.values = new float[] {0, 1, 2};
        assertThat(refusal(legacy)).hasMessageContaining("storage 7 extends beyond the file");
        Legacy huge = new Legacy(tensor(storage(Long.MAX_VALUE).op('N'), 0, 1));
        huge.elements = Long.MAX_VALUE;
        assertThat(refusal(huge)).hasMessageContaining("storage 7 extends beyond the file");
        byte[] bytes = valid().bytes();
        assertThat(refused(file(directory, Arrays.copyOf(bytes, bytes.length - 20))))
                .hasMessageContaining("truncated");
    }

    @Test
    void file_withTrailingBytes_isRefused() throws IOException {
        Legacy legacy = valid();
        legacy.rest = new byte[1];
        assertThat(refusal(legacy)).hasMessageContaining("continues after its last storage");
    }

    @Test
    void everyPrefixOfAFile_isRefused() throws IOException {
        byte[] bytes = valid().bytes();
        for (int length = 0; length < bytes.length; length++) {
            assertThat(refused(file(directory, Arrays.copyOf(bytes, length)))).isNotNull();
        }
    }

    @Test
    void pickleBytes_ofTheObject_areLimited() throws IOException {
        Legacy legacy = valid();
        legacy.object = tensor(storage(4).op('N'), 1, 3);
        Path file = file(directory, legacy.bytes());
        int length = legacy.object.length;
        assertThat(Checkpoint.read(file, Limits.DEFAULT.with(Limit.PICKLE_BYTES, length))
                        .format())
                .isEqualTo(Format.PYTORCH_LEGACY);
        assertThat(refused(file, Limits.DEFAULT.with(Limit.PICKLE_BYTES, length - 1)))
                .hasMessageContaining("if you trust the file, raise the limit pickleBytes");
    }

    @Test
    void text_longerThanAnyName_isReadWithinTheLimitOfThePickle() throws IOException {
        String text = "x".repeat(1 << 16);
        Legacy legacy = valid();
        legacy.object = new PickleAssembler().text(text).stop();
        legacy.keys = new PickleAssembler().list().stop();
        byte[] bytes = legacy.bytes();
        Path file = file(directory, Arrays.copyOf(bytes, bytes.length - 24));
        assertThat(Checkpoint.read(file, Limits.DEFAULT.with(Limit.PICKLE_BYTES, 1 << 16))
                        .root())
                .isEqualTo(new Value.Text(text));
        assertThat(refused(file, Limits.DEFAULT.with(Limit.PICKLE_BYTES, (1 << 16) - 1)))
                .hasMessageContaining("--limit pickleBytes=N");
    }
}
