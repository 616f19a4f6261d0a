package io.github.convzoo.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/**
 * The file that a tensor is mapped from. Its length is checked before and after elements are read: where a file was
 * truncated, its mapping has zeros up to the end of a page, and nothing after it.
 *
 * @param path the file
 * @param key distinguishes the file from one that replaced it, whose length is irrelevant to the mapping
 * @param size its length when it was opened, in bytes
 */
record Origin(Path path, Object key, long size) {

    /** The origin of views on a file; null if the system cannot identify the file of a path. */
    static @Nullable Origin of(Path path, long size) throws IOException {
        Object key = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
        return key == null ? null : new Origin(path, key, size);
    }

    /** Throws if the file was truncated; the message names the tensor, if there is one. */
    void check(@Nullable String tensor) throws CheckpointException {
        BasicFileAttributes now;
        try {
            now = Files.readAttributes(path, BasicFileAttributes.class);
        } catch (IOException e) {
            // The file was moved or deleted, so the mapping is still complete.
            return;
        }
        if (key.equals(now.fileKey()) && now.size() < size) {
            throw shortened(tensor, null);
        }
    }

    CheckpointException shortened(@Nullable String tensor, @Nullable Throwable cause) {
        return new CheckpointException(
                path,
                -1,
                tensor,
                "its file was truncated while in use; copy or download the file again, and replace it by moving"
                        + " the new one over it",
                cause);
    }
}
