package io.github.convzoo.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Writes a file so that at every moment, a crash included, its place holds either what it held before or the whole of the
 * new file: under a temporary name beside its place, synced, then moved over it.
 */
public final class ReplacedFile {
    private ReplacedFile() {}

    /** What is to be written. */
    @FunctionalInterface
    public interface Content {
        /**
         * Writes it, from the front to the back.
         *
         * @param out the new file
         * @throws IOException if that fails; the file then stays what it was
         */
        void writeTo(WritableByteChannel out) throws IOException;
    }

    /**
     * Writes a file. What stood in its place before is replaced once all of the new content is on the disk.
     *
     * @param file where to write
     * @param content what to write
     * @throws CheckpointException if writing fails; nothing is left behind then
     */
    public static void write(Path file, Content content) throws CheckpointException {
        Path name = file.getFileName();
        if (name == null || Files.isDirectory(file)) {
            throw new CheckpointException(file, -1, null, "this is a directory; name a file inside it", null);
        }
        String suffix = "." + Long.toHexString(ThreadLocalRandom.current().nextLong()) + ".tmp";
        Path temporary = file.resolveSibling("." + name + suffix);
        try {
            try (FileChannel out =
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                content.writeTo(out);
                out.force(true);
            }
            move(temporary, file);
        } catch (IOException e) {
            delete(temporary, e);
            throw failure(file, e);
        } catch (RuntimeException | Error e) {
            delete(temporary, e);
            throw e;
        }
    }

    /**
     * Writes a file of bytes that are in memory.
     *
     * @param file where to write
     * @param bytes all of the new content
     * @throws CheckpointException if writing fails; nothing is left behind then
     */
    public static void write(Path file, byte[] bytes) throws CheckpointException {
        write(file, out -> {
            ByteBuffer rest = ByteBuffer.wrap(bytes);
            while (rest.hasRemaining()) {
                out.write(rest);
            }
        });
    }

    /**
     * Moves a file that is complete and synced over another, in one step if the file system can.
     *
     * @param from the new file, in the same folder or below it
     * @param to its place
     * @throws IOException if it cannot be moved; then both files are as they were
     */
    public static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException | FileAlreadyExistsException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static void delete(Path temporary, Throwable failure) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    private static CheckpointException failure(Path file, IOException e) {
        if (e instanceof CheckpointException known) {
            return known;
        }
        Path parent = file.toAbsolutePath().getParent();
        if (e instanceof NoSuchFileException && parent != null && !Files.exists(parent)) {
            return new CheckpointException(file, -1, null, "there is no directory " + parent + "; create it first", e);
        }
        if (e instanceof ClosedByInterruptException) {
            return new CheckpointException(
                    file, -1, null, "it was not written, as this thread was interrupted; try again", e);
        }
        return new CheckpointException(
                file, -1, null, "it cannot be written (" + e + "); check the directory's permissions and space", e);
    }
}
