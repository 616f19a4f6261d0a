package io.github.convzoo.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes single arrays as NumPy's {@code .npy} files, as described in {@code numpy.lib.format}: the magic
 * number, a version, the header's length, a Python dictionary of {@code descr}, {@code fortran_order} and {@code
 * shape}, the data.
 */
public final class Npy {
    private static final String MAGIC = "\u0093NUMPY";
    /** NumPy reserves space in the header for a longer first dimension: 21 digits, one more than 2^64 takes. */
    private static final int GROWTH_DIGITS = 21;

    private static final int ALIGNMENT = 64;

    /** NumPy's types beyond {@link ElementType}: objects, complex and unsigned numbers, text, bytes, times. */
    private static final Pattern OTHER_TYPES = Pattern.compile(
            "[<|=](O|c8|c16|c32|u[248]|f16|[iu][1248]|f[248]|b1|[SUV][0-9]{1,9}|[mM]8(\\[[0-9]*[A-Za-z]+\\])?)");

    private Npy() {}

    /**
     * Reads an array with {@link Limits#DEFAULT}: versions 1, 2 and 3, little-endian, row-major or column-major
     * ({@code fortran_order}), of any type that {@link ElementType} shares with NumPy.
     *
     * @param file the file
     * @return the array, without a name; a view on the memory-mapped file
     * @throws CheckpointException if the file cannot be read, is not an {@code .npy} file, is corrupt, or has an
     *     unsupported type
     */
    public static Tensor read(Path file) throws CheckpointException {
        return read(file, Limits.DEFAULT);
    }

    /**
     * Reads an array like {@link #read(Path)}.
     *
     * @param file the file
     * @param limits limits for reading the file
     * @return the array, without a name; a view on the memory-mapped file
     * @throws CheckpointException if the file cannot be read, is not an {@code .npy} file, is corrupt, over a limit, or
     *     has an unsupported type
     */
    public static Tensor read(Path file, Limits limits) throws CheckpointException {
        try (MappedFile mapped = MappedFile.open(file)) {
            Value value = read(mapped, 0, mapped.size(), "", limits);
            if (value instanceof Tensor tensor) {
                return tensor;
            }
            throw mapped.corrupt(
                    8,
                    "the element type of " + (value instanceof Value.Placeholder other ? other.global() : "it")
                            + " is not supported; use '<f4'");
        }
    }

    /**
     * What comes before an array's data.
     *
     * @param dataStart the offset of the data in the file, in bytes
     */
    record Preamble(Header header, long dataStart) {}

    /** Reads what comes before the data of an array in a range of a file. */
    static Preamble preamble(MappedFile file, long start, long length, Limits limits) throws CheckpointException {
        Cursor prefix = new Cursor(file, start, Math.min(12, length), "the .npy prefix");
        if (prefix.remaining() < 8 || !MAGIC.equals(new String(prefix.take(6), StandardCharsets.ISO_8859_1))) {
            throw file.corrupt(start, "this is not an .npy file; write one with numpy.save");
        }
        int version = prefix.u8();
        if (version < 1 || version > 3 || prefix.u8() != 0) {
            throw file.corrupt(start + 6, "version " + version + " of .npy is not supported, only 1.0, 2.0 and 3.0");
        }
        long headerBytes = version == 1 ? prefix.u16() : prefix.u32();
        if (headerBytes > limits.of(Limit.HEADER_BYTES)) {
            throw file.overLimit(
                    start + 8, null, "the header has " + headerBytes + " bytes", Limit.HEADER_BYTES, limits);
        }
        Header header =
                new Header(file, new Cursor(file, prefix.offset(), headerBytes, "the header"), version < 3, limits);
        return new Preamble(header, prefix.offset() + headerBytes);
    }

