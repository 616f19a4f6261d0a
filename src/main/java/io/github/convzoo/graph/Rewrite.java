package io.github.convzoo.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A graph under construction, derived from another: node by node, with some values replaced. */
final class Rewrite {

    private final Graph graph;
    private final List<Node> nodes = new ArrayList<>();
    private final Map<Value, Value> replaced = new HashMap<>();
    private int next;

    Rewrite(Graph graph) {
        this.graph = graph;
        next = graph.nextId();
    }

    /** The replacement of a value of the old graph. */
    Value now(Value value) {
        return replaced.getOrDefault(value, value);
    }

    /** Keeps a node, which reads the replacements of its inputs; the same object if they are unchanged. */
    void keep(Node node) {
        change(node, node.op());
    }

    /** Keeps a node with another operation. */
    void change(Node node, Op op) {
        List<Value> inputs = node.inputs().stream().map(this::now).toList();
        boolean same = op.equals(node.op()) && inputs.equals(node.inputs());
        nodes.add(same ? node : new Node(node.name(), op, inputs, node.outputs()));
    }

    /** Adds a node that defines values of the old graph; its inputs are values of this one. */
    void define(String name, Op op, List<Value> inputs, List<Value> outputs) {
        nodes.add(new Node(name, op, inputs, outputs));
    }

    /** Adds a node that defines a new value. */
    Value add(String name, Op op, Value... inputs) {
        return addAll(name, op, inputs).get(0);
    }

    /** Adds a node that defines new values. */
    List<Value> addAll(String name, Op op, Value... inputs) {
        List<Value> outputs = new ArrayList<>();
        for (int i = 0; i < op.outputs(); i++) {
            outputs.add(new Value(next++));
        }
        define(name, op, List.of(inputs), outputs);
        return outputs;
    }

    /** Replaces a value of the old graph by one of this graph. */
    void replace(Value old, Value by) {
        replaced.put(old, by);
    }

    /** The finished graph; the old one if nothing changed. */
    Graph finish() {
        List<Value> outputs = graph.outputs().stream().map(this::now).toList();
        if (nodes.equals(graph.nodes()) && outputs.equals(graph.outputs())) {
            return graph;
        }
        Map<String, Value> names = new LinkedHashMap<>();
        graph.names().forEach((name, value) -> names.put(name, now(value)));
        return new Graph(graph.inputs(), nodes, outputs, names);
    }
}
