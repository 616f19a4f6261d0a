package io.github.convzoo.checkpoint;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A file mapped for reading, of any length. Views outlive {@link #close}, which only ends the making of new ones.
 *
 * <p>One buffer spans less than 2 GiB, so a longer file is mapped in windows of that size. They begin at multiples of 1 GiB
 * and so overlap by half: whatever is up to 1 GiB long lies in one of them.
 */
final class MappedFile implements AutoCloseable {
    private static final long WINDOW_STEP = 1L << 30;

    private final Path path;
    private final FileChannel channel;
    private final long size;
    private final TreeMap<Long, ByteBuffer> windows = new TreeMap<>();
    /** Where problems are said to be, if not where they are: at an inflated part's place in the file; or -1. */
    private final long blamed;

    private MappedFile(Path path, FileChannel channel, long size, long blamed) {
        this.path = path;
        this.channel = channel;
        this.size = size;
        this.blamed = blamed;
    }

    static MappedFile open(Path path) throws CheckpointException {
        if (!Files.exists(path)) {
            throw new CheckpointException(path, -1, null, "there is no such file; check the path", null);
        }
        if (Files.isDirectory(path)) {
            throw new CheckpointException(path, -1, null, "this is a directory; name a file inside it", null);
        }
        // Opening a pipe would wait for its other end.
        if (!Files.isRegularFile(path)) {
            throw new CheckpointException(path, -1, null, "this is no regular file; copy it into one first", null);
        }
        // Other file systems, such as that of a jar, have nothing to map.
        return path.getFileSystem() == FileSystems.getDefault() ? opened(path) : copied(path, unpacked(path));
    }

    private static MappedFile opened(Path path) throws CheckpointException {
        FileChannel channel = null;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
            return new MappedFile(path, channel, channel.size(), -1);
        } catch (AccessDeniedException e) {
            throw new CheckpointException(path, -1, null, "reading it is not permitted; check its permissions", e);
        } catch (IOException e) {
            closeQuietly(channel, e);
            throw new CheckpointException(path, -1, null, "it cannot be opened" + reason(e), e);
        }
    }

    /**
     * A file that is read into memory beside the heap instead, so that nothing holds it once it is closed: Windows does not
     * replace a file that is mapped, and a mapping lasts until it is collected. A file of 2 GiB or more, or for which there
     * is no room, is mapped all the same.
     */
    static MappedFile copied(Path path) throws CheckpointException {
        MappedFile file = open(path);
        return file.windows.isEmpty() ? copied(path, file) : file;
    }

    private static MappedFile copied(Path path, MappedFile file) throws CheckpointException {
        if (file.size == 0 || file.size > Integer.MAX_VALUE) {
            return file;
        }
        ByteBuffer content;
        try {
            content = ByteBuffer.allocateDirect((int) file.size);
        } catch (OutOfMemoryError e) {
            // The JVM allows as much as the heap may have.
            return file;
        }
        try {
            while (content.hasRemaining()) {
                if (file.channel.read(content) < 0) {
                    throw new EOFException("it was shortened meanwhile");
                }
            }
        } catch (IOException e) {
            closeQuietly(file.channel, e);
            throw new CheckpointException(path, -1, null, "it cannot be read" + reason(e), e);
        }
        file.windows.put(0L, content.flip().asReadOnlyBuffer());
        return file;
    }

    /**
     * The content of a file in another file system, in a temporary file that is deleted when it is closed. (On Windows, where
     * a file that is mapped stays, when the JVM ends.)
     */
    private static MappedFile unpacked(Path path) throws CheckpointException {
        Path copy = null;
        try {
            copy = Files.createTempFile("convzoo", ".weights");
            copy.toFile().deleteOnExit();
            Files.copy(path, copy, StandardCopyOption.REPLACE_EXISTING);
            FileChannel channel = FileChannel.open(copy, StandardOpenOption.READ, StandardOpenOption.DELETE_ON_CLOSE);
            return new MappedFile(path, channel, channel.size(), -1);
        } catch (IOException e) {
            CheckpointException failure =
                    new CheckpointException(path, -1, null, "it cannot be copied to a temporary file" + reason(e), e);
            try {
                if (copy != null) {
                    Files.deleteIfExists(copy);
                }
            } catch (IOException again) {
                failure.addSuppressed(again);
            }
            throw failure;
        }
    }

    /** Why reading failed, for the end of a message. An interrupted thread's channels close without a word on it. */
    private static String reason(IOException e) {
        return e instanceof ClosedByInterruptException
                ? ", as this thread was interrupted; try again"
                : ": " + (e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage());
    }

    private static void closeQuietly(@Nullable FileChannel channel, IOException failure) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    /** Content that a part of this file was inflated to, to be read as a file is. Problems in it are blamed on the part. */
    MappedFile inflated(long offset, byte[] content) {
        return part(offset, ByteBuffer.wrap(content));
    }

    /** A part of this file, or what one stands for, to be read as a file is. Problems in it are blamed on its offset. */
    MappedFile part(long offset, ByteBuffer content) {
        MappedFile part = new MappedFile(path, channel, content.remaining(), blamed < 0 ? offset : blamed);
        part.windows.put(0L, content.slice());
        return part;
    }

    Path path() {
        return path;
    }

    long size() {
        return size;
    }

    /** A little-endian, read-only view of {@code length} bytes, all of which must lie in the file. */
    ByteBuffer view(long offset, long length) throws CheckpointException {
        if (offset < 0 || length < 0 || offset > size || length > size - offset) {
            throw corrupt(
                    Math.max(-1, Math.min(offset, size)),
                    "the file is truncated: " + length + " bytes are needed at byte " + offset + " and it has " + size
                            + " in all; copy or download it again");
        }
        if (length > Integer.MAX_VALUE) {
            throw corrupt(offset, length + " bytes in one piece are more than the supported 2 GiB");
        }
        if (length == 0) {
            return ByteBuffer.allocate(0).order(ByteOrder.LITTLE_ENDIAN);
        }
        Map.Entry<Long, ? extends ByteBuffer> window = windows.floorEntry(offset);
        if (window == null
                || offset - window.getKey() + length > window.getValue().capacity()) {
            long aligned = offset / WINDOW_STEP * WINDOW_STEP;
            long start = offset - aligned + length <= Integer.MAX_VALUE ? aligned : offset;
            MappedByteBuffer mapped = map(start);
            window = Map.entry(start, mapped);
            windows.put(start, mapped);
        }
        return window.getValue()
                .slice((int) (offset - window.getKey()), (int) length)
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    private MappedByteBuffer map(long start) throws CheckpointException {
        try {
            return channel.map(MapMode.READ_ONLY, start, Math.min(size - start, Integer.MAX_VALUE));
        } catch (IOException e) {
            throw new CheckpointException(path, start, null, "it cannot be mapped into memory" + reason(e), e);
        }
    }

    CheckpointException corrupt(long offset, String problem) {
        return corrupt(offset, null, problem);
    }

    CheckpointException corrupt(long offset, @Nullable String tensor, String problem) {
        return new CheckpointException(path, blamed < 0 ? offset : blamed, tensor, problem, null);
    }

    CheckpointException overLimit(long offset, @Nullable String tensor, String what, String limit, long allowed) {
        return corrupt(
                offset,
                tensor,
                what + ", more than the limit of " + allowed + "; if you trust the file, raise Limits." + limit
                        + " (--limit " + limit + "=N)");
    }

    @Override
    public void close() throws CheckpointException {
        try {
            channel.close();
        } catch (IOException e) {
            throw new CheckpointException(path, -1, null, "it cannot be closed: " + e.getMessage(), e);
        }
    }
}
