package io.github.convzoo.image;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** An image that cannot be read. The message says which one, what is wrong with it, and what to do. */
public final class ImageException extends IOException {

    private static final long serialVersionUID = 1L;

    /**
     * Creates the exception.
     *
     * @param name the image's file or other name
     * @param problem what is wrong, and what to do
     */
    public ImageException(String name, String problem) {
        this(name, problem, null);
    }

    /**
     * Creates the exception.
     *
     * @param name the image's file or other name
     * @param problem what is wrong, and what to do
     * @param cause what led to it, or null
     */
    public ImageException(String name, String problem, @Nullable Throwable cause) {
        super(name + ": " + problem, cause);
    }
}
