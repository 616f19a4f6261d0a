package io.github.convzoo.graph;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The last use of each value of a graph, and whether it may be overwritten then. Nodes are identified by their position
 * in the graph.
 */
public final class Lifetimes {

    private final Graph graph;
    private final Map<Value, Integer> last = new HashMap<>();

    /** Values that may share memory with others. */
    private final Set<Value> shared = new HashSet<>();

    /**
     * Analyzes a graph.
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
     * {@return the values that are not used after a node: inputs and outputs of the node}
     *
     * @param node its position in the graph
     */
    public List<Value> endingAt(int node) {
        Node each = graph.nodes().get(node);
        return Stream.concat(each.inputs().stream(), each.outputs().stream())
                .distinct()
                .filter(value -> endsAt(value, node))
                .toList();
    }

    /**
     * {@return whether a node may compute its output in the memory of an operand, because neither the operand nor its
     * memory is used after the node}
     *
     * @param node its position in the graph
     * @param operand one of its inputs
     */
    public boolean mayOverwrite(int node, Value operand) {
        return endsAt(operand, node) && !shared.contains(operand);
    }

    private boolean endsAt(Value value, int node) {
        return last.getOrDefault(value, -1) == node;
    }
}
