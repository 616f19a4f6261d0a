package io.github.convzoo.weights;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Safetensors;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.network.AlexNet;
import io.github.convzoo.network.AlexNetVariant;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.CanonicalNames;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;

/** Rewrites a checkpoint as safetensors under canonical names, or as DJL's parameters. */
public final class Conversion {

    private Conversion() {}

    /**
     * Checks that a checkpoint fits a network, and writes the network's weights. Elements keep their type; classes and
     * input channels are those of the file. What the network has no use for is left out.
     *
     * @param in a checkpoint of any format that {@link Checkpoint} reads
     * @param out the safetensors file, replaced once the new one is complete
     * @param variant the network
     * @return what was written, and what was left out
     * @throws CheckpointException if the file is unreadable or does not fit, or the new one cannot be written
     */
    public static LoadReport toSafetensors(Path in, Path out, Variant variant) throws CheckpointException {
        return toSafetensors(in, ReadOptions.DEFAULT, out, variant);
    }

    /**
     * The same, of weights that are read with the given options.
     *
     * @param in a checkpoint of any format that {@link Checkpoint} reads
     * @param options how to read it
     * @param out the safetensors file, replaced once the new one is complete
     * @param variant the network
     * @return what was written, and what was left out
     * @throws CheckpointException if the file is unreadable or does not fit, or the new one cannot be written
     */
    public static LoadReport toSafetensors(Path in, ReadOptions options, Path out, Variant variant)
            throws CheckpointException {
        return toSafetensors(in, options, out, variant, false);
    }

    /**
     * The same, with kernels and matrices in half precision, which takes half of the room. Vectors, as those of
     * normalisations, keep their type.
     *
     * @param in a checkpoint of any format that {@link Checkpoint} reads
     * @param out the safetensors file, replaced once the new one is complete
     * @param variant the network
     * @return what was written, and what was left out
     * @throws CheckpointException if the file is unreadable or does not fit, holds a number that half precision does not
     *     reach, or the new one cannot be written
     */
    public static LoadReport toHalfSafetensors(Path in, Path out, Variant variant) throws CheckpointException {
        return toHalfSafetensors(in, ReadOptions.DEFAULT, out, variant);
    }

    /**
     * The same, of weights that are read with the given options.
     *
     * @param in a checkpoint of any format that {@link Checkpoint} reads
     * @param options how to read it
     * @param out the safetensors file, replaced once the new one is complete
     * @param variant the network
     * @return what was written, and what was left out
     * @throws CheckpointException as above
     */
    public static LoadReport toHalfSafetensors(Path in, ReadOptions options, Path out, Variant variant)
            throws CheckpointException {
        return toSafetensors(in, options, out, variant, true);
    }

