package io.github.convzoo.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.Set;

/**
 * Files that the cache writes: regular files in folders of their owner. A link in their place could redirect writes to
 * any other file, and a pipe would wait for its reader.
 */
final class CacheFile {

    private static final String OWNER_ONLY = "rwx------";

    private CacheFile() {}

    /**
     * Refuses a path that exists but is not a regular file.
     *
     * @throws FileSystemException if it is a link, a pipe, or a device; the message says so
     */
    static void requireOwn(Path file) throws FileSystemException {
        if (Files.isSymbolicLink(file)) {
            throw new FileSystemException(
                    file.toString(), null, "a symbolic link, which is not followed here; remove it");
        }
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new FileSystemException(file.toString(), null, "not a regular file; remove it");
        }
    }

    /** Opens a file, which must not be a link. */
    static FileChannel open(Path file, OpenOption... options) throws IOException {
        requireOwn(file);
        Set<OpenOption> all = new HashSet<>(Set.of(options));
        all.add(LinkOption.NOFOLLOW_LINKS);
        return FileChannel.open(file, all);
    }

    /**
     * Creates a folder and its parents so that only the owner may enter, if the file system supports owners. Existing
     * folders are unchanged.
     */
    static void createFolder(Path folder) throws IOException {
        if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            Files.createDirectories(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(OWNER_ONLY)));
        } else {
            Files.createDirectories(folder);
        }
    }
}
