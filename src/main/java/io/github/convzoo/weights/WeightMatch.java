package io.github.convzoo.weights;

import ai.djl.ndarray.types.Shape;
import io.github.convzoo.checkpoint.Dialect;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.NetworkOptions;
import io.github.convzoo.network.Variant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How weights compare with a network, determined from names, types and shapes only, by the rules of {@link
 * WeightLoader}. The network is assumed to have the weights' number of classes and input channels.
 *
 * @param variant the network
 * @param options the classes and input channels
 * @param matching the number of the network's parameters that the weights have
 * @param ignored entries of the weights that loading ignores by a rule
 * @param missing parameters that the weights lack
 * @param unknown entries of the weights that match no parameter of the network
 * @param misfits entries with another shape than the network's, or with a type that weights cannot have
 */
public record WeightMatch(
        Variant variant,
        NetworkOptions options,
        int matching,
        List<String> ignored,
        List<String> missing,
        List<String> unknown,
        List<Misfit> misfits) {

    /**
     * An entry that differs from the network's parameter of the same name.
     *
     * @param name the entry
     * @param found the actual shape or type
     * @param expected the network's shape or type
     */
    public record Misfit(String name, String found, String expected) {}

    /** Copies the lists. */
    public WeightMatch {
        ignored = List.copyOf(ignored);
        missing = List.copyOf(missing);
        unknown = List.copyOf(unknown);
        misfits = List.copyOf(misfits);
    }

    /**
     * Compares weights with every network.
     *
     * @param stateDict the weights
     * @return one match per network: those that fit first, then the nearest first; ties are in the order of {@link
     *     Variant#all}
     */
    public static List<WeightMatch> rank(StateDict stateDict) {
        return rank(stateDict, Map.of());
    }

    /** The same, with different weights for some networks. */
    static List<WeightMatch> rank(StateDict stateDict, Map<Variant, StateDict> own) {
        List<WeightMatch> matches = new ArrayList<>();
        for (Variant variant : Variant.all().values()) {
            matches.add(of(own.getOrDefault(variant, stateDict), variant));
        }
        matches.sort(Comparator.comparing(WeightMatch::fits)
                .thenComparing(WeightMatch::nearness)
                .reversed());
        return matches;
    }

    /**
     * Compares weights with a network.
     *
     * @param stateDict the weights
     * @param variant the network
     * @return the match
     */
    public static WeightMatch of(StateDict stateDict, Variant variant) {
        Network network = Conversion.network(stateDict, variant);
        NetworkOptions options = network.options();
        int side = Conversion.side(stateDict, variant);
        Map<String, Shape> expected = ParameterShapes.of(network, new Shape(1, options.inChannels(), side, side));
        Map<String, Shape> unused = network.unusedEntries();

        int matching = 0;
        List<String> ignored = new ArrayList<>();
        List<String> unknown = new ArrayList<>();
        List<Misfit> misfits = new ArrayList<>();
        Map<String, Tensor> tensors = named(stateDict, network, expected);
        for (Map.Entry<String, Tensor> each : tensors.entrySet()) {
            String name = each.getKey();
            Tensor tensor = each.getValue();
            Shape shape = new Shape(tensor.shape());
            if (WeightLoader.ignoring(stateDict, name, tensor, expected.keySet(), unused.keySet()) != null
                    || shape.equals(unused.get(name))) {
                ignored.add(name);
            } else if (unused.containsKey(name)) {
                misfits.add(new Misfit(name, text(tensor), text(unused.get(name))));
            } else if (!expected.containsKey(name)) {
                unknown.add(name);
            } else if (!isExpected(network, tensor, shape, expected.get(name))
                    || !WeightLoader.FLOATING.contains(tensor.type())) {
                misfits.add(new Misfit(name, text(tensor), text(expected.get(name))));
            } else {
                matching++;
            }
        }
        List<String> missing = new ArrayList<>(expected.keySet());
        missing.removeAll(tensors.keySet());
        return new WeightMatch(variant, options, matching, ignored, missing, unknown, misfits);
    }

    /** {@return whether loading would succeed: whether nothing is missing, unknown or a misfit} */
    public boolean fits() {
        return missing.isEmpty() && unknown.isEmpty() && misfits.isEmpty();
    }

    /**
     * {@return the similarity of the weights and the network: the matching names as a fraction of all names in either,
     * from 0 to 1}
     */
    public double nearness() {
        int differences = missing.size() + unknown.size() + misfits.size();
        return (double) matching / Math.max(1, matching + differences);
    }

    /** {@return the first differences, for people: one line for each kind of difference; empty if the weights fit} */
    public List<String> differences() {
        List<String> lines = new ArrayList<>();
        if (!missing.isEmpty()) {
            lines.add("missing: " + WeightLoader.shortened(missing));
        }
        if (!unknown.isEmpty()) {
            lines.add("unknown: " + WeightLoader.shortened(unknown));
        }
        if (!misfits.isEmpty()) {
            lines.add("differing: "
                    + WeightLoader.shortened(misfits.stream()
                            .map(misfit -> misfit.name + " " + misfit.found + " for " + misfit.expected)
                            .toList()));
        }
        return lines;
    }

    /** In DJL's files, order replaces names. If it does not fit as a whole, it is followed as far as possible. */
    private static Map<String, Tensor> named(StateDict stateDict, Network network, Map<String, Shape> expected) {
        Map<String, Tensor> named = stateDict.named(network).tensors();
        List<String> names = List.copyOf(expected.keySet());
        if (!Dialect.of(stateDict.checkpoint().format()).isOrdered() || named.containsKey(names.get(0))) {
            return named;
        }
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (Map.Entry<String, Tensor> each : stateDict.tensors().entrySet()) {
            int place = tensors.size();
            tensors.put(place < names.size() ? names.get(place) : each.getKey(), each.getValue());
        }
        return tensors;
    }

    private static boolean isExpected(Network network, Tensor tensor, Shape shape, Shape expected) {
        return shape.equals(expected) || WeightLoader.isReshaped(network, tensor, expected);
    }

    private static String text(Tensor tensor) {
        String shape = text(new Shape(tensor.shape()));
        return WeightLoader.FLOATING.contains(tensor.type()) ? shape : tensor.type() + shape;
    }

    private static String text(Shape shape) {
        return shape.toString();
    }
}
