package io.github.convzoo.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.DoubleConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A named array of numbers, usually a view on a memory-mapped file.
 *
 * <p>Immutable as long as the underlying bytes are unchanged, and then thread-safe.
 */
public final class Tensor implements Value {
    private static final int CHUNK = 1 << 20;
    /** The size of the pieces in which tensors are compared, in bytes. */
    private static final int COMPARED = 1 << 16;

    private final String name;
    private final ElementType type;
    private final long[] shape;
    private final long size;

    /** In elements; empty if elements are row-major and without gaps. */
    private final long[] strides;

    /** From the first to the last element used, little-endian. Shared, so only absolute access is allowed. */
    private final ByteBuffer data;

    /** The file that the data is mapped from; null for memory. */
    private final @Nullable Origin origin;

    private Tensor(
            String name,
            ElementType type,
            long[] shape,
            long size,
            long[] strides,
            ByteBuffer data,
            @Nullable Origin origin) {
        this.name = name;
        this.type = type;
        this.shape = shape;
        this.size = size;
        this.strides = strides;
        this.data = data;
        this.origin = origin;
    }

    /**
     * {@return a new tensor over data in memory}
     *
     * @param name its name
     * @param type the type of its elements
     * @param shape its dimensions; none for a scalar
     * @param data its elements, row-major and little-endian regardless of the buffer's own order; the buffer's
     *     remaining bytes, which are viewed, not copied
     * @throws IllegalArgumentException if a dimension is negative, or the data's length does not match the shape
     */
    public static Tensor of(String name, ElementType type, long[] shape, ByteBuffer data) {
        long size;
        long bytes;
        try {
            size = elements(shape);
            bytes = Math.multiplyExact(size, (long) type.bytes());
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(
                    "tensor " + name + ": the dimensions " + Arrays.toString(shape) + " are invalid", e);
        }
        if (bytes != data.remaining()) {
            throw new IllegalArgumentException("tensor " + name + ": " + type + " of shape " + Arrays.toString(shape)
                    + " takes " + bytes + " bytes, not the " + data.remaining() + " given");
        }
        return new Tensor(name, type, shape.clone(), size, new long[0], readOnly(data), null);
    }

    /** The product of the dimensions; ArithmeticException if it overflows or a dimension is negative. */
    static long elements(long[] shape) {
        long elements = 1;
        for (long dimension : shape) {
            if (dimension < 0) {
                throw new ArithmeticException("negative dimension");
            }
            elements = Math.multiplyExact(elements, dimension);
        }
        return elements;
    }

    /** A tensor over a range of a file, for readers that have checked that the range has the right length. */
    static Tensor rowMajor(
            String name, ElementType type, long[] shape, long size, MappedFile file, long offset, long length)
            throws CheckpointException {
        return new Tensor(name, type, shape, size, new long[0], readOnly(file.view(offset, length)), file.origin());
    }

    /** The same with strides, for readers that have checked that the range covers all elements. */
    static Tensor strided(
            String name,
            ElementType type,
            long[] shape,
            long size,
            long[] strides,
            MappedFile file,
            long offset,
            long length)
            throws CheckpointException {
        return strided(name, type, shape, size, strides, file.view(offset, length))
                .from(file.origin());
    }

    /** A strided tensor over data in memory that covers all elements. */
    static Tensor strided(String name, ElementType type, long[] shape, long size, long[] strides, ByteBuffer data) {
        boolean rowMajor = size == 0 || isRowMajor(shape, strides);
        return new Tensor(name, type, shape, size, rowMajor ? new long[0] : strides, readOnly(data), null);
    }

    /** The same tensor, as a view on a file. */
    private Tensor from(@Nullable Origin file) {
        return file == null ? this : new Tensor(name, type, shape, size, strides, data, file);
    }

