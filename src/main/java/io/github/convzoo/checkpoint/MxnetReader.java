package io.github.convzoo.checkpoint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads MXNet's {@code .params}, in the layout of NDArray::Save in src/ndarray/ndarray.cc, little-endian: a magic
 * number and zeros, 64 bits each; the number of arrays and the arrays; the number of names and the names.
 *
 * <p>An array starts with the magic number of its version. Versions 2 and 3: the storage type (0 for dense), the number
 * of dimensions and the dimensions, 64 bits each, the device, the element type, the elements. Version 1 has no storage
 * type; earlier arrays have the number of dimensions instead of the magic number, and 32-bit dimensions. An array
 * without dimensions is missing and nothing follows, except that version 3 has scalars, and -1 dimensions for a missing
 * array.
 */
final class MxnetReader {
    private static final long LIST_MAGIC = 0x112;
    private static final int VERSION_1 = 0xf993fac8;
    private static final int VERSION_2 = 0xf993fac9;
    private static final int VERSION_3 = 0xf993faca;
    private static final int DENSE = 0;

    private final MappedFile file;
    private final Limits limits;
    private final Set<String> placeholders = new LinkedHashSet<>();
    private long offset;

    private MxnetReader(MappedFile file, Limits limits) {
        this.file = file;
        this.limits = limits;
    }

    static Checkpoint read(MappedFile file, Limits limits) throws CheckpointException {
        return new MxnetReader(file, limits).read();
    }

