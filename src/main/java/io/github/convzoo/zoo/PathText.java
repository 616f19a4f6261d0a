package io.github.convzoo.zoo;

import java.net.URI;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Path;
import java.util.Locale;

/** Paths as people write them: a path, or a URL of a file. */
public final class PathText {

    private PathText() {}

    /**
     * The path that a text stands for.
     *
     * @param text a path; or {@code file:///...}, or {@code jar:file:///...!/...} of an open file system
     * @return the path
     * @throws IllegalArgumentException if a URL leads to no file, or a path has a character that paths do not have
     */
    public static Path path(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        if (!lower.startsWith("file:") && !lower.startsWith("jar:file:")) {
            return Path.of(text);
        }
        try {
            // People write blanks and other characters as they are, and name the machine itself.
            String plain =
                    text.replaceFirst("^(?i:file://localhost/)", "file:///").replace(" ", "%20");
            return Path.of(URI.create(plain));
        } catch (IllegalArgumentException | FileSystemNotFoundException e) {
            throw new IllegalArgumentException(
                    text + " is not the URL of a file on this machine; write file:///absolute/path, or the path itself",
                    e);
        }
    }
}
