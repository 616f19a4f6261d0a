package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.floats;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ReadOnlyBufferException;
import java.nio.channels.Channels;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TensorTest {

    @Test
    void half_ofEveryBitPattern_hasTheValueThatTheFormatDefines() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            int exponent = (bits >> 10) & 0x1f;
            int fraction = bits & 0x3ff;
            double magnitude =
                    exponent == 0 ? fraction * 0x1p-24 : (1 + fraction * 0x1p-10) * Math.pow(2, exponent - 15);
            if (exponent == 0x1f) {
                magnitude = fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
            }
            float expected = (float) ((bits & 0x8000) == 0 ? magnitude : -magnitude);
            float value = Tensor.halfToFloat((short) bits);
            // Equal as objects: -0 is not 0, and any NaN is NaN.
            assertThat((Float) value).isEqualTo((Float) expected);
        }
    }

    @Test
    void bfloat16_ofEveryBitPattern_isTheUpperHalfOfAFloat() {
        ByteBuffer data = ByteBuffer.allocate(2 << 16).order(ByteOrder.LITTLE_ENDIAN);
        for (int bits = 0; bits < 1 << 16; bits++) {
            data.putShort((short) bits);
        }
        float[] values = floats(Tensor.of("a", ElementType.BF16, new long[] {1 << 16}, data.flip()));
        for (int bits = 0; bits < 1 << 16; bits++) {
            assertThat((Float) values[bits]).isEqualTo((Float) Float.intBitsToFloat(bits << 16));
        }
    }

    @Test
    void bytes_ofATensor_areReadOnlyLittleEndianAndOfTheirOwnPosition() {
        Tensor tensor = Tensor.of("a", ElementType.I16, new long[] {2}, ByteBuffer.wrap(new byte[] {1, 2, 3, 4}));
        ByteBuffer bytes = tensor.bytes();
        assertThat(bytes.getShort()).isEqualTo((short) 0x0201);
        assertThat(tensor.bytes().position()).isZero();
        assertThatExceptionOfType(ReadOnlyBufferException.class).isThrownBy(() -> bytes.put(0, (byte) 1));
    }

    @Test
    void shape_givenAndTaken_isCopied() {
        long[] shape = {1};
        Tensor tensor = Tensor.of("a", ElementType.U8, shape, ByteBuffer.allocate(1));
        shape[0] = 5;
        tensor.shape()[0] = 6;
        assertThat(tensor.shape()).containsExactly(1);
        assertThat(tensor.withName("b").name()).isEqualTo("b");
        assertThat(tensor).hasToString("a U8[1]");
    }

    @ParameterizedTest
    @CsvSource({"-1, 0", "2, 4", "4611686018427387904, 0", "9223372036854775807, 0"})
    void data_thatDoesNotFitTheShape_isRefused(long dimension, int bytes) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Tensor.of("a", ElementType.F32, new long[] {dimension}, ByteBuffer.allocate(bytes)));
    }

    @Test
    void output_thatIsTooShort_isRefusedUntouched() {
        FloatBuffer out = FloatBuffer.allocate(1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Crafted.floats("a", new long[] {2}, 1, 2).toFloats(out))
                .withMessageContaining("2 elements");
        assertThat(out.position()).isZero();
    }

    /** Strided tensors of random form against elements fetched one by one. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void stridedTensor_ofRandomForm_isTheSameByEveryWayOut(long seed) throws IOException {
        Random random = new Random(seed);
        List<ElementType> types = List.of(ElementType.values());
        for (int round = 0; round < 200; round++) {
            ElementType type = types.get(random.nextInt(types.size()));
            int rank = random.nextInt(5);
            long[] shape = new long[rank];
            long[] strides = new long[rank];
            long span = 1;
            for (int i = 0; i < rank; i++) {
                shape[i] = 1L + random.nextInt(4);
                strides[i] = random.nextInt(6);
                span += (shape[i] - 1) * strides[i];
            }
            ByteBuffer data = ByteBuffer.allocate((int) span * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
            random.nextBytes(data.array());
            long size = Tensor.elements(shape);
            Tensor tensor = Tensor.strided("t", type, shape, size, strides, data);

            ByteBuffer expected = ByteBuffer.allocate((int) size * type.bytes());
            for (int flat = 0; flat < size; flat++) {
                long rest = flat;
                long at = 0;
                for (int i = rank - 1; i >= 0; i--) {
                    at += rest % shape[i] * strides[i];
                    rest /= shape[i];
                }
                expected.put(data.array(), (int) at * type.bytes(), type.bytes());
            }
            expected.flip();
            assertThat(tensor.bytes()).isEqualTo(expected);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            tensor.writeTo(Channels.newChannel(out));
            assertThat(ByteBuffer.wrap(out.toByteArray())).isEqualTo(expected);
            assertThat(floats(tensor)).containsExactly(floats(Tensor.of("c", type, shape, expected)));
        }
    }

    @ParameterizedTest
    @EnumSource
    void writing_moreThanAChunk_losesNothing(ElementType type) throws IOException {
        // Rows of a length that does not divide the chunk, transposed.
        int rows = 1003;
        int columns = 1201;
        ByteBuffer data = ByteBuffer.allocate(rows * columns * type.bytes());
        new Random(1).nextBytes(data.array());
        long[] shape = {columns, rows};
        Tensor tensor = Tensor.strided("t", type, shape, (long) rows * columns, new long[] {1, columns}, data);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        tensor.writeTo(Channels.newChannel(out));
        assertThat(ByteBuffer.wrap(out.toByteArray()).equals(tensor.bytes())).isTrue();
    }
}
