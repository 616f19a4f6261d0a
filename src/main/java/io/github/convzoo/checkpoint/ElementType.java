package io.github.convzoo.checkpoint;

import java.util.Optional;

/**
 * The type of a tensor's elements. Stored little-endian.
 *
 * <p>The constants are in the order in which the safetensors library arranges a file's tensors: wider elements first,
 * so that each starts at a multiple of its width.
 */
public enum ElementType {
    /** Signed 64-bit integer. */
    I64(8, "i8"),
    /** IEEE 754 double precision. */
    F64(8, "f8"),
    /** IEEE 754 single precision. */
    F32(4, "f4"),
    /** Signed 32-bit integer. */
    I32(4, "i4"),
    /** The upper half of a single-precision number. */
    BF16(2, ""),
    /** IEEE 754 half precision. */
    F16(2, "f2"),
    /** Signed 16-bit integer. */
    I16(2, "i2"),
    /** Signed 8-bit integer. */
    I8(1, "i1"),
    /** Unsigned 8-bit integer. */
    U8(1, "u1"),
    /** One byte, 0 for false and anything else for true. */
    BOOL(1, "b1");

    private final int bytes;
    private final String numpy;

    ElementType(int bytes, String numpy) {
        this.bytes = bytes;
        this.numpy = numpy;
    }

    /** {@return the size of one element: 1, 2, 4 or 8 bytes} */
    public int bytes() {
        return bytes;
    }

    /** NumPy's kind and width, without the byte order; empty if NumPy has no such type. */
    Optional<String> numpy() {
        return numpy.isEmpty() ? Optional.empty() : Optional.of(numpy);
    }
}
