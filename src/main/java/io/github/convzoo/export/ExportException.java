package io.github.convzoo.export;

import java.io.IOException;

/** Thrown if a written file computes different results from the network that it was written from. */
public final class ExportException extends IOException {

    private static final long serialVersionUID = 1L;

    /**
     * Creates the exception.
     *
     * @param message what differs, and by how much
     */
    public ExportException(String message) {
        super(message);
    }
}
