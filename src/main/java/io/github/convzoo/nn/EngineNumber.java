package io.github.convzoo.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

/**
 * A number as an array in the engine's own memory. A product's gradient needs its factors, and DJL keeps a number's in the
 * JVM's memory, which is collected and used again before the backward pass has read it.
 */
final class EngineNumber {

    private EngineNumber() {}

    /** May be closed before the backward pass: the engine keeps what it needs. */
    static NDArray of(NDManager manager, float value) {
        return manager.full(new Shape(), value, DataType.FLOAT32);
    }
}
