package io.github.convzoo.graph;

/**
 * What flows along an edge of a graph: an input, or an output of exactly one node.
 *
 * @param id its number, unique within the graph
 */
public record Value(int id) {

    /** {@return such as %12} */
    @Override
    public String toString() {
        return "%" + id;
    }
}
