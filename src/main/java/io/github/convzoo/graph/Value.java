package io.github.convzoo.graph;

/**
 * A value in a graph: an input, or an output of exactly one node.
 *
 * @param id its number, unique within the graph
 */
public record Value(int id) {

    /** {@return for example, %12} */
    @Override
    public String toString() {
        return "%" + id;
    }
}
