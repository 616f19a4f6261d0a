package io.github.convzoo.nn;

import ai.djl.ndarray.NDList;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Tensor;
import io.github.convzoo.graph.Type;

/** The result of {@link Tracer} for a block. Passes and exports use its graph; the block itself is unchanged. */
public final class Traced {

    private final Recording recording;
    private final Type input;

    Traced(Recording recording, Type input) {
        this.recording = recording;
        this.input = input;
    }

    /**
     * Returns the block's data flow.
     *
     * @return the graph, whose parameters have the block's canonical names
     */
    public Graph graph() {
        return recording.graph();
    }

    /**
     * Returns the type of the graph's only input.
     *
     * @return the traced shape, with a batch of any size
     */
    public Type input() {
        return input;
    }

    /**
     * Returns the values of the graph's parameters, current at the time of reading.
     *
     * @return a source that reads a parameter by its canonical name
     */
    public Tensor.Source parameterValues() {
        return recording.parameterValues();
    }

    /**
     * Runs the graph, changed by passes or not, in inference mode.
     *
     * @param graph the graph
     * @param inputs its inputs; they stay open
     * @return its outputs
     */
    public NDList run(Graph graph, NDList inputs) {
        return recording.withGraph(graph).run(inputs);
    }

    /**
     * Prepares a graph, changed by passes or not, for many runs in inference mode.
     *
     * @param graph the graph
     * @return the prepared graph; close it to free its weights
     */
    public PreparedGraph prepare(Graph graph) {
        return new PreparedGraph(recording.withGraph(graph));
    }
}