    /** Whether elements are row-major without gaps. The stride of a dimension of size 1 is ignored. */
    static boolean isRowMajor(long[] shape, long[] strides) {
        long expected = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            if (shape[i] != 1) {
                if (strides[i] != expected) {
                    return false;
                }
                expected *= shape[i];
            }
        }
        return true;
    }

    private static ByteBuffer readOnly(ByteBuffer data) {
        return data.slice().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * {@return the tensor's name in its mapping, such as {@code layer1.0.weight}; its index in a sequence; empty if the
     * file is this single tensor}
     */
    public String name() {
        return name;
    }

    /** {@return the type of the elements} */
    public ElementType type() {
        return type;
    }

    /** {@return a copy of the dimensions, outermost first; none for a scalar} */
    public long[] shape() {
        return shape.clone();
    }

    /** {@return the number of elements: the product of the dimensions, 1 for a scalar} */
    public long size() {
        return size;
    }

    /**
     * {@return the elements as stored: {@link #size()} times {@link ElementType#bytes()} bytes, little-endian and
     * row-major, read-only: a view if the file has this layout, else a copy on the heap} If the file is truncated
     * afterward, reading the view throws an InternalError, and crashes the process if a native library reads it.
     *
     * @throws UncheckedIOException if the file was truncated
     */
    public ByteBuffer bytes() {
        if (strides.length == 0) {
            touch(() -> {});
            return data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        }
        ByteBuffer copy = ByteBuffer.allocate((int) (size * type.bytes())).order(ByteOrder.LITTLE_ENDIAN);
        touch(() -> {
            Rows rows = rows();
            while (rows.next()) {
                gather(rows, 0, rows.length, copy);
            }
        });
        return copy.flip().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Converts the elements to float32, rounded to nearest; booleans become 0 and 1. Allocates nothing.
     *
     * @param out receives the elements, row-major, and advances its position
     * @throws IllegalArgumentException if the output has space for fewer than {@link #size()} elements
     * @throws UncheckedIOException if the file was truncated meanwhile
     */
    public void toFloats(FloatBuffer out) {
        if (out.remaining() < size) {
            throw new IllegalArgumentException(
                    "tensor " + name + " has " + size + " elements, but the output has space for " + out.remaining());
        }
        touch(() -> {
            if (strides.length == 0 && type == ElementType.F32) {
                out.put(data.duplicate().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer());
                return;
            }
            Rows rows = rows();
            while (rows.next()) {
                convert(rows.offset, rows.length, rows.step, out);
            }
        });
    }

    /**
     * Reads elements in place. If the file is truncated meanwhile, the JVM throws an InternalError at some point after
     * Java's own loops and copies read the missing part; other code, such as a checksum or a native library, would
     * crash the process.
     */
    private void touch(Runnable reading) {
        if (origin == null) {
            reading.run();
            return;
        }
        try {
            origin.check(name);
            reading.run();
            origin.check(name);
        } catch (InternalError e) {
            throw new UncheckedIOException(origin.shortened(name, e));
        } catch (CheckpointException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * {@return whether another tensor has the same type and shape, and the same elements, bit for bit}
     *
     * @param other the other tensor
     * @throws UncheckedIOException if a file was truncated meanwhile
     */
    @SuppressWarnings("ReferenceEquality") // a view of the same buffer need not be read
    public boolean hasSameElements(Tensor other) {
        if (type != other.type || !Arrays.equals(shape, other.shape)) {
            return false;
        }
        if (data == other.data && Arrays.equals(strides, other.strides)) {
            return true;
        }
        ByteBuffer mine = bytes();
        ByteBuffer theirs = other.bytes();
        byte[] one = new byte[Math.min(COMPARED, mine.remaining())];
        byte[] two = new byte[one.length];
        boolean[] same = {true};
        touch(() -> {
            while (mine.hasRemaining() && same[0]) {
                int length = Math.min(one.length, mine.remaining());
                mine.get(one, 0, length);
                theirs.get(two, 0, length);
                same[0] = Arrays.equals(one, 0, length, two, 0, length);
            }
        });
        return same[0];
    }

    private void convert(int offset, int length, int step, FloatBuffer out) {
        int at = offset;
        // The last step may exceed an int; nothing is read there.
        switch (type) {
            case F64 -> {
                for (int i = 0; i < length; i++, at += step) {
                    out.put((float) data.getDouble(at));
                }
            }
            case F32 -> {
                for (int i = 0; i < length; i++, at += step) {
                    out.put(data.getFloat(at));
                }
            }
            case F16 -> {
                for (int i = 0; i < length; i++, at += step) {
                    out.put(halfToFloat(data.getShort(at)));
                }
            }
            case BF16 -> {
                for (int i = 0; i < length; i++, at += step) {
                    out.put(Float.intBitsToFloat(data.getShort(at) << 16));
                }
            }
            case I64 -> {
                for (int i = 0; i < length; i++, at += step) {
                    out.put((float) data.getLong(at));
                }
            }
            case I32 -> {
                for (int i = 0; i < length; i++, at += step) {
                    out.put((float) data.getInt(at));
                }
            }
            case I16 -> {
                for (int i = 0; i < length; i++, at += step) {
                    out.put(data.getShort(at));
                }
            }
            case I8 -> {
                for (int i = 0; i < length; i++, at += step) {
                    out.put(data.get(at));
                }
            }
            case U8 -> {
                for (int i = 0; i < length; i++, at += step) {
                    out.put(data.get(at) & 0xff);
                }
            }
            case BOOL -> {
                for (int i = 0; i < length; i++, at += step) {
                    out.put(data.get(at) == 0 ? 0f : 1f);
                }
            }
        }
    }

    /**
     * Iterates over the elements in row-major order, as double, which represents all values of all types except I64
     * beyond 2^53; booleans become 0 and 1. The elements are read in place, without copying.
     *
     * @param action called for each element
     * @throws UncheckedIOException if the file was truncated meanwhile
     */
    public void forEach(DoubleConsumer action) {
        touch(() -> {
            Rows rows = rows();
            while (rows.next()) {
                pass(rows.offset, rows.length, rows.step, action);
            }
        });
    }

    private void pass(int offset, int length, int step, DoubleConsumer action) {
        int at = offset;
        switch (type) {
            case F64 -> {
                for (int i = 0; i < length; i++, at += step) {
                    action.accept(data.getDouble(at));
                }
            }
            case F32 -> {
                for (int i = 0; i < length; i++, at += step) {
                    action.accept(data.getFloat(at));
                }
            }
            case F16 -> {
                for (int i = 0; i < length; i++, at += step) {
                    action.accept(halfToFloat(data.getShort(at)));
                }
            }
            case BF16 -> {
                for (int i = 0; i < length; i++, at += step) {
                    action.accept(Float.intBitsToFloat(data.getShort(at) << 16));
                }
            }
            case I64 -> {
                for (int i = 0; i < length; i++, at += step) {
                    action.accept((double) data.getLong(at));
                }
            }
            case I32 -> {
                for (int i = 0; i < length; i++, at += step) {
                    action.accept(data.getInt(at));
                }
            }
            case I16 -> {
                for (int i = 0; i < length; i++, at += step) {
                    action.accept(data.getShort(at));
                }
            }
            case I8 -> {
                for (int i = 0; i < length; i++, at += step) {
                    action.accept(data.get(at));
                }
            }
            case U8 -> {
                for (int i = 0; i < length; i++, at += step) {
                    action.accept(data.get(at) & 0xff);
                }
            }
            case BOOL -> {
                for (int i = 0; i < length; i++, at += step) {
                    action.accept(data.get(at) == 0 ? 0 : 1);
                }
            }
        }
    }

    private Rows rows() {
        return strides.length == 0
                ? new Rows(new long[] {size}, new long[] {1}, type.bytes())
                : new Rows(shape, strides, type.bytes());
    }

    /** IEEE 754-2008 binary16 to binary32, which is exact. */
    static float halfToFloat(short half) {
        int sign = (half & 0x8000) << 16;
        int exponent = (half >> 10) & 0x1f;
        int fraction = half & 0x3ff;
        if (exponent == 0) {
            // Zero, or a subnormal number: a multiple of 2^-24.
            float magnitude = fraction * 0x1p-24f;
            return sign == 0 ? magnitude : -magnitude;
        }
        // The exponent's bias changes from 15 to 127; infinities and NaNs have the largest exponent in both.
        int wide = exponent == 0x1f ? 0xff : exponent - 15 + 127;
        return Float.intBitsToFloat(sign | (wide << 23) | (fraction << 13));
    }

    /**
     * {@return a tensor that shares this one's elements, under another name}
     *
     * @param newName the name
     */
    public Tensor withName(String newName) {
        return new Tensor(Objects.requireNonNull(newName), type, shape, size, strides, data, origin);
    }

    /**
     * {@return the same elements in another shape: a tensor that shares this one's elements if they are row-major;
     * otherwise one with a copy}
     *
     * @param newShape the dimensions
     * @throws IllegalArgumentException if the shape has another number of elements
     */
    public Tensor withShape(long... newShape) {
        return of(name, type, newShape, bytes()).from(strides.length == 0 ? origin : null);
    }

    /**
     * {@return the transposed matrix, which shares this tensor's elements}
     *
     * @throws IllegalStateException if this tensor does not have two dimensions
     */
    public Tensor transposed() {
        if (shape.length != 2) {
            throw new IllegalStateException("tensor " + name + " has " + shape.length + " dimensions, not 2");
        }
        long row = strides.length == 0 ? shape[1] : strides[0];
        long column = strides.length == 0 ? 1 : strides[1];
        return strided(name, type, new long[] {shape[1], shape[0]}, size, new long[] {column, row}, data)
                .from(origin);
    }

    /** Writes {@link #bytes()} in chunks. */
    void writeTo(WritableByteChannel out) throws IOException {
        if (origin == null) {
            writeElements(out);
            return;
        }
        origin.check(name);
        try {
            writeElements(out);
        } catch (InternalError e) {
            throw origin.shortened(name, e);
        }
        origin.check(name);
    }

    private void writeElements(WritableByteChannel out) throws IOException {
        if (strides.length == 0) {
            for (int at = 0; at < data.limit(); at += Math.min(CHUNK, data.limit() - at)) {
                writeFully(data.slice(at, Math.min(CHUNK, data.limit() - at)), out);
            }
            return;
        }
        ByteBuffer chunk = ByteBuffer.allocateDirect((int) Math.min(CHUNK, size * type.bytes()))
                .order(ByteOrder.LITTLE_ENDIAN);
        Rows rows = new Rows(shape, strides, type.bytes());
        while (rows.next()) {
            for (int done = 0; done < rows.length; ) {
                int fits = Math.min(rows.length - done, chunk.remaining() / type.bytes());
                gather(rows, done, fits, chunk);
                done += fits;
                if (chunk.remaining() < type.bytes()) {
                    writeFully(chunk.flip(), out);
                    chunk.clear();
                }
            }
        }
        writeFully(chunk.flip(), out);
    }

    private static void writeFully(ByteBuffer bytes, WritableByteChannel out) throws IOException {
        while (bytes.hasRemaining()) {
            out.write(bytes);
        }
    }

    private void gather(Rows rows, int from, int length, ByteBuffer out) {
        int at = rows.offset + from * rows.step;
        for (int i = 0; i < length; i++, at += rows.step) {
            switch (type.bytes()) {
                case 1 -> out.put(data.get(at));
                case 2 -> out.putShort(data.getShort(at));
                case 4 -> out.putInt(data.getInt(at));
                default -> out.putLong(data.getLong(at));
            }
        }
    }

    /** A line for people: name, type and shape. */
    @Override
    public String toString() {
        return name + " " + type + Arrays.toString(shape);
    }

    /**
     * Iterates over the innermost dimension's rows in row-major order. Offsets are in bytes and fit in an int, like the
     * data.
     */
    private static final class Rows {
        final int length;
        final int step;
        int offset;

        private final long[] shape;
        private final int[] steps;
        private final int[] index;
        private boolean begun;

        Rows(long[] shape, long[] strides, int elementBytes) {
            int outer = Math.max(0, shape.length - 1);
            this.shape = shape;
            this.steps = new int[outer];
            this.index = new int[outer];
            // The stride of a dimension of size 1 is never used, and may be any number.
            for (int i = 0; i < outer; i++) {
                steps[i] = shape[i] == 1 ? 0 : (int) (strides[i] * elementBytes);
            }
            this.length = shape.length == 0 ? 1 : (int) shape[outer];
            this.step = length <= 1 ? 0 : (int) (strides[outer] * elementBytes);
        }

        boolean next() {
            if (!begun) {
                begun = true;
                return true;
            }
            for (int i = index.length - 1; i >= 0; i--) {
                if (++index[i] < shape[i]) {
                    offset += steps[i];
                    return true;
                }
                offset -= (index[i] - 1) * steps[i];
                index[i] = 0;
            }
            return false;
        }
    }
}
