package io.github.convzoo.nn;

import io.github.convzoo.graph.Graph;

/** A part of a network that runs on its own, with the network's own parameters. */
public abstract non-sealed class GraphCut extends GraphBlock {

    /** For subclasses. */
    protected GraphCut() {}

    /**
     * The network.
     *
     * @return the block that this one is a part of
     */
    protected abstract FlowBlock whole();

    /**
     * Cuts the part out.
     *
     * @param graph the network's graph
     * @return the part
     */
    protected abstract Graph cut(Graph graph);

    @Override
    final Recording record(int inputs) {
        Recording whole = whole().record(1);
        return whole.withGraph(cut(whole.graph()));
    }
}
