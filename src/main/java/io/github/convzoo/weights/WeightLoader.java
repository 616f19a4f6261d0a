package io.github.convzoo.weights;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.Dialect;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.CanonicalNames;
import java.io.UncheckedIOException;
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
 * parameter is set or skipped by one. On any other mismatch, nothing is changed.
 */
public final class WeightLoader {

    /** How to handle a different number of classes in the file. */
    public enum Classifier {
        /** Refuse the file, because the logits would be meaningless. For prediction and evaluation. */
        MUST_MATCH,
        /** Keep the classifier's initial values. For fine-tuning. */
        MAY_DIFFER
    }

    /** The element types of weights. */
    static final Set<ElementType> FLOATING =
            EnumSet.of(ElementType.F64, ElementType.F32, ElementType.BF16, ElementType.F16);

    private static final Shape ONE_PIXEL = new Shape(1, 1);

    private static final String COUNTER = "num_batches_tracked";

    /** The maximum number of names in an error. */
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
     * Loads a file. An initialized network gets new arrays.
     *
     * @param file a checkpoint of any format that {@link Checkpoint} reads
     * @param network the network, initialized or not
     * @param manager the owner of the parameters, which determines their device
     * @param input the shape to initialize the network for, if it is not initialized yet
     * @param classifier how to handle a different number of classes
     * @return the report
     * @throws CheckpointException if the file is unreadable, or does not fit the network
     */
    public static LoadReport load(Path file, Network network, NDManager manager, Shape input, Classifier classifier)
            throws CheckpointException {
        Checkpoint checkpoint = Checkpoint.read(file);
        StateDict stateDict = StateDict.of(checkpoint, Variant.of(network.modelName()), ReadOptions.DEFAULT);
        return load(stateDict, network, manager, input, classifier);
    }

    /**
     * Loads a checkpoint's weights. An initialized network gets new arrays.
     *
     * @param stateDict the weights
     * @param network the network, initialized or not
     * @param manager the owner of the parameters, which determines their device
     * @param input the shape to initialize the network for, if it is not initialized yet
     * @param classifier how to handle a different number of classes
     * @return the report
     * @throws CheckpointException if the weights do not fit the network
     */
    public static LoadReport load(
            StateDict stateDict, Network network, NDManager manager, Shape input, Classifier classifier)
            throws CheckpointException {
        return new WeightLoader(network, stateDict.named(network), classifier).load(manager, input);
    }

