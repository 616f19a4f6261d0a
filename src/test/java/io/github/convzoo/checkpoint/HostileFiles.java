package io.github.convzoo.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Files made to harm whoever reads them, of every format, and some that are as large as the limits allow. */
final class HostileFiles {
    /** Expected of a file that only takes as much as is allowed. */
    static final String READ = "(read)";

    private static final byte[] ONE = {0, 0, (byte) 0x80, 0x3f};
    private static final int MANY = 49_000;

    private final Path directory;
    private final List<Hostile> files = new ArrayList<>();

    /**
     * A file.
     *
     * @param expected what its refusal says; empty where it may be read, but holds no weights; or {@link #READ}
     */
    record Hostile(String name, Path file, String expected) {}

    private HostileFiles(Path directory) {
        this.directory = directory;
    }

    /** Writes all of them. What would run, if anything did, makes a file named {@code ran}. */
    static List<Hostile> write(Path directory) throws IOException {
        HostileFiles files = new HostileFiles(directory);
        files.addPickles();
        files.addZips();
        files.addArrays();
        files.addSafetensors();
        files.addIndices();
        files.addMxnet();
        files.addDjl();
        return files.files;
    }

    private void add(String name, byte[] content, String expected) throws IOException {
        Path file = Files.write(directory.resolve("file" + files.size()), content);
        files.add(new Hostile(name, file, expected));
    }

    private void addPickles() throws IOException {
        String command = "touch " + directory.resolve("ran");
        for (HostilePickles.Pickle pickle : HostilePickles.all(command, false)) {
            byte[] bytes = pickle.bytes();
            String name = pickle.name();
            add("PYTORCH_ZIP: " + name, Crafted.torch(bytes, new byte[24]).bytes(), pickle.expected());
            if (isShort(bytes)) {
                byte[] harmless = new PickleAssembler().op(')').stop();
                add("TORCHSCRIPT: " + name, script(bytes, harmless).bytes(), pickle.expected());
                add("TORCHSCRIPT, constants: " + name, script(harmless, bytes).bytes(), pickle.expected());
            }
        }
        for (HostilePickles.Pickle pickle : HostilePickles.all(command, true)) {
            byte[] bytes = pickle.bytes();
            String name = pickle.name();
            String atOnce = pickle.atOnce() ? pickle.expected() : "";
            // Protocols 0 and 1 do not say which they are; a global at the beginning tells.
            boolean known = (bytes[0] & 0xff) == 0x80 || bytes[0] == 'c';
            add("PADDLE: " + name, bytes, known ? atOnce : "unknown format");
            if (isShort(bytes)) {
                PyTorchLegacyReaderTest.Legacy legacy = new PyTorchLegacyReaderTest.Legacy(bytes);
                legacy.keys = new PickleAssembler().list().stop();
                legacy.data = new byte[0];
                add("PYTORCH_LEGACY: " + name, legacy.bytes(), pickle.expected());
                legacy = new PyTorchLegacyReaderTest.Legacy(new byte[0]);
                legacy.machine = bytes;
                add("PYTORCH_LEGACY, not the object: " + name, legacy.bytes(), atOnce);
            }
        }
    }

    /** Whether a pickle is worth reading in a second format: the machine that reads it is the same. */
    private static boolean isShort(byte[] pickle) {
        return pickle.length <= 100_000;
    }

    private static ZipAssembler script(byte[] data, byte[] constants) {
        ZipAssembler zip = Crafted.torch(data, new byte[24]);
        zip.add("model/constants.pkl", constants);
        zip.add("model/code/__torch__/net.py", "import os");
        return zip;
    }

    private static ZipAssembler torch() {
        return Crafted.torch(new PickleAssembler().op('N').stop(), new byte[24]);
    }

