package io.github.convzoo.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Format;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.network.Network;
import io.github.convzoo.nn.CanonicalNames;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Loads a checkpoint into a network, strictly: every tensor is used or ignored by a {@link LoadReport.Rule}, and every
 * parameter is set or left by one. Where anything else is amiss nothing is changed.
 */
public final class WeightLoader {

    /** What to do where the file has another number of classes than the network. */
    public enum Classifier {
        /** Refuse it: the logits would mean nothing. For prediction and evaluation. */
        MUST_MATCH,
        /** Leave the classifier at its initial values. For fine-tuning. */
        MAY_DIFFER
    }

    /** What weights may be made of. */
    static final Set<ElementType> FLOATING =
            EnumSet.of(ElementType.F64, ElementType.F32, ElementType.BF16, ElementType.F16);

    private static final String COUNTER = "num_batches_tracked";

    /** How many names an error lists. */
    private static final int SHOWN = 5;

    private final Network network;
    private final StateDict stateDict;
    private final Classifier classifier;
    private final Map<String, Parameter> parameters;
    private final Map<LoadReport.Rule, List<String>> notes = new EnumMap<>(LoadReport.Rule.class);

    private WeightLoader(Network network, StateDict stateDict, Classifier classifier) {
        this.network = network;
        this.stateDict = stateDict;
        this.classifier = classifier;
        parameters = CanonicalNames.parameters(network);
    }

    /**
     * Loads a file. A network that is initialised gets new arrays.
     *
     * @param file a checkpoint of any format that {@link Checkpoint} reads
     * @param network the network, initialised or not
     * @param manager what shall own the parameters, on their device
     * @param input the shape to initialise the network for, where it is not initialised yet
     * @param classifier what to do where the number of classes differs
     * @return what was done
     * @throws CheckpointException if the file is unreadable, or does not fit the network
     */
    public static LoadReport load(Path file, Network network, NDManager manager, Shape input, Classifier classifier)
            throws CheckpointException {
        return load(StateDict.of(Checkpoint.read(file)), network, manager, input, classifier);
    }

    /**
     * Loads a checkpoint's weights. A network that is initialised gets new arrays.
     *
     * @param stateDict the weights
     * @param network the network, initialised or not
     * @param manager what shall own the parameters, on their device
     * @param input the shape to initialise the network for, where it is not initialised yet
     * @param classifier what to do where the number of classes differs
     * @return what was done
     * @throws CheckpointException if the weights do not fit the network
     */
    public static LoadReport load(
            StateDict stateDict, Network network, NDManager manager, Shape input, Classifier classifier)
            throws CheckpointException {
        return new WeightLoader(network, stateDict.named(network), classifier).load(manager, input);
    }

    private LoadReport load(NDManager manager, Shape input) throws CheckpointException {
        Map<String, Tensor> tensors = withoutIgnored();
        boolean replaced = classifierDiffers(tensors);
        List<String> set = new ArrayList<>(parameters.keySet());
        if (replaced) {
            set.removeIf(this::isOfClassifier);
            tensors.keySet().removeIf(this::isOfClassifier);
        }
        checkNames(tensors, set);
        Shape shape = input;
        if (network.isInitialized()) {
            for (String name : set) {
                checkShape(tensor(tensors, name), parameter(name).getShape());
            }
            // Whatever the caller gave: another input could ask for other parameters than those just checked.
            shape = network.getInputShapes()[0];
            network.clear();
        }
        initialize(manager, shape, set, tensors);
        return new LoadReport(
                stateDict.checkpoint().file(),
                stateDict.path(),
                network.modelName(),
                set,
                notes.entrySet().stream()
                        .map(each -> new LoadReport.Note(each.getKey(), each.getValue()))
                        .toList(),
                stateDict.checkpoint().placeholders(),
                List.of());
    }

