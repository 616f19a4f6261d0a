package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.file;
import static io.github.convzoo.checkpoint.Crafted.floats;
import static io.github.convzoo.checkpoint.Crafted.refused;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;

class DjlReaderTest {
    private final Path directory;

    DjlReaderTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    /** A file of one parameter, field by field, any of which can be wrong. */
    static final class Djl {
        /** More are only announced. */
        private static final int MOST = 10_000;

        boolean header = true;
        int modelVersion = 1;
        int inputs = 1;
        int properties = 1;
        int gap = 5;
        int arrayVersion = 3;
        String layout = "DENSE";
        String type = "FLOAT32";
        long[] shape = {1, 2};
        int dimensions = 2;
        int letters = 2;
        char order = '<';
        int length = 8;
        int data = 8;
        int parameters = 1;
        int tail = 3;
        String name = "gamma";
        String property = "";
        /** Whether properties but for the first are named by their numbers. */
        boolean numbered = true;

        byte[] bytes() throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (DataOutputStream out = new DataOutputStream(bytes)) {
                if (header) {
                    out.writeBytes("DJL@");
                    out.writeInt(modelVersion);
                    out.writeUTF("model");
                    out.writeUTF("FLOAT32");
                    out.writeInt(inputs);
                    out.writeUTF("data");
                    shape(out, 1, 1, 7);
                    out.writeInt(properties);
                    for (int i = 0; i < Math.max(1, Math.min(properties, MOST)); i++) {
                        out.writeUTF(i > 0 && numbered ? property + i : "Epoch");
                        out.writeUTF("3");
                    }
                }
                for (int i = 0; i < parameters; i++) {
                    out.write(new byte[gap]);
                    out.writeChar('P');
                    out.writeByte(1);
                    out.writeUTF(name);
                    array(out);
                }
                out.write(new byte[tail]);
            }
            return bytes.toByteArray();
        }

        private void array(DataOutputStream out) throws IOException {
            out.writeUTF("NDAR");
            out.writeInt(arrayVersion);
            if (arrayVersion > 1) {
                out.writeByte(1);
                out.writeUTF("name");
            }
            out.writeUTF(layout);
            out.writeUTF(type);
            shape(out, dimensions, letters, shape);
            if (arrayVersion > 2) {
                out.writeByte(order);
            }
            out.writeInt(length);
            for (int i = 0; i < data; i++) {
                out.writeByte(i);
            }
        }