    private void addZips() throws IOException {
        for (String name : ZipDirectoryTest.PATH_TRICKS) {
            ZipAssembler zip = torch();
            zip.add(name, new byte[1]);
            add("PYTORCH_ZIP: an entry " + name, zip.bytes(), "no checkpoint needs");
            if (!name.endsWith("..")) {
                ZipAssembler arrays = new ZipAssembler();
                arrays.add(name + ".npy", array("(1,)", ONE));
                add("NUMPY_ZIP: an entry " + name + ".npy", arrays.bytes(), "no checkpoint needs");
            }
        }
        ZipAssembler lookalike = torch();
        lookalike.add("\uff0e\uff0e\u2215outside", new byte[1]);
        add("PYTORCH_ZIP: dots and a slash that are none", lookalike.bytes(), "is outside");
        ZipAssembler otherCase = torch();
        otherCase.add(
                "model/DATA.PKL", new PickleAssembler().global("os", "system").stop());
        add("PYTORCH_ZIP: the pickle's name in another case", otherCase.bytes(), "");
        ZipAssembler twice = torch();
        twice.add("model/data.pkl", new PickleAssembler().global("os", "system").stop());
        add("PYTORCH_ZIP: the pickle's name twice", twice.bytes(), "two entries");
        ZipAssembler local = torch();
        local.entry(0).localName = "model/data.pkx";
        add("PYTORCH_ZIP: another name in the local header", local.bytes(), "differs");

        ZipAssembler deflated = torch();
        deflated.entry(0).method = 8;
        deflated.entry(0).localMethod = 8;
        add("PYTORCH_ZIP: a compressed pickle", deflated.bytes(), "is compressed");
        ZipAssembler overlapping = torch();
        overlapping.entry(2).length += 60;
        overlapping.entry(2).localLength += 60;
        add("PYTORCH_ZIP: entries that overlap", overlapping.bytes(), "overlaps");
        ZipAssembler same = torch();
        same.add("model/data/0", new byte[24]).header = 0;
        add("PYTORCH_ZIP: an entry that lies on another", same.bytes(), "differs");
        for (long length : new long[] {Long.MAX_VALUE, Long.MIN_VALUE, -2, 1L << 32}) {
            ZipAssembler wide = torch();
            wide.entry(2).zip64 = true;
            wide.entry(2).length = length;
            add("PYTORCH_ZIP: an entry of " + length + " bytes", wide.bytes(), "zip entry");
            wide = torch();
            wide.entry(2).zip64 = true;
            wide.entry(2).header = length;
            add("PYTORCH_ZIP: an entry at " + length, wide.bytes(), "");
            wide = torch();
            wide.zip64End = true;
            wide.entryCount = 0xffff;
            wide.zip64Entries = length;
            add("PYTORCH_ZIP: a directory of " + length + " entries", wide.bytes(), "zipEntries");
        }
        ZipAssembler shifted = torch();
        shifted.directoryShift = 4;
        add("PYTORCH_ZIP: a directory beyond its place", shifted.bytes(), "does not end where");
        ZipAssembler many = torch();
        for (int i = 0; i < 60_000; i++) {
            many.add("model/" + i, new byte[0]);
        }
        many.zip64End = true;
        add("PYTORCH_ZIP: sixty thousand entries", many.bytes(), "zipEntries");
        ZipAssembler allowed = torch();
        for (int i = 0; i < MANY; i++) {
            allowed.add("model/extra/the name of an entry that is not that short/" + i, new byte[0]);
        }
        add("PYTORCH_ZIP: the maximum number of entries", allowed.bytes(), "");
    }

    private static byte[] array(String shape, byte[] data) {
        return array(1, "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }\n", data);
    }

    private static byte[] array(int version, String text, byte[] data) {
        byte[] header = text.getBytes(StandardCharsets.ISO_8859_1);
        return npy(version, header.length, header, data);
    }

