package io.github.convzoo.train;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.HashMap;
import java.util.Map;

/** Numbers as arrays, each created once; an operation with a plain number would create an array every time. */
final class Scalars implements AutoCloseable {

    private final NDManager manager;
    private final Map<Double, NDArray> arrays = new HashMap<>();

    Scalars(NDManager parent) {
        // On the CPU whatever the parent's device: the engine passes such a scalar by value.
        manager = parent.newSubManager(Device.cpu());
    }

    NDArray of(double value) {
        return arrays.computeIfAbsent(value, key -> manager.create((float) value));
    }

    @Override
    public void close() {
        manager.close();
    }
}
