package io.github.convzoo.weights;

import ai.djl.ndarray.types.Shape;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.Format;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.checkpoint.Value;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.CanonicalNames;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/**
 * The weights that a checkpoint holds, under canonical names.
 *
 * <p>Inside a training checkpoint they stand under state_dict_ema, model_ema, state_dict or model, looked for in this
 * order. The prefixes {@code module.} and {@code _orig_mod.}, which wrapping a model leaves behind, are stripped.
 *
 * @param checkpoint the file
 * @param path where in the file the weights stand, such as {@code state_dict}; empty where they are all there is
 * @param tensors the weights by canonical name, in the order of the file; not modifiable
 */
public record StateDict(Checkpoint checkpoint, String path, Map<String, Tensor> tensors) {

    private static final List<String> PLACES = List.of("state_dict_ema", "model_ema", "state_dict", "model");
    private static final List<String> PREFIXES = List.of("module.", "_orig_mod.");

    /** As BatchNorm's statistics are called here, and in DJL's files. */
    private static final Pattern STATISTIC =
            Pattern.compile("(^|[.])(running_mean|running_var|runningMean|runningVar)$");

    /**
     * Creates a state dict of a copy of the given map.
     *
     * @param checkpoint the file
     * @param path where in the file the weights stand
     * @param tensors the weights by canonical name
     */
    public StateDict {
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    }

    /**
     * Finds the weights.
     *
     * @param checkpoint the file
     * @return its weights
     * @throws CheckpointException if there are none, or some entries are no tensors, or two get the same name
     */
    public static StateDict of(Checkpoint checkpoint) throws CheckpointException {
        if (!(checkpoint.root() instanceof Value.Mapping root)) {
            throw error(checkpoint, "", "holds no named tensors; save the model's state_dict()");
        }
        for (String place : PLACES) {
            if (root.entries().get(place) instanceof Value.Mapping weights) {
                return of(checkpoint, place, weights);
            }
        }
        for (String place : PLACES) {
            if (root.entries().get(place) instanceof Value.Placeholder whole) {
                throw error(
                        checkpoint,
                        place,
                        "is a pickled object of class " + whole.global()
                                + ", not a state dict; save its state_dict() instead");
            }
        }
        return of(checkpoint, "", root);
    }

    /**
     * The number of classes that the weights are for.
     *
     * @param variant the network that they belong to
     * @return the length of the classifier's bias; empty where there is none
     */
    public OptionalInt classes(Variant variant) {
        return named(variant).dimension(variant.build().classifier() + ".bias", 0);
    }

    /**
     * The number of input channels that the weights are for.
     *
     * @param variant the network that they belong to
     * @return the first convolution's number of input channels; empty where there is no such convolution
     */
    public OptionalInt inChannels(Variant variant) {
        return named(variant).dimension(variant.build().firstConvolution() + ".weight", 1);
    }

    /**
     * The number of parameters: values of floating-point tensors that are no running statistics.
     *
     * @return how many
     */
    public long parameters() {
        return tensors.entrySet().stream()
                .filter(each -> WeightLoader.FLOATING.contains(each.getValue().type()))
                .filter(each -> !STATISTIC.matcher(each.getKey()).find())
                .mapToLong(each -> each.getValue().size())
                .sum();
    }

    /**
     * Refuses an input that the weights are not for, before the network is built for it. Those of most networks are for any.
     *
     * @param variant the network that they belong to
     * @param height the input's height in pixels
     * @param width the input's width
     * @throws CheckpointException if they are for inputs of another size; the message says which
     */
    public void requireInput(Variant variant, int height, int width) throws CheckpointException {
        if (!variant.fitsInput(named(variant).shapes(), height, width)) {
            int side = Conversion.side(this, variant);
            throw new CheckpointException(
                    checkpoint.file(),
                    -1,
                    null,
                    "these weights are for inputs such as " + side + " x " + side + ", not " + height + " x " + width
                            + "; give the input size",
                    null);
        }
    }

