package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.file;
import static io.github.convzoo.checkpoint.Crafted.refused;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;

class TorchScriptTest {
    private static final long[] ONE = {1};

    private final Path directory;

    TorchScriptTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    private static PickleAssembler object() {
        return new PickleAssembler().global("__torch__.net", "Net").op(')', 0x81, '}');
    }

    private static ZipAssembler archive(byte[] pickle, byte[] constants) {
        ZipAssembler zip = Crafted.torch(pickle, new byte[24]);
        zip.add("model/constants.pkl", constants);
        zip.add("model/code/__torch__/net.py", "class Net:");
        return zip;
    }

    private static byte[] none() {
        return new PickleAssembler().op(')').stop();
    }

    @Test
    void attributes_thatAreNoTensors_areLeftOut() throws IOException {
        byte[] pickle = object().text("w")
                .tensor("FloatStorage", "0", 6, 0, ONE, ONE)
                .setItem()
                .text("training")
                .op(0x88, 's', 'b')
                .stop();
        Checkpoint checkpoint =
                Checkpoint.read(file(directory, archive(pickle, none()).bytes()));
        assertThat(checkpoint.format()).isEqualTo(Format.TORCHSCRIPT);
        assertThat(Crafted.entries(checkpoint.root())).containsOnlyKeys("w");
        assertThat(checkpoint.placeholders()).isEmpty();
    }

    @Test
    void object_whoseStateIsNoMapping_hasNoTensors() throws IOException {
        byte[] pickle = new PickleAssembler()
                .global("__torch__.net", "Net")
                .op(')', 0x81, 'N', 'b')
                .stop();
        Value root = Checkpoint.read(file(directory, archive(pickle, none()).bytes()))
                .root();
        assertThat(Crafted.entries(root)).isEmpty();
    }

    @Test
    void object_thatMakesItselfOfAList_hasTheListsTensors() throws IOException {
        byte[] pickle = new PickleAssembler()
                .global("__torch__.net", "Net")
                .op(')', 0x81)
                .global("torch.jit._pickle", "build_tensorlist")
                .op('(', ']', '(')
                .tensor("FloatStorage", "0", 6, 0, ONE, ONE)
                .tensor("FloatStorage", "0", 6, 1, ONE, ONE)
                .op('e', 't', 'R', 'b')
                .stop();
        Value root = Checkpoint.read(file(directory, archive(pickle, none()).bytes()))
                .root();
        assertThat(Crafted.entries(root)).containsOnlyKeys("state.0", "state.1");
    }

    @Test
    void object_thatHoldsItself_isRefused() throws IOException {
        byte[] pickle = new PickleAssembler()
                .global("__torch__.net", "Net")
                .op(')', 0x81)
                .put(0)
                .op('}')
                .text("self")
                .get(0)
                .op('s', 'b')
                .stop();
        assertThat(refused(file(directory, archive(pickle, none()).bytes()))).hasMessageContaining("contains itself");
    }

    @Test
    void paths_thatAreTheSame_areRefused() throws IOException {
        byte[] pickle = object().text("a")
                .dict()
                .text("b")
                .tensor("FloatStorage", "0", 6, 0, ONE, ONE)
                .setItem()
                .setItem()
                .text("a.b")
                .tensor("FloatStorage", "0", 6, 0, ONE, ONE)
                .op('s', 'b')
                .stop();
        CheckpointException refusal =
                refused(file(directory, archive(pickle, none()).bytes()));
        assertThat(refusal).hasMessageContaining("two tensors have this path");
        assertThat(refusal.tensor()).hasValue("a.b");
    }

    @Test
    void constants_thatAreNoSequenceOrDamaged_areRefused() throws IOException {
        byte[] pickle = object().op('b').stop();
        byte[] mapping = new PickleAssembler().dict().stop();
        assertThat(refused(file(directory, archive(pickle, mapping).bytes()))).hasMessageContaining("not a sequence");
        ZipAssembler badSum = archive(pickle, none());
        badSum.entry(4).crc = 1;
        badSum.entry(4).localCrc = 1;
        assertThat(refused(file(directory, badSum.bytes()))).hasMessageContaining("checksum of model/constants.pkl");
    }

    @Test
    void entries_thatAreReadAndCompressed_areRefused() throws IOException {
        byte[] pickle = object().op('b').stop();
        ZipAssembler code = archive(pickle, none());
        code.entry(5).method = 8;
        code.entry(5).localMethod = 8;
        assertThat(Checkpoint.read(file(directory, code.bytes())).format()).isEqualTo(Format.TORCHSCRIPT);
        ZipAssembler constants = archive(pickle, none());
        constants.entry(4).method = 8;
        constants.entry(4).localMethod = 8;
        assertThat(refused(file(directory, constants.bytes()))).hasMessageContaining("is compressed");
    }

    @Test
    void paths_longerThanAllowed_areRefused() throws IOException {
        byte[] pickle = object().text("abcdefghijklmnopqrstuvwxyz")
                .dict()
                .text("weight")
                .tensor("FloatStorage", "0", 6, 0, ONE, ONE)
                .op('s', 's', 'b')
                .stop();
        Path file = file(directory, archive(pickle, none()).bytes());
        assertThat(Checkpoint.read(file, Limits.DEFAULT.with(Limit.NAME_LENGTH, 33))
                        .format())
                .isEqualTo(Format.TORCHSCRIPT);
        assertThat(refused(file, Limits.DEFAULT.with(Limit.NAME_LENGTH, 32)))
                .hasMessageContaining("--limit nameLength=N");
    }
}
