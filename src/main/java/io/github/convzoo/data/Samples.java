package io.github.convzoo.data;

import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * What batches are made of: arrays of one shape, with the class of each. Safe for use by several threads.
 *
 * <p>Not sealed: a user's own data are one more of it.
 */
public interface Samples {

    /**
     * The number of samples.
     *
     * @return at least 1
     */
    int size();

    /**
     * The classes.
     *
     * @return their names in the order of their numbers
     */
    List<String> classes();

    /**
     * A sample's class.
     *
     * @param index from 0 to {@link #size} - 1
     * @return the class's number
     */
    int label(int index);

    /**
     * What to call a sample in messages.
     *
     * @param index from 0 to {@link #size} - 1
     * @return its file, where it has one of its own
     */
    String name(int index);

    /**
     * The shape of each sample.
     *
     * @return (3, H, W) of images
     */
    Shape shape();

    /**
     * Reads a sample.
     *
     * @param index from 0 to {@link #size} - 1
     * @param random where every random decision comes from
     * @param target takes the values, as many as {@link #shape} has
     * @throws IOException if it cannot be read; the message names it
     */
    void read(int index, RandomGenerator random, float[] target) throws IOException;
}
