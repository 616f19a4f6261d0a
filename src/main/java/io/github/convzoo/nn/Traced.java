package io.github.convzoo.nn;

import ai.djl.ndarray.NDList;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Tensor;
import io.github.convzoo.graph.Type;

/** What {@link Tracer} has made of a block. Passes and exports take its graph; the block itself stays as it is. */
public final class Traced {

    private final Recording recording;
    private final Type input;

    Traced(Recording recording, Type input) {
        this.recording = recording;
        this.input = input;
    }

    /**
     * The block's data flow.
     *
     * @return the graph, whose parameters have the block's canonical names
     */
    public Graph graph() {
        return recording.graph();
    }

    /**
     * The type of the graph's only input.
     *
     * @return the traced shape, with a batch of any size
     */
    public Type input() {
        return input;
    }

    /**
     * The values of the graph's parameters, as they are when they are read.
     *
     * @return reads a parameter by its canonical name
     */
    public Tensor.Source parameterValues() {
        return recording.parameterValues();
    }

    /**
     * Runs the graph, changed by passes or not, at inference.
     *
     * @param graph the graph
     * @param inputs its inputs; they stay open
     * @return its outputs
     */
    public NDList run(Graph graph, NDList inputs) {
        return recording.withGraph(graph).run(inputs);
    }

    /**
     * Prepares a graph, changed by passes or not, to be run many times at inference.
     *
     * @param graph the graph
     * @return runs it; close it to free its weights
     */
    public PreparedGraph prepare(Graph graph) {
        return new PreparedGraph(recording.withGraph(graph));
    }
}
