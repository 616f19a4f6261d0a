package io.github.convzoo.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;

/** Overwrites arrays in place. */
final class Values {

    private Values() {}

    /** Gives an array the values of another of the same shape, on any device. Not by copyTo: the engine warns of it. */
    static void set(NDArray array, NDArray values) {
        array.set(new NDIndex("..."), values);
    }
}
