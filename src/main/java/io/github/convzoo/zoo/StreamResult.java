package io.github.convzoo.zoo;

import java.io.IOException;

/**
 * What became of one image of a {@linkplain ConvZoo#stream stream}.
 *
 * @param <T> the type of items that the stream was given
 * @param <O> the type of results
 */
public sealed interface StreamResult<T, O> {

    /** {@return the item that the stream was given for this image} */
    T item();

    /**
     * A result.
     *
     * @param item what the stream was given for this image
     * @param output the model's result
     * @param <T> the type of items
     * @param <O> the type of results
     */
    record Success<T, O>(T item, O output) implements StreamResult<T, O> {}

    /**
     * An image that cannot be read; the others are not affected.
     *
     * @param item what the stream was given for this image
     * @param error the reason
     * @param <T> the type of items
     * @param <O> the type of results
     */
    record Failure<T, O>(T item, IOException error) implements StreamResult<T, O> {}
}
