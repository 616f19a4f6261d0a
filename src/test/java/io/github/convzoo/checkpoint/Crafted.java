package io.github.convzoo.checkpoint;

import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/** Files made byte by byte, and what tests ask of them. */
final class Crafted {
    private Crafted() {}

    /**
     * Writes a file of its own. Windows neither overwrites nor deletes a file that is mapped, so names are not used
     * twice, and tests that map files leave it to the system to remove what it would not let go of.
     */
    static Path file(Path directory, byte[] bytes) throws IOException {
        return Files.write(Files.createTempFile(directory, "crafted", ""), bytes);
    }

    static byte[] safetensors(String header, int dataBytes) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return safetensors(json.length, json, dataBytes);
    }

    static byte[] safetensors(long headerLength, byte[] header, int dataBytes) {
        return ByteBuffer.allocate(8 + header.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(headerLength)
                .put(header)
                .array();
    }

    /** An archive as torch.save writes it, with the given pickle and one storage "0" of the given bytes. */
    static ZipAssembler torch(byte[] pickle, byte[] storage) {
        ZipAssembler zip = new ZipAssembler();
        zip.add("model/data.pkl", pickle);
        zip.add("model/byteorder", "little");
        zip.add("model/data/0", storage);
        zip.add("model/version", "3\n");
        return zip;
    }

    static Checkpoint readPickle(Path directory, byte[] pickle) throws IOException {
        return readPickle(directory, pickle, Limits.DEFAULT);
    }

    static Checkpoint readPickle(Path directory, byte[] pickle, Limits limits) throws IOException {
        return Checkpoint.read(file(directory, torch(pickle, new byte[24]).bytes()), limits);
    }

    static CheckpointException refusedPickle(Path directory, byte[] pickle) throws IOException {
        return refused(file(directory, torch(pickle, new byte[24]).bytes()));
    }

    static CheckpointException refused(Path file) {
        return refused(file, Limits.DEFAULT);
    }

    static CheckpointException refused(Path file, Limits limits) {
        CheckpointException refusal =
                catchThrowableOfType(CheckpointException.class, () -> Checkpoint.read(file, limits));
        return Objects.requireNonNull(refusal, "the file was read");
    }

    static Path resource(String name) {
        URL url = Objects.requireNonNull(Crafted.class.getResource("/checkpoint/" + name), name);
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    static float[] floats(Tensor tensor) {
        FloatBuffer out = FloatBuffer.allocate((int) tensor.size());
        tensor.toFloats(out);
        return out.array();
    }

    static Tensor floats(String name, long[] shape, float... values) {
        ByteBuffer data = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        data.asFloatBuffer().put(values);
        return Tensor.of(name, ElementType.F32, shape, data);
    }

    /** The value at a path of names and indices, parted by slashes. */
    static Value at(Value root, String path) {
        Value value = root;
        for (String escaped : path.split("/", -1)) {
            // A name that has a slash itself.
            String step = escaped.replace('%', '/');
            if (value instanceof Value.Mapping mapping) {
                value = mapping.get(step).orElseThrow(() -> new AssertionError("no " + step + " of " + path));
            } else if (value instanceof Value.Sequence sequence) {
                value = sequence.items().get(Integer.parseInt(step));
            } else {
                throw new AssertionError(step + " of " + path + " is inside " + value);
            }
        }
        return value;
    }

    static Tensor tensor(Checkpoint checkpoint, String path) {
        return (Tensor) at(checkpoint.root(), path);
    }

    static Map<String, Value> entries(Value value) {
        return ((Value.Mapping) value).entries();
    }
}
