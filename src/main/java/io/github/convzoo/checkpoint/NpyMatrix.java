package io.github.convzoo.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A matrix of float32 in an {@code .npy} file of any size, beyond the 2 GiB of a {@link Tensor}: memory-mapped for
 * reading rows, or written row by row. Thread-safe for reading.
 */
public final class NpyMatrix {

    /** A range of up to 1 GiB is in one window of the mapped file. */
    private static final long PIECE_BYTES = 1L << 29;

    private final MappedFile file;
    private final long rows;
    private final int columns;
    private final long pieceRows;
    private final List<ByteBuffer> pieces;

    private NpyMatrix(MappedFile file, long rows, int columns, long pieceRows, List<ByteBuffer> pieces) {
        this.file = file;
        this.rows = rows;
        this.columns = columns;
        this.pieceRows = pieceRows;
        this.pieces = List.copyOf(pieces);
    }

    /**
     * Maps a matrix: versions 1, 2 and 3 of the format, little-endian, row-major.
     *
     * @param path the file
     * @return the matrix; its memory is unmapped when it is garbage-collected
     * @throws CheckpointException if the file cannot be read, is not an {@code .npy} file, is corrupt or truncated, or
     *     has anything but rows of float32
     */
    public static NpyMatrix open(Path path) throws CheckpointException {
        try (MappedFile file = MappedFile.open(path)) {
            Npy.Preamble preamble = Npy.preamble(file, 0, file.size(), Limits.DEFAULT);
            Npy.Header header = preamble.header();
            long[] shape = header.shape;
            if (header.type != ElementType.F32 || (header.fortranOrder && shape.length > 1)) {
                throw file.corrupt(
                        8,
                        "has " + (header.fortranOrder ? "columns" : "rows") + " of type "
                                + CheckpointException.printable(header.descr)
                                + ", but rows of float32 are needed; write it as"
                                + " numpy.ascontiguousarray(array, dtype='<f4')");
            }
            if (shape.length != 2 || shape[1] < 1 || shape[1] > PIECE_BYTES / Float.BYTES) {
                throw file.corrupt(
                        8, "has the shape " + Arrays.toString(shape) + ", but a matrix is needed: one row per vector");
            }
            long rowBytes = shape[1] * Float.BYTES;
            long available = file.size() - preamble.dataStart();
            if (shape[0] > available / rowBytes || shape[0] * rowBytes != available) {
                throw file.corrupt(
                        preamble.dataStart(),
                        shape[0] + " rows of " + rowBytes + " bytes each are announced, but there are " + available
                                + " bytes; it is truncated or has more than one array");
            }
            long pieceRows = PIECE_BYTES / rowBytes;
            List<ByteBuffer> pieces = new ArrayList<>();
            for (long row = 0; row < shape[0]; row += pieceRows) {
                long count = Math.min(pieceRows, shape[0] - row);
                pieces.add(file.view(preamble.dataStart() + row * rowBytes, count * rowBytes));
            }
            return new NpyMatrix(file, shape[0], (int) shape[1], pieceRows, pieces);
        }
    }

    /** {@return the file's path} */
    public Path path() {
        return file.path();
    }

    /** {@return the number of rows, which may exceed an int} */
    public long rows() {
        return rows;
    }

    /** {@return the number of columns: the length of a row} */
    public int columns() {
        return columns;
    }

    /**
     * Reads consecutive rows.
     *
     * @param first the first row
     * @param count the number of rows
     * @param into receives the rows, one after the other, from its start
     * @throws CheckpointException if the file was truncated meanwhile
     * @throws IndexOutOfBoundsException if the matrix lacks one of the rows, or the array is too short
     */
    public void read(long first, int count, float[] into) throws CheckpointException {
        if (first < 0 || count < 0 || first > rows - count) {
            throw new IndexOutOfBoundsException("rows " + first + " to " + (first + count) + " of " + rows);
        }
        Origin origin = file.origin();
        try {
            long row = first;
            int done = 0;
            while (done < count) {
                ByteBuffer piece = pieces.get((int) (row / pieceRows));
                int at = (int) (row % pieceRows) * columns;
                int some = (int) Math.min(count - done, pieceRows - row % pieceRows);
                // Threads share the piece, but not its position.
                piece.duplicate()
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .asFloatBuffer()
                        .position(at)
                        .get(into, done * columns, some * columns);
                row += some;
                done += some;
            }
            if (origin != null) {
                origin.check(null);
            }
        } catch (InternalError e) {
            if (origin == null) {
                throw e;
            }
            throw origin.shortened(null, e);
        }
    }

    /**
     * Writes a matrix row by row, byte for byte like {@code numpy.save}. The file has a temporary name until {@link
     * #finish}.
     */
    public static final class Writer implements AutoCloseable {

        private static final int BUFFER_BYTES = 1 << 20;

        private final ReplacedFile.Draft draft;
        private final int columns;
        private final ByteBuffer buffer;
        private long rows;

        private Writer(ReplacedFile.Draft draft, int columns) {
            this.draft = draft;
            this.columns = columns;
            buffer = ByteBuffer.allocateDirect(Math.max(BUFFER_BYTES, columns * Float.BYTES))
                    .order(ByteOrder.LITTLE_ENDIAN);
        }

        /**
         * Starts a file.
         *
         * @param file the file, replaced if it exists, but not before {@link #finish}
         * @param columns the length of a row, 1 to 134,217,728
         * @return the writer; close it
         * @throws CheckpointException if the folder cannot be written to
         * @throws IllegalArgumentException if the length is out of range
         */
        public static Writer create(Path file, int columns) throws CheckpointException {
            if (columns < 1 || columns > PIECE_BYTES / Float.BYTES) {
                throw new IllegalArgumentException(
                        "a row must have 1 to " + PIECE_BYTES / Float.BYTES + " numbers, not " + columns);
            }
            Writer writer = new Writer(ReplacedFile.Draft.create(file), columns);
            // The number of rows is not known yet, but where it will be is.
            writer.buffer.put(Npy.header("<f4", 0, columns));
            return writer;
        }

        /**
         * Appends a row.
         *
         * @param row as many numbers as there are columns
         * @throws CheckpointException if it cannot be written
         * @throws IllegalArgumentException if it has another length
         */
        public void append(float[] row) throws CheckpointException {
            if (row.length != columns) {
                throw new IllegalArgumentException("a row has " + columns + " numbers, not " + row.length);
            }
            if (buffer.remaining() < row.length * Float.BYTES) {
                flush();
            }
            buffer.asFloatBuffer().put(row);
            buffer.position(buffer.position() + row.length * Float.BYTES);
            rows++;
        }

        /** {@return the number of rows so far} */
        public long rows() {
            return rows;
        }

        private void flush() throws CheckpointException {
            buffer.flip();
            try {
                while (buffer.hasRemaining()) {
                    draft.channel().write(buffer);
                }
            } catch (IOException e) {
                throw draft.failure(e);
            }
            buffer.clear();
        }

        /**
         * Writes the number of rows and moves the file into place.
         *
         * @throws CheckpointException if that fails; an existing file is then unchanged
         */
        public void finish() throws CheckpointException {
            flush();
            ByteBuffer header = Npy.header("<f4", rows, columns);
            try {
                while (header.hasRemaining()) {
                    draft.channel().write(header, header.position());
                }
            } catch (IOException e) {
                throw draft.failure(e);
            }
            draft.finish();
        }

        /** Discards what was written, unless it is finished. */
        @Override
        public void close() throws CheckpointException {
            draft.close();
        }
    }
}
