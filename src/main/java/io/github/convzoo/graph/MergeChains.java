package io.github.convzoo.graph;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Merges an operation with the one before it, if one operation can do both: bounds of all elements (ReLU, clip),
 * factors and offsets per channel, reshapes, and concats. The output of the first one must have no other reader.
 */
public final class MergeChains implements Pass {

    /** Creates the pass. */
    public MergeChains() {}

    @Override
    public Graph apply(Graph graph, Types types) {
        Map<Value, Integer> readers = graph.readers();
        Map<Value, Node> nodes = new LinkedHashMap<>();
        for (Node node : graph.nodes()) {
            Node result = node;
            for (Value input : node.inputs()) {
                Node first = nodes.get(input);
                if (first != null && readers.getOrDefault(input, 0) == 1) {
                    Node both = merged(first, result, types);
                    if (both != null) {
                        nodes.remove(input);
                        result = both;
                    }
                }
            }
            nodes.put(node.outputs().get(0), result);
        }
        List<Node> merged = List.copyOf(nodes.values());
        return merged.equals(graph.nodes()) ? graph : new Graph(graph.inputs(), merged, graph.outputs(), graph.names());
    }

    /** A node that does what two do; null if there is none. */
    private static @Nullable Node merged(Node first, Node second, Types types) {
        if (first.op() instanceof Op.Concat && second.op() instanceof Op.Concat) {
            List<Value> parts = new ArrayList<>();
            second.inputs()
                    .forEach(input -> parts.addAll(input.equals(first.output()) ? first.inputs() : List.of(input)));
            return new Node(second.name(), second.op(), parts, second.outputs());
        } else if (first.inputs().size() != 1
                || second.inputs().size() != 1
                || second.outputs().size() != 1) {
            return null;
        }
        Op op = merged(first.op(), second.op(), types.of(first.inputs().get(0)), types.of(second.output()));
        return op == null ? null : new Node(second.name(), op, first.inputs(), second.outputs());
    }

    private static @Nullable Op merged(Op first, Op second, Type input, Type output) {
        Bounds inner = Bounds.of(first);
        Bounds outer = Bounds.of(second);
        if (inner != null && outer != null) {
            return inner.then(outer).op();
        } else if (first instanceof Op.Reshape && second instanceof Op.Reshape) {
            return Op.Reshape.of(input, output);
        } else if (first instanceof Op.Scale one && second instanceof Op.Scale other) {
            float factor = one.factor() * other.factor();
            // Neither too large nor too small for a float, although each step's result may not be.
            return Float.isFinite(factor) && Math.abs(factor) >= Float.MIN_NORMAL ? new Op.Scale(factor) : null;
        } else if (output.rank() != 2 && output.rank() != 4) {
            return null;
        }
        PerChannel one = PerChannel.of(first, output);
        PerChannel other = PerChannel.of(second, output);
        return one == null || other == null ? null : one.then(other).op(output);
    }
}
