package io.github.convzoo.checkpoint;

import io.github.convzoo.message.Reason;
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
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * A file for reading, of any length: as copies on the heap, and for tensors' data as memory-mapped views.
 *
 * <p>This class never reads a mapping. If another process truncates the file, the operating system signals a process
 * that accesses the missing part, and the JVM survives that only in some of its code: not in checksums, the inflater,
 * or comparisons of buffers. Reading from a channel fails like any other I/O. So everything that a reader examines is
 * copied first.
 *
 * <p>Views outlive {@link #close}, which only prevents new ones. One buffer spans less than 2 GiB, so a longer file is
 * mapped in windows of that size. They start at multiples of 1 GiB and overlap by half, so any range of up to 1 GiB is
 * inside one of them.
 */
final class MappedFile implements AutoCloseable {
    private static final long WINDOW_STEP = 1L << 30;

    /** The read size for sequential reads, and for others, in bytes. */
    private static final int NEXT_BYTES = 1 << 16;

    private static final int FIRST_BYTES = 512;

    /** The copy size for data that is only scanned. */
    static final int PIECE_BYTES = 1 << 20;

    private static final byte[] NOTHING = {};

    private static final String SHORTENED = "the file was truncated while being read; copy or download it again";

    private final Path path;
    private final FileChannel channel;
    private final long size;
    private @Nullable TreeMap<Long, ByteBuffer> windows;
    /** The whole content, if it is in this process's memory; null if it is read from the channel. */
    private final @Nullable ByteBuffer content;
    /** The file that this is a part of, and the part's offset; null if this is a file itself. */
    private final @Nullable MappedFile whole;

    private final long base;
    /** The origin of views; null if they are not mapped, or the file belongs to this process only. */
    private final @Nullable Origin origin;
    /** The offset to report for problems in an inflated part; -1 to report the actual offset. */
    private final long blamed;

    /** The last data read from the channel, and its offset. */
    private byte[] ahead = NOTHING;

    private long aheadAt;

    /** For data that is only scanned. */
    private byte[] piece = NOTHING;

    private MappedFile(
            Path path,
            FileChannel channel,
            long size,
            @Nullable ByteBuffer content,
            @Nullable MappedFile whole,
            long base,
            @Nullable Origin origin,
            long blamed) {
        this.path = path;
        this.channel = channel;
        this.size = size;
        this.content = content;
        this.whole = whole;
        this.base = base;
        this.origin = origin;
        this.blamed = blamed;
    }

    private MappedFile(Path path, FileChannel channel, long size, @Nullable Origin origin) {
        this(path, channel, size, null, null, 0, origin, -1);
    }

    static MappedFile open(Path path) throws CheckpointException {
        if (!Files.exists(path)) {
            throw new CheckpointException(path, -1, null, "no such file; check the path", null);
        }
        if (Files.isDirectory(path)) {
            throw new CheckpointException(path, -1, null, "this is a directory; pass a file inside it", null);
        }
        // Opening a pipe would wait for its other end.
        if (!Files.isRegularFile(path)) {
            throw new CheckpointException(path, -1, null, "not a regular file; copy it into one first", null);
        }
        // Other file systems, such as a jar's, do not support mapping.
        return path.getFileSystem() == FileSystems.getDefault() ? opened(path) : copied(path, unpacked(path));
    }

    private static MappedFile opened(Path path) throws CheckpointException {
        FileChannel channel = null;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
            long size = channel.size();
            return new MappedFile(path, channel, size, Origin.of(path, size));
        } catch (AccessDeniedException e) {
            throw new CheckpointException(path, -1, null, "reading it is not permitted; check its permissions", e);
        } catch (IOException e) {
            closeQuietly(channel, e);
            throw new CheckpointException(path, -1, null, "it cannot be opened" + reason(e), e);
        }
    }

    /**
     * Reads a file into direct memory instead, so that nothing locks it after closing: Windows does not replace a
     * memory-mapped file, and a mapping lasts until it is collected. A file of 2 GiB or more, or larger than the free
     * memory, is mapped anyway.
     */
    static MappedFile copied(Path path) throws CheckpointException {
        MappedFile file = open(path);
        return file.content == null ? copied(path, file) : file;
    }

    private static MappedFile copied(Path path, MappedFile file) throws CheckpointException {
        if (file.size == 0 || file.size > Integer.MAX_VALUE) {
            return file;
        }
        ByteBuffer content;
        try {
            content = ByteBuffer.allocateDirect((int) file.size);
        } catch (OutOfMemoryError e) {
            // The JVM allows as much direct memory as heap.
            return file;
        }
        try {
            while (content.hasRemaining()) {
                if (file.channel.read(content) < 0) {
                    throw new EOFException(SHORTENED);
                }
            }
        } catch (IOException e) {
            closeQuietly(file.channel, e);
            throw new CheckpointException(path, -1, null, "it cannot be read" + reason(e), e);
        }
        return new MappedFile(path, file.channel, file.size, content.flip().asReadOnlyBuffer(), null, 0, null, -1);
    }

    /**
     * Copies a file in another file system to a temporary file, which is deleted on closing (on Windows, where a mapped
     * file cannot be deleted, when the JVM exits).
     */
    private static MappedFile unpacked(Path path) throws CheckpointException {
        Path copy = null;
        try {
            copy = Files.createTempFile("convzoo", ".weights");
            copy.toFile().deleteOnExit();
            Files.copy(path, copy, StandardCopyOption.REPLACE_EXISTING);
            FileChannel channel = FileChannel.open(copy, StandardOpenOption.READ, StandardOpenOption.DELETE_ON_CLOSE);
            return new MappedFile(path, channel, channel.size(), null);
        } catch (IOException e) {
            CheckpointException failure = new CheckpointException(
                    path, -1, null, "it cannot be copied to a temporary file (" + Reason.withFile(e) + ")", e);
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

    /** The reason of a read failure, for the end of a message. */
    private static String reason(IOException e) {
        return e instanceof ClosedByInterruptException
                ? " because the thread was interrupted; try again"
                : ": " + Reason.of(e);
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

    /** The inflated content of a part of this file, as a file. Problems in it are reported at the part's offset. */
    MappedFile inflated(long offset, byte[] content) {
        long blame = blamed < 0 ? offset : blamed;
        return new MappedFile(path, channel, content.length, ByteBuffer.wrap(content), null, 0, null, blame);
    }

    /** A range of this file, as a file. Problems in it are reported at their offset. */
    MappedFile part(long offset, long length) throws CheckpointException {
        require(offset, length);
        return new MappedFile(path, channel, length, null, this, offset, origin, blamed < 0 ? offset : blamed);
    }

    Path path() {
        return path;
    }

    long size() {
        return size;
    }

    /** The origin of views; null if there is nothing to check. */
    @Nullable Origin origin() {
        return origin;
    }

    /** Refuses a range that is not inside the file. */
    void require(long offset, long length) throws CheckpointException {
        if (offset < 0 || length < 0 || offset > size || length > size - offset) {
            throw corrupt(
                    Math.max(-1, Math.min(offset, size)),
                    "the file is truncated: " + length + " bytes are needed at byte " + offset + ", but it has only "
                            + size + " in total; copy or download it again");
        }
    }

    private void requireOnePiece(long offset, long length) throws CheckpointException {
        require(offset, length);
        if (length > Integer.MAX_VALUE) {
            throw corrupt(offset, length + " contiguous bytes exceed the supported 2 GiB");
        }
    }

    /**
     * A little-endian, read-only view of {@code length} bytes, all of which must be inside the file. Only for the data
     * of tensors, which readers do not access.
     */
    ByteBuffer view(long offset, long length) throws CheckpointException {
        requireOnePiece(offset, length);
        if (length == 0) {
            return ByteBuffer.allocate(0).order(ByteOrder.LITTLE_ENDIAN);
        }
        if (whole != null) {
            return whole.view(base + offset, length);
        }
        if (content != null) {
            return content.slice((int) offset, (int) length).order(ByteOrder.LITTLE_ENDIAN);
        }
        TreeMap<Long, ByteBuffer> known = windows == null ? new TreeMap<>() : windows;
        windows = known;
        Map.Entry<Long, ? extends ByteBuffer> window = known.floorEntry(offset);
        if (window == null
                || offset - window.getKey() + length > window.getValue().capacity()) {
            long aligned = offset / WINDOW_STEP * WINDOW_STEP;
            long start = offset - aligned + length <= Integer.MAX_VALUE ? aligned : offset;
            MappedByteBuffer mapped = map(start);
            window = Map.entry(start, mapped);
            known.put(start, mapped);
        }
        return window.getValue()
                .slice((int) (offset - window.getKey()), (int) length)
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Copies bytes to the heap, all of which must be inside the file. */
    byte[] copy(long offset, long length) throws CheckpointException {
        requireOnePiece(offset, length);
        byte[] copy = new byte[(int) length];
        copy(offset, copy, copy.length);
        return copy;
    }

    /** Copies the first {@code length} bytes from an offset into an array. */
    void copy(long offset, byte[] into, int length) throws CheckpointException {
        require(offset, length);
        if (whole != null) {
            whole.copy(base + offset, into, length);
        } else if (content != null) {
            content.get((int) offset, into, 0, length);
        } else {
            read(offset, into, length);
        }
    }

    /**
     * A little-endian copy of the bytes from an offset: at least {@code least}, at most {@code most}, and otherwise as
     * many as are buffered. All of {@code most} must be inside the file.
     */
    ByteBuffer ahead(long offset, int least, long most) throws CheckpointException {
        require(offset, most);
        if (whole != null) {
            return whole.ahead(base + offset, least, most);
        }
        if (content != null) {
            return content.slice((int) offset, (int) most).order(ByteOrder.LITTLE_ENDIAN);
        }
        long end = aheadAt + ahead.length;
        if (offset < aheadAt || offset + least > end) {
            boolean next = offset >= aheadAt && offset <= end && end > 0;
            byte[] bytes = new byte[(int) Math.min(size - offset, Math.max(least, next ? NEXT_BYTES : FIRST_BYTES))];
            read(offset, bytes, bytes.length);
            ahead = bytes;
            aheadAt = offset;
        }
        int from = (int) (offset - aheadAt);
        return ByteBuffer.wrap(ahead)
                .slice(from, (int) Math.min(most, ahead.length - from))
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    private void read(long offset, byte[] into, int length) throws CheckpointException {
        ByteBuffer bytes = ByteBuffer.wrap(into, 0, length);
        try {
            // In pieces, because the JDK copies each through direct memory that it keeps for the thread.
            while (bytes.hasRemaining()) {
                bytes.limit(Math.min(length, bytes.position() + PIECE_BYTES));
                if (channel.read(bytes, offset + bytes.position()) < 0) {
                    throw corrupt(Math.min(offset + bytes.position(), size), SHORTENED);
                }
                bytes.limit(length);
            }
        } catch (CheckpointException e) {
            throw e;
        } catch (IOException e) {
            throw new CheckpointException(path, offset, null, "it cannot be read" + reason(e), e);
        }
    }

    /** The CRC-32 of a range. */
    long crc(long offset, long length) throws CheckpointException {
        CRC32 crc = new CRC32();
        if (piece.length < Math.min(length, PIECE_BYTES)) {
            piece = new byte[(int) Math.min(length, PIECE_BYTES)];
        }
        for (long done = 0; done < length; done += piece.length) {
            int bytes = (int) Math.min(length - done, piece.length);
            copy(offset + done, piece, bytes);
            crc.update(piece, 0, bytes);
        }
        return crc.getValue();
    }

    private MappedByteBuffer map(long start) throws CheckpointException {
        try {
            if (channel.size() < size) {
                throw corrupt(channel.size(), SHORTENED);
            }
            return channel.map(MapMode.READ_ONLY, start, Math.min(size - start, Integer.MAX_VALUE));
        } catch (CheckpointException e) {
            throw e;
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

    CheckpointException overLimit(long offset, @Nullable String tensor, String what, Limit limit, Limits limits) {
        return corrupt(offset, tensor, what + ", more than the limit of " + limits.of(limit) + "; " + limit.remedy());
    }

    @Override
    public void close() throws CheckpointException {
        try {
            channel.close();
        } catch (IOException e) {
            throw new CheckpointException(path, -1, null, "it cannot be closed: " + Reason.of(e), e);
        }
    }
}
