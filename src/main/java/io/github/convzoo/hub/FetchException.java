package io.github.convzoo.hub;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A file that could not be fetched. The message is one line: which file, where it was looked for and why that failed,
 * and what to do about it.
 */
public final class FetchException extends IOException {
    private static final long serialVersionUID = 1L;

    /** The file's name. */
    private final String file;

    /** A list that can be serialized. */
    private final String[] failures;

    /** Whether every place answered that it does not have the file. */
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

    /**
     * The file concerned.
     *
     * @return its name, such as {@code dla34.in1k} or {@code owner/name@main/config.json}
     */
    public String file() {
        return file;
    }

    /**
     * Whether every place was reached and answered that it does not have the file.
     *
     * @return false if a place could not be asked
     */
    public boolean isMissing() {
        return missing;
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
