package io.github.convzoo.hub;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A file on this machine that came from elsewhere.
 *
 * @param name what it is called, such as {@code dla34.in1k}
 * @param path the file
 * @param size its length in bytes
 * @param state what is known of its content
 * @param sha256 its SHA-256 in hexadecimal, as it was last computed; null where it has not been for the file as it is
 * @param expected what its SHA-256 should be, or the first digits of that; null where nobody says
 */
public record StoredFile(
        String name, Path path, long size, State state, @Nullable String sha256, @Nullable String expected) {

    /** What is known of a file's content. */
    public enum State {
        /** Its SHA-256 is the one that the hub or the file's own name gives. */
        VERIFIED,
        /** Nobody says which SHA-256 it should have: its length alone was checked, or it was put there by hand. */
        UNVERIFIED,
        /** Its length or its time is no longer what it was when it was checked. */
        CHANGED,
        /** Its SHA-256 is not the expected one. */
        CORRUPT,
        /** A download that goes on, or that the next one will go on with. */
        PARTIAL
    }
}
