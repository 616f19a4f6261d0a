package io.github.convzoo.hub;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Thrown if a download failed remotely or on the network; local file problems remain IOExceptions. */
final class TransferException extends Exception {
    private static final long serialVersionUID = 1L;

    private final boolean worthRetrying;
    private final @Nullable Duration retryAfter;

    private final boolean missing;

    private TransferException(
            String message,
            boolean worthRetrying,
            boolean missing,
            @Nullable Duration retryAfter,
            @Nullable Throwable cause) {
        super(message, cause);
        this.missing = missing;
        this.worthRetrying = worthRetrying;
        this.retryAfter = retryAfter;
    }

    /** A failure that a retry would not fix. */
    static TransferException lasting(String message) {
        return new TransferException(message, false, false, null, null);
    }

    /** A failure that a retry would not fix. */
    static TransferException lasting(String message, @Nullable Throwable cause) {
        return new TransferException(message, false, false, null, cause);
    }

    /** A failure that a retry may fix. */
    static TransferException passing(String message, @Nullable Throwable cause) {
        return new TransferException(message, true, false, null, cause);
    }

    /** A failure that a retry may fix after a delay requested by the server; null if it requested none. */
    static TransferException passingAfter(String message, @Nullable Duration retryAfter) {
        return new TransferException(message, true, false, retryAfter, null);
    }

    /** A file that the server does not have. */
    static TransferException missing(String message) {
        return new TransferException(message, false, true, null, null);
    }

    boolean isMissing() {
        return missing;
    }

    boolean worthRetrying() {
        return worthRetrying;
    }

    @Nullable Duration retryAfter() {
        return retryAfter;
    }
}
