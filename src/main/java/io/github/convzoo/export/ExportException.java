package io.github.convzoo.export;

import java.io.IOException;

/** A written file computes something else than the network that it was written from. */
public final class ExportException extends IOException {

    private static final long serialVersionUID = 1L;

    /**
     * Describes the difference.
     *
     * @param message what differs, and by how much
     */
    public ExportException(String message) {
        super(message);
    }
}