    private static byte[] npy(int version, long headerLength, byte[] header, byte[] data) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', (byte) version, 0});
        for (int i = 0; i < (version == 1 ? 2 : 4); i++) {
            out.write((int) (headerLength >> (8 * i)));
        }
        out.writeBytes(header);
        out.writeBytes(data);
        return out.toByteArray();
    }

    private static byte[] stored(byte[] array) {
        ZipAssembler zip = new ZipAssembler();
        zip.add("w.npy", array);
        return zip.bytes();
    }

    private void addArrays() throws IOException {
        String beyond = "beyond 2^63";
        add("NUMPY_ZIP: a dimension of 2^63", stored(array("(9223372036854775808,)", ONE)), beyond);
        add("NUMPY_ZIP: a dimension of a million digits", stored(array(2, dimensions("9", 1_000_000), ONE)), beyond);
        String larger = "larger than any file";
        add("NUMPY_ZIP: a dimension of 2^63 - 1", stored(array("(9223372036854775807,)", ONE)), larger);
        add("NUMPY_ZIP: dimensions of 2^62 and 4", stored(array("(4611686018427387904, 4)", ONE)), larger);
        add("NUMPY_ZIP: a negative dimension", stored(array("(-1,)", ONE)), "expected a dimension");
        add("NUMPY_ZIP: a million dimensions", stored(array(2, dimensions("1,", 1_000_000), ONE)), "dimensions");
        add("NUMPY_ZIP: a shape of shapes", stored(array(2, dimensions("(", 1_000_000), ONE)), "expected a dimension");
        add(
                "NUMPY_ZIP: an array of objects",
                stored(array(1, "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", ONE)),
                "");
        add("NUMPY_ZIP: a header of 2^32 - 1 bytes", stored(npy(2, -1, new byte[0], ONE)), "headerBytes");
        add("NUMPY_ZIP: a key twice", stored(array(1, "{'shape': (1,), 'shape': (1,)}", ONE)), "twice");
        add("NUMPY_ZIP: a call in the header", stored(array(1, "{'descr': __import__('os')}", ONE)), "malformed");

        add("NUMPY_ZIP: a bomb", NpzReaderTest.deflated("w.npy", NpzReaderTest.zeros(40 << 20)), "inflatedBytes");
        ByteArrayOutputStream bombs = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bombs)) {
            for (int i = 0; i < 40; i++) {
                zip.putNextEntry(new ZipEntry(i + ".npy"));
                zip.write(NpzReaderTest.zeros(1 << 20));
                zip.closeEntry();
            }
        }
        add("NUMPY_ZIP: many small bombs", bombs.toByteArray(), "inflatedBytes");
        byte[] inside = NpzReaderTest.deflated("w.npy", NpzReaderTest.deflated("w.npy", bombs.toByteArray()));
        add("NUMPY_ZIP: an archive of archives of bombs", inside, "not an .npy file");
        byte[] lies = NpzReaderTest.deflated("w.npy", NpzReaderTest.zeros(14 << 20));
        // The directory says how long the content is, 24 bytes into its entry.
        ByteBuffer.wrap(lies).put(lies.length - 22 - 46 - "w.npy".length() + 26, (byte) 0);
        add("NUMPY_ZIP: a bomb that says that it is small", lies, "differs from the directory");
        add(
                "NUMPY_ZIP: as much as may be inflated",
                NpzReaderTest.deflated("w.npy", NpzReaderTest.zeros(14 << 20)),
                READ);
        ZipAssembler wide = new ZipAssembler();
        ZipAssembler.Entry entry = wide.add("w.npy", new byte[100]);
        entry.method = 8;
        entry.localMethod = 8;
        entry.zip64 = true;
        entry.length = Long.MAX_VALUE;
        add("NUMPY_ZIP: an entry that inflates to 2^63 - 1 bytes", wide.bytes(), "zip entry w.npy");
        ZipAssembler many = new ZipAssembler();
        byte[] one = array(dimensions("1,", 32).substring("{'shape': ".length()).replace("}", ""), ONE);
        for (int i = 0; i < MANY; i++) {
            many.add("the name of an array that is not that short " + i + ".npy", one);
        }
        add("NUMPY_ZIP: the maximum number of arrays of 32 dimensions", many.bytes(), READ);
    }

    private static String dimensions(String one, int count) {
        return "{'shape': (" + one.repeat(count) + ")}";
    }

    private static String tensor(String name, String shape, String offsets) {
        return "\"" + name + "\":{\"dtype\":\"F32\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
    }

    private void addHeader(String name, String header, int dataBytes, String expected) throws IOException {
        add("SAFETENSORS: " + name, Crafted.safetensors(header, dataBytes), expected);
    }

    private void addSafetensors() throws IOException {
        byte[] braces = {'{', '}'};
        for (long length : new long[] {Long.MIN_VALUE, Long.MAX_VALUE, -1, 1L << 32}) {
            String name = "SAFETENSORS: a header of " + Long.toUnsignedString(length) + " bytes";
            add(name, Crafted.safetensors(length, braces, 0), "bytes by its length, but the file has");
        }
        String larger = "larger than any file";
        addHeader("a dimension of 2^63 - 1", "{" + tensor("a", "[9223372036854775807]", "[0,0]") + "}", 0, larger);
        addHeader("dimensions of 2^62 and 4", "{" + tensor("a", "[4611686018427387904,4]", "[0,0]") + "}", 0, larger);
        addHeader("a dimension of 2^63", "{" + tensor("a", "[9223372036854775808]", "[0,0]") + "}", 0, "beyond 2^63");
        addHeader("a negative dimension", "{" + tensor("a", "[-1]", "[0,4]") + "}", 4, "instead of a whole number");
        addHeader(
                "offsets of 2^63 - 1",
                "{" + tensor("a", "[1]", "[9223372036854775803,9223372036854775807]") + "}",
                4,
                "gap");
        String a = tensor("a", "[1]", "[0,4]");
        addHeader("a tensor twice", "{" + a + "," + a + "}", 4, "two tensors");
        addHeader(
                "a tensor twice, spelled otherwise",
                "{" + a + "," + tensor("\\u0061", "[1]", "[4,8]") + "}",
                8,
                "two tensors");
        addHeader("tensors that overlap", "{" + a + "," + tensor("b", "[1]", "[0,4]") + "}", 4, "overlaps");
        addHeader("a field twice", "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0, "twice");
        addHeader("metadata twice", "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "two entries");
        addHeader("a million brackets", "{\"a\":" + "[".repeat(1_000_000), 0, "not valid JSON");
        addHeader("a million braces", "{\"a\":".repeat(1_000_000), 0, "unknown field");
        addHeader("a million dimensions", "{\"a\":{\"shape\":[" + "1,".repeat(1_000_000) + "1]}}", 0, "dimensions");
        addHeader(
                "a number of a million digits",
                "{\"a\":{\"shape\":[" + "9".repeat(1_000_000) + "]}}",
                0,
                "beyond 2^63");
        addHeader("a name of a million characters", "{\"" + "x".repeat(1_000_000) + "\":{}}", 0, "nameLength");
        for (String text : new String[] {"x", "\u00e9", "\ufffd", "\\u4e2d"}) {
            int bytes = text.getBytes(StandardCharsets.UTF_8).length;
            String repeated = text.repeat(((8 << 20) - 100) / bytes);
            addHeader("metadata of 8 MiB of " + text, "{\"__metadata__\":{\"a\":\"" + repeated + "\"}}", 0, "");
        }
        StringBuilder many = new StringBuilder("{");
        String ones = "[" + "1,".repeat(31) + "1]";
        for (int i = 0; i < MANY; i++) {
            many.append(i == 0 ? "" : ",").append(tensor("weight" + i, ones, "[" + 4 * i + "," + (4 * i + 4) + "]"));
        }
        addHeader(
                "the maximum number of tensors of 32 dimensions",
                many.append('}').toString(),
                4 * MANY,
                READ);
    }

    private void addIndex(String name, String map, String expected) throws IOException {
        add("SAFETENSORS_INDEX: " + name, ("{\"weight_map\":" + map + "}").getBytes(StandardCharsets.UTF_8), expected);
    }

    private void addIndices() throws IOException {
        Path beside = Files.createDirectories(directory.resolve("beside"));
        Safetensors.write(beside.resolve("w"), List.of(Crafted.floats("w", new long[] {1}, 1)), Map.of());
        for (String name : ShardedReaderTest.PATH_TRICKS) {
            addIndex("a file named " + name, "{\"w\":\"" + name + "\"}", "not a plain file name");
        }
        addIndex("itself", "{\"w\":\"file" + files.size() + "\"}", "neither a safetensors file nor");
        addIndex("a directory", "{\"w\":\"beside\"}", "this is a directory");
        addIndex("a tensor twice", "{\"w\":\"x\",\"w\":\"x\"}", "twice");
        addIndex("a million braces", "{\"w\":".repeat(1_000_000), "text or a number");
        addIndex("a million brackets", "[".repeat(1_000_000), "not valid JSON");
        addIndex("text of 8 MiB", "{\"" + "\ufffd".repeat((8 << 20) / 3 - 100) + "\":1}", "nameLength");
        StringBuilder shard = new StringBuilder("{");
        for (int i = 0; i < MANY; i++) {
            shard.append(i == 0 ? "" : ",").append(tensor("weight" + i, "[0]", "[0,0]"));
        }
        byte[] large = Crafted.safetensors(shard.append('}').toString(), 0);
        StringBuilder map = new StringBuilder("{");
        for (int i = 0; i < 10; i++) {
            Files.write(directory.resolve("large" + i), large);
            map.append(i == 0 ? "" : ",").append("\"weight" + i + "\":\"large" + i + "\"");
        }
        addIndex("ten files of more tensors than it names", map.append('}').toString(), "but not in the index");
        try {
            Files.createSymbolicLink(directory.resolve("loop"), directory.resolve("loop"));
            Files.createSymbolicLink(directory.resolve("pipe"), Path.of("/dev/zero"));
            addIndex("a link to itself", "{\"w\":\"loop\"}", "no such file");
            addIndex("a link to a device", "{\"w\":\"pipe\"}", "not a regular file");
        } catch (IOException | UnsupportedOperationException e) {
            // Windows lets few make links.
        }
    }

    private void add(String name, MxnetAssembler mxnet, String expected) throws IOException {
        add("MXNET: " + name, mxnet.bytes(), expected);
    }

    private static MxnetAssembler mxnet() {
        return new MxnetAssembler();
    }

    private void addMxnet() throws IOException {
        for (long count : new long[] {Long.MAX_VALUE, Long.MIN_VALUE, -1, 1L << 32}) {
            // The assembler takes a negative count for none.
            byte[] arrays = mxnet().none().bytes();
            ByteBuffer.wrap(arrays).order(ByteOrder.LITTLE_ENDIAN).putLong(16, count);
            add("MXNET: " + count + " arrays", arrays, "--limit tensors=N");
            byte[] names = mxnet().bytes();
            ByteBuffer.wrap(names).order(ByteOrder.LITTLE_ENDIAN).putLong(24, count);
            add("MXNET: " + count + " names", names, "--limit tensors=N");
            MxnetAssembler name = mxnet().int32(MxnetAssembler.V2, 0, 0).none().name(count, new byte[0]);
            add("a name of " + count + " bytes", name, "nameLength");
            MxnetAssembler shape = mxnet().int32(MxnetAssembler.V2, 0, 1).int64(count);
            add("a dimension of " + count, shape.data(0, ONE), count == 1L << 32 ? "it has" : "larger than any file");
        }
        MxnetAssembler product = mxnet().int32(MxnetAssembler.V2, 0, 2).int64(1L << 62, 4);
        add("dimensions of 2^62 and 4", product.data(0, ONE), "larger than any file");
        for (int count : new int[] {-2, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            add(
                    count + " dimensions",
                    mxnet().int32(MxnetAssembler.V3, 0, count).none(),
                    "--limit dimensions=N");
        }
        MxnetAssembler twice = mxnet();
        for (int i = 0; i < 2; i++) {
            twice.int32(MxnetAssembler.V2, 0, 1).int64(1).data(0, ONE).name("arg:w");
        }
        add("a name twice", twice, "two arrays of this name");
        MxnetAssembler names = mxnet();
        for (int i = 0; i < 5000; i++) {
            names.int32(MxnetAssembler.V2, 0, 1).int64(1).data(0, ONE).name(i + "\u4e2d".repeat(4000));
        }
        add("names of 40 MB", names, "headerBytes");
        MxnetAssembler many = mxnet();
        long[] ones = new long[32];
        Arrays.fill(ones, 1);
        for (int i = 0; i < MANY; i++) {
            many.int32(MxnetAssembler.V2, 0, 32).int64(ones).data(0, ONE).name("the name of an array " + i);
        }
        add("the maximum number of arrays of 32 dimensions", many, READ);
    }

    private void addDjl() throws IOException {
        for (int count : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            DjlReaderTest.Djl djl = new DjlReaderTest.Djl();
            djl.inputs = count;
            add("DJL: " + count + " inputs", djl.bytes(), "--limit tensors=N");
            djl = new DjlReaderTest.Djl();
            djl.properties = count;
            add("DJL: " + count + " properties", djl.bytes(), "--limit tensors=N");
            djl = new DjlReaderTest.Djl();
            djl.dimensions = count;
            add("DJL: " + count + " dimensions", djl.bytes(), "--limit dimensions=N");
            djl = new DjlReaderTest.Djl();
            djl.length = count;
            add("DJL: an array of " + count + " bytes", djl.bytes(), "takes 8 bytes");
        }
        for (long dimension : new long[] {Long.MIN_VALUE, Long.MAX_VALUE, -1, 1L << 62}) {
            DjlReaderTest.Djl djl = new DjlReaderTest.Djl();
            djl.shape = new long[] {1, dimension};
            add("DJL: a dimension of " + dimension, djl.bytes(), "larger than any file");
        }
        DjlReaderTest.Djl gaps = new DjlReaderTest.Djl();
        gaps.gap = 1_000_000;
        add("DJL: a million bytes between parameters", gaps.bytes(), "no parameter starts");
        DjlReaderTest.Djl names = new DjlReaderTest.Djl();
        names.name = "\u4e2d".repeat(4000);
        names.parameters = 5000;
        add("DJL: names of 40 MB", names.bytes(), "headerBytes");
        names = new DjlReaderTest.Djl();
        names.properties = 5000;
        names.property = "\u4e2d".repeat(4000);
        add("DJL: properties of 40 MB", names.bytes(), "headerBytes");
        DjlReaderTest.Djl twice = new DjlReaderTest.Djl();
        twice.properties = 2;
        twice.numbered = false;
        add("DJL: a property twice", twice.bytes(), "twice");
        DjlReaderTest.Djl many = new DjlReaderTest.Djl();
        many.shape = new long[32];
        Arrays.fill(many.shape, 1);
        many.dimensions = 32;
        many.letters = 32;
        many.length = 4;
        many.data = 4;
        many.parameters = MANY;
        add("DJL: the maximum number of arrays of 32 dimensions", many.bytes(), READ);
    }
}