    /** Reads an array in a range of a file; a placeholder if {@link ElementType} lacks its type. */
    static Value read(MappedFile file, long start, long length, String name, Limits limits) throws CheckpointException {
        Preamble preamble = preamble(file, start, length, limits);
        Header header = preamble.header;
        long dataStart = preamble.dataStart;
        ElementType type = header.type;
        if (type == null) {
            if (!OTHER_TYPES.matcher(header.descr).matches()) {
                throw file.corrupt(
                        start + 8,
                        "the element type " + CheckpointException.printable(header.descr)
                                + " is unknown to NumPy; the file is corrupt");
            }
            return new Value.Placeholder("numpy." + header.descr);
        }
        long size;
        long bytes;
        try {
            size = Tensor.elements(header.shape);
            bytes = Math.multiplyExact(size, (long) type.bytes());
        } catch (ArithmeticException e) {
            throw file.corrupt(start + 8, "the shape " + Arrays.toString(header.shape) + " is larger than any file");
        }
        if (bytes > limits.of(Limit.TENSOR_BYTES)) {
            throw file.overLimit(start + 8, null, "the array has " + bytes + " bytes", Limit.TENSOR_BYTES, limits);
        }
        long available = start + length - dataStart;
        if (bytes != available) {
            throw file.corrupt(
                    dataStart,
                    type + " of shape " + Arrays.toString(header.shape) + " takes " + bytes
                            + " bytes, but there are " + available
                            + "; it is truncated or has more than one array");
        }
        if (!header.fortranOrder) {
            return Tensor.rowMajor(name, type, header.shape, size, file, dataStart, bytes);
        }
        long[] strides = new long[header.shape.length];
        long stride = 1;
        for (int i = 0; i < strides.length; i++) {
            strides[i] = stride;
            // An array without elements may have dimensions whose product overflows; its strides are never used.
            stride *= header.shape[i];
        }
        if (size > 0 && !Tensor.isRowMajor(header.shape, strides) && bytes > limits.of(Limit.COPIED_BYTES)) {
            throw file.overLimit(
                    start + 8, null, "the array in Fortran order has " + bytes + " bytes", Limit.COPIED_BYTES, limits);
        }
        return Tensor.strided(name, type, header.shape, size, strides, file, dataStart, bytes);
    }

    /**
     * Writes an array in row-major order, byte for byte like {@code numpy.save}. The file is written atomically.
     *
     * @param file the file, replaced if it exists
     * @param array the array; its name is not written
     * @throws CheckpointException if NumPy lacks the element type, which is the case for {@link ElementType#BF16}, or
     *     writing fails
     */
    public static void write(Path file, Tensor array) throws CheckpointException {
        String numpy = array.type()
                .numpy()
                .orElseThrow(() -> new CheckpointException(
                        file,
                        -1,
                        array.name(),
                        "NumPy has no " + array.type() + "; convert it to F32 or write safetensors",
                        null));
        ByteBuffer header = header((array.type().bytes() == 1 ? "|" : "<") + numpy, array.shape());
        ReplacedFile.write(file, out -> {
            while (header.hasRemaining()) {
                out.write(header);
            }
            array.writeTo(out);
        });
    }

    /**
     * The preamble of an array in row-major order. Its length does not depend on the first dimension, so that this can
     * be written last.
     */
    static ByteBuffer header(String descr, long... shape) {
        StringBuilder text =
                new StringBuilder("{'descr': '").append(descr).append("', 'fortran_order': False, 'shape': (");
        for (int i = 0; i < shape.length; i++) {
            text.append(i > 0 ? ", " : "").append(shape[i]);
        }
        text.append(shape.length == 1 ? ",), }" : "), }");
        if (shape.length > 0) {
            text.append(" ".repeat(GROWTH_DIGITS - Long.toString(shape[0]).length()));
        }
        // This library cannot create so many dimensions that the length exceeds the 16 bits of version 1.
        int unpadded = MAGIC.length() + 2 + 2 + text.length() + 1;
        text.append(" ".repeat(Math.floorMod(-unpadded, ALIGNMENT))).append('\n');
        return ByteBuffer.allocate(MAGIC.length() + 4 + text.length())
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(MAGIC.getBytes(StandardCharsets.ISO_8859_1))
                .put((byte) 1)
                .put((byte) 0)
                .putShort((short) text.length())
                .put(text.toString().getBytes(StandardCharsets.ISO_8859_1))
                .flip();
    }

    /** The dictionary: a Python literal, restricted to the syntax that {@code numpy.save} writes. */
    static final class Header {
        private final MappedFile file;
        private final Cursor in;
        /** Whether Python 2 may have written the file. */
        private final boolean python2;

        private final Limits limits;
        private final long start;

        /** Null for other types. */
        final @Nullable ElementType type;

        final String descr;
        final boolean fortranOrder;
        final long[] shape;

