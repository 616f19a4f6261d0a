package io.github.convzoo.graph;

import java.util.List;

/**
 * A graph transformation that changes results only by rounding. Each pass is a separate class and works alone: it
 * accepts a graph in any state, and leaves unknown operations unchanged.
 */
@FunctionalInterface
public interface Pass {

    /**
     * Changes a graph.
     *
     * @param graph the graph, which is not modified
     * @param types the types of its values
     * @return the changed graph; the same object if there is nothing to change
     */
    Graph apply(Graph graph, Types types);

    /**
     * Applies passes in order, and checks after each that the graph is valid and its outputs have the same types.
     *
     * @param graph the graph
     * @param inputs the types of its inputs
     * @param passes the passes, in order
     * @return the changed graph
     * @throws IllegalStateException if a pass breaks the graph
     */
    static Graph applyAll(Graph graph, List<Type> inputs, List<Pass> passes) {
        Graph result = graph;
        for (Pass pass : passes) {
            Types before = result.types(inputs);
            Graph changed = pass.apply(result, before);
            Types after = changed.types(inputs);
            for (int i = 0; i < result.outputs().size(); i++) {
                Type expected = before.of(result.outputs().get(i));
                Type actual = after.of(changed.outputs().get(i));
                if (!expected.equals(actual)) {
                    throw new IllegalStateException(pass.getClass().getSimpleName() + " changed output " + i + " from "
                            + expected + " to " + actual);
                }
            }
            result = changed;
        }
        return result;
    }
}
