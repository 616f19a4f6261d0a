package io.github.convzoo.hub;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A download that failed on the other side or on the way; trouble with the file here stays an IOException. */
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

    /** What another attempt would not change. */
    static TransferException lasting(String message) {
        return new TransferException(message, false, false, null, null);
    }

    /** What another attempt would not change. */
    static TransferException lasting(String message, @Nullable Throwable cause) {
        return new TransferException(message, false, false, null, cause);
    }

    /** What may be gone at the next attempt. */
    static TransferException passing(String message, @Nullable Throwable cause) {
        return new TransferException(message, true, false, null, cause);
    }

    /** What the server says will be gone after some time; null where it does not say when. */
    static TransferException passingAfter(String message, @Nullable Duration retryAfter) {
        return new TransferException(message, true, false, retryAfter, null);
    }

    /** What the server does not have. */
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
