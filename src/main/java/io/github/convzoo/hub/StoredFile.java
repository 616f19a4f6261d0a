package io.github.convzoo.hub;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A local copy of a file.
 *
 * @param name its name, such as {@code dla34.in1k}
 * @param path the file
 * @param size its length in bytes
 * @param state what is known of its content
 * @param sha256 its SHA-256 in hexadecimal, as last computed; null if not computed for the current file
 * @param expected its expected SHA-256, or the first digits; null if unknown
 */
public record StoredFile(
        String name, Path path, long size, State state, @Nullable String sha256, @Nullable String expected) {

    /** What is known of a file's content. */
    public enum State {
        /** Its SHA-256 matches the hub or the file's own name. */
        VERIFIED,
        /** Its expected SHA-256 is unknown: only its length was checked, or it was added manually. */
        UNVERIFIED,
        /** Its length or modification time has changed since it was checked. */
        CHANGED,
        /** Its SHA-256 differs from the expected one. */
        CORRUPT,
        /** A partial download, in progress or to be resumed. */
        PARTIAL
    }
}
