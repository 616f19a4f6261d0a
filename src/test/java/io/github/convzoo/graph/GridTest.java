package io.github.convzoo.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GridTest {

    @ParameterizedTest
    @CsvSource({
        // Without negative numbers, the grid begins at 0.
        "0, 255, 1, 0",
        "0, 51, 0.2, 0",
        // 0 is on it, even if it is not in the range.
        "100, 510, 2, 0",
        "-510, -100, 2, 255",
        "-127.5, 127.5, 1, 128",
        "-1, 254, 1, 1"
    })
    void of_aRange_reachesOverIt_andHasZero(float min, float max, float scale, int zeroPoint) {
        assertThat(Grid.of(new Range(min, max))).isEqualTo(new Grid(scale, zeroPoint));
    }

    @Test
    void of_zeroAlone_hasAScale() {
        assertThat(Grid.of(new Range(0, 0)).scale()).isPositive();
    }

    @ParameterizedTest
    @CsvSource({"0, 3", "0.9, 3", "1, 3", "1.1, 4", "-6, 0", "-8, 0", "502, 254", "504, 255", "900, 255", "-0.99, 3"})
    void level_isTheNearest_andBounded(float value, int level) {
        assertThat(new Grid(2, 3).level(value)).isEqualTo(level);
    }

    @Test
    void level_halfway_isTheEvenOne() {
        Grid grid = new Grid(2, 0);
        assertThat(grid.level(1)).isZero();
        assertThat(grid.level(3)).isEqualTo(2);
        assertThat(grid.level(5)).isEqualTo(2);
    }

    @Test
    void round_givesTheNumberOfTheLevel() {
        Grid grid = new Grid(0.5f, 10);
        assertThat(grid.round(1.3f)).isEqualTo(1.5f);
        assertThat(grid.round(-9)).isEqualTo(-5);
        assertThat(grid.round(1000)).isEqualTo(122.5f);
    }

    @Test
    void grid_thatIsNone_isRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Grid(0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new Grid(Float.NaN, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new Grid(Float.POSITIVE_INFINITY, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new Grid(1, -1));
        assertThatIllegalArgumentException().isThrownBy(() -> new Grid(1, 256));
    }

    @Test
    void range_thatIsNone_isRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Range(2, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new Range(Float.NaN, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new Range(0, Float.POSITIVE_INFINITY));
        assertThat(new Range(-1, 2).and(new Range(0, 3))).isEqualTo(new Range(-1, 3));
    }
}
