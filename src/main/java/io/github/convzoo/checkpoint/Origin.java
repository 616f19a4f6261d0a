package io.github.convzoo.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/**
 * The file that a tensor is mapped from. Its length is looked up before and after elements are read: of what is gone, a
 * mapping holds zeros up to the end of a page, and nothing behind it.
 *
 * @param path the file
 * @param key what tells it from a file that replaced it, whose length says nothing about the mapping
 * @param size its length when it was opened, in bytes
 */
record Origin(Path path, Object key, long size) {

    /** The origin of views on a file; null where the system does not say which file a path names. */
    static @Nullable Origin of(Path path, long size) throws IOException {
        Object key = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
        return key == null ? null : new Origin(path, key, size);
    }

    /** Throws if the file was shortened. */
    void check(String tensor) throws CheckpointException {
        BasicFileAttributes now;
        try {
            now = Files.readAttributes(path, BasicFileAttributes.class);
        } catch (IOException e) {
            // It was moved or deleted, and the mapping still has all of it.
            return;
        }
        if (key.equals(now.fileKey()) && now.size() < size) {
            throw shortened(tensor, null);
        }
    }

    CheckpointException shortened(String tensor, @Nullable Throwable cause) {
        return new CheckpointException(
                path,
                -1,
                tensor,
                "its file was shortened while it was in use; copy or download the file again, and replace it by moving"
                        + " the new one over it",
                cause);
    }
}
