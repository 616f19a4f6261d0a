package io.github.convzoo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What reading takes of the heap, counted in bytes allocated, on sparse files of real sizes. */
class CheckpointHeapTest {
    private static final int MEBI = 1 << 20;

    private final Path directory;

    CheckpointHeapTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    private static String tensor(int index, long begin, long length) {
        return "\"features.block" + index + ".conv.weight\":{\"dtype\":\"F32\",\"shape\":[" + length / 4
                + "],\"data_offsets\":[" + begin + "," + (begin + length) + "]}";
    }

    /** A file of one-dimensional float tensors whose last element is 1.5. */
    private Path sparse(int tensors, long tensorBytes) throws IOException {
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i < tensors; i++) {
            header.append(i == 0 ? "" : ",").append(tensor(i, i * tensorBytes, tensorBytes));
        }
        byte[] json = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer start = ByteBuffer.allocate(8 + json.length).order(ByteOrder.LITTLE_ENDIAN);
        start.putLong(json.length).put(json).flip();
        ByteBuffer last = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
        last.putFloat(1.5f).flip();
        Path file = directory.resolve("sparse.safetensors");
        try (FileChannel out = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            out.write(start);
            out.write(last, 8 + json.length + tensors * tensorBytes - 4);
        }
        return file;
    }

    private static long allocated(Reading reading) throws IOException {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        reading.run();
        return threads.getCurrentThreadAllocatedBytes() - before;
    }

    @FunctionalInterface
    private interface Reading {
        void run() throws IOException;
    }

    @Test
    void file_of350Megabytes_takesNoMoreHeapThanItsNames() throws IOException {
        // As many tensors as DPN-107 has, of their mean size.
        int tensors = 700;
        Path file = sparse(tensors, MEBI / 2);
        Checkpoint.read(file);
        long bytes = allocated(() -> Checkpoint.read(file));
        // Some 64 bytes of name, 100 of header line read twice, and the objects around them.

        assertThat(bytes).isLessThan(tensors * 2048L);
    }

    @Test
    void pyTorchFile_of350Megabytes_takesNoMoreHeapThanItsNames() throws IOException {
        int tensors = 700;
        Path file = torch(tensors, MEBI / 2);
        Checkpoint.read(file);
        long bytes = allocated(() -> Checkpoint.read(file));
        // Most of it is garbage at once: this pickle, unlike a real one, spells the same globals out for each tensor.
        assertThat(bytes).isLessThan(tensors * 12_288L);
    }

    @Test
    void pyTorchFile_ofMoreThan4Gibibytes_isRead() throws IOException {
        int tensors = 9;
        long tensorBytes = 600L * MEBI;
        Checkpoint checkpoint = Checkpoint.read(torch(tensors, tensorBytes));
        for (int i = 0; i < tensors; i++) {
            Tensor tensor = Crafted.tensor(checkpoint, "features.block" + i + ".conv.weight");
            assertThat(tensor.bytes().remaining()).isEqualTo((int) tensorBytes);
            assertThat(tensor.bytes().getFloat((int) tensorBytes - 4)).isZero();
        }
    }

    private Path torch(int tensors, long tensorBytes) throws IOException {
        long[] shape = {tensorBytes / 4};
        PickleAssembler pickle = new PickleAssembler().dict();
        for (int i = 0; i < tensors; i++) {
            pickle.text("features.block" + i + ".conv.weight");
            pickle.tensor("FloatStorage", Integer.toString(i), tensorBytes / 4, 0, shape, new long[] {1});
            pickle.setItem();
        }
        ZipAssembler zip = new ZipAssembler();
        zip.zip64End = true;
        zip.add("model/data.pkl", pickle.stop());
        for (int i = 0; i < tensors; i++) {
            zip.addSparse("model/data/" + i, tensorBytes).zip64 = true;
        }
        zip.add("model/version", "3").zip64 = true;
        return zip.write(directory.resolve("sparse.pth"));
    }

    /** A file of parts one after the other; holes are zeros that take no place on the disk. */
    private static final class Sparse implements AutoCloseable {
        private final FileChannel out;
        private long end;

        Sparse(Path file) throws IOException {
            out = FileChannel.open(
                    file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE);
        }

        Sparse write(byte... bytes) throws IOException {
            end += out.write(ByteBuffer.wrap(bytes), end);
            return this;
        }

        /** Little-endian. */
        Sparse int32(int... numbers) throws IOException {
            ByteBuffer bytes = ByteBuffer.allocate(4 * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asIntBuffer().put(numbers);
            end += out.write(bytes, end);
            return this;
        }

        /** Little-endian. */
        Sparse int64(long... numbers) throws IOException {
            ByteBuffer bytes = ByteBuffer.allocate(8 * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asLongBuffer().put(numbers);
            end += out.write(bytes, end);
            return this;
        }

        Sparse hole(long length) throws IOException {
            out.write(ByteBuffer.allocate(1), end + length - 1);
            end += length;
            return this;
        }

        @Override
        public void close() throws IOException {
            out.close();
        }
    }

    private static byte[] name(int index) {
        return ("features.block" + index + ".conv.weight").getBytes(StandardCharsets.UTF_8);
    }

    private Path sharded(int files, int tensors, long tensorBytes) throws IOException {
        StringBuilder index = new StringBuilder("{\"weight_map\":{");
        for (int file = 0; file < files; file++) {
            StringBuilder header = new StringBuilder("{");
            for (int i = 0; i < tensors; i++) {
                String comma = i == 0 ? "" : ",";
                header.append(comma).append(tensor(file * tensors + i, i * tensorBytes, tensorBytes));
                index.append(file == 0 ? comma : ",").append('"');
                index.append(new String(name(file * tensors + i), StandardCharsets.UTF_8));
                index.append("\":\"").append(file).append(".safetensors\"");
            }
            byte[] json = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
            try (Sparse out = new Sparse(directory.resolve(file + ".safetensors"))) {
                out.int64(json.length).write(json);
                out.hole(tensors * tensorBytes);
            }
        }
        return Files.writeString(directory.resolve("index.json"), index.append("}}"));
    }

    private Path legacy(int tensors, long tensorBytes) throws IOException {
        PickleAssembler pickle = new PickleAssembler().legacy().dict();
        PickleAssembler keys = new PickleAssembler().list();
        for (int i = 0; i < tensors; i++) {
            pickle.text(new String(name(i), StandardCharsets.UTF_8));
            pickle.tensor("FloatStorage", "" + i, tensorBytes / 4, 0, new long[] {tensorBytes / 4}, new long[] {1});
            pickle.setItem();
            keys.text("" + i).op('a');
        }
        PyTorchLegacyReaderTest.Legacy legacy = new PyTorchLegacyReaderTest.Legacy(pickle.stop());
        legacy.keys = keys.stop();
        legacy.data = new byte[0];
        Path file = directory.resolve("legacy.pth");
        try (Sparse out = new Sparse(file).write(legacy.bytes())) {
            for (int i = 0; i < tensors; i++) {
                out.int64(tensorBytes / 4).hole(tensorBytes);
            }
        }
        return file;
    }

    private Path script(int tensors, long tensorBytes) throws IOException {
        long[] shape = {tensorBytes / 4};
        PickleAssembler pickle =
                new PickleAssembler().global("__torch__.net", "Net").op(')', 0x81, '}');
        ZipAssembler zip = new ZipAssembler();
        for (int i = 0; i < tensors; i++) {
            pickle.text(new String(name(i), StandardCharsets.UTF_8));
            pickle.tensor("FloatStorage", "" + i, tensorBytes / 4, 0, shape, new long[] {1})
                    .setItem();
        }
        zip.add("net/data.pkl", pickle.op('b').stop());
        zip.add("net/code/__torch__/net.py", "class Net:");
        zip.add("net/constants.pkl", new PickleAssembler().op(')').stop());
        zip.add("net/version", "3");
        for (int i = 0; i < tensors; i++) {
            zip.addSparse("net/data/" + i, tensorBytes);
        }
        return zip.write(directory.resolve("script.pt"));
    }

    private Path arrays(int tensors, long tensorBytes) throws IOException {
        byte[] text = ("{'descr': '<f4', 'fortran_order': False, 'shape': (" + tensorBytes / 4 + ",), }\n")
                .getBytes(StandardCharsets.US_ASCII);
        ByteArrayOutputStream header = new ByteArrayOutputStream();
        header.writeBytes(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (byte) text.length, 0});
        header.writeBytes(text);
        CRC32 crc = new CRC32();
        crc.update(header.toByteArray());
        crc.update(new byte[(int) tensorBytes]);
        long sum = crc.getValue();
        ZipAssembler zip = new ZipAssembler();
        for (int i = 0; i < tensors; i++) {
            ZipAssembler.Entry entry =
                    zip.add(new String(name(i), StandardCharsets.UTF_8) + ".npy", header.toByteArray());
            entry.sparse = tensorBytes;
            entry.length += tensorBytes;
            entry.localLength += tensorBytes;
            entry.crc = sum;
            entry.localCrc = sum;
        }
        return zip.write(directory.resolve("arrays.npz"));
    }

    private Path mxnet(int tensors, long tensorBytes) throws IOException {
        Path file = directory.resolve("mxnet.params");
        try (Sparse out = new Sparse(file)) {
            out.int64(0x112, 0, tensors);
            for (int i = 0; i < tensors; i++) {
                out.int32(MxnetAssembler.V2, 0, 1).int64(tensorBytes / 4).int32(1, 0, 0);
                out.hole(tensorBytes);
            }
            out.int64(tensors);
            for (int i = 0; i < tensors; i++) {
                out.int64(name(i).length).write(name(i));
            }
        }
        return file;
    }

    private Path djl(int tensors, long tensorBytes) throws IOException {
        DjlReaderTest.Djl djl = new DjlReaderTest.Djl();
        djl.shape = new long[] {1, tensorBytes / 4};
        djl.length = (int) tensorBytes;
        djl.data = 0;
        djl.tail = 0;
        Path file = directory.resolve("djl.params");
        try (Sparse out = new Sparse(file)) {
            for (int i = 0; i < tensors; i++) {
                out.write(djl.bytes()).hole(tensorBytes);
                djl.header = false;
            }
        }
        return file;
    }

    private Path pickle(int tensors, long tensorBytes, boolean marked) throws IOException {
        Path file = directory.resolve("paddle.pdparams");
        PickleAssembler pickle = new PickleAssembler().dict();
        try (Sparse out = new Sparse(file)) {
            for (int i = 0; i < tensors; i++) {
                PickleReaderTest.begin(pickle, new String(name(i), StandardCharsets.UTF_8));
                PickleReaderTest.state(pickle, "f4", "<", tensorBytes / 4)
                        .op('B')
                        .int32((int) tensorBytes);
                out.write(pickle.bytes()).hole(tensorBytes);
                pickle = new PickleAssembler('t', 'b', 's');
            }
            out.write(
                    (marked ? pickle.text("StructuredToParameterName@@").dict().setItem() : pickle).stop());
        }
        return file;
    }

    /** An index of one file of torch.save. */
    private Path pytorchIndex(int tensors, long tensorBytes) throws IOException {
        Path file = legacy(tensors, tensorBytes);
        StringBuilder index = new StringBuilder("{\"weight_map\":{");
        for (int i = 0; i < tensors; i++) {
            index.append(i == 0 ? "\"" : ",\"").append(new String(name(i), StandardCharsets.UTF_8));
            index.append("\":\"").append(file.getFileName()).append('"');
        }
        return Files.writeString(directory.resolve("pytorch.index.json"), index.append("}}"));
    }

    /** As many tensors as DPN-107 has, of their mean size, in files of the other formats. */
    @ParameterizedTest
    @EnumSource(
            value = Format.class,
            mode = EnumSource.Mode.EXCLUDE,
            names = {"SAFETENSORS", "PYTORCH_ZIP"})
    void otherFile_of350Megabytes_takesNoMoreHeapThanItsNames(Format format) throws IOException {
        int tensors = 700;
        long tensorBytes = MEBI / 2;
        Path file =
                switch (format) {
                    case SAFETENSORS_INDEX -> sharded(7, tensors / 7, tensorBytes);
                    case PYTORCH_LEGACY -> legacy(tensors, tensorBytes);
                    case TORCHSCRIPT -> script(tensors, tensorBytes);
                    case NUMPY_ZIP -> arrays(tensors, tensorBytes);
                    case MXNET -> mxnet(tensors, tensorBytes);
                    case DJL -> djl(tensors, tensorBytes);
                    case PADDLE -> pickle(tensors, tensorBytes, true);
                    case PICKLE -> pickle(tensors, tensorBytes, false);
                    case PYTORCH_INDEX -> pytorchIndex(tensors, tensorBytes);
                    default -> throw new AssertionError(format);
                };
        Checkpoint checkpoint = Checkpoint.read(file);
        assertThat(checkpoint.format()).isEqualTo(format);
        // Paddle's table of names is an entry as well.
        assertThat(Crafted.entries(checkpoint.root())).hasSize(tensors + (format == Format.PADDLE ? 1 : 0));
        long bytes = allocated(() -> Checkpoint.read(file));
        System.err.println(format + " " + bytes / tensors);
        assertThat(bytes).isLessThan(tensors * 12_288L);
    }

    @Test
    void elements_convertedOrViewed_takeNoHeap() throws IOException {
        Path file = sparse(2, 8 * MEBI);
        Tensor tensor = Crafted.tensor(Checkpoint.read(file), "features.block1.conv.weight");
        var floats = ByteBuffer.allocateDirect(8 * MEBI)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        tensor.toFloats(floats);
        assertThat(floats.get(2 * MEBI - 1)).isEqualTo(1.5f);
        long bytes = allocated(() -> {
            tensor.toFloats(floats.clear());
            tensor.bytes();
        });

        assertThat(bytes).isLessThan(4096);
    }

    @Test
    void stridedElements_writtenToAFile_takeNoMoreThanAChunk() throws IOException {
        Path file = sparse(1, 8 * MEBI);
        Tensor mapped = Crafted.tensor(Checkpoint.read(file), "features.block0.conv.weight");
        Tensor transposed = Tensor.strided(
                "t", ElementType.F32, new long[] {1024, 2048}, 2 * MEBI, new long[] {1, 1024}, mapped.bytes());
        Npy.write(directory.resolve("warm.npy"), transposed);
        long bytes = allocated(() -> Npy.write(directory.resolve("t.npy"), transposed));

        assertThat(bytes).isLessThan(256 * 1024);
        assertThat(Npy.read(directory.resolve("t.npy")).bytes().getFloat(8 * MEBI - 4))
                .isEqualTo(1.5f);
    }

    @Test
    void file_ofMoreThan2Gibibytes_isRead() throws IOException {
        // The last tensor begins beyond what one buffer can map, the middle ones straddle the windows' ends.
        int tensors = 7;
        long tensorBytes = 600L * MEBI;
        Checkpoint checkpoint = Checkpoint.read(sparse(tensors, tensorBytes));
        for (int i = 0; i < tensors; i++) {
            Tensor tensor = Crafted.tensor(checkpoint, "features.block" + i + ".conv.weight");
            assertThat(tensor.bytes().remaining()).isEqualTo((int) tensorBytes);
            assertThat(tensor.bytes().getFloat((int) tensorBytes - 4)).isEqualTo(i == tensors - 1 ? 1.5f : 0);
        }
    }

    @Test
    void tensor_ofMoreThan1Gibibyte_isReadWhereverItBegins() throws IOException {
        long tensorBytes = Integer.MAX_VALUE / 4 * 4L;
        Checkpoint checkpoint = Checkpoint.read(sparse(2, tensorBytes));
        Tensor tensor = Crafted.tensor(checkpoint, "features.block1.conv.weight");
        assertThat(tensor.bytes().getFloat((int) tensorBytes - 4)).isEqualTo(1.5f);
    }

    @Test
    void tensor_of2Gibibytes_isRefusedByTheLimit() throws IOException {
        assertThat(Crafted.refused(sparse(1, 1L << 31))).hasMessageContaining("tensorBytes");
    }
}
