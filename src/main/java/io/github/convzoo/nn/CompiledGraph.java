package io.github.convzoo.nn;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;

/** A network's graph in a form that runs faster than array by array; given to {@link GraphBlock#useCompiled}. */
public interface CompiledGraph extends AutoCloseable {

    /**
     * Whether the compiled form takes inputs of a shape; the block itself takes those that it does not.
     *
     * @param input the input's shape, batch included
     * @return whether it does
     */
    boolean accepts(Shape input);

    /**
     * Runs the graph. May be called by several threads at once.
     *
     * @param inputs the inputs, on the device that the form was made for; they stay open
     * @return the outputs, with the inputs' manager
     */
    NDList run(NDList inputs);

    @Override
    void close();
}