        private static void shape(DataOutputStream out, int dimensions, int letters, long... shape) throws IOException {
            out.writeInt(dimensions);
            for (long dimension : shape) {
                out.writeLong(dimension);
            }
            out.writeInt(letters);
            for (int i = 0; i < Math.min(letters, shape.length); i++) {
                out.writeChar('?');
            }
        }
    }

    private CheckpointException refusal(Djl djl) throws IOException {
        return refused(file(directory, djl.bytes()));
    }

    @Test
    void parameter_isAViewUnderItsPlaceAndName() throws IOException {
        Djl djl = new Djl();
        djl.parameters = 2;
        for (boolean header : new boolean[] {true, false}) {
            djl.header = header;
            Checkpoint checkpoint = Checkpoint.read(file(directory, djl.bytes()));
            assertThat(checkpoint.format()).isEqualTo(Format.DJL);
            assertThat(Crafted.entries(checkpoint.root())).containsOnlyKeys("0.gamma", "1.gamma");
            Tensor tensor = Crafted.tensor(checkpoint, "1.gamma");
            assertThat(tensor.shape()).containsExactly(1, 2);
            assertThat(tensor.bytes().isDirect()).isTrue();
            assertThat(floats(tensor)[0]).isEqualTo(Float.intBitsToFloat(0x03020100));
            assertThat(checkpoint.metadata()).isEqualTo(header ? Map.of("Epoch", "3") : Map.of());
        }
    }

    @Test
    void array_ofEachVersion_isRead() throws IOException {
        for (int version = 1; version <= 3; version++) {
            Djl djl = new Djl();
            djl.arrayVersion = version;
            assertThat(Crafted.entries(
                            Checkpoint.read(file(directory, djl.bytes())).root()))
                    .hasSize(1);
        }
        for (int version : new int[] {0, 4, -1}) {
            Djl djl = new Djl();
            djl.arrayVersion = version;
            assertThat(refusal(djl)).hasMessageContaining("version " + version + " of DJL's arrays");
        }
    }

    @Test
    void model_ofAnotherVersion_isRefused() throws IOException {
        Djl djl = new Djl();
        djl.modelVersion = 2;
        assertThat(refusal(djl)).hasMessageContaining("version 2 of DJL's format");
    }

    @Test
    void array_thatIsSparseOrOfAnotherTypeOrOrder_isRefusedByItsName() throws IOException {
        Djl djl = new Djl();
        djl.layout = "COO";
        assertThat(refusal(djl)).hasMessageContaining("sparse (COO)");
        assertThat(refusal(djl).tensor()).hasValue("0.gamma");
        djl = new Djl();
        djl.type = "STRING";
        assertThat(refusal(djl)).hasMessageContaining("STRING is not supported");
        djl = new Djl();
        djl.order = '>';
        assertThat(refusal(djl)).hasMessageContaining("big-endian");
        djl.type = "UINT8";
        djl.length = 2;
        djl.data = 2;
        assertThat(Checkpoint.read(file(directory, djl.bytes())).format()).isEqualTo(Format.DJL);
    }

    @Test
    void length_thatIsNotThatOfTheShape_isRefused() throws IOException {
        for (int length : new int[] {0, 7, 9, -1}) {
            Djl djl = new Djl();
            djl.length = length;
            assertThat(refusal(djl)).hasMessageContaining("takes 8 bytes");
        }
        Djl djl = new Djl();
        djl.data = 4;
        assertThat(refusal(djl)).hasMessageContaining("truncated");
        for (long dimension : new long[] {-1, Long.MAX_VALUE, 1L << 62}) {
            djl = new Djl();
            djl.shape = new long[] {1, dimension};
            assertThat(refusal(djl)).hasMessageContaining("larger than any file");
        }
    }

    @Test
    void counts_areLimited() throws IOException {
        for (int count : new int[] {-1, Integer.MAX_VALUE}) {
            Djl djl = new Djl();
            djl.inputs = count;
            assertThat(refusal(djl)).hasMessageContaining("--limit tensors=N");
            djl = new Djl();
            djl.properties = count;
            assertThat(refusal(djl)).hasMessageContaining("--limit tensors=N");
            djl = new Djl();
            djl.dimensions = count;
            assertThat(refusal(djl)).hasMessageContaining("--limit dimensions=N");
            djl = new Djl();
            djl.letters = count;
            assertThat(refusal(djl)).hasMessageContaining("--limit dimensions=N");
        }
    }

    @Test
    void property_thatStandsTwice_isRefused() throws IOException {
        Djl djl = new Djl();
        djl.properties = 2;
        djl.numbered = false;
        assertThat(refusal(djl)).hasMessageContaining("the property Epoch twice");
    }

    @Test
    void texts_areLimitedTogether() throws IOException {
        Djl djl = new Djl();
        djl.header = false;
        Path file = file(directory, djl.bytes());
        int texts = "gamma".length() + "NDAR".length() + "name".length() + "DENSE".length() + "FLOAT32".length();
        assertThat(Checkpoint.read(file, Limits.DEFAULT.with(Limit.HEADER_BYTES, texts))
                        .format())
                .isEqualTo(Format.DJL);
        assertThat(refused(file, Limits.DEFAULT.with(Limit.HEADER_BYTES, texts - 1)))
                .hasMessageContaining("--limit headerBytes=N");
    }

    @Test
    void limits_letThroughWhatTheySay() throws IOException {
        Djl djl = new Djl();
        djl.parameters = 2;
        Path file = file(directory, djl.bytes());
        Limits enough = Limits.DEFAULT
                .with(Limit.TENSORS, 2)
                .with(Limit.NAME_LENGTH, 7)
                .with(Limit.DIMENSIONS, 2)
                .with(Limit.TENSOR_BYTES, 8);
        assertThat(Checkpoint.read(file, enough).format()).isEqualTo(Format.DJL);
        assertThat(refused(file, enough.with(Limit.TENSORS, 1))).hasMessageContaining("--limit tensors=N");
        assertThat(refused(file, enough.with(Limit.NAME_LENGTH, 6))).hasMessageContaining("--limit nameLength=N");
        assertThat(refused(file, enough.with(Limit.DIMENSIONS, 1))).hasMessageContaining("--limit dimensions=N");
        assertThat(refused(file, enough.with(Limit.TENSOR_BYTES, 7))).hasMessageContaining("--limit tensorBytes=N");
    }

    @Test
    void gap_longerThanWhatBlocksSave_isRefused() throws IOException {
        Djl djl = new Djl();
        djl.gap = 4095;
        assertThat(Crafted.entries(Checkpoint.read(file(directory, djl.bytes())).root()))
                .hasSize(1);
        djl.gap = 4096;
        assertThat(refusal(djl)).hasMessageContaining("no parameter starts in the next 4096 bytes");
    }

    @Test
    void everyPrefixOfTheArray_isRefused() throws IOException {
        byte[] bytes = new Djl().bytes();
        for (int length = bytes.length - 4; length > bytes.length - 60; length--) {
            Path file = file(directory, Arrays.copyOf(bytes, length));
            try {
                // Cut before the array begins, it is a file without parameters.
                assertThat(Crafted.entries(Checkpoint.read(file).root())).isEmpty();
                assertThat(length).isLessThan(bytes.length - 52);
            } catch (CheckpointException e) {
                assertThat(e).hasMessageContaining("truncated");
            }
        }
    }
}
