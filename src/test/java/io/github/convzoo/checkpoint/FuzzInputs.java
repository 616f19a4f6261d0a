package io.github.convzoo.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * What the fuzzer begins with for each format, and how its inputs become files. Most are files as they stand. Of an
 * archive hardly a change survives the checksums and lengths; so an input for one of those formats that does not begin
 * as an archive is the part that matters, and the archive is put around it.
 */
final class FuzzInputs {
    private static final int LONGEST_STORAGE = 4096;
    private static final byte[] ARCHIVE = {'P', 'K'};
    private static final byte[] ARRAY = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    /** A number of ten bytes, the first two of them. */
    private static final byte[] LEGACY_MAGIC = {(byte) 0x8a, 10, 0x6c, (byte) 0xfc};
    /** A pickle's end and the next one's beginning. */
    private static final byte[] NEXT_PICKLE = {'.', (byte) 0x80};

    private final Format format;

    FuzzInputs(Format format) {
        this.format = format;
    }

    /** The files that an index may name. */
    static void writeShards(Path directory) throws IOException {
        Safetensors.write(
                directory.resolve("1.safetensors"),
                List.of(Crafted.floats("a", new long[] {1}, 1), Crafted.floats("b", new long[] {1}, 2)),
                Map.of());
        Safetensors.write(
                directory.resolve("2.safetensors"), List.of(Crafted.floats("c", new long[] {1}, 3)), Map.of());
        Files.copy(Crafted.resource("small.pth"), directory.resolve("other.pth"));
    }

    byte[] file(byte[] input) {
        if (startsWith(input, 0, ARCHIVE)) {
            return input;
        }
        return switch (format) {
            case PYTORCH_ZIP -> torch(input).bytes();
            case PYTORCH_LEGACY -> startsWith(input, 2, LEGACY_MAGIC) ? input : legacy(input);
            case TORCHSCRIPT -> script(input);
            case NUMPY_ZIP -> arrays(input);
            default -> input;
        };
    }

    /** An archive of torch.save whose storages are as long as the pickle says. */
    private static ZipAssembler torch(byte[] pickle) {
        ZipAssembler zip = new ZipAssembler();
        zip.add("model/data.pkl", pickle);
        zip.add("model/byteorder", "little");
        addStorages(zip, "model/data/", pickle);
        zip.add("model/version", "3\n");
        return zip;
    }

    private static void addStorages(ZipAssembler zip, String directory, byte[] pickle) {
        for (PickleObjects.Storage storage : storages(pickle)) {
            if (storage.key().matches("[0-9a-z]{1,20}")) {
                zip.add(directory + storage.key(), new byte[length(storage)]);
            }
        }
    }

    /** The storages that a pickle names; none where it is corrupt. */
    private static List<PickleObjects.Storage> storages(byte[] pickle) {
        try (MappedFile file = MappedFile.open(Crafted.resource("none.safetensors"))) {
            PickleMachine machine = new PickleMachine(file.inflated(-1, pickle), 0, pickle.length, Limits.DEFAULT);
            machine.run();
            return List.copyOf(machine.storages().values());
        } catch (CheckpointException e) {
            return List.of();
        }
    }

    private static int length(PickleObjects.Storage storage) {
        long bytes = storage.elements() * PickleGlobals.elementBytes(storage.type());
        return (int) Math.max(0, Math.min(bytes, LONGEST_STORAGE));
    }

    /** What torch.save wrote before PyTorch 1.6. */
    private static byte[] legacy(byte[] pickle) {
        PyTorchLegacyReaderTest.Legacy legacy = new PyTorchLegacyReaderTest.Legacy(pickle);
        PickleAssembler keys = new PickleAssembler().list();
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        for (PickleObjects.Storage storage : storages(pickle)) {
            keys.text(storage.key()).op('a');
            byte[] elements = new byte[8 + length(storage)];
            ByteBuffer.wrap(elements).order(ByteOrder.LITTLE_ENDIAN).putLong(storage.elements());
            data.writeBytes(elements);
        }
        legacy.keys = keys.stop();
        legacy.data = data.toByteArray();
        return legacy.bytes();
    }

    /** A TorchScript archive of a module's pickle and perhaps, behind it, that of the constants. */
    private static byte[] script(byte[] pickles) {
        int end = pickles.length;
        for (int at = 0; at < pickles.length; at++) {
            if (startsWith(pickles, at, NEXT_PICKLE)) {
                end = at + 1;
                break;
            }
        }
        ZipAssembler zip = torch(Arrays.copyOf(pickles, end));
        zip.add("model/code/__torch__/net.py", "class Net:");
        byte[] constants = Arrays.copyOfRange(pickles, end, pickles.length);
        if (constants.length > 0) {
            zip.add("model/constants.pkl", constants);
            addStorages(zip, "model/constants/", constants);
        }
        return zip.bytes();
    }

