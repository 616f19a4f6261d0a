package io.github.convzoo.graph;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Rounds the operands of convolutions and linear layers to 8 bits: weights per filter, and their inputs and outputs.
 * Sums, concats, and pools of rounded values are also rounded. Everything else computes in float, and so does the
 * network's end.
 *
 * <p>The graph still computes in float, so every engine can run it; a runtime that recognizes the pattern computes with
 * integers instead. A ReLU whose result starts at 0 is dropped, because the grid has the same effect.
 *
 * <p>The pass expects a graph with folded normalizations and with groups of their final width.
 */
public final class Quantize implements Pass {

    private final Map<Value, Range> ranges;
    private final Predicate<Node> floats;
    private final Sums sums;
    private final int bits;

    /** How a runtime computes the sum of a convolution and another value. */
    public enum Sums {
        /** Rounds both, then adds them. */
        OF_ROUNDED,
        /** Adds the other value before rounding the convolution. */
        IN_CONVOLUTION
    }

    /**
     * Creates the pass.
     *
     * @param ranges the range of each of the {@link #values}
     * @param floats selects convolutions and linear layers to keep in float
     * @param sums how sums are computed
     * @param bits the weights' bits: 8, or 7 for processors that add pairs of products in 16 bits
     */
    public Quantize(Map<Value, Range> ranges, Predicate<Node> floats, Sums sums, int bits) {
        if (bits != 7 && bits != 8) {
            throw new IllegalArgumentException("weights must have 7 or 8 bits, not " + bits);
        }
        this.ranges = Map.copyOf(ranges);
        this.floats = floats;
        this.sums = sums;
        this.bits = bits;
    }

    /**
     * {@return the values that become 8 bits wide, in the order of the graph; empty if there is nothing to quantize}
     * The pass needs their ranges.
     *
     * @param graph the graph
     * @param floats selects convolutions and linear layers to keep in float
     * @param sums how sums are computed
     */
    public static List<Value> values(Graph graph, Predicate<Node> floats, Sums sums) {
        return List.copyOf(new Placement(graph, floats, sums).rounded);
    }