    /**
     * These weights under the canonical names of a network, for DJL's files, which have the order of a network's parameters
     * for their names. Where the order does not fit the names stay, and loading says so.
     */
    StateDict named(Network network) {
        if (checkpoint.format() != Format.DJL) {
            return this;
        }
        Map<String, String> names = new LinkedHashMap<>();
        CanonicalNames.parameters(network).forEach((name, parameter) -> names.put(name, parameter.getName()));
        if (network.options().numClasses() == 0 && tensors.size() > names.size()) {
            // The classifier that this network is built without comes last.
            names.put(network.classifier() + ".weight", "weight");
            names.put(network.classifier() + ".bias", "bias");
        }
        if (names.size() != tensors.size()) {
            return this;
        }
        Map<String, Tensor> named = new LinkedHashMap<>();
        Iterator<Tensor> next = tensors.values().iterator();
        for (Map.Entry<String, String> name : names.entrySet()) {
            Tensor tensor = next.next();
            if (!tensor.name().equals(named.size() + "." + name.getValue())) {
                return this;
            }
            named.put(name.getKey(), tensor.withName(name.getKey()));
        }
        return new StateDict(checkpoint, path, named);
    }

    /** These weights under the canonical names of a network that has a classifier, or has none. */
    StateDict named(Variant variant) {
        if (checkpoint.format() != Format.DJL) {
            return this;
        }
        Network classifier = variant.build();
        StateDict named = named(classifier);
        return named.tensors.containsKey(classifier.firstConvolution() + ".weight")
                ? named
                : named(variant.build(variant.options().withNumClasses(0)));
    }

    /** The tensors' shapes by name. */
    Map<String, Shape> shapes() {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> shapes.put(name, new Shape(tensor.shape())));
        return shapes;
    }

    /** The length of a tensor's axis; empty where there is no such tensor, or it has no such axis. */
    OptionalInt dimension(String name, int axis) {
        Tensor tensor = tensors.get(name);
        if (tensor == null || tensor.shape().length <= axis) {
            return OptionalInt.empty();
        }
        long size = tensor.shape()[axis];
        return size < 1 || size > Integer.MAX_VALUE ? OptionalInt.empty() : OptionalInt.of((int) size);
    }

    private static StateDict of(Checkpoint checkpoint, String path, Value.Mapping weights) throws CheckpointException {
        if (!weights.unnamed().isEmpty()) {
            throw error(checkpoint, path, "has entries without a name, so it is no state dict");
        }
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        boolean paddle = checkpoint.format() == Format.PADDLE;
        for (Map.Entry<String, Value> entry : weights.entries().entrySet()) {
            if (paddle && entry.getKey().equals(PaddleNames.NAME_TABLE)) {
                continue;
            }
            Value value = paddle ? PaddleNames.unwrapped(entry.getValue()) : entry.getValue();
            if (!(value instanceof Tensor tensor)) {
                throw error(
                        checkpoint,
                        path,
                        "has an entry " + entry.getKey() + " that is no tensor (" + kind(entry.getValue())
                                + "), so it is no state dict; weights are looked for under " + String.join(", ", PLACES)
                                + " and at the top");
            }
            String name = canonical(entry.getKey());
            if (tensors.put(name, tensor.withName(name)) != null) {
                throw new CheckpointException(
                        checkpoint.file(),
                        -1,
                        name,
                        "stands twice once prefixes are stripped; save the state dict of one model",
                        null);
            }
        }
        if (tensors.isEmpty()) {
            throw error(checkpoint, path, "holds no tensors");
        }
        return new StateDict(
                checkpoint,
                path,
                switch (checkpoint.format()) {
                    case PADDLE -> PaddleNames.canonical(checkpoint, tensors);
                    case MXNET -> MxnetNames.canonical(checkpoint, tensors);
                    default -> tensors;
                });
    }

    /** The name without what wrapping a model leaves before it. */
    static String canonical(String name) {
        String rest = name;
        for (boolean stripped = true; stripped; ) {
            stripped = false;
            for (String prefix : PREFIXES) {
                if (rest.startsWith(prefix)) {
                    rest = rest.substring(prefix.length());
                    stripped = true;
                }
            }
        }
        return rest;
    }

    private static String kind(Value value) {
        return value instanceof Value.Placeholder placeholder
                ? placeholder.global()
                : value.getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }

    private static CheckpointException error(Checkpoint checkpoint, String path, String problem) {
        String where = path.isEmpty() ? "the file " : "its entry " + path + " ";
        return new CheckpointException(checkpoint.file(), -1, null, where + problem, null);
    }
}
