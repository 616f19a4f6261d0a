package io.github.convzoo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;

/** What a hostile pickle may cost, in processor time and allocated bytes, and that what is just allowed is read. */
class ReadingCostTest {
    private static final int MEBI = 1 << 20;

    private final Path directory;

    ReadingCostTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    /** What came of reading, and what it took. */
    private record Cost(String outcome, long millis, long bytes) {}

    private Cost cost(byte[] pickle) throws IOException {
        return cost(Crafted.file(directory, Crafted.torch(pickle, new byte[24]).bytes()));
    }

    private static Cost cost(Path file) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long time = threads.getCurrentThreadCpuTime();
        long bytes = threads.getCurrentThreadAllocatedBytes();
        String outcome;
        try {
            outcome = "read " + Checkpoint.read(file).format();
        } catch (CheckpointException e) {
            outcome = String.valueOf(e.getMessage());
        }
        return new Cost(
                outcome,
                TimeUnit.NANOSECONDS.toMillis(threads.getCurrentThreadCpuTime() - time),
                threads.getCurrentThreadAllocatedBytes() - bytes);
    }

    /** Two names that are recalled, and a global of them again and again. */
    private static byte[] globals(String module, String name, int times) {
        PickleAssembler pickle = new PickleAssembler(0x80, 4)
                .text(module)
                .put(0)
                .op('0')
                .text(name)
                .put(1)
                .op('0')
                .mark();
        for (int i = 0; i < times; i++) {
            pickle.get(0).get(1).op(0x93, '0');
        }
        return pickle.op('1', 'N').stop();
    }

    @Test
    void globals_ofThousandsOfDots_areRefusedAtOnce() throws IOException {
        String dots = "a.".repeat(2047) + "a";
        Cost cost = cost(globals(dots, dots, 960));
        assertThat(cost.outcome).contains("more than 24 parts");
        assertThat(cost.millis).isLessThan(1000);
        assertThat(cost.bytes).isLessThan(4 * MEBI);
    }

    @Test
    void globals_ofTheMostDotsAndTheLongestParts_areCheap() throws IOException {
        // The longest name of 24 parts, as often as the values allow.
        String half = ("x".repeat(340) + ".").repeat(11) + "x".repeat(340);
        Cost cost = cost(globals(half, half, 960));
        assertThat(cost.outcome).isEqualTo("read PYTORCH_ZIP");
        assertThat(cost.millis).isLessThan(1000);
        assertThat(cost.bytes).isLessThan(64 * MEBI);
        assertThat(cost(globals(half + ".x", half, 1)).outcome).contains("more than 24 parts");
        assertThat(cost(globals(half, half + ".x", 1)).outcome).contains("more than 24 parts");
    }

    @Test
    void global_ofAnAttackInAnyOf24Parts_isRefused() throws IOException {
        for (int place = 0; place < 22; place++) {
            String name = "x.".repeat(place) + "os.system" + ".x".repeat(21 - place);
            assertThat(cost(globals("m", name, 1)).outcome).contains("only an attack would do");
        }
    }

    private static byte[] texts(int entries) {
        PickleAssembler pickle =
                new PickleAssembler().op('N').put(0).op('0').dict().mark();
        for (int i = 0; i < entries; i++) {
            pickle.text(Integer.toString(i)).op('h', 0);
        }
        return pickle.op('u').stop();
    }

    private static byte[] numbers(int entries) {
        ByteArrayOutputStream pairs = new ByteArrayOutputStream();
        for (int i = 0; i < entries; i++) {
            pairs.writeBytes(new byte[] {'J', (byte) i, (byte) (i >> 8), (byte) (i >> 16), 1, 'h', 0});
        }
        PickleAssembler pickle =
                new PickleAssembler().op('N').put(0).op('0').dict().mark();
        for (byte b : pairs.toByteArray()) {
            pickle.op(b);
        }
        return pickle.op('u').stop();
    }

    @Test
    void entries_ofOneRecalledValue_areCountedWithWhatTheyCost() throws IOException {
        // A value for the key, and three for the entry, beside the mapping's four and the recalled one.
        int most = (500_000 - 5) / 4;
        for (boolean text : new boolean[] {true, false}) {
            Cost allowed = cost(text ? texts(most) : numbers(most));
            assertThat(allowed.outcome).isEqualTo("read PYTORCH_ZIP");
            assertThat(allowed.bytes).isLessThan(128L * MEBI);
            Cost cost = cost(text ? texts(most + 1) : numbers(most + 1));
            assertThat(cost.outcome).contains("--limit values=N");
            assertThat(cost.millis).isLessThan(1000);
            Cost many = cost(text ? texts(490_000) : numbers(220_000));
            assertThat(many.outcome).contains("--limit values=N");
            assertThat(many.bytes).isLessThan(128L * MEBI);
        }
    }

    @Test
    void entries_ofEveryOpcodeThatMakesThem_areCounted() throws IOException {
        String limit = "--limit values=N";
        PickleAssembler items = new PickleAssembler().op('N').put(0).op('0').dict();
        PickleAssembler whole = new PickleAssembler().op('N').put(0).op('0').mark();
        for (int i = 0; i < 125_000; i++) {
            items.op('J').int32(i).op('h', 0, 's');
            whole.op('J').int32(i).op('h', 0);
        }
        assertThat(cost(items.stop()).outcome).contains(limit);
        assertThat(cost(whole.op('d').stop()).outcome).contains(limit);
    }

    @Test
    void bytes_ofNoLength_areCountedWithWhatTheyCost() throws IOException {
        PickleAssembler pickle = new PickleAssembler().mark();
        for (int i = 0; i < 125_000; i++) {
            pickle.op('C', 0);
        }
        assertThat(cost(pickle.op('l').stop()).outcome).contains("--limit values=N");
    }

    /** Mappings of long names inside one another, the innermost with tensors, each level shared by two names. */
    private static byte[] paths(int levels, int tensors, int nameLength) {
        PickleAssembler pickle = new PickleAssembler()
                .tensor("FloatStorage", "0", 6, 0, new long[] {1}, new long[] {1})
                .put(0)
                .op('0')
                .dict();
        for (int i = 0; i < tensors; i++) {
            pickle.text(Integer.toString(i)).get(0).setItem();
        }
        for (int level = 1; level <= levels; level++) {
            pickle.put(level).op('0').dict();
            pickle.text("x".repeat(nameLength)).get(level).setItem();
        }
        return pickle.stop();
    }

    @Test
    void paths_thatAreLongTogether_areRefused() throws IOException {
        // Of 1000 tensors under eight names of 1000 characters: 8,008,000, and at most four for a number and a dot.
        assertThat(cost(paths(8, 1000, 1000)).outcome).isEqualTo("read PYTORCH_ZIP");
        Cost cost = cost(paths(9, 1000, 1000));
        assertThat(cost.outcome).contains("--limit headerBytes=N").contains("the paths of the tensors");
        assertThat(cost.bytes).isLessThan(16 * MEBI);
        assertThat(cost(paths(40, 2000, 4000)).outcome).contains("--limit headerBytes=N");
    }

    @Test
    void tensors_thatAreSharedMoreOftenThanAllowed_areRefused() throws IOException {
        PickleAssembler pickle = new PickleAssembler()
                .tensor("FloatStorage", "0", 6, 0, new long[] {1}, new long[] {1})
                .put(0)
                .op('0', '(');
        for (int i = 0; i < 500; i++) {
            pickle.get(0);
        }
        pickle.op('l').put(1).op('0', '(');
        for (int i = 0; i < 100; i++) {
            pickle.get(1);
        }
        assertThat(cost(pickle.op('l').stop()).outcome).isEqualTo("read PYTORCH_ZIP");
        PickleAssembler more = new PickleAssembler()
                .tensor("FloatStorage", "0", 6, 0, new long[] {1}, new long[] {1})
                .put(0)
                .op('0', '(');
        for (int i = 0; i < 500; i++) {
            more.get(0);
        }
        more.op('l').put(1).op('0', '(').get(0);
        for (int i = 0; i < 100; i++) {
            more.get(1);
        }
        assertThat(cost(more.op('l').stop()).outcome).contains("--limit tensors=N");
    }

    // What each limit just allows, and one more, under the limits that hold where none are given.

    /** A second of processor time and a heap of 64 MiB are promised; allocated is more than is held at a time. */
    private void assertCheap(Path allowed, Path refused, String limit) {
        Cost read = cost(allowed);
        assertThat(read.outcome).startsWith("read ");
        assertThat(read.millis).isLessThan(1000);
        assertThat(read.bytes).isLessThan(128L * MEBI);
        Cost cost = cost(refused);
        assertThat(cost.outcome).contains("--limit " + limit + "=N");
        assertThat(cost.millis).isLessThan(1000);
        assertThat(cost.bytes).isLessThan(128L * MEBI);
    }

    private void assertCheap(byte[] allowed, byte[] refused, String limit) throws IOException {
        assertCheap(Crafted.file(directory, allowed), Crafted.file(directory, refused), limit);
    }

    private static byte[] torch(PickleAssembler pickle) {
        return Crafted.torch(pickle.stop(), new byte[24]).bytes();
    }

    private static byte[] header(int length) {
        return Crafted.safetensors(" ".repeat(length - 2).replaceFirst("^", "{}"), 0);
    }

    @Test
    void headerBytes_atTheLimit_areCheap() throws IOException {
        assertCheap(header(8 << 20), header((8 << 20) + 1), "headerBytes");
    }

    /** A name in a mapping of its own takes the rest. */
    private static byte[] pickle(int length) {
        PickleAssembler pickle = new PickleAssembler();
        int text = 1 << 14;
        while (pickle.bytes().length < length - 2 * text) {
            pickle.text("x".repeat(text)).op('0');
        }
        int rest = length - pickle.bytes().length - 8;
        return pickle.text("x".repeat(rest / 2))
                .op('0')
                .text("x".repeat(rest - rest / 2 - 6))
                .op('0', 'N')
                .stop();
    }

    @Test
    void pickleBytes_atTheLimit_areCheap() throws IOException {
        assertThat(pickle(8 << 20)).hasSize(8 << 20);
        assertCheap(
                Crafted.torch(pickle(8 << 20), new byte[24]).bytes(),
                Crafted.torch(pickle((8 << 20) + 1), new byte[24]).bytes(),
                "pickleBytes");
    }

    private static byte[] memo(int entries) {
        PickleAssembler pickle = new PickleAssembler().op('N');
        for (int i = 0; i < entries; i++) {
            pickle.op(0x94);
        }
        return torch(pickle);
    }

    @Test
    void memoEntries_atTheLimit_areCheap() throws IOException {
        assertCheap(memo(250_000), memo(250_001), "memoEntries");
        assertCheap(
                torch(new PickleAssembler().op('N').put(249_999)),
                torch(new PickleAssembler().op('N').put(250_000)),
                "memoEntries");
    }

    private static byte[] nested(int depth) {
        PickleAssembler pickle = new PickleAssembler();
        for (int i = 0; i < depth; i++) {
            pickle.list();
        }
        for (int i = 1; i < depth; i++) {
            pickle.op('a');
        }
        return torch(pickle);
    }

    @Test
    void nestingDepth_atTheLimit_isCheap() throws IOException {
        assertCheap(nested(64), nested(65), "nestingDepth");
    }

    private static byte[] tensors(int count) {
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i < count; i++) {
            header.append(i == 0 ? "" : ",")
                    .append("\"" + i + "\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[" + i + "," + (i + 1)
                            + "]}");
        }
        return Crafted.safetensors(header.append('}').toString(), count);
    }

    @Test
    void tensors_atTheLimit_areCheap() throws IOException {
        assertCheap(tensors(50_000), tensors(50_001), "tensors");
    }

    private static byte[] zip(int entries) {
        ZipAssembler zip = Crafted.torch(new PickleAssembler().op('N').stop(), new byte[24]);
        for (int i = 4; i < entries; i++) {
            zip.add("model/extra/" + i, "");
        }
        return zip.bytes();
    }

    @Test
    void zipEntries_atTheLimit_areCheap() throws IOException {
        assertCheap(zip(50_000), zip(50_001), "zipEntries");
    }

    private static byte[] named(int length) {
        PickleAssembler pickle = new PickleAssembler().dict();
        for (int i = 0; i < 500; i++) {
            String number = Integer.toString(1000 + i);
            pickle.text(number + "x".repeat(length - number.length())).op('N', 's');
        }
        return torch(pickle);
    }

    @Test
    void nameLength_atTheLimit_isCheap() throws IOException {
        assertCheap(named(4096), named(4097), "nameLength");
    }

    private static byte[] dimensions(int count) {
        long[] ones = new long[count];
        Arrays.fill(ones, 1);
        return torch(new PickleAssembler().tensor("FloatStorage", "0", 6, 0, ones, ones));
    }

    @Test
    void dimensions_atTheLimit_areCheap() throws IOException {
        assertCheap(dimensions(32), dimensions(33), "dimensions");
    }

    /** A tensor of bytes that are zeros, and take no place where the file system knows of holes. */
    private Path sparse(long length) throws IOException {
        String header = "{\"w\":{\"dtype\":\"U8\",\"shape\":[" + length + "],\"data_offsets\":[0," + length + "]}}";
        byte[] start = Crafted.safetensors(header, 0);
        Path file = Crafted.file(directory, start);
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.setLength(start.length + length);
        }
        return file;
    }

    @Test
    void tensorBytes_atTheLimit_areCheap() throws IOException {
        assertCheap(sparse(Integer.MAX_VALUE), sparse(1L << 31), "tensorBytes");
    }

    private static byte[] expanded(long bytes) {
        return torch(new PickleAssembler().tensor("ByteStorage", "0", 24, 0, new long[] {bytes}, new long[] {0}));
    }

    @Test
    void copiedBytes_atTheLimit_areCheapToRead() throws IOException {
        assertCheap(expanded(256 << 20), expanded((256 << 20) + 1), "copiedBytes");
    }

    /** Of zeros a thousandth is left. What is between them and the limit is incompressible. */
    @Test
    void inflatedBytes_atTheLimit_areCheap() throws IOException {
        byte[] array = NpzReaderTest.zeros(16 << 20);
        long compressed;
        try (MappedFile mapped = MappedFile.open(Crafted.file(directory, NpzReaderTest.deflated("w.npy", array)))) {
            compressed = ZipDirectory.read(mapped, Limits.DEFAULT)
                    .values()
                    .iterator()
                    .next()
                    .length();
        }
        int most = (16 << 20) + (int) (4 * compressed) - (array.length - (16 << 20));
        // A few zeros more or less take about the same number of bytes.
        byte[] allowed = NpzReaderTest.deflated("w.npy", NpzReaderTest.zeros(most - 64));
        byte[] refused = NpzReaderTest.deflated("w.npy", NpzReaderTest.zeros(most + 1024));
        assertCheap(allowed, refused, "inflatedBytes");
    }
}
