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

    /**
     * Returns the number of samples.
     *
     * @return at least 1
     */
    int size();

    /**
     * Returns the class names.
     *
     * @return their names in the order of their numbers
     */
    List<String> classes();

    /**
     * Returns a sample's class.
     *
     * @param index from 0 to {@link #size} - 1
     * @return the class's number
     */
    int label(int index);

    /**
     * Returns a sample's name for messages.
     *
     * @param index from 0 to {@link #size} - 1
     * @return its file, if it has its own
     */
    String name(int index);

    /**
     * Returns the shape of each sample.
     *
     * @return (3, H, W) for images
     */
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
