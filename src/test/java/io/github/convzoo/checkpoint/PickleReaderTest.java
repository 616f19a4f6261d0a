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
        return pickle.mark().whole(3).text(order).op('N', 'N', 'N').tuple().op('b', 0x89);
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
        assertThat(refusal(array("f4", "<", 0, -1))).hasMessageContaining("never give it");
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
    void longText_isDecodedToBytes() throws IOException {
        Tensor tensor = (Tensor) at(read(asText("\u00ffa".repeat(35_000), 1)), "w");
        ByteBuffer bytes = tensor.bytes();
        assertThat(bytes.get(0)).isEqualTo((byte) 0xff);
        assertThat(bytes.get(69_999)).isEqualTo((byte) 'a');
    }

    @Test
    void longText_thatIsNoLatin1OrDecodedAgainAndAgain_isRefused() throws IOException {
        assertThat(refusal(asText("\u0100".repeat(70_000), 1))).hasMessageContaining("no Latin-1");
        assertThat(refusal(asText("\u20ac".repeat(70_000), 1))).hasMessageContaining("no Latin-1");
        assertThat(refusal(asText("a".repeat(70_000), 2))).hasMessageContaining("more bytes than the file has");
    }

    @Test
    void file_thatGoesOnOrEndsEarly_isRefused() throws IOException {
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
        Limits enough = Limits.DEFAULT.withTensors(1).withDimensions(2).withTensorBytes(6);
        assertThat(Checkpoint.read(file, enough).format()).isEqualTo(Format.PICKLE);
        assertThat(refused(file, enough.withDimensions(1))).hasMessageContaining("Limits.dimensions");
        assertThat(refused(file, enough.withTensorBytes(5))).hasMessageContaining("Limits.tensorBytes");
        // Data does not count as pickle.
        byte[] large = array("u1", "|", 100_000, 100_000);
        int besides = large.length - 100_000;
        file = file(directory, large);
        assertThat(Checkpoint.read(file, Limits.DEFAULT.withPickleBytes(besides))
                        .format())
                .isEqualTo(Format.PICKLE);
        assertThat(refused(file, Limits.DEFAULT.withPickleBytes(besides - 1)))
                .hasMessageContaining("Limits.pickleBytes");
    }
}
