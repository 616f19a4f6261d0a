package io.github.convzoo.weights;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A download that failed on the other side or on the way; trouble with the file here stays an IOException. */
final class TransferException extends Exception {
    private static final long serialVersionUID = 1L;

    private final boolean worthRetrying;
    private final @Nullable Duration retryAfter;

    private TransferException(
            String message, boolean worthRetrying, @Nullable Duration retryAfter, @Nullable Throwable cause) {
        super(message, cause);
        this.worthRetrying = worthRetrying;
        this.retryAfter = retryAfter;
    }

    /** What another attempt would not change. */
    static TransferException lasting(String message) {
        return new TransferException(message, false, null, null);
    }

    /** What another attempt would not change. */
    static TransferException lasting(String message, Throwable cause) {
        return new TransferException(message, false, null, cause);
    }

    /** What may be gone at the next attempt. */
    static TransferException passing(String message, @Nullable Throwable cause) {
        return new TransferException(message, true, null, cause);
    }

    /** What the server says will be gone after some time; null where it does not say when. */
    static TransferException passingAfter(String message, @Nullable Duration retryAfter) {
        return new TransferException(message, true, retryAfter, null);
    }

    boolean worthRetrying() {
        return worthRetrying;
    }

    @Nullable Duration retryAfter() {
        return retryAfter;
    }
}
