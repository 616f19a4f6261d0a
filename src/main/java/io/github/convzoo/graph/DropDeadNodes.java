package io.github.convzoo.graph;

/** Drops nodes whose outputs are never read. */
public final class DropDeadNodes implements Pass {

    /** Creates the pass. */
    public DropDeadNodes() {}

    @Override
    public Graph apply(Graph graph, Types types) {
        Graph needed = graph.cut(graph.inputs(), graph.outputs());
        return needed.nodes().equals(graph.nodes()) ? graph : needed;
    }
}