    private LoadReport load(NDManager manager, Shape input) throws CheckpointException {
        Map<String, Tensor> tensors = withoutIgnored();
        boolean replaced = isClassifierReplaced(tensors);
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
            // Not the caller's input, which could lead to parameters other than those just checked.
            shape = network.getInputShapes()[0];
            network.clear();
        }
        initialize(manager, shape, set, tensors);
        return new LoadReport(
                stateDict.checkpoint().file(),
                stateDict.path(),
                network.modelName(),
                set,
                allNotes(),
                stateDict.checkpoint().placeholders(),
                List.of());
    }

    private List<LoadReport.Note> allNotes() {
        List<LoadReport.Note> all = new ArrayList<>(stateDict.notes());
        notes.forEach((rule, names) -> all.add(new LoadReport.Note(rule, names)));
        return all;
    }

    private Map<String, Tensor> withoutIgnored() throws CheckpointException {
        Map<String, Shape> unused = network.unusedEntries();
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (Map.Entry<String, Tensor> each : stateDict.tensors().entrySet()) {
            String name = each.getKey();
            Tensor tensor = each.getValue();
            LoadReport.Rule rule = ignoring(stateDict, name, tensor, parameters.keySet(), unused.keySet());
            if (rule != null) {
                note(rule, name);
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

    /** Whether a name is a BatchNorm's counter, provided that the BatchNorm exists. */
    static boolean isCounter(String name, Set<String> parameters, Set<String> unused) {
        if (!name.endsWith("." + COUNTER)) {
            return false;
        }
        String mean = name.substring(0, name.length() - COUNTER.length()) + "running_mean";
        return parameters.contains(mean) || unused.contains(mean);
    }

    /** The rule that ignores an entry, for any network; null if the entry must be a weight. */
    static LoadReport.@Nullable Rule ignoring(
            StateDict stateDict, String name, Tensor tensor, Set<String> parameters, Set<String> unused) {
        if (isCounter(name, parameters, unused)) {
            return LoadReport.Rule.BATCH_COUNTER;
        }
        if (parameters.contains(name)) {
            return null;
        }
        return Dialect.of(stateDict.checkpoint().format())
                .extra(name, tensor)
                .map(extra -> switch (extra) {
                    case SCRIPT_CONSTANT -> LoadReport.Rule.SCRIPT_CONSTANT;
                    case AVERAGE_COUNT -> LoadReport.Rule.AVERAGE_COUNT;
                    case PROFILER_COUNT -> LoadReport.Rule.PROFILER_COUNT;
                })
                .orElse(null);
    }

    /** Whether the file has a linear layer for the network's classifier, a 1 x 1 convolution, or vice versa. */
    static boolean isReshaped(Network network, Tensor tensor, Shape expected) {
        Shape actual = new Shape(tensor.shape());
        return tensor.name().equals(network.classifier() + ".weight")
                && (actual.equals(expected.addAll(ONE_PIXEL)) || expected.equals(actual.addAll(ONE_PIXEL)));
    }

    private boolean isOfClassifier(String name) {
        return name.equals(network.classifier() + ".weight") || name.equals(network.classifier() + ".bias");
    }

    /** Whether the network keeps its own classifier: the file has none, or one for another number of classes. */
    private boolean isClassifierReplaced(Map<String, Tensor> tensors) throws CheckpointException {
        if (classifier == Classifier.MAY_DIFFER && isWithoutClassifier(tensors)) {
            noteClassifier(LoadReport.Rule.CLASSIFIER_NEW);
            return true;
        }
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
                            + network.options().numClasses() + "; request " + bias.shape()[0]
                            + ", or load for training to start with a new classifier");
        }
        noteClassifier(LoadReport.Rule.CLASSIFIER_REPLACED);
        return true;
    }

    private void noteClassifier(LoadReport.Rule rule) {
        parameters.keySet().stream().filter(this::isOfClassifier).forEach(name -> note(rule, name));
    }

    /** Whether the network has a classifier, and the file neither its weight nor its bias. */
    private boolean isWithoutClassifier(Map<String, Tensor> tensors) {
        return parameters.keySet().stream().anyMatch(this::isOfClassifier)
                && tensors.keySet().stream().noneMatch(this::isOfClassifier);
    }

    private void checkNames(Map<String, Tensor> tensors, List<String> set) throws CheckpointException {
        List<String> missing = new ArrayList<>(set);
        missing.removeAll(tensors.keySet());
        List<String> unknown = new ArrayList<>(tensors.keySet());
        unknown.removeAll(set);
        if (missing.isEmpty() && unknown.isEmpty()) {
            return;
        }
        String name = network.modelName();
        if (missing.isEmpty()) {
            throw error(
                    unknown.get(0),
                    "has every parameter of " + name + " and more: " + shortened(unknown)
                            + "; if these are irrelevant, ignore them with --ignore '" + pattern(unknown, set)
                            + "' (withIgnored in Java)");
        }
        if (unknown.isEmpty() && missing.stream().allMatch(this::isOfClassifier) && isWithoutClassifier(tensors)) {
            throw error(
                    null,
                    "has everything that " + name + " needs except its classifier (" + String.join(", ", missing)
                            + "); for pooled features, pass --num-classes 0 (withNumClasses(0) in Java); to train a new"
                            + " classifier, load it for training");
        }
        throw error(
                null,
                "does not fit " + name + "; missing: " + shortened(missing)
                        + (unknown.isEmpty() ? "" : "; unknown: " + shortened(unknown))
                        + "; check that it is a checkpoint of this model");
    }

    /** The first name, or a pattern for all names with its prefix if no parameter of the network has it. */
    private static String pattern(List<String> unknown, List<String> parameters) {
        String first = unknown.get(0);
        String start = first.substring(0, first.indexOf('.') + 1);
        long together = unknown.stream().filter(name -> name.startsWith(start)).count();
        boolean own = parameters.stream().anyMatch(name -> name.startsWith(start));
        return start.isEmpty() || own || together < 2 ? first : start + "*";
    }

    static String shortened(List<String> names) {
        String shown = String.join(", ", names.subList(0, Math.min(SHOWN, names.size())));
        return names.size() > SHOWN ? shown + " and " + (names.size() - SHOWN) + " more" : shown;
    }

    /** Initializes the network, with the file's values for parameters that the file sets. */
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
                return array(
                        owner, isReshaped(network, tensor, shape) ? tensor.withShape(shape.getShape()) : tensor, shape);
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
            throw error(tensor.name(), "has elements of type " + tensor.type() + "; weights must be floating-point");
        }
        Shape actual = new Shape(tensor.shape());
        if (isReshaped(network, tensor, expected)) {
            noteOnce(LoadReport.Rule.CLASSIFIER_RESHAPED, tensor.name());
            return;
        }
        if (!tensor.name().equals(network.firstConvolution() + ".weight") || !onlyChannelsDiffer(actual, expected)) {
            requireShape(tensor, actual, expected);
            return;
        }
        if (actual.get(1) != 3) {
            throw error(
                    tensor.name(),
                    "these weights take " + actual.get(1) + (actual.get(1) == 1 ? " input channel" : " input channels")
                            + ", not " + expected.get(1) + "; only weights for 3 can be adapted; request "
                            + actual.get(1));
        }
        noteOnce(LoadReport.Rule.INPUT_CHANNELS_ADAPTED, tensor.name());
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
                    "has shape " + actual + ", but " + network.modelName() + " has " + expected
                            + "; check that it is a checkpoint of this variant");
        }
    }

    /**
     * An array of a tensor's values, which are copied into the engine's memory here. If the engine read the
     * memory-mapped file itself, the process would crash if another process truncated the file.
     */
    private static NDArray array(NDManager owner, Tensor tensor, Shape shape) {
        NDArray array = owner.create(shape, DataType.FLOAT32, Device.cpu());
        try {
            FloatBuffer values =
                    array.toByteBuffer(true).order(ByteOrder.nativeOrder()).asFloatBuffer();
            if (shape.equals(new Shape(tensor.shape()))) {
                tensor.toFloats(values);
            } else {
                adapt(tensor, shape, values);
            }
        } catch (RuntimeException e) {
            array.close();
            throw e;
        }
        if (owner.getDevice().equals(Device.cpu())) {
            return array;
        }
        try (array) {
            return array.toDevice(owner.getDevice(), true);
        }
    }

    /**
     * Adapts a first convolution for three channels to another number: summed over the channels for one, repeated and
     * scaled by 3 / n for n. A grayscale image gives the same result as three equal channels did, and so does one
     * repeated to a multiple of 3.
     */
    private static void adapt(Tensor tensor, Shape shape, FloatBuffer target) {
        FloatBuffer source = FloatBuffer.allocate((int) tensor.size());
        tensor.toFloats(source);
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
    }

    private void note(LoadReport.Rule rule, String name) {
        notes.computeIfAbsent(rule, key -> new ArrayList<>()).add(name);
    }

    /** Avoids duplicates, because shapes may be checked twice. */
    private void noteOnce(LoadReport.Rule rule, String name) {
        List<String> names = notes.computeIfAbsent(rule, key -> new ArrayList<>());
        if (!names.contains(name)) {
            names.add(name);
        }
    }

    private CheckpointException error(@Nullable String tensor, String problem) {
        return new CheckpointException(stateDict.checkpoint().file(), -1, tensor, problem, null);
    }
}