    private Map<String, Tensor> withoutIgnored() throws CheckpointException {
        Map<String, Shape> unused = network.unusedEntries();
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (Map.Entry<String, Tensor> each : stateDict.tensors().entrySet()) {
            String name = each.getKey();
            Tensor tensor = each.getValue();
            if (isCounter(name, parameters.keySet(), unused.keySet())) {
                note(LoadReport.Rule.BATCH_COUNTER, name);
            } else if (isScriptConstant(stateDict, name)) {
                note(LoadReport.Rule.SCRIPT_CONSTANT, name);
            } else if (unused.containsKey(name)) {
                requireShape(tensor, new Shape(tensor.shape()), unused.get(name));
                note(LoadReport.Rule.UNUSED_ENTRY, name);
            } else if (network.options().numClasses() == 0 && isOfClassifier(name)) {
                note(LoadReport.Rule.CLASSIFIER_LEFT_OUT, name);
            } else {
                tensors.put(name, tensor);
            }
        }
        return tensors;
    }

    /** Whether a name is a BatchNorm's counter: only where there is such a BatchNorm. */
    static boolean isCounter(String name, Set<String> parameters, Set<String> unused) {
        if (!name.endsWith("." + COUNTER)) {
            return false;
        }
        String mean = name.substring(0, name.length() - COUNTER.length()) + "running_mean";
        return parameters.contains(mean) || unused.contains(mean);
    }

    /** Whether a name is that of something a TorchScript archive's code uses, and no parameter. */
    static boolean isScriptConstant(StateDict stateDict, String name) {
        return stateDict.checkpoint().format() == Format.TORCHSCRIPT && name.startsWith("CONSTANTS.");
    }

    private boolean isOfClassifier(String name) {
        return name.equals(network.classifier() + ".weight") || name.equals(network.classifier() + ".bias");
    }

    /** Whether the file's classifier is for another number of classes, which may or may not be allowed. */
    private boolean classifierDiffers(Map<String, Tensor> tensors) throws CheckpointException {
        Tensor bias = tensors.get(network.classifier() + ".bias");
        if (bias == null
                || bias.shape().length != 1
                || bias.shape()[0] == network.options().numClasses()) {
            return false;
        }
        if (classifier == Classifier.MUST_MATCH) {
            throw error(
                    bias.name(),
                    "these weights have " + bias.shape()[0] + " classes, not "
                            + network.options().numClasses() + "; ask for " + bias.shape()[0]
                            + ", or load for training to begin with a new classifier");
        }
        for (String name : parameters.keySet()) {
            if (isOfClassifier(name)) {
                note(LoadReport.Rule.CLASSIFIER_REPLACED, name);
            }
        }
        return true;
    }

    private void checkNames(Map<String, Tensor> tensors, List<String> set) throws CheckpointException {
        List<String> missing = new ArrayList<>(set);
        missing.removeAll(tensors.keySet());
        List<String> unknown = new ArrayList<>(tensors.keySet());
        unknown.removeAll(set);
        if (missing.isEmpty() && unknown.isEmpty()) {
            return;
        }
        StringBuilder problem = new StringBuilder("does not fit ").append(network.modelName());
        if (!missing.isEmpty()) {
            problem.append("; missing: ").append(shortened(missing));
        }
        if (!unknown.isEmpty()) {
            problem.append("; unknown: ").append(shortened(unknown));
        }
        problem.append("; is it the checkpoint of another model?");
        throw error(missing.isEmpty() ? unknown.get(0) : null, problem.toString());
    }

    static String shortened(List<String> names) {
        String shown = String.join(", ", names.subList(0, Math.min(SHOWN, names.size())));
        return names.size() > SHOWN ? shown + " and " + (names.size() - SHOWN) + " more" : shown;
    }

