package io.github.convzoo.zoo;

import java.net.URI;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Path;
import java.util.Locale;

/** Paths as people write them: a path, or a file URL. */
public final class PathText {

    private PathText() {}

    /**
     * Parses a path.
     *
     * @param text a path; or {@code file:///...}, or {@code jar:file:///...!/...} of an open file system
     * @return the path
     * @throws IllegalArgumentException if a URL is not a file's, or a path has an invalid character
     */
    public static Path path(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        if (!lower.startsWith("file:") && !lower.startsWith("jar:file:")) {
            return Path.of(text);
        }
        try {
            // People do not escape blanks and other characters, and may name the local machine as host.
            String plain =
                    text.replaceFirst("^(?i:file://localhost/)", "file:///").replace(" ", "%20");
            return Path.of(URI.create(plain));
        } catch (IllegalArgumentException | FileSystemNotFoundException e) {
            throw new IllegalArgumentException(
                    text + " is not the URL of a local file; write file:///absolute/path, or a plain path", e);
        }
    }
}
