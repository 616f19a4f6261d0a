package io.github.convzoo.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads DJL's {@code .params}, big-endian, in the layout of BaseModel.save and Block.saveParameters of DJL 0.35: the
 * model's name, inputs and properties, which saveParameters omits; then for each block, depth first, a version, the
 * block's own data, and its parameters. A parameter is a {@code P}, a version, its name, and an array in the format of
 * NDArray.encode.
 *
 * <p>Only the block itself knows its own data, usually a few numbers and shapes. So parameters are found by how they
 * start, and each must start shortly after the one before.
 */
final class DjlReader {
    private static final String MAGIC = "DJL@";
    private static final String ARRAY = "\0\4NDAR";
    private static final int MODEL_VERSION = 1;
    private static final int NEWEST_ARRAY = 3;
    /** The maximum size of blocks' own data between two parameters. */
    private static final int GAP = 4096;
    /** The range that is searched first for a parameter, in bytes. */
    private static final int NEAR = 512;
    /** The letter and version at the start of a parameter. */
    private static final byte[] PARAMETER = {0, 'P', 1};

    private final MappedFile file;
    private final Limits limits;
    private final Map<String, Value> parameters = new LinkedHashMap<>();
    private long offset;
    /** The total size of texts so far. */
    private long textBytes;

    private DjlReader(MappedFile file, Limits limits) {
        this.file = file;
        this.limits = limits;
    }

    /** Whether a file starts like DJL's, in Latin-1. */
    static boolean recognizes(String head) {
        return head.startsWith(MAGIC) || head.contains(ARRAY + "\0\0\0");
    }

    static Checkpoint read(MappedFile file, Limits limits) throws CheckpointException {
        return new DjlReader(file, limits).read();
    }

    private Checkpoint read() throws CheckpointException {
        Map<String, String> properties = new LinkedHashMap<>();
        Cursor magic = next(MAGIC.length(), "the start of the file");
        if (magic.remaining() == MAGIC.length() && MAGIC.equals(magic.utf8(MAGIC.length()))) {
            readHeader(properties);
        } else {
            offset = 0;
        }
        while (findParameter()) {
            if (parameters.size() == limits.of(Limit.TENSORS)) {
                throw file.overLimit(offset, null, "the file has too many tensors", Limit.TENSORS, limits);
            }
            readParameter();
        }
        return new Checkpoint(
                file.path(), Format.DJL, new Value.Mapping(parameters, List.of()), Map.copyOf(properties), List.of());
    }

    private void readHeader(Map<String, String> properties) throws CheckpointException {
        int version = int32("the version");
        if (version != MODEL_VERSION) {
            throw file.corrupt(4, "version " + version + " of DJL's format is not supported, only 1");
        }
        text("the model's name");
        text("the model's data type");
        for (int inputs = count("inputs"); inputs > 0; inputs--) {
            text("an input's name");
            shape("an input");
        }
        for (int left = count("properties"); left > 0; left--) {
            String key = text("a property's name");
            if (properties.put(key, text("a property")) != null) {
                throw file.corrupt(
                        offset, "the model has the property " + CheckpointException.printable(key) + " twice");
            }
        }
    }

    /** Moves to the next parameter, and returns whether there is one. */
    private boolean findParameter() throws CheckpointException {
        long left = file.size() - offset;
        // A parameter's start, and its name's length, may extend beyond the gap. Most gaps are a few bytes long.
        long most = Math.min(GAP + 3L * limits.of(Limit.NAME_LENGTH) + 16, left);
        int at = find(Math.min(NEAR, most), Math.min(NEAR, most) == most);
        if (at < 0) {
            at = find(most, true);
        }
        if (at >= 0) {
            offset += at;
            return true;
        }
        if (left > GAP) {
            throw file.corrupt(
                    offset,
                    "no parameter starts in the next"
                            + " " + GAP + " bytes; the file is corrupt, or a block saves more of its"
                            + " own data than is supported");
        }
        return false;
    }

