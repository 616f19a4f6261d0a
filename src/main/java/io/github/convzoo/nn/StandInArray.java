package io.github.convzoo.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrayAdapter;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * An array that represents another one while a block is traced. It belongs to no manager: closing or attaching it has
 * no effect.
 *
 * <p>Methods that a subclass does not override end up in {@link #toByteBuffer}, because DJL's adapter computes them on
 * a copy of the values. So do operations of an engine's array with this one.
 */
abstract class StandInArray extends NDArrayAdapter {

    private static final AtomicLong COUNT = new AtomicLong();

    final Trace trace;

    StandInArray(Trace trace, Shape shape, DataType dataType) {
        super(trace.manager(), trace.manager(), shape, dataType, "traced" + COUNT.incrementAndGet());
        this.trace = trace;
    }

    @Override
    public final void attach(NDManager other) {}

    @Override
    public final void tempAttach(NDManager other) {}

    @Override
    public final void detach() {}

    @Override
    public final boolean isReleased() {
        return false;
    }

    @Override
    public void close() {}

    @Override
    public final void intern(NDArray replaced) {
        throw trace.refusal("it replaces the values of an array");
    }

    @Override
    public final void setRequiresGradient(boolean requiresGrad) {}

    @Override
    public final int hashCode() {
        return Objects.hashCode(uid);
    }

    /** Arrays are compared by value, and the values are unknown. */
    @Override
    public final boolean equals(@Nullable Object other) {
        if (this == other) {
            return true;
        }
        if (other instanceof NDArray) {
            throw trace.refusal(Trace.NO_VALUES);
        }
        return false;
    }

    @Override
    public final String toString() {
        return "traced " + shape;
    }
}