    /** An archive of numpy.savez: a byte, odd where arrays are to be deflated, and the arrays. */
    private static byte[] arrays(byte[] input) {
        List<byte[]> arrays = new ArrayList<>();
        int begin = Math.min(1, input.length);
        for (int at = begin + 1; at <= input.length; at++) {
            if (at == input.length || startsWith(input, at, ARRAY)) {
                arrays.add(Arrays.copyOfRange(input, begin, at));
                begin = at;
            }
        }
        if (input.length > 0 && input[0] % 2 != 0) {
            return deflated(arrays);
        }
        ZipAssembler zip = new ZipAssembler();
        for (byte[] array : arrays) {
            zip.add("a" + array.length + ".npy", array);
        }
        return zip.bytes();
    }

    private static byte[] deflated(List<byte[]> arrays) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            for (int i = 0; i < arrays.size(); i++) {
                zip.putNextEntry(new ZipEntry(i + ".npy"));
                zip.write(arrays.get(i));
                zip.closeEntry();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private static boolean startsWith(byte[] bytes, int at, byte[] prefix) {
        return bytes.length - at >= prefix.length
                && Arrays.equals(bytes, at, at + prefix.length, prefix, 0, prefix.length);
    }

    /** Valid inputs, most of which PyTorch, NumPy, MXNet and PaddlePaddle wrote, and those that once went wrong. */
    List<byte[]> seeds() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        switch (format) {
            case SAFETENSORS -> addResources(seeds, ".safetensors");
            case SAFETENSORS_INDEX -> addIndices(seeds);
            case PYTORCH_ZIP -> {
                addResources(seeds, ".pth", ".tar", "protocol1.pt", "protocol3.pt", "protocol4.pt", "protocol5.pt");
                seeds.removeIf(seed -> !startsWith(seed, 0, ARCHIVE));
                addParts(seeds, "data.pkl");
                addPickles(seeds);
            }
            case PYTORCH_LEGACY -> {
                addResources(seeds, "legacy.pth", "legacy_protocol1.pt", "legacy_protocol4.pt");
                addPickles(seeds);
            }
            case TORCHSCRIPT -> {
                addResources(seeds, "torchscript.pt", "torchscript_nested.pt", "torchscript_traced.pt");
                addParts(seeds, "data.pkl", "constants.pkl");
                addPickles(seeds);
            }
            case NUMPY_ZIP -> {
                addResources(seeds, ".npy");
                // Each once stored and once deflated.
                seeds.replaceAll(array -> behind((byte) 0, array));
                for (byte[] stored : List.copyOf(seeds)) {
                    seeds.add(behind((byte) 1, Arrays.copyOfRange(stored, 1, stored.length)));
                }
                addResources(seeds, ".npz");
            }
            case MXNET -> addResources(seeds, ".params");
            case DJL -> addDjl(seeds);
            case PYTORCH_INDEX -> {
                addIndices(seeds);
                seeds.add("{\"weight_map\": {\"w\": \"small.pth\"}}".getBytes(StandardCharsets.US_ASCII));
            }
            case PICKLE -> {
                addResources(seeds, ".pkl");
                addPickles(seeds);
            }
            case PADDLE -> {
                addResources(seeds, ".pdparams");
                addPickles(seeds);
            }
        }
        seeds.addAll(regressions());
        return seeds;
    }

    /** What mutations may put into inputs, in a file of libFuzzer's form. */
    Optional<Path> dictionary() {
        String name =
                switch (format) {
                    case SAFETENSORS, SAFETENSORS_INDEX, PYTORCH_INDEX -> "json";
                    case PYTORCH_ZIP, PYTORCH_LEGACY, TORCHSCRIPT, PADDLE, PICKLE -> "pickle";
                    case NUMPY_ZIP -> "npy";
                    case MXNET, DJL -> "";
                };
        return name.isEmpty() ? Optional.empty() : Optional.of(Crafted.resource("../fuzz/" + name + ".dict"));
    }

    private List<byte[]> regressions() throws IOException {
        List<byte[]> regressions = new ArrayList<>();
        URL url = FuzzInputs.class.getResource("/fuzz/" + format.name().toLowerCase(Locale.ROOT));
        if (url != null) {
            addFiles(regressions, directory(url), "");
        }
        return regressions;
    }

