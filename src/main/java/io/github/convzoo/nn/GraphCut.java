package io.github.convzoo.nn;

import ai.djl.nn.Block;
import io.github.convzoo.graph.Graph;

/** A part of a network that runs separately, with the network's own parameters. */
public abstract non-sealed class GraphCut extends GraphBlock {

    /** For subclasses. */
    protected GraphCut() {}

    /** {@return the network: the block that contains this one} */
    protected abstract FlowBlock whole();

    /**
     * Extracts the part.
     *
     * @param graph the network's graph
     * @return the part
     */
    protected abstract Graph cut(Graph graph);

    @Override
    final Recording record(int inputs, Block root) {
        Graph part = cut(whole().record(1, whole()).graph());
        // The same values, regardless of the names.
        Recording whole = whole().record(1, root);
        return whole.withGraph(whole.graph().cut(part.inputs(), part.outputs()));
    }

    @Override
    final Block nameRoot() {
        return whole();
    }
}
