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

/** Converts a checkpoint to safetensors with canonical names, or to DJL's parameters. */
public final class Conversion {

    private Conversion() {}

    /**
     * Checks that a checkpoint fits a network, and writes the network's weights, with the model's configuration in the
     * metadata. Classes and input channels are those of the file. Tensors that the network does not need are dropped.
     *
     * @param in the checkpoint
     * @param options the location of the weights in it, and entries to ignore
     * @param out the safetensors file, replaced once the new one is complete
     * @param config the network and its configuration
     * @param labels class names instead of the configuration's, or empty
     * @param half whether to write kernels and matrices in half precision, which halves their size; vectors, such as
     *     those of normalizations, keep their type
     * @return a report of what was written and dropped
     * @throws CheckpointException if the checkpoint does not fit, has a number out of half precision's range, or the
     *     new file cannot be written
     * @throws IllegalArgumentException if the numbers of labels and classes differ
     */
    public static LoadReport toSafetensors(
            Checkpoint in, ReadOptions options, Path out, ModelConfig config, Optional<Labels> labels, boolean half)
            throws CheckpointException {
        return write(in, options, out, config, labels, half).report;
    }

    /**
     * Converts a checkpoint to a {@link ModelFolder}, like {@link #toSafetensors}.
     *
     * @param in the checkpoint
     * @param options the location of the weights in it, and entries to ignore
     * @param folder the folder, created if missing
     * @param config the network and its configuration
     * @param labels class names instead of the configuration's, or empty
     * @param half as in {@link #toSafetensors}
     * @return a report of what was written and dropped
     * @throws IOException as in {@link #toSafetensors}, or if the folder cannot be written
     * @throws IllegalArgumentException if the numbers of labels and classes differ
     */
    public static LoadReport toFolder(
            Checkpoint in, ReadOptions options, Path folder, ModelConfig config, Optional<Labels> labels, boolean half)
            throws IOException {
        // Check the weights first, so that a bad file leaves no folder.
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
                        "has a number beyond 65504, the limit of half precision; convert without half precision",
                        null);
            }
            return Tensor.of(tensor.name(), ElementType.F16, tensor.shape(), half.toByteBuffer());
        }
    }

    /**
     * Checks that a checkpoint fits a network, and writes the network's parameters in DJL's format. Elements become
     * float32.
     *
     * @param in the checkpoint
     * @param options the location of the weights in it, and entries to ignore
     * @param out the {@code .params} file, replaced once the new one is complete; for DJL's {@code Model.load}, its
     *     name must be the model's and a number: {@code dla34-0000.params}
     * @param variant the network
     * @return a report of what was written and dropped
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

    /** The side of an input that fits the weights. */
    static int side(StateDict stateDict, Variant variant) {
        return variant.inputSize(stateDict.named(variant).shapes()).orElse(variant.inputSize());
    }

    /**
     * The file's number of classes; 0 only if it has no part of a classifier, so that half a classifier is reported.
     */
    private static int classes(StateDict stateDict, Variant variant) {
        String prefix = variant.build().classifier() + ".";
        boolean classifier =
                stateDict.named(variant).tensors().keySet().stream().anyMatch(name -> name.startsWith(prefix));
        return classifier ? stateDict.classes(variant).orElse(variant.options().numClasses()) : 0;
    }
}
