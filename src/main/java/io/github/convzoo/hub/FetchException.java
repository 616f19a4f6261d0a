package io.github.convzoo.hub;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Thrown if a file could not be fetched. The message is one line: the file, the places that were tried with the reason
 * of each failure, and the remedy.
 */
public final class FetchException extends IOException {
    private static final long serialVersionUID = 1L;

    /** The file's name. */
    private final String file;

    /** A list that can be serialized. */
    private final String[] failures;

    /** Whether every place reported that it does not have the file. */
    private final boolean missing;

    FetchException(String file, String problem, List<String> failures, @Nullable Throwable cause) {
        this(file, problem, failures, false, cause);
    }

    FetchException(String file, String problem, List<String> failures, boolean missing, @Nullable Throwable cause) {
        super(message(file, problem, failures), cause);
        this.file = file;
        this.missing = missing;
        this.failures = failures.toArray(String[]::new);
    }

    private static String message(String file, String problem, List<String> failures) {
        return file + ": " + problem + (failures.isEmpty() ? "" : ": " + String.join("; ", failures));
    }

    /** {@return the file's name, such as {@code dla34.in1k} or {@code owner/name@main/config.json}} */
    public String file() {
        return file;
    }

    /** {@return whether every place was reached and reported that it does not have the file} */
    public boolean isMissing() {
        return missing;
    }

    /** {@return the address of each place that was tried, in order, with the reason of its failure} */
    public List<String> failures() {
        return List.of(failures);
    }
}
