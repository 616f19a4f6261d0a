package io.github.convzoo.export;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The precision of an exported network's weights and computation. Inputs and outputs are always float32. */
public enum Precision {
    /** IEEE single precision. */
    FLOAT32(4),
    /** IEEE half precision: half the size, for GPUs. */
    FLOAT16(2),
    /** The upper half of single precision: the same range, fewer digits; for GPUs and TorchScript. */
    BFLOAT16(2);

    private final int bytes;

    Precision(int bytes) {
        this.bytes = bytes;
    }

    /** The number of bytes of an element. */
    int bytes() {
        return bytes;
    }

    /** Encodes numbers as little-endian bytes, rounded to nearest, ties to even. */
    ByteBuffer encode(float[] values) {
        ByteBuffer buffer = ByteBuffer.allocate(values.length * bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            switch (this) {
                case FLOAT32 -> buffer.putFloat(value);
                case FLOAT16 -> buffer.putShort(half(value));
                case BFLOAT16 -> buffer.putShort(bfloat(value));
            }
        }
        return buffer.flip();
    }

    private static short half(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = (bits >>> 16) & 0x8000;
        int magnitude = bits & 0x7FFFFFFF;
        if (magnitude > 0x7F800000) {
            return (short) (sign | 0x7E00);
        }
        // 65520 is the smallest number that rounds to infinity.
        if (magnitude >= 0x477FF000) {
            return (short) (sign | 0x7C00);
        }
        if (magnitude >= 0x38800000) {
            int rounded = magnitude + 0xFFF + ((magnitude >>> 13) & 1);
            return (short) (sign | ((rounded - 0x38000000) >>> 13));
        }
        // A subnormal number counts in units of 2^-24.
        return (short) (sign | (int) Math.rint(Math.abs(value) * 0x1p24));
    }

    private static short bfloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) ((bits >>> 16) | 0x40);
        }
        return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
    }
}
