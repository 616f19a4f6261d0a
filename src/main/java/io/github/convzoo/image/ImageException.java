package io.github.convzoo.image;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** An image that cannot be read. The message names the image, the problem, and the remedy. */
public final class ImageException extends IOException {

    private static final long serialVersionUID = 1L;

    /**
     * Creates the exception.
     *
     * @param name the image's file or other name
     * @param problem the problem and the remedy
     */
    public ImageException(String name, String problem) {
        this(name, problem, null);
    }

    /**
     * Creates the exception.
     *
     * @param name the image's file or other name
     * @param problem the problem and the remedy
     * @param cause the cause, or null
     */
    public ImageException(String name, String problem, @Nullable Throwable cause) {
        super(name + ": " + problem, cause);
    }
}