    private static LoadReport toSafetensors(Path in, ReadOptions options, Path out, Variant variant, boolean half)
            throws CheckpointException {
        StateDict stateDict = StateDict.read(in, variant, options);
        Network network = network(stateDict, variant);
        LoadReport report;
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            report = load(stateDict, network, variant, manager);
        }
        Map<String, Tensor> named = stateDict.named(network).tensors();
        Map<String, Parameter> shapes = CanonicalNames.parameters(network);
        List<Tensor> tensors = new ArrayList<>();
        for (String name : report.loaded()) {
            Tensor tensor = named.get(name);
            if (tensor != null) {
                long[] shape =
                        Objects.requireNonNull(shapes.get(name)).getShape().getShape();
                tensors.add(Arrays.equals(tensor.shape(), shape) ? tensor : tensor.withShape(shape));
            }
        }
        // Python's library asks for the framework that the tensors come from.
        Map<String, String> metadata = Map.of("format", "pt");
        if (!half) {
            Safetensors.write(out, tensors, metadata);
            return report;
        }
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            List<Tensor> halves = new ArrayList<>();
            for (Tensor tensor : tensors) {
                halves.add(tensor.shape().length > 1 ? half(in, tensor, manager) : tensor);
            }
            Safetensors.write(out, halves, metadata);
        }
        return report;
    }

    private static Tensor half(Path in, Tensor tensor, NDManager manager) throws CheckpointException {
        Shape shape = new Shape(tensor.shape());
        FloatBuffer floats = FloatBuffer.allocate((int) shape.size());
        tensor.toFloats(floats);
        try (NDArray exact = manager.create(floats.array(), shape);
                NDArray half = exact.toType(DataType.FLOAT16, true);
                NDArray again = half.toType(DataType.FLOAT32, true);
                NDArray beyond = again.isInfinite();
                NDArray any = beyond.any()) {
            if (any.getBoolean()) {
                throw new CheckpointException(
                        in,
                        -1,
                        tensor.name(),
                        "holds a number beyond 65504, which half precision cannot; keep it as" + " it is",
                        null);
            }
            return Tensor.of(tensor.name(), ElementType.F16, tensor.shape(), half.toByteBuffer());
        }
    }

    /**
     * Checks that a checkpoint fits a network, and writes the network's parameters as DJL does. Elements become float32.
     *
     * @param in a checkpoint of any format that {@link Checkpoint} reads
     * @param out the {@code .params} file, replaced once the new one is complete; for DJL's {@code Model.load} its name is
     *     the model's and a number: {@code dla34-0000.params}
     * @param variant the network
     * @return what was written, and what was left out
     * @throws CheckpointException if the file is unreadable or does not fit, or the new one cannot be written
     */
    public static LoadReport toDjl(Path in, Path out, Variant variant) throws CheckpointException {
        return toDjl(in, ReadOptions.DEFAULT, out, variant);
    }

    /**
     * The same, of weights that are read with the given options.
     *
     * @param in a checkpoint of any format that {@link Checkpoint} reads
     * @param options how to read it
     * @param out the {@code .params} file, replaced once the new one is complete
     * @param variant the network
     * @return what was written, and what was left out
     * @throws CheckpointException as above
     */
    public static LoadReport toDjl(Path in, ReadOptions options, Path out, Variant variant) throws CheckpointException {
        StateDict stateDict = StateDict.read(in, variant, options);
        Network network = network(stateDict, variant);
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            LoadReport report = load(stateDict, network, variant, manager);
            DjlParameters.write(out, network);
            return report;
        }
    }

    /** The network with the classes and input channels of the file. */
    static Network network(StateDict stateDict, Variant variant) {
        return variant.build(variant.options()
                .withNumClasses(classes(stateDict, variant))
                .withInChannels(stateDict.inChannels(variant).orElse(3)));
    }

    private static LoadReport load(StateDict stateDict, Network network, Variant variant, NDManager manager)
            throws CheckpointException {
        int side = side(stateDict, variant);
        Shape input = new Shape(1, network.options().inChannels(), side, side);
        return WeightLoader.load(stateDict, network, manager, input, WeightLoader.Classifier.MUST_MATCH);
    }

    /** An input's side that the weights fit. Those of AlexNet's first linear layer are for one size of the last map. */
    static int side(StateDict stateDict, Variant variant) {
        if (variant instanceof AlexNetVariant) {
            OptionalInt features = stateDict.named(variant).dimension("classifier.0.weight", 1);
            if (features.isPresent()) {
                return AlexNet.inputSide(features.getAsInt()).orElse(variant.inputSize());
            }
        }
        return variant.inputSize();
    }

    /** Those of the file; 0 only where it has nothing of a classifier, so that half of one is found missing. */
    private static int classes(StateDict stateDict, Variant variant) {
        String prefix = variant.build().classifier() + ".";
        boolean classifier =
                stateDict.named(variant).tensors().keySet().stream().anyMatch(name -> name.startsWith(prefix));
        return classifier ? stateDict.classes(variant).orElse(variant.options().numClasses()) : 0;
    }
}
