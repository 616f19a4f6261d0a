package io.github.convzoo.export;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PrecisionTest {

    private static int bits(Precision precision, float value) {
        return precision
                        .encode(new float[] {value})
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .getShort(0)
                & 0xFFFF;
    }

    /** What a half is, by the definition of IEEE 754. */
    private static float ofHalf(int bits) {
        int exponent = (bits >> 10) & 0x1F;
        int fraction = bits & 0x3FF;
        float magnitude = exponent == 0
                ? fraction * 0x1p-24f
                : exponent == 31
                        ? (fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN)
                        : (1024 + fraction) * (float) Math.pow(2, exponent - 25);
        return (bits & 0x8000) == 0 ? magnitude : -magnitude;
    }

    @Test
    void half_ofEveryHalf_isItself() {
        for (int half = 0; half < 1 << 16; half++) {
            float value = ofHalf(half);
            if (!Float.isNaN(value)) {
                assertThat(bits(Precision.FLOAT16, value)).as("%f", value).isEqualTo(half);
            }
        }
        assertThat(ofHalf(bits(Precision.FLOAT16, Float.NaN))).isNaN();
    }

    @Test
    void half_betweenTwo_isTheNearer_andOfTiesTheEven() {
        for (int half = 0; half < 0x7BFF; half++) {
            float low = ofHalf(half);
            float high = ofHalf(half + 1);
            float middle = (low + high) / 2;
            assertThat(bits(Precision.FLOAT16, middle)).isEqualTo(half % 2 == 0 ? half : half + 1);
            assertThat(bits(Precision.FLOAT16, Math.nextDown(middle))).isEqualTo(half);
            assertThat(bits(Precision.FLOAT16, Math.nextUp(middle))).isEqualTo(half + 1);
        }
        assertThat(bits(Precision.FLOAT16, 65519)).isEqualTo(0x7BFF);
        assertThat(bits(Precision.FLOAT16, 65520)).isEqualTo(0x7C00);
    }

    @ParameterizedTest
    @CsvSource({
        "0x1p0, 3F80",
        "-0x1p0, BF80",
        "0x1.01p0, 3F80",
        "0x1.03p0, 3F82",
        "0x1.010002p0, 3F81",
        "Infinity, 7F80",
        "3.4028235e38, 7F80",
        "NaN, 7FC0"
    })
    void bfloat_isTheNearest_andOfTiesTheEven(float value, String expected) {
        assertThat(Integer.toHexString(bits(Precision.BFLOAT16, value)).toUpperCase(java.util.Locale.ROOT))
                .isEqualTo(expected);
    }

    @Test
    void float32_isLittleEndian() {
        ByteBuffer bytes = Precision.FLOAT32.encode(new float[] {1.5f, -2});
        assertThat(bytes.remaining()).isEqualTo(8);
        assertThat(bytes.get(3)).isEqualTo((byte) 0x3F);
        assertThat(bytes.get(2)).isEqualTo((byte) 0xC0);
    }
}
