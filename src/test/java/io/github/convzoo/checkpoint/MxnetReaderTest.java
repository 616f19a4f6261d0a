package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.at;
import static io.github.convzoo.checkpoint.Crafted.file;
import static io.github.convzoo.checkpoint.Crafted.floats;
import static io.github.convzoo.checkpoint.Crafted.refused;
import static io.github.convzoo.checkpoint.Crafted.resource;
import static io.github.convzoo.checkpoint.MxnetAssembler.V1;
import static io.github.convzoo.checkpoint.MxnetAssembler.V2;
import static io.github.convzoo.checkpoint.MxnetAssembler.V3;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MxnetReaderTest {
    private static final byte[] ONE_AND_TWO = {0, 0, (byte) 0x80, 0x3f, 0, 0, 0, 0x40};

    private final Path directory;

    MxnetReaderTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    private static MxnetAssembler assembler() {
        return new MxnetAssembler();
    }

    private static MxnetAssembler valid() {
        return assembler().int32(V2, 0, 2).int64(1, 2).data(0, ONE_AND_TWO).name("arg:w");
    }

    private Value read(MxnetAssembler mxnet) throws IOException {
        return Checkpoint.read(file(directory, mxnet.bytes())).root();
    }

    private CheckpointException refusal(MxnetAssembler mxnet) throws IOException {
        return refused(file(directory, mxnet.bytes()));
    }

    @Test
    void array_isAViewUnderItsName() throws IOException {
        Checkpoint checkpoint = Checkpoint.read(file(directory, valid().bytes()));
        assertThat(checkpoint.format()).isEqualTo(Format.MXNET);
        Tensor tensor = Crafted.tensor(checkpoint, "arg:w");
        assertThat(tensor.name()).isEqualTo("arg:w");
        assertThat(tensor.shape()).containsExactly(1, 2);
        assertThat(tensor.bytes().isDirect()).isTrue();
        assertThat(floats(tensor)).containsExactly(1, 2);
    }

    @Test
    void array_ofEachVersion_isRead() throws IOException {
        MxnetAssembler mxnet = assembler()
                .int32(2, 1, 2)
                .data(0, ONE_AND_TWO)
                .name("before 1")
                .int32(V1, 2)
                .int64(1, 2)
                .data(0, ONE_AND_TWO)
                .name("1")
                .int32(V2, 0, 2)
                .int64(1, 2)
                .data(0, ONE_AND_TWO)
                .name("2")
                .int32(V3, 0, 2)
                .int64(1, 2)
                .data(0, ONE_AND_TWO)
                .name("3");
        Value root = read(mxnet);
        for (String version : new String[] {"before 1", "1", "2", "3"}) {
            Tensor tensor = (Tensor) at(root, version);
            assertThat(tensor.shape()).containsExactly(1, 2);
            assertThat(floats(tensor)).containsExactly(1, 2);
        }
    }

    @Test
    void array_withoutDimensions_isNoneAndFromVersion3OnAScalar() throws IOException {
        MxnetAssembler mxnet = assembler()
                .int32(0)
                .none()
                .name("before 1")
                .int32(V1, 0)
                .none()
                .name("1")
                .int32(V2, 0, 0)
                .none()
                .name("2")
                .int32(V3, 0, -1)
                .none()
                .name("3")
                .int32(V3, 0, 0)
                .data(0, Arrays.copyOf(ONE_AND_TWO, 4))
                .name("scalar");
        Value root = read(mxnet);
        for (String version : new String[] {"before 1", "1", "2", "3"}) {
            assertThat(at(root, version)).isEqualTo(new Value.None());
        }
        assertThat(floats((Tensor) at(root, "scalar"))).containsExactly(1);
    }

    @Test
    void list_withoutNames_isASequence() throws IOException {
        Value root = Checkpoint.read(resource("mxnet_list.params")).root();
        assertThat(floats((Tensor) at(root, "0"))).containsExactly(1, 2);
        assertThat(floats((Tensor) at(root, "1"))).containsExactly(3);
        assertThat(read(assembler())).isInstanceOf(Value.Mapping.class);
    }

    @Test
    void array_thatIsSparse_isRefused() {
        CheckpointException refusal = refused(resource("mxnet_sparse.params"));
        assertThat(refusal).hasMessageContaining("it is sparse (kind 1)");
        assertThat(refusal.tensor()).hasValue("0");
    }

    @Test
    void array_ofAnUnsupportedType_isAPlaceholder_andOfAnUnknownOneRefused() throws IOException {
        MxnetAssembler mxnet =
                assembler().int32(V2, 0, 1).int64(1).data(11, ONE_AND_TWO).name("w");
        assertThat(at(read(mxnet), "w")).isEqualTo(new Value.Placeholder("mxnet.uint64"));
        for (int flag : new int[] {-1, 13, 99}) {
            assertThat(refusal(assembler()
                            .int32(V2, 0, 1)
                            .int64(1)
                            .data(flag, ONE_AND_TWO)
                            .name("w")))
                    .hasMessageContaining("element type " + flag + " is unknown");
        }
    }

    @Test
    void shape_largerThanTheFile_isRefused() throws IOException {
        assertThat(refusal(assembler().int32(V2, 0, 1).int64(5).data(0, ONE_AND_TWO)))
                .hasMessageContaining("it has 20 bytes");
        for (long[] shape : new long[][] {{-1}, {Long.MAX_VALUE}, {1L << 62}, {Long.MAX_VALUE, 2}}) {
            assertThat(refusal(
                            assembler().int32(V2, 0, shape.length).int64(shape).data(0, ONE_AND_TWO)))
                    .hasMessageContaining("larger than any file");
        }
    }

    /** MXNet reads the shape (0, 3) of the first: an array without elements may have any dimensions. */
    @Test
    void dimension_thatMxnetCuts_isRefused() throws IOException {
        for (long large : new long[] {(1L << 49) + 3, 1L << 31}) {
            assertThat(refusal(assembler().int32(V2, 0, 2).int64(0, large).data(0, new byte[0])))
                    .hasMessageContaining("[0, " + large + "] has a dimension of more than 31 bits");
        }
        MxnetAssembler largest =
                assembler().int32(V2, 0, 2).int64(0, Integer.MAX_VALUE).data(0, new byte[0]);
        assertThat(Crafted.tensor(
                                Checkpoint.read(
                                        file(directory, largest.name("w").bytes())),
                                "w")
                        .shape())
                .containsExactly(0, Integer.MAX_VALUE);
    }

    @Test
    void dimensions_arePossibleAndLimited() throws IOException {
        assertThat(refusal(assembler().int32(V2, 0, -1).none())).hasMessageContaining("--limit dimensions=N");
        assertThat(refusal(assembler().int32(V2, 0, Integer.MAX_VALUE).none()))
                .hasMessageContaining("--limit dimensions=N");
        assertThat(refusal(assembler().int32(V3, 0, -2).none())).hasMessageContaining("--limit dimensions=N");
        Path file = file(directory, valid().bytes());
        assertThat(Checkpoint.read(file, Limits.DEFAULT.with(Limit.DIMENSIONS, 2))
                        .format())
                .isEqualTo(Format.MXNET);
        assertThat(refused(file, Limits.DEFAULT.with(Limit.DIMENSIONS, 1)))
                .hasMessageContaining("--limit dimensions=N");
    }

    @Test
    void arrays_namesAndBytes_areLimited() throws IOException {
        MxnetAssembler two =
                valid().int32(V2, 0, 2).int64(1, 2).data(0, ONE_AND_TWO).name("arg:ü");
        Path file = file(directory, two.bytes());
        Limits enough =
                Limits.DEFAULT.with(Limit.TENSORS, 2).with(Limit.NAME_LENGTH, 5).with(Limit.TENSOR_BYTES, 8);
        assertThat(Crafted.entries(Checkpoint.read(file, enough).root())).containsOnlyKeys("arg:w", "arg:ü");
        assertThat(refused(file, enough.with(Limit.TENSORS, 1))).hasMessageContaining("--limit tensors=N");
        assertThat(refused(file, enough.with(Limit.NAME_LENGTH, 4))).hasMessageContaining("--limit nameLength=N");
        assertThat(refused(file, enough.with(Limit.TENSOR_BYTES, 7))).hasMessageContaining("--limit tensorBytes=N");
    }

    @Test
    void names_areLimitedTogether() throws IOException {
        Path file = file(
                directory,
                valid().int32(V2, 0, 2)
                        .int64(1, 2)
                        .data(0, ONE_AND_TWO)
                        .name("arg:v")
                        .bytes());
        // Two names of five bytes, and their lengths.
        assertThat(Checkpoint.read(file, Limits.DEFAULT.with(Limit.HEADER_BYTES, 26))
                        .format())
                .isEqualTo(Format.MXNET);
        assertThat(refused(file, Limits.DEFAULT.with(Limit.HEADER_BYTES, 25)))
                .hasMessageContaining("--limit headerBytes=N");
    }

    @Test
    void count_thatIsHuge_isRefused() throws IOException {
        for (long count : new long[] {Long.MAX_VALUE, 1L << 32}) {
            MxnetAssembler mxnet = valid();
            mxnet.announcedArrays = count;
            assertThat(refusal(mxnet)).hasMessageContaining("--limit tensors=N");
            mxnet = valid();
            mxnet.announcedNames = count;
            assertThat(refusal(mxnet)).hasMessageContaining("--limit tensors=N");
        }
        assertThat(refusal(assembler()
                        .int32(V2, 0, 1)
                        .int64(2)
                        .data(0, ONE_AND_TWO)
                        .name(-1, new byte[0])))
                .hasMessageContaining("--limit nameLength=N");
    }

    @Test
    void names_thatAreNotOneForEachArray_areRefused() throws IOException {
        assertThat(refusal(valid().int32(V2, 0, 0).none())).hasMessageContaining("2 arrays and 1 names");
        assertThat(refusal(valid().name("another"))).hasMessageContaining("1 arrays and 2 names");
        assertThat(refusal(valid().int32(V2, 0, 0).none().name("arg:w"))).hasMessageContaining("two arrays");
        assertThat(refusal(assembler().int32(V2, 0, 0).none().name(1, new byte[] {(byte) 0xff})))
                .hasMessageContaining("UTF-8");
    }

    /** MXNet's names end at a zero byte, so that two of them may be one. */
    @ParameterizedTest
    @ValueSource(strings = {"arg:w\0", "\0arg:w", "arg:\0w"})
    void name_withAZeroByte_isRefused(String name) throws IOException {
        assertThat(refusal(assembler().int32(V2, 0, 0).none().name(name))).hasMessageContaining("has a zero byte");
    }

    @Test
    void file_withAnotherHeadOrTail_isRefused() throws IOException {
        MxnetAssembler reserved = valid();
        reserved.reserved = 1;
        assertThat(refusal(reserved)).hasMessageContaining("unknown format");
        byte[] bytes = valid().bytes();
        assertThat(refused(file(directory, Arrays.copyOf(bytes, bytes.length + 1))))
                .hasMessageContaining("continues");
        assertThat(refusal(assembler().int32(0x12345678).none())).hasMessageContaining("found 0x12345678");
    }

    @Test
    void everyPrefixOfAFile_isRefused() throws IOException {
        byte[] bytes = valid().bytes();
        for (int length = 0; length < bytes.length; length++) {
            assertThat(refused(file(directory, Arrays.copyOf(bytes, length)))).isNotNull();
        }
    }
}
