package io.github.convzoo;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Safetensors;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.nn.CanonicalNames;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** The files of the test resources, and weights made as they are needed. */
public final class Samples {

    /** PeleeNet of 10 classes, trained on Fashion-MNIST. */
    public static final Path PELEENET = resource("checkpoints/peleenet_fmnist.safetensors");

    /** DLA-46-X-C in half precision, with the authors' unused entries. */
    public static final Path DLA_AUTHORS = resource("checkpoints/dla46x_c_authors.pth");

    /** The first hundred test images, and some of them as PNG. */
    public static final Path FASHION_MNIST = resource("fashion-mnist");

    private Samples() {}

    /** A file of the test resources. */
    public static Path resource(String name) {
        URL url = Objects.requireNonNull(Samples.class.getResource("/" + name), name);
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A network's state under canonical names, with the weights of the reference fixtures. */
    public static Map<String, Tensor> state(Network network, Shape input) {
        Map<String, Tensor> state = new LinkedHashMap<>();
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Reference.initialize(network, manager, "convzoo/", input);
            values(network).forEach((name, values) -> state.put(name, tensor(name, values, shape(network, name))));
        }
        return state;
    }

    private static long[] shape(Network network, String name) {
        return Objects.requireNonNull(CanonicalNames.parameters(network).get(name))
                .getArray()
                .getShape()
                .getShape();
    }

    /** What the parameters of an initialized block hold. */
    public static Map<String, float[]> values(Block block) {
        Map<String, float[]> values = new LinkedHashMap<>();
        CanonicalNames.parameters(block)
                .forEach((name, parameter) ->
                        values.put(name, parameter.getArray().toFloatArray()));
        return values;
    }

    /** A float32 tensor. */
    public static Tensor tensor(String name, float[] values, long... shape) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return Tensor.of(name, ElementType.F32, shape, bytes);
    }

    /** A tensor of zeros, or whatever all bits zero mean. */
    public static Tensor zeros(String name, ElementType type, long... shape) {
        return Tensor.of(name, type, shape, ByteBuffer.allocate((int) new Shape(shape).size() * type.bytes()));
    }

    /** PyTorch's count of batches. */
    public static Tensor counter(String name) {
        return zeros(name, ElementType.I64);
    }

    /** A tensor's elements as float32. */
    public static float[] floats(Tensor tensor) {
        FloatBuffer floats = FloatBuffer.allocate((int) tensor.size());
        tensor.toFloats(floats);
        return floats.array();
    }

    /** Writes tensors as a safetensors file. */
    public static Path write(Path file, Map<String, Tensor> tensors) throws CheckpointException {
        Safetensors.write(file, tensors.values(), Map.of());
        return file;
    }
}
