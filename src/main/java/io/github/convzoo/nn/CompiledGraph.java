package io.github.convzoo.nn;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;

/**
 * A network's graph in a form that runs faster than operation by operation; passed to {@link GraphBlock#useCompiled}.
 */
public interface CompiledGraph extends AutoCloseable {

    /**
     * {@return whether the compiled form supports inputs of a shape} The block itself runs the others.
     *
     * @param input the input's shape, batch included
     */
    boolean accepts(Shape input);

    /**
     * Runs the graph. Thread-safe.
     *
     * @param inputs the inputs, on the device of the compiled form; they stay open
     * @return the outputs, with the inputs' manager
     */
    NDList run(NDList inputs);

    /**
     * {@return whether the output of a sample has the same bits in any batch, as measured with this runtime; false if
     * unknown}
     */
    default boolean isBatchInvariant() {
        return false;
    }

    @Override
    void close();
}
