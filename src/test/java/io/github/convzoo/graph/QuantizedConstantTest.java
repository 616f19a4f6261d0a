package io.github.convzoo.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QuantizedConstantTest {

    private static final Tensor.Source NONE = name -> {
        throw new IllegalArgumentException(name);
    };

    private static final Constant WEIGHT =
            new Constant.Literal(new Tensor(List.of(2L, 3L), new float[] {1.1f, -2, 0.5f, 0.011f, 0.004f, -0.02f}));

    private static Constant.QuantizedWeight weight(int bits, float @Nullable ... bias) {
        return new Constant.QuantizedWeight(
                WEIGHT, bits, bias == null ? null : new Constant.Literal(Tensor.vector(bias)), 0.5f);
    }

    private static Constant.QuantizedWeight weight(int bits) {
        return new Constant.QuantizedWeight(WEIGHT, bits, null, 0.5f);
    }

    @Test
    void weight_hasAScaleForEachFilter_thatItsLargestWeightFills() {
        Constant.QuantizedWeight weight = weight(8);
        assertThat(weight.scales(NONE)).containsExactly(2 / 127f, 0.02f / 127);
        assertThat(weight.levels(NONE)).containsExactly(70, -127, 32, 70, 25, -127);
        Tensor rounded = weight.evaluate(NONE);
        assertThat(rounded.sizes()).containsExactly(2L, 3L);
        assertThat(rounded.values()[0]).isEqualTo(70 * 2 / 127f, within(1e-6f));
        assertThat(rounded.values()[4]).isEqualTo(25 * 0.02f / 127, within(1e-8f));
    }

    /**
     * 16 bits hold up to 32,767; a pair of products with levels up to 255 needs more with 8-bit weights, but not with
     * 7.
     */
    @Test
    void weight_of7Bits_keepsPairsOfProductsIn16Bits() {
        assertThat(weight(7).levels(NONE)).containsExactly(35, -63, 16, 35, 13, -63);
        assertThat(2 * Grid.LAST * weight(7).most()).isLessThanOrEqualTo(Short.MAX_VALUE);
        assertThat(2 * Grid.LAST * weight(8).most()).isGreaterThan(Short.MAX_VALUE);
    }

    @ParameterizedTest
    @ValueSource(ints = {7, 8})
    void weight_ofJoinedGroups_isNarrowWithoutTheirZeros(int bits) {
        Constant.Spread joined = new Constant.Spread(filters(8), List.of(0, 0, 3, 3, 0, 0, 3, 3), 6);
        Constant.QuantizedWeight weight = new Constant.QuantizedWeight(joined, bits, null, 0.5f);
        assertThat(weight.blocks()).isEqualTo(new Constant.Blocks(2, 2, 3));
        assertThat(weight.narrow().scales(NONE)).isEqualTo(weight.scales(NONE));
        byte[] levels = weight.levels(NONE);
        byte[] narrow = weight.narrow().levels(NONE);
        assertThat(narrow).hasSize(24);
        for (int i = 0; i < narrow.length; i++) {
            int filter = i / 3;
            assertThat(levels[filter * 6 + joined.starts().get(filter) + i % 3]).isEqualTo(narrow[i]);
        }
    }

    @Test
    void weight_thatIsSpreadInAnotherWay_isNotNarrow() {
        for (List<Integer> starts : List.of(
                List.of(0, 0, 3, 3, 0, 0, 3, 0),
                List.of(0, 0, 0, 3, 3, 3, 0, 0),
                List.of(0, 0, 0, 0, 0, 0, 0, 0),
                List.of(3, 3, 0, 0, 3, 3, 0, 0))) {
            Constant.QuantizedWeight weight =
                    new Constant.QuantizedWeight(new Constant.Spread(filters(8), starts, 6), 8, null, 0.5f);
            assertThat(weight.blocks()).as(starts.toString()).isNull();
            assertThat(weight.narrow()).isSameAs(weight);
        }
        Constant.Spread uneven = new Constant.Spread(filters(8), List.of(0, 0, 3, 3, 0, 0, 3, 3), 7);
        assertThat(uneven.blocks()).as("the last channel belongs to no group").isNull();
        assertThat(weight(8).blocks()).isNull();
        assertThat(weight(8).narrow()).isEqualTo(weight(8));
    }

    private static Constant filters(int count) {
        float[] values = new float[count * 3];
        for (int i = 0; i < values.length; i++) {
            values[i] = (i * 7 % 11 - 5) / 3f;
        }
        return new Constant.Literal(new Tensor(List.of((long) count, 3L), values));
    }

    @Test
    void weight_ofAFilterWithALargeBias_leavesTheBiasRoom() {
        Constant.QuantizedWeight weight = weight(8, 1, 1e9f);
        Constant.QuantizedBias bias = new Constant.QuantizedBias(new Constant.Literal(Tensor.vector(1, 1e9f)), weight);
        assertThat(weight.scales(NONE)[0]).isEqualTo(2 / 127f);
        assertThat(weight.scales(NONE)[1]).isEqualTo(1e9f / 0.5f / (1 << 30), within(1e-3f));
        assertThat(bias.levels(NONE)[1]).isCloseTo(1 << 30, within(128));
        assertThat(bias.evaluate(NONE).values()[1]).isEqualTo(1e9f, within(1e3f));
    }

    @Test
    void bias_isRoundedToProductsOfBothScales() {
        Constant.QuantizedWeight weight = weight(8, 1, -0.003f);
        Constant.QuantizedBias bias =
                new Constant.QuantizedBias(new Constant.Literal(Tensor.vector(1, -0.003f)), weight);
        float[] scales = bias.scales(NONE);
        assertThat(scales).containsExactly(2 / 127f * 0.5f, 0.02f / 127 * 0.5f);
        assertThat(bias.levels(NONE)).containsExactly(127, -38);
        assertThat(bias.evaluate(NONE).values()).containsExactly(127 * scales[0], -38 * scales[1]);
    }

    @Test
    void weight_ofZeros_hasAScale() {
        Constant zeros = new Constant.Literal(new Tensor(List.of(1L, 2L), new float[2]));
        Constant.QuantizedWeight weight = new Constant.QuantizedWeight(zeros, 8, null, 1);
        assertThat(weight.scales(NONE)[0]).isPositive();
        assertThat(weight.levels(NONE)).containsExactly(0, 0);
    }

    @Test
    void depthwise_isAFilterForEachChannel() {
        Tensor tensor = new Constant.Depthwise(new Constant.Literal(Tensor.vector(3, -4))).evaluate(NONE);
        assertThat(tensor.sizes()).containsExactly(2L, 1L, 1L, 1L);
        assertThat(tensor.values()).containsExactly(3, -4);
    }
}
