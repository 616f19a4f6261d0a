package io.github.convzoo.data;

import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * The samples that batches consist of: arrays of one shape, with their classes. Thread-safe.
 *
 * <p>Not sealed: implement it for your own data.
 */
public interface Samples {

    /** {@return the number of samples, at least 1} */
    int size();

    /** {@return the class names in the order of the classes' numbers} */
    List<String> classes();

    /**
     * {@return the number of a sample's class}
     *
     * @param index from 0 to {@link #size} - 1
     */
    int label(int index);

    /**
     * {@return a sample's name for messages: its file, if it has its own}
     *
     * @param index from 0 to {@link #size} - 1
     */
    String name(int index);

    /** {@return the shape of each sample: (3, H, W) for images} */
    Shape shape();

    /**
     * Reads a sample.
     *
     * @param index from 0 to {@link #size} - 1
     * @param random the source of all random decisions
     * @param target receives the values; its length is the size of {@link #shape}
     * @throws IOException if it cannot be read; the message names it
     */
    void read(int index, RandomGenerator random, float[] target) throws IOException;
}
