package io.github.convzoo.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import io.github.convzoo.graph.Grid;
import io.github.convzoo.graph.Range;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CalibrationTest {

    private static Histogram of(float[]... batches) {
        Histogram histogram = new Histogram();
        for (float[] batch : batches) {
            histogram.add(batch);
        }
        return histogram;
    }

    /** Normally distributed numbers, and one far away. */
    private static float[] withOutlier(float outlier) {
        Random random = new Random(1);
        float[] values = new float[100_000];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        values[500] = outlier;
        return values;
    }

    private static double squaredError(float[] values, Range range) {
        Grid grid = Grid.of(range);
        double sum = 0;
        for (float value : values) {
            sum += Math.pow(value - grid.round(value), 2);
        }
        return sum;
    }

    @Test
    void histogram_countsEveryNumberOnce_howeverTheReachGrows() {
        Histogram histogram = of(new float[] {0.1f, -0.1f, 0.05f}, new float[] {7, -900, 0}, new float[] {123_456});
        long total = 0;
        double sum = 0;
        for (int bin = 0; bin < histogram.bins(); bin++) {
            total += histogram.count(bin);
            sum += histogram.count(bin) * histogram.center(bin);
        }
        assertThat(total).isEqualTo(7);
        assertThat(histogram.total()).isEqualTo(7);
        assertThat(histogram.range()).isEqualTo(new Range(-900, 123_456));
        // Each is within half a bin of its bin's center, and the largest is at most 8,192 * 2 bins' widths.
        assertThat(sum).isEqualTo(123_456 + 7 - 900 + 0.05, within(7 * 123_456 * 2 / 8192.0));
    }

    @Test
    void histogram_putsNumbersWhereTheyBelong() {
        float[] values = new float[4096];
        for (int i = 0; i < values.length; i++) {
            values[i] = i - 2048 + 0.5f;
        }
        Histogram histogram = of(values);
        double sum = 0;
        double squares = 0;
        for (int bin = 0; bin < histogram.bins(); bin++) {
            sum += histogram.count(bin) * histogram.center(bin);
            squares += histogram.count(bin) * Math.pow(histogram.center(bin), 2);
        }
        assertThat(sum / 4096).isEqualTo(0, within(0.5));
        assertThat(squares / 4096).isEqualTo(4096.0 * 4096 / 12, within(2000.0));
    }

    @Test
    void histogram_ofWhatIsNoNumber_isRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> of(new float[] {1, Float.NaN, 2}));
        assertThatIllegalArgumentException().isThrownBy(() -> of(new float[] {1, Float.NEGATIVE_INFINITY}));
        assertThatIllegalStateException().isThrownBy(() -> new Histogram().range());
    }

    @ParameterizedTest
    @EnumSource(Calibration.class)
    void range_ofZeros_isZero(Calibration calibration) {
        Range range = calibration.range(of(new float[100]));
        assertThat(range.min()).isZero();
        assertThat(range.max()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Calibration.class)
    void range_ofPositiveNumbers_hasNoNegativeOnes(Calibration calibration) {
        float[] values = withOutlier(3);
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.max(0, values[i]);
        }
        assertThat(calibration.range(of(values)).min()).isZero();
    }

    @Test
    void minmax_cutsNothingOff() {
        float[] values = withOutlier(400);
        Range range = Calibration.MINMAX.range(of(values));
        assertThat(range.max()).isEqualTo(400);
        assertThat(range.min()).isBetween(-6f, -3f);
    }

    @Test
    void percentile_leavesOutOneInTenThousand_onEachSide() {
        // One in ten thousand of a normal distribution is beyond 3.72.
        Range range = Calibration.PERCENTILE.range(of(withOutlier(5)));
        assertThat(range.min()).isBetween(-3.95f, -3.5f);
        assertThat(range.max()).isBetween(3.5f, 3.95f);
        assertThat(Calibration.PERCENTILE.range(of(withOutlier(400))).max()).isBetween(3f, 6f);
    }

    @Test
    void mse_isTheLeastOfTheCandidates() {
        for (float outlier : new float[] {10, 100, 1000}) {
            float[] values = withOutlier(outlier);
            Range all = Calibration.MINMAX.range(of(values));
            double found = squaredError(values, Calibration.MSE.range(of(values)));
            for (float share : new float[] {0.1f, 0.25f, 0.5f, 0.75f, 1}) {
                assertThat(found)
                        .isLessThanOrEqualTo(1.01 * squaredError(values, new Range(all.min(), all.max() * share)));
            }
        }
    }

    @Test
    void mse_ofEvenlySpreadNumbers_cutsNothingOff() {
        float[] values = new float[10_000];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        assertThat(Calibration.MSE.range(of(values)).max()).isGreaterThan(9_800);
    }

    @Test
    void entropy_cutsOffWhatIsRare() {
        assertThat(Calibration.ENTROPY.range(of(withOutlier(40))).max()).isBetween(2.5f, 20f);
    }

    /** The zeros of a ReLU, and the background of images, are exact or nearly so in every grid. */
    @ParameterizedTest
    @ValueSource(floats = {0, -1})
    void entropy_ignoresASingleFrequentNumber(float frequent) {
        Random random = new Random(2);
        float[] spread = new float[50_000];
        float[] same = new float[50_000];
        for (int i = 0; i < spread.length; i++) {
            spread[i] = (float) Math.abs(random.nextGaussian());
            same[i] = frequent;
        }
        float without = Calibration.ENTROPY.range(of(spread)).max();
        assertThat(without).isGreaterThan(2);
        assertThat(Calibration.ENTROPY.range(of(spread, same)).max()).isCloseTo(without, within(0.2f * without));
        assertThat(Calibration.ENTROPY.range(of(spread, same)).min()).isEqualTo(Math.min(frequent, 0));
    }
}