        Header(MappedFile file, Cursor in, boolean python2, Limits limits) throws CheckpointException {
            this.file = file;
            this.in = in;
            this.python2 = python2;
            this.limits = limits;
            this.start = in.offset();
            String readType = null;
            Boolean readOrder = null;
            long[] readShape = null;
            // After a line feed, spaces would indent.
            while (in.peek() == ' ') {
                in.u8();
            }
            if (in.peek() == '\n') {
                throw in.corrupt("the header is malformed: expected '{'");
            }
            expect('{');
            while (next() != '}') {
                String key = string();
                expect(':');
                boolean repeated = true;
                switch (key) {
                    case "descr" -> {
                        repeated = readType != null;
                        readType = descr();
                    }
                    case "fortran_order" -> {
                        repeated = readOrder != null;
                        readOrder = truth();
                    }
                    case "shape" -> {
                        repeated = readShape != null;
                        readShape = tuple();
                    }
                    default -> throw in.corrupt("the header has an unknown key " + CheckpointException.printable(key));
                }
                if (repeated) {
                    throw in.corrupt("the header has the key " + key + " twice");
                }
                if (next() != '}') {
                    expect(',');
                }
            }
            expect('}');
            while (in.peek() == ' ') {
                in.u8();
            }
            // After a line feed, spaces would indent.
            while (in.peek() == '\n') {
                in.u8();
            }
            if (in.peek() >= 0) {
                throw in.corrupt("the header continues after its end");
            }
            if (readType == null || readOrder == null || readShape == null) {
                throw in.corrupt("the header lacks one of descr, fortran_order and shape");
            }
            this.type = elementType(readType);
            this.descr = readType;
            this.fortranOrder = readOrder;
            this.shape = readShape;
        }

        private @Nullable ElementType elementType(String descr) throws CheckpointException {
            if (descr.startsWith(">")) {
                throw file.corrupt(
                        start,
                        "the array is big-endian; write it again as array.astype(array.dtype.newbyteorder('<'))");
            }
            boolean littleEndian = descr.startsWith("<");
            String numpy = littleEndian || descr.startsWith("|") ? descr.substring(1) : descr;
            for (ElementType candidate : ElementType.values()) {
                if (candidate.numpy().filter(numpy::equals).isPresent() && (littleEndian || candidate.bytes() == 1)) {
                    return candidate;
                }
            }
            return null;
        }

        private String descr() throws CheckpointException {
            if (next() == '[') {
                throw in.corrupt("the array has fields, which are not supported; save each field as an array");
            }
            return string();
        }

        private String string() throws CheckpointException {
            int quote = next();
            if (quote != '\'' && quote != '"') {
                throw in.corrupt("the header is malformed: expected quoted text");
            }
            in.u8();
            StringBuilder text = new StringBuilder();
            for (int c = in.u8(); c != quote; c = in.u8()) {
                if (c == '\\' || c < 0x20 || c > 0x7e || text.length() == limits.of(Limit.NAME_LENGTH)) {
                    throw in.corrupt("the header is malformed: a text has an invalid character or is too long");
                }
                text.append((char) c);
            }
            return text.toString();
        }

        private boolean truth() throws CheckpointException {
            String word = next() == 'T' ? "True" : "False";
            for (int i = 0; i < word.length(); i++) {
                if (in.u8() != word.charAt(i)) {
                    throw in.corrupt("the header is malformed: expected True or False");
                }
            }
            return word.equals("True");
        }

        private long[] tuple() throws CheckpointException {
            List<Long> numbers = new ArrayList<>();
            expect('(');
            while (next() != ')') {
                if (numbers.size() == limits.of(Limit.DIMENSIONS)) {
                    throw file.overLimit(
                            in.offset(), null, "the array has too many dimensions", Limit.DIMENSIONS, limits);
                }
                numbers.add(whole());
                if (next() != ')') {
                    expect(',');
                } else if (numbers.size() == 1) {
                    throw in.corrupt("the header is malformed: (" + numbers.get(0)
                            + ") is a number in Python, not a tuple such as (" + numbers.get(0) + ",)");
                }
            }
            expect(')');
            return numbers.stream().mapToLong(Long::longValue).toArray();
        }

        private long whole() throws CheckpointException {
            if (next() < '0' || next() > '9') {
                throw in.corrupt("the header is malformed: expected a dimension");
            }
            long number = 0;
            for (int digits = 0; in.peek() >= '0' && in.peek() <= '9'; digits++) {
                int digit = in.u8() - '0';
                if (digits > 0 && number == 0) {
                    throw in.corrupt("the header has a number with a leading zero, which Python refuses");
                }
                if (number > (Long.MAX_VALUE - digit) / 10) {
                    throw in.corrupt("the header has a dimension beyond 2^63");
                }
                number = number * 10 + digit;
            }
            // Python 2 wrote a suffix for long integers.
            if (python2 && in.peek() == 'L') {
                in.u8();
            }
            return number;
        }

        private void expect(char c) throws CheckpointException {
            if (next() != c) {
                throw in.corrupt("the header is malformed: expected '" + c + "'");
            }
            in.u8();
        }

        private int next() throws CheckpointException {
            while (in.peek() == ' ' || in.peek() == '\n') {
                in.u8();
            }
            return in.peek();
        }
    }
}
