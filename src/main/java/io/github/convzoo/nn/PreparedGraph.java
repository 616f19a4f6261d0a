package io.github.convzoo.nn;

import ai.djl.ndarray.NDList;
import ai.djl.training.ParameterStore;

/** A graph with its weights in the engine, ready to run. Thread-safe. */
public final class PreparedGraph implements AutoCloseable {

    private final Program program;

    PreparedGraph(Recording recording) {
        program = Program.of(recording);
    }

    /**
     * Runs the graph in inference mode.
     *
     * @param inputs its inputs; they stay open
     * @return its outputs, with the inputs' manager
     */
    public NDList run(NDList inputs) {
        return program.run(new ParameterStore(inputs.get(0).getManager(), false), inputs, false);
    }

    /**
     * Runs the graph in inference mode, so that the engine can compute gradients with respect to the inputs: no array
     * is overwritten. Gradients with respect to parameters are computed only for those that require them.
     *
     * @param inputs its inputs; they stay open
     * @return its outputs, with the inputs' manager
     */
    public NDList runDifferentiably(NDList inputs) {
        return program.run(new ParameterStore(inputs.get(0).getManager(), false), inputs, false, false);
    }

    @Override
    public void close() {
        program.close();
    }
}
