package io.github.convzoo.nn;

import ai.djl.ndarray.NDList;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Tensor;
import io.github.convzoo.graph.Type;

/** The result of {@link Tracer} for a block. Passes and exports use its graph; the block itself is unchanged. */
public final class Traced {

    private final Recording recording;
    private final Type input;
    private final boolean forAnySize;

    Traced(Recording recording, Type input, boolean forAnySize) {
        this.recording = recording;
        this.input = input;
        this.forAnySize = forAnySize;
    }

    /** {@return the block's data flow, whose parameters have the block's canonical names} */
    public Graph graph() {
        return recording.graph();
    }

    /** {@return the type of the graph's only input: the traced shape, with a batch of any size} */
    public Type input() {
        return input;
    }

    /**
     * {@return whether the block records the same graph for inputs of other sizes} If not, the graph is only for inputs
     * of the traced size: the block's computation depends on it. Five other sizes are tried.
     */
    public boolean isForAnySize() {
        return forAnySize;
    }

    /**
     * {@return a source that reads a parameter of the graph by its canonical name, with its value at the time of
     * reading}
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
