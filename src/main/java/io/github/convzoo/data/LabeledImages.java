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

    /**
     * Returns the number of images.
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
     * Reads an image.
     *
     * @param index from 0 to {@link #size} - 1
     * @return the image
     * @throws IOException if it cannot be read; the message names the file
     */
    RgbImage image(int index) throws IOException;

    /**
     * Returns an image's class.
     *
     * @param index from 0 to {@link #size} - 1
     * @return the class's number
     */
    int label(int index);

    /**
     * Returns an image's name for messages.
     *
     * @param index from 0 to {@link #size} - 1
     * @return its file, if it has its own
     */
    String name(int index);

    /**
     * Returns guesses made while reading the data set, and likely mistakes.
     *
     * @return one sentence each, without a period; none unless overridden
     */
    default List<String> notes() {
        return List.of();
    }
}
