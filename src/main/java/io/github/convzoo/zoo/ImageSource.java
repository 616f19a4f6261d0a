package io.github.convzoo.zoo;

import java.io.IOException;

/**
 * Gets the image of an item of a {@linkplain ConvZoo#stream stream}. Called on several threads at once.
 *
 * @param <T> the type of items
 * @param <I> the type of images that the model takes
 */
@FunctionalInterface
public interface ImageSource<T, I> {

    /**
     * Gets an image.
     *
     * @param item the item
     * @return its image
     * @throws IOException if it cannot be read
     */
    I image(T item) throws IOException;
}