    private static Path directory(URL url) {
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    private static void addResources(List<byte[]> seeds, String... suffixes) throws IOException {
        addFiles(seeds, Crafted.resource(""), suffixes);
    }

    private static void addFiles(List<byte[]> seeds, Path directory, String... suffixes) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                String name = file.getFileName().toString();
                if (Arrays.stream(suffixes).anyMatch(name::endsWith)) {
                    seeds.add(Files.readAllBytes(file));
                }
            }
        }
    }

    /** Of the archives, the named entries, one after the other. */
    private static void addParts(List<byte[]> seeds, String... names) throws IOException {
        for (byte[] archive : List.copyOf(seeds)) {
            ByteArrayOutputStream parts = new ByteArrayOutputStream();
            try (MappedFile none = MappedFile.open(Crafted.resource("none.safetensors"))) {
                MappedFile file = none.inflated(-1, archive);
                Map<String, ZipDirectory.Entry> entries = ZipDirectory.read(file, Limits.DEFAULT);
                for (String name : names) {
                    for (ZipDirectory.Entry entry : entries.values()) {
                        if (entry.name().endsWith("/" + name)) {
                            byte[] part = new byte[(int) entry.length()];
                            file.view(entry.offset(), entry.length()).get(part);
                            parts.writeBytes(part);
                        }
                    }
                }
            }
            seeds.add(parts.toByteArray());
        }
    }

    static byte[] behind(byte first, byte[] rest) {
        byte[] all = new byte[rest.length + 1];
        all[0] = first;
        System.arraycopy(rest, 0, all, 1, rest.length);
        return all;
    }

    private static void addIndices(List<byte[]> seeds) {
        String map = "\"weight_map\": {\"a\": \"1.safetensors\", \"c\": \"2.safetensors\", \"b\": \"1.safetensors\"}}";
        String metadata = "{\"metadata\": {\"total_size\": 12, \"by\": \"\\u00e9\\ud83d\\ude00\", \"odd\": -1.5e3}, ";
        for (String json : new String[] {
            "{" + map,
            metadata + map,
            "{\"weight_map\": {\"w\": \"other.pth\"}}",
            "{\"weight_map\": {\"w\": \"input\"}}"
        }) {
            seeds.add(json.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** What the files of the libraries have too little of: a mapping of one entry for each kind of value. */
    private static void addPickles(List<byte[]> seeds) {
        long[] six = {6};
        long[] one = {1};
        PickleAssembler values = new PickleAssembler().dict().mark();
        values.text("text")
                .op('X')
                .int32(1)
                .op('x')
                .text("old")
                .op('U', 1, 0xff)
                .text("line")
                .op('V')
                .ascii("line\n");
        values.text("int")
                .op('I')
                .ascii("-12\n")
                .text("truth")
                .op('I')
                .ascii("01\n")
                .text("long")
                .op('L')
                .ascii("7L\n");
        values.text("float").op('F').ascii("-1.5e3\n").text("double").op('G', 0x3f, 0xf8, 0, 0, 0, 0, 0, 0);
        values.text("bytes")
                .op('C', 1, 7)
                .text("long4")
                .op(0x8b)
                .int32(1)
                .op(0xff)
                .text("none")
                .op('N');
        values.text("set").op(0x8f, '(', 'K', 1, 'K', 2, 0x90).text("frozen").op('(', 'K', 1, 0x91);
        values.text("list").op('(', 'K', 1, 'l').text("dict").op('(', 'K', 1, 'K', 2, 'd');
        values.text("object")
                .op('(')
                .global("argparse", "Namespace")
                .op('o')
                .text("old object")
                .op('(', 'i');
        values.ascii("argparse\nNamespace\n").op('u');
        seeds.add(values.stop());

        PickleAssembler calls = new PickleAssembler().dict().mark();
        calls.text("ordered").global("collections", "OrderedDict").list();
        calls.text("a").op('K', 1, 0x86, 'a', 0x85).reduce();
        calls.text("factory")
                .global("collections", "defaultdict")
                .global("builtins", "int")
                .op(0x85)
                .reduce();
        calls.text("size")
                .global("torch", "Size")
                .op('K', 1, 'K', 2, 0x86, 0x85)
                .reduce();
        calls.text("device")
                .global("torch", "device")
                .text("cuda")
                .op('K', 0, 0x86)
                .reduce();
        calls.text("encoded")
                .global("_codecs", "encode")
                .text("\u00ff")
                .text("latin1")
                .op(0x86)
                .reduce();
        calls.text("type")
                .global("torch", "float16")
                .text("new")
                .global("someone", "Class")
                .op(')', 0x81, '}', 'b');
        calls.text("reconstructed").global("copyreg", "_reconstructor").global("someone", "Class");
        calls.global("builtins", "object").op('N', 0x87).reduce();
        calls.text("extended").global("someone", "Class").op(')', '}', 0x92, 'u');
        seeds.add(calls.stop());

        PickleAssembler tensors = new PickleAssembler().dict().mark();
        tensors.text("module.w").tensor("FloatStorage", "0", 6, 0, new long[] {2, 3}, new long[] {1, 2});
        tensors.text("half").tensor("HalfStorage", "1", 6, 2, one, one);
        tensors.text("complex").tensor("ComplexFloatStorage", "2", 6, 0, six, one);
        tensors.text("parameter").global("torch._utils", "_rebuild_parameter").mark();
        tensors.tensor("LongStorage", "3", 6, 0, six, one).op(0x88).global("collections", "OrderedDict");
        tensors.op(')').reduce().tuple().reduce();
        tensors.text("typed").global("torch._utils", "_rebuild_tensor_v3").mark();
        tensors.storage("ByteStorage", "4", 24)
                .whole(1)
                .tuple(5)
                .tuple(1)
                .op(0x89, '}')
                .global("torch", "float32");
        tensors.tuple().reduce().op('u');
        seeds.add(tensors.stop());
    }

    private static void addDjl(List<byte[]> seeds) throws IOException {
        for (int version = 1; version <= 3; version++) {
            DjlReaderTest.Djl djl = new DjlReaderTest.Djl();
            djl.arrayVersion = version;
            djl.parameters = version;
            djl.header = version != 2;
            seeds.add(djl.bytes());
        }
    }
}
