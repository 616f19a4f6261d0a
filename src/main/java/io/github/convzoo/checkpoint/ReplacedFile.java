package io.github.convzoo.checkpoint;

import io.github.convzoo.message.Reason;
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
 * Writes a file atomically: at every moment, even after a crash, its path has either the previous or the complete new
 * content. The new content is written under a temporary name next to it, synced, then moved over it.
 */
public final class ReplacedFile {
    private ReplacedFile() {}

    /** The content to write. */
    @FunctionalInterface
    public interface Content {
        /**
         * Writes the content sequentially.
         *
         * @param out the new file
         * @throws IOException if that fails; the file then remains unchanged
         */
        void writeTo(WritableByteChannel out) throws IOException;
    }

    /**
     * Writes a file. An existing file is replaced once all of the new content is on disk.
     *
     * @param file the file
     * @param content the content
     * @throws CheckpointException if writing fails; then nothing is left behind
     */
    public static void write(Path file, Content content) throws CheckpointException {
        Path name = file.getFileName();
        if (name == null || Files.isDirectory(file)) {
            throw new CheckpointException(file, -1, null, "this is a directory; pass a file inside it", null);
        }
        Path temporary = temporary(file, name);
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

    /** An unused name next to a file. */
    private static Path temporary(Path file, Path name) {
        String suffix = "." + Long.toHexString(ThreadLocalRandom.current().nextLong()) + ".tmp";
        return file.resolveSibling("." + name + suffix);
    }

    /**
     * A file that is written bit by bit under a temporary name, until it is complete. Not thread-safe.
     *
     * <p>The channel's exceptions are not those of this class: {@link #failure} converts them.
     */
    public static final class Draft implements AutoCloseable {

        private final Path file;
        private final Path temporary;
        private final FileChannel channel;
        private boolean finished;

        private Draft(Path file, Path temporary, FileChannel channel) {
            this.file = file;
            this.temporary = temporary;
            this.channel = channel;
        }

        /**
         * Starts a file.
         *
         * @param file the file, replaced by {@link #finish} if it exists
         * @return the draft; close it
         * @throws CheckpointException if the folder cannot be written to
         */
        public static Draft create(Path file) throws CheckpointException {
            Path name = file.getFileName();
            if (name == null || Files.isDirectory(file)) {
                throw new CheckpointException(file, -1, null, "this is a directory; pass a file inside it", null);
            }
            Path temporary = ReplacedFile.temporary(file, name);
            try {
                return new Draft(
                        file,
                        temporary,
                        FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
            } catch (IOException e) {
                throw ReplacedFile.failure(file, e);
            }
        }

        /** {@return the content: an open channel at its end, which may also be written to elsewhere} */
        public FileChannel channel() {
            return channel;
        }

        /**
         * Converts an exception of the channel.
         *
         * @param e the exception
         * @return one that names the file and the remedy
         */
        public CheckpointException failure(IOException e) {
            return ReplacedFile.failure(file, e);
        }

        /**
         * Syncs the file and moves it into place.
         *
         * @throws CheckpointException if that fails; an existing file is then unchanged
         */
        public void finish() throws CheckpointException {
            try {
                channel.force(true);
                channel.close();
                move(temporary, file);
                finished = true;
            } catch (IOException e) {
                throw failure(e);
            }
        }

        /** Discards what was written, unless it is finished. */
        @Override
        public void close() throws CheckpointException {
            if (finished) {
                return;
            }
            try {
                channel.close();
                Files.deleteIfExists(temporary);
            } catch (IOException e) {
                throw failure(e);
            }
        }
    }

    /**
     * Writes a file from bytes in memory.
     *
     * @param file the file
     * @param bytes the whole new content
     * @throws CheckpointException if writing fails; then nothing is left behind
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
     * Moves a complete and synced file over another, atomically if the file system supports it.
     *
     * @param from the new file, in the same folder or below it
     * @param to its destination
     * @throws IOException if it cannot be moved; then both files are unchanged
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
            return new CheckpointException(
                    file, -1, null, "directory " + parent + " does not exist; create it first", e);
        }
        if (e instanceof ClosedByInterruptException) {
            return new CheckpointException(
                    file, -1, null, "it was not written because the thread was interrupted; try again", e);
        }
        return new CheckpointException(
                file,
                -1,
                null,
                "it cannot be written (" + Reason.of(e) + "); check the directory's permissions and space",
                e);
    }
}
