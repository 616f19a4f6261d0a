package io.github.convzoo.graph;

import java.util.List;
import java.util.stream.Collectors;

/**
 * One step of a graph.
 *
 * @param name the canonical name of the block that computes it, or of the enclosing block for an operation without its
 *     own block
 * @param op its operation
 * @param inputs the values that it reads
 * @param outputs the values that it defines, at least one
 */
public record Node(String name, Op op, List<Value> inputs, List<Value> outputs) {

    /** Copies the lists. */
    public Node {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
    }

    /**
     * {@return the only value that the node defines}
     *
     * @throws IllegalStateException if it defines several values
     */
    public Value output() {
        if (outputs.size() != 1) {
            throw new IllegalStateException(op.kind() + " has " + outputs.size() + " outputs");
        }
        return outputs.get(0);
    }

    /** {@return for example, %3 = ReLU(%2)  # level0} */
    @Override
    public String toString() {
        return list(outputs) + " = " + op.kind() + op.details() + "(" + list(inputs) + ")"
                + (name.isEmpty() ? "" : "  # " + name);
    }

    private static String list(List<Value> values) {
        return values.stream().map(Value::toString).collect(Collectors.joining(", "));
    }
}
