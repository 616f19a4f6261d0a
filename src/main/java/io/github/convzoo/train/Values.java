package io.github.convzoo.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;

/** Overwrites and casts arrays. */
final class Values {

    private Values() {}

    /** Gives an array the values of another of the same shape, on any device. Not by copyTo: the engine warns of it. */
    static void set(NDArray array, NDArray values) {
        array.set(new NDIndex("..."), values);
    }

    /**
     * A copy in another format, through which gradients flow back in the format of the original. DJL's own {@code toType} cuts
     * them off.
     */
    static NDArray cast(NDArray array, DataType type) {
        NDArray cast = array.getManager().create(array.getShape(), type);
        set(cast, array);
        return cast;
    }
}
