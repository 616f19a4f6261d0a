package io.github.convzoo.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ActivationMapTest {

    private static final ActivationMap MAP = new ActivationMap(2, 3, new float[] {0, 1, 2, 10, 11, -12});

    @Test
    void values_areRowByRow_andCannotBeChanged() {
        float[] values = MAP.values();
        values[0] = 99;
        assertThat(MAP.value(0, 0)).isZero();
        assertThat(MAP.value(1, 2)).isEqualTo(-12);
        assertThat(MAP.value(0, 2)).isEqualTo(2);
        assertThat(MAP.sum()).isEqualTo(12);
        assertThat(MAP.max()).isEqualTo(11);
        assertThat(MAP).hasToString("ActivationMap[3 x 2, max 11.0]");
    }

    @Test
    void at_interpolatesBetweenCenters_andIsConstantBeyondThem() {
        assertThat(MAP.at(0.5, 0.25)).isEqualTo(1);
        assertThat(MAP.at(0.5, 0.5)).isEqualTo(6);
        assertThat(MAP.at(1 / 3.0, 0.25)).isCloseTo(0.5f, within(1e-6f));
        assertThat(MAP.at(2 / 3.0, 0.5)).isCloseTo(0.5f, within(1e-6f));
        assertThat(MAP.at(0, 0)).isZero();
        assertThat(MAP.at(1, 1)).isEqualTo(-12);
        assertThat(MAP.at(0.1, 1)).isEqualTo(10);
    }

    @Test
    void sizeThatDoesNotFit_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ActivationMap(2, 2, new float[3]))
                .withMessage("a map of 2 x 2 positions needs one value each, not 3");
        assertThatIllegalArgumentException().isThrownBy(() -> new ActivationMap(0, 2, new float[0]));
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
                .isThrownBy(() -> MAP.value(0, 3))
                .withMessage("row 0, column 3 of a map of 3 x 2 positions");
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> MAP.value(-1, 0));
    }
}