    /** Initialises the network, each parameter that the file sets with the file's values. */
    private void initialize(NDManager manager, Shape input, List<String> set, Map<String, Tensor> tensors)
            throws CheckpointException {
        Map<Parameter, Initializer> initializers = new LinkedHashMap<>();
        for (String name : set) {
            Parameter parameter = parameter(name);
            Tensor tensor = tensor(tensors, name);
            initializers.put(parameter, parameter.getInitializer());
            parameter.setInitializer((owner, shape, type) -> {
                try {
                    checkShape(tensor, shape);
                } catch (CheckpointException e) {
                    throw new UncheckedIOException(e);
                }
                return array(owner, tensor, shape);
            });
        }
        boolean done = false;
        try {
            network.initialize(manager, DataType.FLOAT32, input);
            done = true;
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof CheckpointException cause) {
                throw cause;
            }
            throw e;
        } finally {
            initializers.forEach(Parameter::setInitializer);
            if (!done) {
                network.clear();
            }
        }
    }

    private Parameter parameter(String name) {
        return Objects.requireNonNull(parameters.get(name), name);
    }

    private static Tensor tensor(Map<String, Tensor> tensors, String name) {
        return Objects.requireNonNull(tensors.get(name), name);
    }

    private void checkShape(Tensor tensor, Shape expected) throws CheckpointException {
        if (!FLOATING.contains(tensor.type())) {
            throw error(tensor.name(), "has elements of type " + tensor.type() + "; weights are floating-point");
        }
        Shape actual = new Shape(tensor.shape());
        if (!tensor.name().equals(network.firstConvolution() + ".weight") || !onlyChannelsDiffer(actual, expected)) {
            requireShape(tensor, actual, expected);
            return;
        }
        if (actual.get(1) != 3) {
            throw error(
                    tensor.name(),
                    "these weights take " + actual.get(1) + (actual.get(1) == 1 ? " input channel" : " input channels")
                            + ", not " + expected.get(1) + "; only weights for 3 are adapted: ask for "
                            + actual.get(1));
        }
        List<String> adapted = notes.computeIfAbsent(LoadReport.Rule.INPUT_CHANNELS_ADAPTED, key -> new ArrayList<>());
        if (adapted.isEmpty()) {
            adapted.add(tensor.name());
        }
    }

    private static boolean onlyChannelsDiffer(Shape actual, Shape expected) {
        return actual.dimension() == 4
                && actual.get(0) == expected.get(0)
                && actual.get(1) != expected.get(1)
                && actual.slice(2).equals(expected.slice(2));
    }

    private void requireShape(Tensor tensor, Shape actual, Shape expected) throws CheckpointException {
        if (!actual.equals(expected)) {
            throw error(
                    tensor.name(),
                    "has shape " + actual + " where " + network.modelName() + " has " + expected
                            + "; is it the checkpoint of another variant?");
        }
    }

    private static NDArray array(NDManager owner, Tensor tensor, Shape shape) {
        ByteBuffer values;
        if (!shape.equals(new Shape(tensor.shape()))) {
            values = adapted(tensor, shape);
        } else if (tensor.type() == ElementType.F32 && tensor.bytes().isDirect()) {
            values = tensor.bytes();
        } else {
            values = floats(tensor.size());
            tensor.toFloats(values.asFloatBuffer());
        }
        // The engine takes a direct buffer as it stands, so it must begin at its first element; and on the CPU it takes
        // no copy, so one is made: the array must outlive the file.
        NDArray view = owner.create(values.slice(), shape, DataType.FLOAT32);
        if (owner.getDevice().isGpu()) {
            return view;
        }
        try (view) {
            return view.duplicate();
        }
    }

    /**
     * A first convolution for three channels, for another number: summed over the channels for one, repeated and scaled
     * by 3 / n for n. A grey image gives what its three equal channels gave, and so does one repeated to a multiple of 3.
     */
    private static ByteBuffer adapted(Tensor tensor, Shape shape) {
        FloatBuffer source = FloatBuffer.allocate((int) tensor.size());
        tensor.toFloats(source);
        ByteBuffer bytes = floats(shape.size());
        FloatBuffer target = bytes.asFloatBuffer();
        int channels = (int) shape.get(1);
        int plane = (int) shape.slice(2).size();
        for (int filter = 0; filter < shape.get(0); filter++) {
            for (int channel = 0; channel < channels; channel++) {
                for (int i = 0; i < plane; i++) {
                    int first = filter * 3 * plane + i;
                    float value = channels == 1
                            ? source.get(first) + source.get(first + plane) + source.get(first + 2 * plane)
                            : source.get(first + channel % 3 * plane) * (3f / channels);
                    target.put((filter * channels + channel) * plane + i, value);
                }
            }
        }
        return bytes;
    }

    private static ByteBuffer floats(long count) {
        return ByteBuffer.allocateDirect(Math.toIntExact(count * Float.BYTES)).order(ByteOrder.nativeOrder());
    }

    private void note(LoadReport.Rule rule, String name) {
        notes.computeIfAbsent(rule, key -> new ArrayList<>()).add(name);
    }

    private CheckpointException error(@Nullable String tensor, String problem) {
        return new CheckpointException(stateDict.checkpoint().file(), -1, tensor, problem, null);
    }
}
