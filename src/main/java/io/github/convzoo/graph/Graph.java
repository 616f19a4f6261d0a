package io.github.convzoo.graph;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A network's data flow: nodes in an order in which they can run. Immutable, and valid: every value is defined once,
 * before it is read.
 */
public final class Graph {

    private final List<Value> inputs;
    private final List<Node> nodes;
    private final List<Value> outputs;
    private final Map<String, Value> names;

    /**
     * Validates and copies the parts.
     *
     * @param inputs the graph's inputs
     * @param nodes in an order in which they can run
     * @param outputs the graph's outputs
     * @param names values by the canonical name of the block that outputs them
     * @throws IllegalArgumentException if a value is read before it is defined, or defined twice
     */
    Graph(List<Value> inputs, List<Node> nodes, List<Value> outputs, Map<String, Value> names) {
        this.inputs = List.copyOf(inputs);
        this.nodes = List.copyOf(nodes);
        this.outputs = List.copyOf(outputs);
        Set<Value> defined = new HashSet<>();
        for (Value input : inputs) {
            define(defined, input, "the graph's inputs");
        }
        for (Node node : nodes) {
            node.inputs().forEach(input -> require(defined, input, node.toString()));
            if (node.outputs().size() != node.op().outputs()) {
                throw new IllegalArgumentException(
                        node + " must define " + node.op().outputs() + " values");
            }
            node.outputs().forEach(output -> define(defined, output, node.toString()));
        }
        if (outputs.isEmpty()) {
            throw new IllegalArgumentException("a graph needs at least one output");
        }
        outputs.forEach(output -> require(defined, output, "the graph's outputs"));
        Map<String, Value> known = new LinkedHashMap<>(names);
        known.values().retainAll(defined);
        this.names = Collections.unmodifiableMap(known);
    }

    private static void define(Set<Value> defined, Value value, String where) {
        if (!defined.add(value)) {
            throw new IllegalArgumentException(value + " is defined twice, again in " + where);
        }
    }

    private static void require(Set<Value> defined, Value value, String where) {
        if (!defined.contains(value)) {
            throw new IllegalArgumentException(value + " is read before it is defined, in " + where);
        }
    }

    /** {@return the inputs, in order} */
    public List<Value> inputs() {
        return inputs;
    }

    /** {@return the nodes, in an order in which they can run} */
    public List<Node> nodes() {
        return nodes;
    }

    /** {@return the outputs, in order} */
    public List<Value> outputs() {
        return outputs;
    }

    /**
     * {@return the named values: the outputs of blocks, by the block's canonical name, in the order of the nodes;
     * unmodifiable}
     */
    public Map<String, Value> names() {
        return names;
    }

    /**
     * {@return the output of a block, by its name}
     *
     * @param name a block's canonical name
     * @throws IllegalArgumentException if no value has this name
     */
    public Value named(String name) {
        Value value = names.get(name);
        if (value == null) {
            throw new IllegalArgumentException("the graph has no value named " + name);
        }
        return value;
    }

    /**
     * {@return the types of all values}
     *
     * @param inputTypes the types of the inputs, in order
     * @throws IllegalArgumentException if they do not fit the graph; the message says where
     */
    public Types types(List<Type> inputTypes) {
        if (inputTypes.size() != inputs.size()) {
            throw new IllegalArgumentException("the graph has " + inputs.size() + " inputs, not " + inputTypes.size());
        }
        Map<Value, Type> known = new HashMap<>();
        Types types = new Types(known);
        for (int i = 0; i < inputs.size(); i++) {
            known.put(inputs.get(i), inputTypes.get(i));
        }
        for (Node node : nodes) {
            List<Type> results =
                    typesOf(node, node.inputs().stream().map(types::of).toList());
            for (int i = 0; i < results.size(); i++) {
                known.put(node.outputs().get(i), results.get(i));
            }
        }
        return types;
    }

    private static List<Type> typesOf(Node node, List<Type> inputs) {
        try {
            return node.op().types(inputs);
        } catch (IllegalArgumentException e) {
            throw node.name().isEmpty()
                    ? e
                    : new IllegalArgumentException(e.getMessage() + " (at " + node.name() + ")", e);
        }
    }

    /** {@return the number of reads of each value, including the graph's outputs; 0 for values that are never read} */
    public Map<Value, Integer> readers() {
        Map<Value, Integer> readers = new HashMap<>();
        inputs.forEach(value -> readers.put(value, 0));
        nodes.forEach(node -> node.outputs().forEach(value -> readers.put(value, 0)));
        nodes.forEach(node -> node.inputs().forEach(value -> readers.merge(value, 1, Integer::sum)));
        outputs.forEach(value -> readers.merge(value, 1, Integer::sum));
        return readers;
    }

    /**
     * {@return the part of the graph between some values and others, for example up to some outputs or from some value
     * on, with only the nodes that the outputs need}
     *
     * @param from its inputs
     * @param to its outputs
     * @throws IllegalArgumentException if an output needs a value that comes before the inputs
     */
    public Graph cut(List<Value> from, Collection<Value> to) {
        Set<Value> needed = new HashSet<>(to);
        List<Node> kept = new ArrayList<>();
        for (int i = nodes.size() - 1; i >= 0; i--) {
            Node node = nodes.get(i);
            if (node.outputs().stream().anyMatch(value -> needed.contains(value) && !from.contains(value))) {
                kept.add(0, node);
                needed.addAll(node.inputs());
            }
        }
        return new Graph(from, kept, List.copyOf(to), names);
    }

