package io.github.convzoo.graph;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** When each value of a graph is used for the last time, and which may be overwritten then. Nodes count by their place in the graph. */
public final class Lifetimes {

    private final Graph graph;
    private final Map<Value, Integer> last = new HashMap<>();

    /** Values whose memory may be that of others, too. */
    private final Set<Value> shared = new HashSet<>();

    /**
     * Looks through a graph.
     *
     * @param graph the graph; its inputs and outputs outlive it
     */
    public Lifetimes(Graph graph) {
        this.graph = graph;
        shared.addAll(graph.inputs());
        for (int i = 0; i < graph.nodes().size(); i++) {
            Node node = graph.nodes().get(i);
            for (Value input : node.inputs()) {
                last.put(input, i);
            }
            for (Value output : node.outputs()) {
                last.put(output, i);
            }
            if (node.op().sharesMemory()) {
                shared.addAll(node.inputs());
                shared.addAll(node.outputs());
            }
        }
        graph.inputs().forEach(last::remove);
        graph.outputs().forEach(last::remove);
    }

    /**
     * The values that nothing uses after a node.
     *
     * @param node its place in the graph
     * @return inputs and outputs of the node
     */
    public List<Value> endingAt(int node) {
        Node each = graph.nodes().get(node);
        return Stream.concat(each.inputs().stream(), each.outputs().stream())
                .distinct()
                .filter(value -> endsAt(value, node))
                .toList();
    }

    /**
     * Whether a node may compute its output in the memory of an operand.
     *
     * @param node its place in the graph
     * @param operand one of its inputs
     * @return whether nothing uses the operand, or its memory, after the node
     */
    public boolean mayOverwrite(int node, Value operand) {
        return endsAt(operand, node) && !shared.contains(operand);
    }

    private boolean endsAt(Value value, int node) {
        return last.getOrDefault(value, -1) == node;
    }
}