    private Checkpoint read() throws CheckpointException {
        long magic = next(8, "the list's magic number").i64();
        long reserved = next(8, "the list's magic number").i64();
        if (magic != LIST_MAGIC || reserved != 0) {
            throw file.corrupt(0, "this is not an MXNet parameter file; write one with mxnet.nd.save");
        }
        long count = count("arrays");
        List<Value> arrays = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            arrays.add(array(Long.toString(i)));
        }
        long at = offset;
        long names = count("names");
        if (names != 0 && names != count) {
            throw file.corrupt(at, "the file has " + count + " arrays and " + names + " names; it is corrupt");
        }
        Value root = names == 0 && count > 0 ? new Value.Sequence(arrays) : named(arrays);
        if (offset != file.size()) {
            throw file.corrupt(offset, "the file continues after its last name; it is corrupt");
        }
        return new Checkpoint(file.path(), Format.MXNET, root, Map.of(), List.copyOf(placeholders));
    }

    private Value named(List<Value> arrays) throws CheckpointException {
        Map<String, Value> named = new LinkedHashMap<>();
        long begin = offset;
        for (Value array : arrays) {
            long at = offset;
            long length = next(8, "a name's length").i64();
            // A character takes at most four bytes.
            if (length < 0 || length > 4L * limits.of(Limit.NAME_LENGTH)) {
                throw tooLongName(at, length);
            }
            if (offset + length - begin > limits.of(Limit.HEADER_BYTES)) {
                throw file.overLimit(at, null, "the names have more bytes", Limit.HEADER_BYTES, limits);
            }
            String name = next(length, "a name").utf8(length);
            if (name.length() > limits.of(Limit.NAME_LENGTH)) {
                throw tooLongName(at, name.length());
            }
            if (name.indexOf(0) >= 0) {
                throw file.corrupt(at, name, "the name has a zero byte, where MXNet would end it; the file is corrupt");
            }
            if (named.put(name, array instanceof Tensor tensor ? tensor.withName(name) : array) != null) {
                throw file.corrupt(at, name, "the file has two arrays of this name");
            }
        }
        return new Value.Mapping(named, List.of());
    }

    private CheckpointException tooLongName(long at, long length) {
        return file.overLimit(
                at, null, "a name has " + Long.toUnsignedString(length) + " bytes", Limit.NAME_LENGTH, limits);
    }

    /** A reader of the next bytes, which the file must have. */
    private Cursor next(long length, String what) throws CheckpointException {
        Cursor in = new Cursor(file, offset, Math.min(length, file.size() - offset), what);
        // Missing bytes are reported when they are read; only the offset advances here.
        offset += Math.min(length, file.size() - offset);
        return in;
    }

    private long count(String of) throws CheckpointException {
        long at = offset;
        long count = next(8, "the number of " + of).i64();
        if (count < 0 || count > limits.of(Limit.TENSORS)) {
            throw file.overLimit(
                    at, null, "the file has " + Long.toUnsignedString(count) + " " + of, Limit.TENSORS, limits);
        }
        return count;
    }

    private Value array(String name) throws CheckpointException {
        long at = offset;
        int magic = next(4, "an array").i32();
        long[] shape = shape(magic, name, at);
        if (shape == null) {
            return new Value.None();
        }
        // The device's kind and number, where the array was in memory.
        next(8, "an array's device").i64();
        int flag = next(4, "an array's element type").i32();
        long bytes;
        try {
            bytes = Math.multiplyExact(Tensor.elements(shape), (long) width(flag, name));
        } catch (ArithmeticException e) {
            throw file.corrupt(at, name, "the shape " + Arrays.toString(shape) + " is larger than any file");
        }
        if (bytes > file.size() - offset) {
            throw file.corrupt(
                    offset,
                    name,
                    "it has " + bytes + " bytes, but the file has " + (file.size() - offset)
                            + " left; it is truncated, copy or download it again");
        }
        if (Arrays.stream(shape).anyMatch(dimension -> dimension > Integer.MAX_VALUE)) {
            throw file.corrupt(
                    at,
                    name,
                    "the shape" + " " + Arrays.toString(shape)
                            + " has a dimension of more than 31 bits, which MXNet truncates");
        }
        if (bytes > limits.of(Limit.TENSOR_BYTES)) {
            throw file.overLimit(at, name, "it has " + bytes + " bytes", Limit.TENSOR_BYTES, limits);
        }
        long data = offset;
        offset += bytes;
        ElementType type = elementType(flag);
        if (type == null) {
            Value.Placeholder placeholder = new Value.Placeholder("mxnet.uint" + 8 * width(flag, name));
            placeholders.add(placeholder.global());
            return placeholder;
        }
        return Tensor.rowMajor(name, type, shape, Tensor.elements(shape), file, data, bytes);
    }

    /** The dimensions, or null if there is no array. */
    private long @Nullable [] shape(int magic, String name, long at) throws CheckpointException {
        boolean wide = magic == VERSION_1 || magic == VERSION_2 || magic == VERSION_3;
        if (magic == VERSION_2 || magic == VERSION_3) {
            int storage = next(4, "an array's kind of storage").i32();
            if (storage != DENSE) {
                throw file.corrupt(
                        at, name, "it is sparse (kind " + storage + "); save array.tostype('default') instead");
            }
        }
        int dimensions = wide ? next(4, "an array's number of dimensions").i32() : magic;
        if (dimensions == (magic == VERSION_3 ? -1 : 0)) {
            return null;
        }
        if (!wide && (dimensions < 0 || dimensions > 0xff)) {
            throw file.corrupt(
                    at, name, String.format("expected an array, but found 0x%08x; the file is corrupt", magic));
        }
        if (dimensions < 0 || dimensions > limits.of(Limit.DIMENSIONS)) {
            throw file.overLimit(at, name, "it has " + dimensions + " dimensions", Limit.DIMENSIONS, limits);
        }
        Cursor in = next((long) dimensions * (wide ? 8 : 4), "an array's dimensions");
        long[] shape = new long[dimensions];
        for (int i = 0; i < dimensions; i++) {
            shape[i] = wide ? in.i64() : in.u32();
        }
        return shape;
    }

    /** The element type of a flag, as in mshadow/base.h; null for other types. */
    private static @Nullable ElementType elementType(int flag) {
        return switch (flag) {
            case 0 -> ElementType.F32;
            case 1 -> ElementType.F64;
            case 2 -> ElementType.F16;
            case 3 -> ElementType.U8;
            case 4 -> ElementType.I32;
            case 5 -> ElementType.I8;
            case 6 -> ElementType.I64;
            case 7 -> ElementType.BOOL;
            case 8 -> ElementType.I16;
            case 12 -> ElementType.BF16;
            default -> null;
        };
    }

    private int width(int flag, String name) throws CheckpointException {
        ElementType type = elementType(flag);
        if (type != null) {
            return type.bytes();
        }
        return switch (flag) {
            case 9 -> 2;
            case 10 -> 4;
            case 11 -> 8;
            default -> throw file.corrupt(offset - 4, name, "the element type " + flag + " is unknown");
        };
    }
}
