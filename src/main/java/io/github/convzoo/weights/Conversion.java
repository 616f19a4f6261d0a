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
import io.github.convzoo.image.Labels;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.NetworkOptions;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.CanonicalNames;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Rewrites a checkpoint as safetensors under canonical names, or as DJL's parameters. */
public final class Conversion {

    private Conversion() {}

    /**
     * Checks that a checkpoint fits a network, and writes the network's weights, with the model's configuration in the
     * metadata. Classes and input channels are those of the file. What the network has no use for is left out.
     *
     * @param in the checkpoint
     * @param options where the weights are in it, and what to leave out
     * @param out the safetensors file, replaced once the new one is complete
     * @param config the network, and how to use it
     * @param labels names for the classes instead of the configuration's, or empty
     * @param half whether kernels and matrices are written in half precision, which takes half of the room; vectors, as
     *     those of normalizations, keep their type, and everything does otherwise
     * @return what was written, and what was left out
     * @throws CheckpointException if the checkpoint does not fit, holds a number that half precision does not
     *     reach, or the new one cannot be written
     * @throws IllegalArgumentException if there are more or fewer labels than classes
     */
    public static LoadReport toSafetensors(
            Checkpoint in, ReadOptions options, Path out, ModelConfig config, Optional<Labels> labels, boolean half)
            throws CheckpointException {
        return write(in, options, out, config, labels, half).report;
    }

    /**
     * The same, as a {@link ModelFolder}.
     *
     * @param in the checkpoint
     * @param options where the weights are in it, and what to leave out
     * @param folder the folder, made if it is not there
     * @param config the network, and how to use it
     * @param labels names for the classes instead of the configuration's, or empty
     * @param half as of {@link #toSafetensors}
     * @return what was written, and what was left out
     * @throws IOException as of {@link #toSafetensors}, or if the folder cannot be written
     * @throws IllegalArgumentException if there are more or fewer labels than classes
     */
    public static LoadReport toFolder(
            Checkpoint in, ReadOptions options, Path folder, ModelConfig config, Optional<Labels> labels, boolean half)
            throws IOException {
        // First what can be wrong with the weights, so that a bad file leaves no folder.
        StateDict.of(in, config.variant(), options);
        ModelFolder.create(folder);
        Written written = write(in, options, folder.resolve(ModelFolder.WEIGHTS), config, labels, half);
        ModelFolder.writeConfig(folder, written.config);
        return written.report;
    }

    private record Written(LoadReport report, ModelConfig config) {}

    private static Written write(
            Checkpoint in, ReadOptions reading, Path out, ModelConfig config, Optional<Labels> labels, boolean half)
            throws CheckpointException {
        Variant variant = config.variant();
        StateDict stateDict = StateDict.of(in, variant, reading);
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
        NetworkOptions options = network.options().withFamily(config.options().family());
        ModelConfig adapted = config.withOptions(options);
        ModelConfig written = labels.isEmpty() ? adapted : adapted.withLabels(labels.get());
        Map<String, String> metadata = WeightSaver.metadata(written);
        if (!half) {
            Safetensors.write(out, tensors, metadata);
            return new Written(report, written);
        }
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            List<Tensor> halves = new ArrayList<>();
            for (Tensor tensor : tensors) {
                halves.add(tensor.shape().length > 1 ? half(in.file(), tensor, manager) : tensor);
            }
            Safetensors.write(out, halves, metadata);
        }
        return new Written(report, written);
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
     * @param in the checkpoint
     * @param options where the weights are in it, and what to leave out
     * @param out the {@code .params} file, replaced once the new one is complete; for DJL's {@code Model.load} its name is
     *     the model's and a number: {@code dla34-0000.params}
     * @param variant the network
     * @return what was written, and what was left out
     * @throws CheckpointException if the checkpoint does not fit, or the new file cannot be written
     */
    public static LoadReport toDjl(Checkpoint in, ReadOptions options, Path out, Variant variant)
            throws CheckpointException {
        StateDict stateDict = StateDict.of(in, variant, options);
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

    /** The side of an input that the weights fit. */
    static int side(StateDict stateDict, Variant variant) {
        return variant.inputSize(stateDict.named(variant).shapes()).orElse(variant.inputSize());
    }

    /** Those of the file; 0 only where it has nothing of a classifier, so that half of one is found missing. */
    private static int classes(StateDict stateDict, Variant variant) {
        String prefix = variant.build().classifier() + ".";
        boolean classifier =
                stateDict.named(variant).tensors().keySet().stream().anyMatch(name -> name.startsWith(prefix));
        return classifier ? stateDict.classes(variant).orElse(variant.options().numClasses()) : 0;
    }
}
