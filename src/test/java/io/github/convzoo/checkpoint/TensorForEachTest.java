package io.github.convzoo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TensorForEachTest {

    private static List<Double> elements(Tensor tensor) {
        List<Double> elements = new ArrayList<>();
        tensor.forEach(elements::add);
        return elements;
    }

    /** Tensors of every type, and views with strides of all kinds. */
    @ParameterizedTest
    @ValueSource(strings = {"types.safetensors", "types.pth", "views.pth"})
    void forEach_ofEveryTypeAndLayout_passesOverTheElementsInOrder(String file) throws CheckpointException {
        Checkpoint checkpoint = Checkpoint.read(Crafted.resource(file));
        int tensors = 0;
        for (Value value : Crafted.entries(checkpoint.root()).values()) {
            if (value instanceof Tensor tensor) {
                tensors++;
                List<Double> elements = elements(tensor);
                float[] floats = Crafted.floats(tensor);
                assertThat(elements).hasSize(floats.length);
                for (int i = 0; i < floats.length; i++) {
                    // Equal as objects: any NaN is NaN.
                    assertThat((Float) elements.get(i).floatValue())
                            .as(tensor.toString())
                            .isEqualTo((Float) floats[i]);
                }
            }
        }
        assertThat(tensors).isGreaterThan(5);
    }

    @Test
    void forEach_ofWideTypes_losesNothingThatADoubleHas() {
        ByteBuffer data = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        data.putLong((1L << 53) - 1).putLong(-(1L << 53)).flip();
        Tensor whole = Tensor.of("a", ElementType.I64, new long[] {2}, data.duplicate());
        assertThat(elements(whole)).containsExactly(0x1p53 - 1, -0x1p53);

        data.clear();
        data.putDouble(0.1).putDouble(Double.MIN_VALUE).flip();
        Tensor real = Tensor.of("a", ElementType.F64, new long[] {2}, data);
        assertThat(elements(real)).containsExactly(0.1, Double.MIN_VALUE);
    }

    @Test
    void forEach_ofATransposedMatrix_goesDownTheColumns() {
        Tensor matrix = Crafted.floats("a", new long[] {2, 3}, 0, 1, 2, 3, 4, 5);
        assertThat(elements(matrix.transposed())).containsExactly(0.0, 3.0, 1.0, 4.0, 2.0, 5.0);
    }

    @Test
    void forEach_ofNoElements_doesNothing() {
        assertThat(elements(Crafted.floats("a", new long[] {0, 3}))).isEmpty();
        assertThat(elements(CheckpointTrees.repeated("a", ElementType.F32, 4, 0, 2)))
                .isEmpty();
    }
}