    /** The offset of a parameter in the next bytes; -1 if none exists, or more bytes are needed to decide. */
    private int find(long length, boolean all) throws CheckpointException {
        ByteBuffer bytes = ByteBuffer.wrap(file.copy(offset, length)).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < Math.min(bytes.limit(), GAP); at++) {
            if (isParameter(bytes, at)) {
                return at;
            }
            if (!all && (bytes.limit() - at <= PARAMETER.length || matches(bytes, at, PARAMETER))) {
                return -1;
            }
        }
        return -1;
    }

    private static boolean isParameter(ByteBuffer bytes, int at) {
        int name = at + PARAMETER.length + 2;
        if (name > bytes.limit() || !matches(bytes, at, PARAMETER)) {
            return false;
        }
        int nameBytes = Short.toUnsignedInt(Short.reverseBytes(bytes.getShort(name - 2)));
        return matches(bytes, name + nameBytes, new byte[] {0, 4, 'N', 'D', 'A', 'R'});
    }

    private static boolean matches(ByteBuffer bytes, int at, byte[] expected) {
        if (expected.length > bytes.limit() - at) {
            return false;
        }
        for (int i = 0; i < expected.length; i++) {
            if (bytes.get(at + i) != expected[i]) {
                return false;
            }
        }
        return true;
    }

    private void readParameter() throws CheckpointException {
        long at = offset;
        offset += PARAMETER.length;
        String name = parameters.size() + "." + text("a parameter's name");
        text("the start of the array");
        int version = int32("an array's version");
        if (version < 1 || version > NEWEST_ARRAY) {
            throw file.corrupt(
                    at, name, "version " + version + " of DJL's arrays is not supported, only 1 to " + NEWEST_ARRAY);
        }
        if (version > 1 && next(1, "an array").u8() == 1) {
            text("an array's name");
        }
        String layout = text("an array's layout");
        if (!layout.equals("DENSE")) {
            throw file.corrupt(at, name, "it is sparse (" + CheckpointException.printable(layout) + "); save it dense");
        }
        String typeName = text("an array's element type");
        ElementType type = elementType(typeName);
        if (type == null) {
            throw file.corrupt(
                    at,
                    name,
                    "the element type " + CheckpointException.printable(typeName)
                            + " is not supported; convert the model to FLOAT32");
        }
        long[] shape = shape(name);
        // Older arrays have the byte order of the machine that wrote them, which was rarely big-endian.
        if (version > 2 && next(1, "an array").u8() == '>' && type.bytes() > 1) {
            throw file.corrupt(
                    at, name, "it is big-endian, which is not supported; save it on a little-endian machine");
        }
        readData(name, type, shape, Integer.toUnsignedLong(int32("an array's length")), at);
    }

    private void readData(String name, ElementType type, long[] shape, long length, long at)
            throws CheckpointException {
        long bytes;
        try {
            bytes = Math.multiplyExact(Tensor.elements(shape), (long) type.bytes());
        } catch (ArithmeticException e) {
            throw file.corrupt(at, name, "the shape " + Arrays.toString(shape) + " is larger than any file");
        }
        if (bytes != length) {
            throw file.corrupt(
                    at,
                    name,
                    type + " of shape " + Arrays.toString(shape) + " takes " + bytes + " bytes, not " + length);
        }
        if (bytes > limits.of(Limit.TENSOR_BYTES)) {
            throw file.overLimit(at, name, "it has " + bytes + " bytes", Limit.TENSOR_BYTES, limits);
        }
        if (bytes > file.size() - offset) {
            throw file.corrupt(
                    offset,
                    name,
                    "it has " + bytes + " bytes, but the file has " + (file.size() - offset)
                            + " left; it is truncated, copy or download it again");
        }
        parameters.put(name, Tensor.rowMajor(name, type, shape, Tensor.elements(shape), file, offset, bytes));
        offset += bytes;
    }

    private static @Nullable ElementType elementType(String name) {
        return switch (name) {
            case "FLOAT64" -> ElementType.F64;
            case "FLOAT32" -> ElementType.F32;
            case "FLOAT16" -> ElementType.F16;
            case "BFLOAT16" -> ElementType.BF16;
            case "INT64" -> ElementType.I64;
            case "INT32" -> ElementType.I32;
            case "INT16" -> ElementType.I16;
            case "INT8" -> ElementType.I8;
            case "UINT8" -> ElementType.U8;
            case "BOOLEAN" -> ElementType.BOOL;
            default -> null;
        };
    }

    /** A reader of the next bytes, which the file must have. */
    private Cursor next(long length, String what) throws CheckpointException {
        long present = Math.min(length, file.size() - offset);
        Cursor in = new Cursor(file, offset, present, what);
        offset += present;
        return in;
    }

    private int int32(String what) throws CheckpointException {
        return Integer.reverseBytes(next(4, what).i32());
    }

    private int count(String of) throws CheckpointException {
        long at = offset;
        int count = int32("the number of " + of);
        if (count < 0 || count > limits.of(Limit.TENSORS)) {
            throw file.overLimit(at, null, "the file has " + count + " " + of, Limit.TENSORS, limits);
        }
        return count;
    }

    /** Java's modified UTF-8: two bytes of length, then the text, which must be the same in standard UTF-8. */
    private String text(String what) throws CheckpointException {
        long at = offset;
        int length =
                Short.toUnsignedInt(Short.reverseBytes((short) next(2, what).u16()));
        textBytes += length;
        if (textBytes > limits.of(Limit.HEADER_BYTES)) {
            throw file.overLimit(at, null, "the names and properties have more bytes", Limit.HEADER_BYTES, limits);
        }
        String text = next(length, what).utf8(length);
        if (text.length() > limits.of(Limit.NAME_LENGTH)) {
            throw file.overLimit(at, null, what + " has " + text.length() + " characters", Limit.NAME_LENGTH, limits);
        }
        return text;
    }

    /** A shape, followed by its layout, one 16-bit letter per dimension. */
    private long[] shape(String of) throws CheckpointException {
        long at = offset;
        int dimensions = int32("a shape");
        if (dimensions < 0 || dimensions > limits.of(Limit.DIMENSIONS)) {
            throw file.overLimit(at, of, "it has " + dimensions + " dimensions", Limit.DIMENSIONS, limits);
        }
        long[] shape = new long[dimensions];
        for (int i = 0; i < dimensions; i++) {
            shape[i] = Long.reverseBytes(next(8, "a shape").i64());
        }
        int letters = int32("a layout");
        if (letters < 0 || letters > limits.of(Limit.DIMENSIONS)) {
            throw file.overLimit(at, of, "its layout has " + letters + " letters", Limit.DIMENSIONS, limits);
        }
        next(2L * letters, "a layout").skip(2L * letters);
        return shape;
    }
}
