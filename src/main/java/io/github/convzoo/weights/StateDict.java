package io.github.convzoo.weights;

import ai.djl.ndarray.types.Shape;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.Dialect;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.CanonicalNames;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/**
 * The weights of a checkpoint, under canonical names.
 *
 * <p>They are the only mapping of tensors that fits the network, wherever it is in the file. If several fit and differ,
 * the one under state_dict_ema, model_ema, state_dict or model is used, in this order, provided that no other place has
 * one. The prefixes {@code module.} and {@code _orig_mod.}, which wrappers of a model leave behind, are stripped, and
 * so is any other prefix without which the names fit.
 *
 * @param checkpoint the file
 * @param path the path of the weights in the file, such as {@code state_dict}; empty if they are the whole file
 * @param prefixes the prefixes stripped from names, such as {@code module.}, each once
 * @param notes guesses made and entries ignored while finding them
 * @param tensors the weights by canonical name, in the order of the file; unmodifiable
 */
public record StateDict(
        Checkpoint checkpoint,
        String path,
        List<String> prefixes,
        List<LoadReport.Note> notes,
        Map<String, Tensor> tensors) {

    /** The names of BatchNorm's statistics in ConvZoo and in DJL's files. */
    private static final Pattern STATISTIC =
            Pattern.compile("(^|[.])(running_mean|running_var|runningMean|runningVar)$");

    /** Copies the lists and the map. */
    public StateDict {
        prefixes = List.copyOf(prefixes);
        notes = List.copyOf(notes);
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    }

    /**
     * Finds the weights of an unknown network, if they are in a conventional place or are the only mapping of tensors
     * other than an optimizer's.
     *
     * @param checkpoint the file
     * @return its weights
     * @throws CheckpointException if there are none, or several candidates, or some entries are not tensors, or two get
     *     the same name
     */
    public static StateDict of(Checkpoint checkpoint) throws CheckpointException {
        return new WeightSearch(checkpoint, ReadOptions.DEFAULT).alone();
    }

    /**
     * Finds the weights of a network.
     *
     * @param checkpoint the file
     * @param variant the network
     * @param options the location of the weights, and entries to ignore; the limits have no effect here
     * @return those that fit the network by their names; if none do, the most similar ones, so that loading can report
     *     the differences
     * @throws CheckpointException if there are none, or several fit and differ, or some entries are not tensors, or two
     *     get the same name
     */
    public static StateDict of(Checkpoint checkpoint, Variant variant, ReadOptions options) throws CheckpointException {
        return new WeightSearch(checkpoint, options).of(variant);
    }

    /**
     * Reads a file, and finds the weights of a network.
     *
     * @param file a checkpoint of any format that {@link Checkpoint} reads
     * @param variant the network
     * @param options how to read it
     * @return those that fit the network by their names; if none do, the most similar ones
     * @throws CheckpointException if the file is unreadable, or as in {@link #of(Checkpoint, Variant, ReadOptions)}
     */
    public static StateDict read(Path file, Variant variant, ReadOptions options) throws CheckpointException {
        return of(Checkpoint.read(file, options.limits()), variant, options);
    }

    /**
     * {@return the number of classes of the weights: the length of the classifier's bias; empty if none exists}
     *
     * @param variant the network that they belong to
     */
    public OptionalInt classes(Variant variant) {
        return named(variant).dimension(variant.build().classifier() + ".bias", 0);
    }

    /**
     * {@return the number of input channels of the weights, which is the first convolution's; empty if there is no such
     * convolution}
     *
     * @param variant the network that they belong to
     */
    public OptionalInt inChannels(Variant variant) {
        return named(variant).dimension(variant.build().firstConvolution() + ".weight", 1);
    }

    /** {@return the number of parameters: values of floating-point tensors except running statistics} */
    public long parameters() {
        return tensors.entrySet().stream()
                .filter(each -> WeightLoader.FLOATING.contains(each.getValue().type()))
                .filter(each -> !STATISTIC.matcher(each.getKey()).find())
                .mapToLong(each -> each.getValue().size())
                .sum();
    }

    /**
     * Refuses an input size that does not fit the weights, before the network is built. Most networks' weights fit any.
     *
     * @param variant the network that they belong to
     * @param height the input's height in pixels
     * @param width the input's width
     * @throws CheckpointException if they need another input size; the message says which
     */
    public void requireInput(Variant variant, int height, int width) throws CheckpointException {
        if (!variant.fitsInput(named(variant).shapes(), height, width)) {
            int side = Conversion.side(this, variant);
            throw new CheckpointException(
                    checkpoint.file(),
                    -1,
                    null,
                    "these weights are for inputs such as " + side + " x " + side + ", not " + height + " x " + width
                            + "; set the input size",
                    null);
        }
    }

    /**
     * These weights under a network's canonical names, for DJL's files, in which the order of parameters replaces
     * names. If the order does not fit, the names are unchanged, and loading reports it.
     */
    StateDict named(Network network) {
        if (!Dialect.of(checkpoint.format()).isOrdered()) {
            return this;
        }
        Map<String, String> names = new LinkedHashMap<>();
        CanonicalNames.parameters(network).forEach((name, parameter) -> names.put(name, parameter.getName()));
        if (network.options().numClasses() == 0 && tensors.size() > names.size()) {
            // The classifier, which this network is built without, comes last.
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
        return new StateDict(checkpoint, path, prefixes, notes, named);
    }

    /** These weights under the canonical names of a network with or without a classifier. */
    StateDict named(Variant variant) {
        if (!Dialect.of(checkpoint.format()).isOrdered()) {
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

    /** The length of a tensor's axis; empty if there is no such tensor or axis. */
    OptionalInt dimension(String name, int axis) {
        Tensor tensor = tensors.get(name);
        if (tensor == null || tensor.shape().length <= axis) {
            return OptionalInt.empty();
        }
        long size = tensor.shape()[axis];
        return size < 1 || size > Integer.MAX_VALUE ? OptionalInt.empty() : OptionalInt.of((int) size);
    }
}
