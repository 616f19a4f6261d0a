package io.github.convzoo.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

/**
 * A number as an array in the engine's own memory. A product's gradient needs its factors, but DJL keeps a number's
 * array in the JVM's memory, which may be collected and reused before the backward pass reads it.
 */
final class EngineNumber {

    private EngineNumber() {}

    /** The array may be closed before the backward pass; the engine keeps what it needs. */
    static NDArray of(NDManager manager, float value) {
        return manager.full(new Shape(), value, DataType.FLOAT32);
    }
}
