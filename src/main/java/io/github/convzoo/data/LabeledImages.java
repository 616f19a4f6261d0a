package io.github.convzoo.data;

import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.util.List;

/**
 * Images with the class of each. Safe for use by several threads.
 *
 * <p>Not sealed: implement it for your own data sets.
 */
public interface LabeledImages {

    /**
     * The number of images.
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
     * Reads an image.
     *
     * @param index from 0 to {@link #size} - 1
     * @return the image
     * @throws IOException if it cannot be read; the message names the file
     */
    RgbImage image(int index) throws IOException;

    /**
     * An image's class.
     *
     * @param index from 0 to {@link #size} - 1
     * @return the class's number
     */
    int label(int index);

    /**
     * What to call an image in messages.
     *
     * @param index from 0 to {@link #size} - 1
     * @return its file, where it has one of its own
     */
    String name(int index);

    /**
     * What was guessed when the data set was read, or looks like a mistake.
     *
     * @return a sentence each, without a full stop; none unless overridden
     */
    default List<String> notes() {
        return List.of();
    }
}
