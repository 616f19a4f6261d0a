package io.github.convzoo.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Writes tensors in the formats that other libraries write and this one only reads. FormatWritersTest holds each to
 * files of these libraries.
 */
public final class FormatWriters {

    /** Python's pickler writes longer mappings in batches. */
    private static final int BATCH = 1000;

    /** The one object of NumPy that stands for float32. */
    private static final Object DTYPE = new Object();

    private FormatWriters() {}

    static byte[] bytes(Tensor tensor) {
        ByteBuffer view = tensor.bytes();
        byte[] bytes = new byte[view.remaining()];
        view.get(bytes);
        return bytes;
    }

    private static long[] rowMajor(long[] shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= Math.max(1, shape[i]);
        }
        return strides;
    }

    private static String storage(ElementType type) {
        return switch (type) {
            case F64 -> "DoubleStorage";
            case F32 -> "FloatStorage";
            case F16 -> "HalfStorage";
            case BF16 -> "BFloat16Storage";
            case I64 -> "LongStorage";
            case I32 -> "IntStorage";
            case I16 -> "ShortStorage";
            case I8 -> "CharStorage";
            case U8 -> "ByteStorage";
            case BOOL -> "BoolStorage";
        };
    }

    /** What torch.save pickles of a dict of tensors, each with a storage of its own. */
    static byte[] torchPickle(Collection<Tensor> tensors, List<String> keys, boolean legacy) {
        PythonPickler pickle = new PythonPickler(2).op('}').put();
        openItems(pickle, tensors.size());
        int index = 0;
        for (Tensor tensor : tensors) {
            pickle.text(tensor.name())
                    .global("torch._utils", "_rebuild_tensor_v2")
                    .op('(', '(');
            pickle.text("storage").global("torch", storage(tensor.type()));
            pickle.text(keys.get(index++)).text("cpu").whole(tensor.size());
            // Where a storage was a view of another one the older format said so here.
            if (legacy) {
                pickle.op('N');
            }
            pickle.op('t').put().op('Q').whole(0).tuple(tensor.shape()).tuple(rowMajor(tensor.shape()));
            pickle.op(0x89).global("collections", "OrderedDict").op(')', 'R').put();
            pickle.op('t').put().op('R').put();
        }
        closeItems(pickle, tensors.size());
        return pickle.stop();
    }

    private static void openItems(PythonPickler pickle, int count) {
        if (count > BATCH) {
            throw new IllegalArgumentException(count + " entries are more than one batch");
        }
        if (count > 1) {
            pickle.op('(');
        }
    }

    private static void closeItems(PythonPickler pickle, int count) {
        pickle.op(count > 1 ? 'u' : 's');
    }

    private static List<String> numbers(int count) {
        List<String> numbers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            numbers.add(Integer.toString(i));
        }
        return numbers;
    }

    /** The dict of the tensors, as torch.save of PyTorch 1.6 and later writes it. */
    public static Path pytorch(Path file, Map<String, Tensor> tensors) throws IOException {
        ZipAssembler zip = new ZipAssembler();
        zip.add("model/data.pkl", torchPickle(tensors.values(), numbers(tensors.size()), false));
        zip.add("model/byteorder", "little");
        addStorages(zip, tensors.values());
        zip.add("model/version", "3\n");
        return zip.write(file);
    }

    private static void addStorages(ZipAssembler zip, Collection<Tensor> tensors) {
        int index = 0;
        for (Tensor tensor : tensors) {
            zip.add("model/data/" + index++, bytes(tensor));
        }
    }

    /**
     * The dict of the tensors, as torch.save wrote it before PyTorch 1.6; storages are keyed by where they lay in
     * memory.
     */
    public static Path pytorchLegacy(Path file, Map<String, Tensor> tensors) throws IOException {
        List<String> addresses = new ArrayList<>();
        for (int i = 0; i < tensors.size(); i++) {
            addresses.add(Long.toString(94_600_741_878_624L - 64L * i));
        }
        return Files.write(file, legacy(tensors.values(), addresses));
    }

    static byte[] legacy(Collection<Tensor> tensors, List<String> keys) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] magic = new BigInteger("1950a86a20f9469cfc6c", 16).toByteArray();
        PickleAssembler number = new PickleAssembler().op(0x8a, magic.length);
        for (int i = magic.length - 1; i >= 0; i--) {
            number.op(magic[i]);
        }
        out.writeBytes(number.stop());
        out.writeBytes(new PythonPickler(2).whole(1001).stop());
        PythonPickler machine = new PythonPickler(2).op('}').put().op('(');
        machine.text("protocol_version").whole(1001).text("little_endian").op(0x88);
        machine.text("type_sizes").op('}').put().op('(');
        machine.text("short").whole(2).text("int").whole(4).text("long").whole(4);
        out.writeBytes(machine.op('u', 'u').stop());
        out.writeBytes(torchPickle(tensors, keys, true));
        Map<String, Tensor> byKey = new TreeMap<>();
        int index = 0;
        for (Tensor tensor : tensors) {
            byKey.put(keys.get(index++), tensor);
        }
        PythonPickler list = new PythonPickler(2).op(']').put();
        list.op(byKey.size() > 1 ? new int[] {'('} : new int[0]);
        byKey.keySet().forEach(list::text);
        out.writeBytes(list.op(byKey.size() > 1 ? 'e' : 'a').stop());
        for (Tensor tensor : byKey.values()) {
            ByteBuffer elements = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            out.writeBytes(elements.putLong(tensor.size()).array());
            out.writeBytes(bytes(tensor));
        }
        return out.toByteArray();
    }

    /**
     * A module that has the tensors for parameters, as torch.jit.save writes it: an object for each part of the names.
     * Of code there is a word only.
     */
    public static Path torchScript(Path file, Map<String, Tensor> tensors) throws IOException {
        PythonPickler pickle = new PythonPickler(2);
        Map<String, Object> root = new LinkedHashMap<>();
        for (Tensor tensor : tensors.values()) {
            add(root, tensor.name(), tensor);
        }
        List<Tensor> inOrder = new ArrayList<>();
        module(pickle, root, inOrder);
        ZipAssembler zip = new ZipAssembler();
        addStorages(zip, inOrder);
        zip.add("model/data.pkl", pickle.stop());
        zip.add("model/code/__torch__/net.py", "class Module(Module):\n");
        zip.add("model/constants.pkl", new PickleAssembler().op(')').stop());
        zip.add("model/version", "3\n");
        zip.add("model/byteorder", "little");
        return zip.write(file);
    }

    @SuppressWarnings("unchecked")
    private static void add(Map<String, Object> module, String path, Tensor tensor) {
        int dot = path.indexOf('.');
        if (dot < 0) {
            module.put(path, tensor);
        } else {
            Object part = module.computeIfAbsent(path.substring(0, dot), name -> new LinkedHashMap<String, Object>());
            add((Map<String, Object>) part, path.substring(dot + 1), tensor);
        }
    }

    @SuppressWarnings("unchecked")
    private static void module(PythonPickler pickle, Map<String, Object> module, List<Tensor> storages) {
        pickle.global("__torch__.net", "Module").op(')', 0x81, '}', '(');
        pickle.text("training").op(0x89).text("_is_full_backward_hook").op('N');
        module.forEach((name, part) -> {
            pickle.text(name.intern());
            if (part instanceof Tensor tensor) {
                pickle.global("torch._utils", "_rebuild_tensor_v2").op('(', '(');
                pickle.text("storage").global("torch", storage(tensor.type()));
                pickle.text(Integer.toString(storages.size())).text("cpu").whole(tensor.size());
                pickle.op('t', 'Q').put().whole(0);
                markedTuple(pickle, tensor.shape());
                markedTuple(pickle, rowMajor(tensor.shape()));
                pickle.op(0x88)
                        .global("collections", "OrderedDict")
                        .op(')', 'R', 't', 'R')
                        .put();
                storages.add(tensor);
            } else {
                module(pickle, (Map<String, Object>) part, storages);
            }
        });
        pickle.op('u', 'b').put();
    }

    /** The engine's own pickler has one opcode for all lengths. */
    private static void markedTuple(PythonPickler pickle, long[] numbers) {
        pickle.op('(');
        for (long number : numbers) {
            pickle.whole(number);
        }
        pickle.op('t');
    }

    /** The dict of the tensors as NumPy arrays, as pickle.dump writes it. */
    public static Path pickle(Path file, Map<String, Tensor> tensors) throws IOException {
        return Files.write(file, arrays(tensors.values(), null));
    }

    /** The dict of the tensors, as paddle.save writes a state dict, with the names that Paddle itself has for them. */
    public static Path paddle(Path file, Map<String, Tensor> tensors) throws IOException {
        List<String> names = new ArrayList<>();
        for (String name : tensors.keySet()) {
            names.add("parameter_" + names.size() + "." + name.length());
        }
        return Files.write(file, paddle(tensors.values(), names));
    }

    static byte[] paddle(Collection<Tensor> tensors, List<String> names) {
        return arrays(tensors, names);
    }

    private static byte[] arrays(Collection<Tensor> tensors, @Nullable List<String> names) {
        int count = tensors.size() + (names == null ? 0 : 1);
        byte[] b = {'b'};
        PythonPickler pickle = new PythonPickler(4).op('}').put();
        openItems(pickle, count);
        for (Tensor tensor : tensors) {
            if (tensor.type() != ElementType.F32) {
                throw new IllegalArgumentException(tensor + " is not what the types below say");
            }
            pickle.text(tensor.name()).global("numpy.core.multiarray", "_reconstruct");
            pickle.global("numpy", "ndarray")
                    .tuple(0)
                    .bytes(b)
                    .op(0x87)
                    .put()
                    .op('R')
                    .put();
            pickle.op('(').whole(1).tuple(tensor.shape());
            dtype(pickle);
            pickle.op(0x89).bytes(bytes(tensor)).op('t').put().op('b');
        }
        if (names != null) {
            pickle.text("StructuredToParameterName@@").op('}').put();
            openItems(pickle, names.size());
            int index = 0;
            for (Tensor tensor : tensors) {
                pickle.text(tensor.name()).text(names.get(index++));
            }
            closeItems(pickle, names.size());
        }
        closeItems(pickle, count);
        return pickle.stop();
    }

    private static void dtype(PythonPickler pickle) {
        if (pickle.refersTo(DTYPE)) {
            return;
        }
        pickle.global("numpy", "dtype")
                .text("f4")
                .op(0x89, 0x88, 0x87)
                .put()
                .op('R')
                .put(DTYPE);
        pickle.op('(')
                .whole(3)
                .text("<")
                .op('N', 'N', 'N')
                .whole(-1)
                .whole(-1)
                .whole(0)
                .op('t')
                .put()
                .op('b');
    }

    /** The tensors, as MXNet 1's nd.save writes them. */
    public static Path mxnet(Path file, Map<String, Tensor> tensors) throws IOException {
        return Files.write(file, mxnet(tensors.values()).bytes());
    }

    static MxnetAssembler mxnet(Collection<Tensor> tensors) {
        MxnetAssembler mxnet = new MxnetAssembler();
        for (Tensor tensor : tensors) {
            int flag =
                    switch (tensor.type()) {
                        case F32 -> 0;
                        case F64 -> 1;
                        case F16 -> 2;
                        case U8 -> 3;
                        case I32 -> 4;
                        case I8 -> 5;
                        case I64 -> 6;
                        case BOOL -> 7;
                        default -> throw new IllegalArgumentException("MXNet has no " + tensor);
                    };
            mxnet.int32(MxnetAssembler.V2, 0, tensor.shape().length).int64(tensor.shape());
            mxnet.data(flag, bytes(tensor));
        }
        tensors.forEach(tensor -> mxnet.name(tensor.name()));
        return mxnet;
    }

    /** The tensors, as numpy.savez writes them. */
    public static Path numpy(Path file, Map<String, Tensor> tensors) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            for (Tensor tensor : tensors.values()) {
                byte[] array = npy(file, tensor);
                ZipEntry entry = new ZipEntry(tensor.name() + ".npy");
                entry.setMethod(ZipEntry.STORED);
                entry.setSize(array.length);
                CRC32 crc = new CRC32();
                crc.update(array);
                entry.setCrc(crc.getValue());
                zip.putNextEntry(entry);
                zip.write(array);
            }
        }
        return file;
    }

    static byte[] npy(Path beside, Tensor tensor) throws IOException {
        Path file = Files.createTempFile(beside.toAbsolutePath().getParent(), "array", ".npy");
        Npy.write(file, tensor);
        byte[] bytes = Files.readAllBytes(file);
        Files.delete(file);
        return bytes;
    }

    /** The tensors in so many safetensors files and their index, which is returned. */
    public static Path sharded(Path folder, Map<String, Tensor> tensors, int shards) throws IOException {
        return sharded(
                folder,
                "model%s.safetensors",
                tensors,
                shards,
                (file, held) -> Safetensors.write(file, held, Map.of("format", "pt")));
    }

    /** The same in files of torch.save. */
    public static Path shardedPytorch(Path folder, Map<String, Tensor> tensors, int shards) throws IOException {
        return sharded(folder, "pytorch_model%s.bin", tensors, shards, (file, held) -> {
            Map<String, Tensor> named = new LinkedHashMap<>();
            held.forEach(tensor -> named.put(tensor.name(), tensor));
            pytorch(file, named);
        });
    }

    /** Writes one of the files. */
    private interface ShardWriter {
        void write(Path file, List<Tensor> tensors) throws IOException;
    }

    private static Path sharded(
            Path folder, String pattern, Map<String, Tensor> tensors, int shards, ShardWriter writer)
            throws IOException {
        Map<String, String> places = new TreeMap<>();
        List<Tensor> all = List.copyOf(tensors.values());
        long bytes = 0;
        for (int shard = 0; shard < shards; shard++) {
            String name = String.format(pattern, String.format("-%05d-of-%05d", shard + 1, shards));
            List<Tensor> held = new ArrayList<>();
            for (int i = shard; i < all.size(); i += shards) {
                held.add(all.get(i));
                places.put(all.get(i).name(), name);
                bytes += all.get(i).bytes().remaining();
            }
            writer.write(folder.resolve(name), held);
        }
        StringBuilder index = new StringBuilder("{\n  \"metadata\": {\n    \"total_size\": " + bytes + "\n  },\n");
        index.append("  \"weight_map\": {\n");
        String separator = "";
        for (Map.Entry<String, String> place : places.entrySet()) {
            index.append(separator).append("    ").append(ascii(place.getKey())).append(": ");
            index.append(ascii(place.getValue()));
            separator = ",\n";
        }
        index.append("\n  }\n}\n");
        return Files.writeString(
                folder.resolve(String.format(pattern, "") + ".index.json"), index, StandardCharsets.US_ASCII);
    }

    private static String ascii(String text) {
        StringBuilder json = new StringBuilder("\"");
        text.chars().forEach(c -> json.append(c < 0x80 ? Character.toString(c) : String.format("\\u%04x", c)));
        return json.append('"').toString();
    }
}
