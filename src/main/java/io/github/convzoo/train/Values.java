package io.github.convzoo.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;

/** Overwrites and casts arrays. */
final class Values {

    private Values() {}

    /** Copies the values of another array of the same shape, on any device. The engine warns about copyTo. */
    static void set(NDArray array, NDArray values) {
        array.set(new NDIndex("..."), values);
    }

    /**
     * A copy in another format, through which gradients flow back in the format of the original. DJL's own {@code
     * toType} blocks them.
     */
    static NDArray cast(NDArray array, DataType type) {
        NDArray cast = array.getManager().create(array.getShape(), type);
        set(cast, array);
        return cast;
    }
}