    /**
     * {@return the convolutions and linear layers of a graph that can be quantized, in the order of the graph: all
     * except those that only compute softmax weights, whose few numbers scale whole maps}
     *
     * @param graph the graph
     */
    public static List<Node> layers(Graph graph) {
        Set<Value> shares = new HashSet<>();
        List<Node> layers = new ArrayList<>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Softmax) {
                shares.add(node.output());
            } else if ((node.op() instanceof Op.Convolution || node.op() instanceof Op.Linear)
                    && !shares.contains(node.inputs().get(0))) {
                layers.add(node);
            }
        }
        return layers;
    }

    @Override
    public Graph apply(Graph graph, Types types) {
        Placement placement = new Placement(graph, floats, sums);
        Map<Value, Grid> grids = grids(placement);
        Rewrite rewrite = new Rewrite(graph);
        for (Value input : graph.inputs()) {
            round(input, "", grids, rewrite);
        }
        for (Node node : graph.nodes()) {
            Value input = node.inputs().get(0);
            if (placement.layers.contains(node)) {
                rewrite.change(node, quantized(node.op(), grids.get(input)));
            } else if (isRectifier(node) && beginsAtZero(grids.get(node.output()))) {
                rewrite.replace(node.output(), rewrite.now(input));
            } else {
                rewrite.keep(node);
            }
            node.outputs().forEach(output -> round(output, node.name(), grids, rewrite));
        }
        return rewrite.finish();
    }

    private static void round(Value value, String name, Map<Value, Grid> grids, Rewrite rewrite) {
        Grid grid = grids.get(value);
        if (grid != null) {
            rewrite.replace(value, rewrite.add(name, new Op.FakeQuantize(grid), rewrite.now(value)));
        }
    }

    private Op quantized(Op op, @Nullable Grid input) {
        if (input == null) {
            throw new IllegalStateException("the input of a layer has no grid");
        }
        if (op instanceof Op.Convolution conv) {
            Constant.QuantizedWeight weight =
                    new Constant.QuantizedWeight(conv.weight(), bits, conv.bias(), input.scale());
            return new Op.Convolution(weight, bias(conv.bias(), weight), conv.filters(), conv.window(), conv.groups());
        }
        Op.Linear linear = (Op.Linear) op;
        Constant.QuantizedWeight weight =
                new Constant.QuantizedWeight(linear.weight(), bits, linear.bias(), input.scale());
        return new Op.Linear(weight, bias(linear.bias(), weight), linear.units());
    }

    private static @Nullable Constant bias(@Nullable Constant bias, Constant.QuantizedWeight weight) {
        return bias == null ? null : new Constant.QuantizedBias(bias, weight);
    }

    private static boolean isRectifier(Node node) {
        return node.op() == Op.Activation.RELU;
    }

    private static boolean beginsAtZero(@Nullable Grid grid) {
        return grid != null && grid.zeroPoint() == 0;
    }

    private Map<Value, Grid> grids(Placement placement) {
        Map<Value, Group> groups = new HashMap<>();
        for (Value value : placement.rounded) {
            Range range = ranges.get(value);
            if (range == null) {
                throw new IllegalArgumentException("the range of " + value + " is missing");
            }
            groups.put(value, new Group(value, range));
        }
        for (Same same : placement.same()) {
            @Nullable Group first = groups.get(same.first);
            @Nullable Group second = groups.get(same.second);
            // A ReLU before a grid that starts below 0 would remain, so runtimes would compute the layer before it in
            // float.
            if (first != null && second != null && (same.moved || first.beginsLike(second))) {
                first.take(second);
                second.values.forEach(value -> groups.put(value, first));
            }
        }
        Map<Value, Grid> grids = new HashMap<>();
        groups.forEach((value, group) -> grids.put(value, Grid.of(group.range)));
        return grids;
    }

    /** Values that have the same grid. */
    private static final class Group {

        private final Set<Value> values = new HashSet<>();
        private Range range;

        Group(Value value, Range range) {
            values.add(value);
            this.range = range;
        }

        boolean beginsLike(Group other) {
            return (range.min() < 0) == (other.range.min() < 0);
        }

        void take(Group other) {
            values.addAll(other.values);
            range = range.and(other.range);
        }
    }

    /**
     * Two values that should share a grid.
     *
     * @param first one value
     * @param second the other
     * @param moved whether they must, because one only moves the other's numbers
     */
    private record Same(Value first, Value second, boolean moved) {}

    /** Determines which values are rounded, and which of them share a grid. */
    private static final class Placement {

        private final Map<Value, Integer> readers;
        private final Map<Value, Node> onlyReader = new HashMap<>();
        private final Set<Node> layers;
        private final Set<Value> rounded = new LinkedHashSet<>();

        /** Results of convolutions that are added to another value before rounding. */
        private final Set<Value> added = new HashSet<>();

        private final List<Same> same = new ArrayList<>();

        Placement(Graph graph, Predicate<Node> floats, Sums sums) {
            layers =
                    new HashSet<>(layers(graph).stream().filter(floats.negate()).toList());
            readers = graph.readers();
            graph.nodes().forEach(node -> node.inputs().forEach(input -> onlyReader.put(input, node)));
            Set<Value> read = new HashSet<>();
            for (Node node : graph.nodes()) {
                if (layers.contains(node)) {
                    read.add(node.inputs().get(0));
                }
            }
            graph.inputs().stream().filter(read::contains).forEach(rounded::add);
            // Values that would be rounded if no ReLU followed, and whether a convolution computes them.
            Map<Value, Boolean> beforeRectifier = new HashMap<>();
            for (Node node : graph.nodes()) {
                boolean layer = layers.contains(node);
                boolean rectifier = isRectifier(node)
                        && beforeRectifier.containsKey(node.inputs().get(0));
                boolean gives = layer || rectifier || (keepsGrid(node.op()) && areRoundedOrAdded(node.inputs()));
                // Runtimes compute a convolution with integers only if its result is rounded.
                boolean must = (layer && node.op() instanceof Op.Convolution)
                        || (rectifier
                                && beforeRectifier.getOrDefault(node.inputs().get(0), false));
                for (Value output : node.outputs()) {
                    if (layer && sums == Sums.IN_CONVOLUTION && isAddedNext(output)) {
                        added.add(output);
                    } else if (gives && rectifiesNext(output)) {
                        beforeRectifier.put(output, must);
                    } else if (read.contains(output)
                            || (must && !graph.outputs().contains(output))
                            || (gives && isReadByIntegers(output, graph))) {
                        rounded.add(output);
                    }
                }
                addSame(node);
            }
        }

        /** Operations that runtimes support for integers. */
        private static boolean keepsGrid(Op op) {
            return op instanceof Op.Add
                    || op instanceof Op.Concat
                    || op instanceof Op.MaxPool
                    || op instanceof Op.AveragePool
                    || op == Op.GlobalPool.AVERAGE
                    || op instanceof Op.Reshape;
        }

        private boolean areRoundedOrAdded(List<Value> values) {
            return values.stream().allMatch(value -> rounded.contains(value) || added.contains(value));
        }

        /** Whether a convolution's only reader is a sum that adds no other unrounded convolution. */
        private boolean isAddedNext(Value value) {
            Node next = onlyReader.get(value);
            return readers.getOrDefault(value, 0) == 1
                    && next != null
                    && next.op() instanceof Op.Add
                    && next.inputs().stream().noneMatch(added::contains);
        }

        private boolean rectifiesNext(Value value) {
            Node next = onlyReader.get(value);
            return readers.getOrDefault(value, 0) == 1 && next != null && isRectifier(next);
        }

        private boolean isReadByIntegers(Value value, Graph graph) {
            return graph.nodes().stream()
                    .anyMatch(each -> each.inputs().contains(value) && (layers.contains(each) || keepsGrid(each.op())));
        }

        private void addSame(Node node) {
            if (node.op() instanceof Op.MaxPool || node.op() instanceof Op.Reshape) {
                same.add(new Same(node.output(), node.inputs().get(0), true));
            } else if (node.op() instanceof Op.Concat) {
                node.inputs().stream()
                        .filter(part -> readers.getOrDefault(part, 0) == 1)
                        .forEach(part -> same.add(new Same(node.output(), part, false)));
            }
        }

        /** Required pairs come first, because they determine the start of a grid. */
        List<Same> same() {
            return same.stream()
                    .sorted(Comparator.comparing((Same each) -> !each.moved))
                    .toList();
        }
    }
}
