package io.github.convzoo.graph;

import java.util.List;

/**
 * A change of a graph that changes nothing but the rounding of what it computes. Each pass is a class of its own, and works alone:
 * it may find a graph in any state, and leaves what it does not know as it is.
 */
@FunctionalInterface
public interface Pass {

    /**
     * Changes a graph.
     *
     * @param graph the graph; stays as it is
     * @param types the types of its values
     * @return the changed graph; the same object if there is nothing to change
     */
    Graph apply(Graph graph, Types types);

    /**
     * Applies passes one after the other, and checks after each that the graph is valid and gives values of the same types.
     *
     * @param graph the graph
     * @param inputs the types of its inputs
     * @param passes what to apply, in order
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
