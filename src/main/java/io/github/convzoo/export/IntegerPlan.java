package io.github.convzoo.export;

import io.github.convzoo.graph.Constant;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Grid;
import io.github.convzoo.graph.Node;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Value;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a quantized graph runs on bytes. A rounding and its operand become one step if the operand reads only bytes and
 * its result is not read elsewhere. A sum absorbs an operand that is not rounded if it is a convolution that is not
 * read elsewhere.
 */
final class IntegerPlan {

    private final Map<Value, Grid> grids = new HashMap<>();
    private final Map<Node, Node> sources = new HashMap<>();
    private final Map<Node, Node> summands = new HashMap<>();
    private final Set<Node> inside = new HashSet<>();
    private final Map<Value, Node> producers = new HashMap<>();
    private final Map<Value, Node> lastReaders = new HashMap<>();
    private final Set<Value> outputs;

    IntegerPlan(Graph graph) {
        outputs = Set.copyOf(graph.outputs());
        Map<Value, Integer> readers = graph.readers();
        for (Node node : graph.nodes()) {
            node.outputs().forEach(output -> producers.put(output, node));
            if (node.op() instanceof Op.FakeQuantize rounding) {
                grids.put(node.output(), rounding.grid());
                Node source = producers.get(node.inputs().get(0));
                if (source != null && readers.getOrDefault(source.outputs().get(0), 0) == 1 && isOnIntegers(source)) {
                    takeIn(node, source, readers);
                }
            }
        }
        for (Node node : graph.nodes()) {
            if (!inside.contains(node)) {
                inputs(node).forEach(input -> lastReaders.put(input, node));
            }
        }
    }

    private static boolean isOnIntegers(Node node) {
        return isLayer(node)
                || node.op() instanceof Op.Add
                || node.op() instanceof Op.Concat
                || node.op() instanceof Op.MaxPool
                || node.op() instanceof Op.Reshape;
    }

    /** Whether a node is a convolution or linear layer of 8-bit weights. */
    static boolean isLayer(Node node) {
        return (node.op() instanceof Op.Convolution conv && conv.weight() instanceof Constant.QuantizedWeight)
                || (node.op() instanceof Op.Linear linear && linear.weight() instanceof Constant.QuantizedWeight);
    }

    private void takeIn(Node rounding, Node source, Map<Value, Integer> readers) {
        List<Value> floats = source.inputs().stream()
                .filter(input -> !grids.containsKey(input))
                .toList();
        if (source.op() instanceof Op.Add && floats.size() == 1) {
            Node summand = Objects.requireNonNull(producers.get(floats.get(0)));
            if (summand.op() instanceof Op.Convolution
                    && isLayer(summand)
                    && grids.keySet().containsAll(summand.inputs())
                    && readers.getOrDefault(summand.output(), 0) == 1) {
                summands.put(rounding, summand);
                inside.add(summand);
                floats = List.of();
            }
        }
        if (floats.isEmpty()) {
            sources.put(rounding, source);
            inside.add(source);
        }
    }

    /** Whether a node is computed as part of a later one. */
    boolean isInside(Node node) {
        return inside.contains(node);
    }

    /** The grid of a value that exists as bytes. */
    @Nullable Grid grid(Value value) {
        return grids.get(value);
    }

    /** The node that a rounding computes on bytes; null if it rounds floats. */
    @Nullable Node source(Node rounding) {
        return sources.get(rounding);
    }

    /** The convolution that a rounded sum absorbs; null if none. */
    @Nullable Node convolutionOf(Node rounding) {
        return summands.get(rounding);
    }

    /** The other operand of a rounded sum that absorbs a convolution. */
    Value addedOf(Node rounding) {
        Node sum = Objects.requireNonNull(sources.get(rounding));
        Value taken = Objects.requireNonNull(summands.get(rounding)).output();
        return sum.inputs().get(0).equals(taken)
                ? sum.inputs().get(1)
                : sum.inputs().get(0);
    }

    /** Whether a rounded sum may overwrite its other operand: nothing reads it later or shares its memory. */
    boolean mayOverwriteAdded(Node rounding) {
        Value added = addedOf(rounding);
        Node convolution = Objects.requireNonNull(convolutionOf(rounding));
        Node source = sources.get(Objects.requireNonNull(producers.get(added)));
        return Objects.equals(lastReaders.get(added), rounding)
                && !outputs.contains(added)
                && !convolution.inputs().contains(added)
                && source != null
                && !source.op().sharesMemory();
    }

    /** The values that are read when a node is computed, including those of absorbed nodes. */
    private List<Value> inputs(Node node) {
        Node source = sources.get(node);
        if (source == null) {
            return node.inputs();
        }
        Node convolution = convolutionOf(node);
        return convolution == null
                ? source.inputs()
                : List.of(convolution.inputs().get(0), addedOf(node));
    }
}
