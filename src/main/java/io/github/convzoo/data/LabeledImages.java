package io.github.convzoo.data;

import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.util.List;

/**
 * Images with their classes. Thread-safe.
 *
 * <p>Not sealed: implement it for your own data sets.
 */
public interface LabeledImages {

    /** {@return the number of images, at least 1} */
    int size();

    /** {@return the class names in the order of the classes' numbers} */
    List<String> classes();

    /**
     * Reads an image.
     *
     * @param index from 0 to {@link #size} - 1
     * @return the image
     * @throws IOException if it cannot be read; the message names the file
     */
    RgbImage image(int index) throws IOException;

    /**
     * {@return the number of an image's class}
     *
     * @param index from 0 to {@link #size} - 1
     */
    int label(int index);

    /**
     * {@return an image's name for messages: its file, if it has its own}
     *
     * @param index from 0 to {@link #size} - 1
     */
    String name(int index);

    /**
     * {@return guesses made while reading the data set, and likely mistakes: one sentence each, without a period; none
     * unless overridden}
     */
    default List<String> notes() {
        return List.of();
    }
}
