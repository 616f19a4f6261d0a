package io.github.convzoo.weights;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Weights that could not be had. The message is one line: which weights, where they were looked for and why that failed,
 * and what to do about it.
 */
public final class FetchException extends IOException {
    private static final long serialVersionUID = 1L;

    /** The weights' name. */
    private final String weights;

    /** A list that can be serialized. */
    private final String[] failures;

    FetchException(String weights, String problem, List<String> failures, @Nullable Throwable cause) {
        super(message(weights, problem, failures), cause);
        this.weights = weights;
        this.failures = failures.toArray(String[]::new);
    }

    private static String message(String weights, String problem, List<String> failures) {
        return weights + ": " + problem + (failures.isEmpty() ? "" : ": " + String.join("; ", failures));
    }

    /**
     * The weights concerned.
     *
     * @return their name, {@code model.tag}
     */
    public String weights() {
        return weights;
    }

    /**
     * The places that were tried.
     *
     * @return for each, in order, where it is and why it failed
     */
    public List<String> failures() {
        return List.of(failures);
    }
}