    /**
     * A graph in two parts that run one after the other.
     *
     * @param before from the graph's inputs to what the second part reads
     * @param after from the outputs of the first part to the graph's outputs
     */
    public record Halves(Graph before, Graph after) {}

    /**
     * Splits the graph at a value. What does not depend on the value is in the first part, even if it is read only
     * after the value, such as the other branch of a sum.
     *
     * @param value the value
     * @return the parts; the value is the first output of the first part, and the first input of the second
     * @throws IllegalArgumentException if no output depends on the value
     */
    public Halves splitAt(Value value) {
        Set<Value> reached = new HashSet<>(List.of(value));
        List<Value> crossing = new ArrayList<>(List.of(value));
        for (Node node : nodes) {
            if (node.inputs().stream().noneMatch(reached::contains)) {
                continue;
            }
            for (Value input : node.inputs()) {
                if (!reached.contains(input) && !crossing.contains(input)) {
                    crossing.add(input);
                }
            }
            reached.addAll(node.outputs());
        }
        if (outputs.stream().noneMatch(reached::contains)) {
            throw new IllegalArgumentException("the outputs do not depend on " + value);
        }
        for (Value output : outputs) {
            if (!reached.contains(output) && !crossing.contains(output)) {
                crossing.add(output);
            }
        }
        return new Halves(cut(inputs, crossing), cut(crossing, outputs));
    }

    /** An unused value number. */
    int nextId() {
        int last = inputs.stream().mapToInt(Value::id).max().orElse(-1);
        for (Node node : nodes) {
            for (Value value : node.outputs()) {
                last = Math.max(last, value.id());
            }
        }
        return last + 1;
    }

    /** {@return one line for the inputs, one per node, and one for the outputs} */
    @Override
    public String toString() {
        return "inputs " + list(inputs) + "\n"
                + nodes.stream().map(node -> node + "\n").collect(Collectors.joining())
                + "outputs " + list(outputs) + "\n";
    }

    /**
     * {@return the graph in Graphviz's language, as the text of a .dot file: one box per node, with its operation and
     * name, and the type of the value on each edge}
     *
     * @param types the types of its values
     */
    public String toDot(Types types) {
        StringBuilder dot = new StringBuilder("digraph {\n    node [shape=box, fontname=Helvetica]\n");
        Map<Value, String> from = new HashMap<>();
        for (Value input : inputs) {
            from.put(input, "in" + input.id());
            dot.append("    in%d [label=\"input\", shape=ellipse]\n".formatted(input.id()));
        }
        for (int i = 0; i < nodes.size(); i++) {
            Node node = nodes.get(i);
            String label = node.op().kind() + node.op().details() + (node.name().isEmpty() ? "" : "\\n" + node.name());
            dot.append("    n%d [label=\"%s\"]\n".formatted(i, label));
            for (Value input : node.inputs()) {
                dot.append(edge(from.get(input), "n" + i, types.of(input)));
            }
            for (Value output : node.outputs()) {
                from.put(output, "n" + i);
            }
        }
        for (int i = 0; i < outputs.size(); i++) {
            dot.append("    out%d [label=\"output\", shape=ellipse]\n".formatted(i));
            dot.append(edge(from.get(outputs.get(i)), "out" + i, types.of(outputs.get(i))));
        }
        return dot.append("}\n").toString();
    }

    private static String edge(@Nullable String from, String to, Type type) {
        return "    %s -> %s [label=\"%s\"]\n".formatted(from, to, type);
    }

    private static String list(List<Value> values) {
        return values.stream().map(Value::toString).collect(Collectors.joining(", "));
    }

    /** Builds a graph, node by node. */
    public static final class Builder {

        private final List<Value> inputs = new ArrayList<>();
        private final List<Node> nodes = new ArrayList<>();
        private final Map<String, Value> names = new LinkedHashMap<>();
        private int next;

        /** Starts an empty graph. */
        public Builder() {}

        /**
         * Adds an input.
         *
         * @return the input
         */
        public Value input() {
            Value input = new Value(next++);
            inputs.add(input);
            return input;
        }

        /**
         * Adds a node at the end.
         *
         * @param name the canonical name of the block that computes it, or of the enclosing block
         * @param op its operation
         * @param operands its inputs
         * @return the node, with new values as outputs
         */
        public Node add(String name, Op op, List<Value> operands) {
            List<Value> results = new ArrayList<>();
            for (int i = 0; i < op.outputs(); i++) {
                results.add(new Value(next++));
            }
            Node node = new Node(name, op, operands, results);
            nodes.add(node);
            return node;
        }

        /**
         * Names a value.
         *
         * @param name the canonical name of the block that outputs it
         * @param value the value
         */
        public void name(String name, Value value) {
            names.put(name, value);
        }

        /**
         * Finishes the graph.
         *
         * @param outputs the outputs
         * @return the graph
         */
        public Graph build(List<Value> outputs) {
            return new Graph(inputs, nodes, outputs, names);
        }
    }
}
