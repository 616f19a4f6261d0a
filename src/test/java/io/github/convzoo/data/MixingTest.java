package io.github.convzoo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MixingTest {

    private static final int HEIGHT = 7;
    private static final int WIDTH = 9;
    private static final int CHANNELS = 2;
    private static final int LENGTH = CHANNELS * HEIGHT * WIDTH;

    private final RandomGenerator random = new SplittableRandom(23);

    private static float[] noise(int count) {
        Random numbers = new Random(1);
        float[] values = new float[count * LENGTH];
        for (int i = 0; i < values.length; i++) {
            values[i] = numbers.nextFloat();
        }
        return values;
    }

    private static Shape shape(int count) {
        return new Shape(count, CHANNELS, HEIGHT, WIDTH);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void mixup_isTheWeightedMeanOfAnImageAndTheOneBefore(int count) {
        for (int draw = 0; draw < 50; draw++) {
            float[] before = noise(count);
            float[] mixed = before.clone();
            double lambda = new Mixup(0.8).mix(FloatBuffer.wrap(mixed), shape(count), random);

            assertThat(lambda).isBetween(0.0, 1.0);
            for (int i = 0; i < mixed.length; i++) {
                int partner = Math.floorMod(i - LENGTH, mixed.length);
                // Two roundings of float32 to products below 1.
                assertThat((double) mixed[i])
                        .isCloseTo(lambda * before[i] + (1 - lambda) * before[partner], within(2e-7));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void cutMix_pastesOneRectangleAndSaysWhatIsLeft(int count) {
        for (int draw = 0; draw < 200; draw++) {
            float[] before = noise(count);
            float[] mixed = before.clone();
            double lambda = new CutMix(1).mix(FloatBuffer.wrap(mixed), shape(count), random);

            boolean[] pasted = new boolean[HEIGHT * WIDTH];
            for (int i = 0; i < mixed.length; i++) {
                int partner = Math.floorMod(i - LENGTH, mixed.length);
                assertThat(mixed[i]).isIn(before[i], before[partner]);
                if (count > 1) {
                    boolean here = mixed[i] == before[partner];
                    if (i < HEIGHT * WIDTH) {
                        pasted[i] = here;
                    }
                    // The same pixels in every channel of every image.
                    assertThat(here).isEqualTo(pasted[i % (HEIGHT * WIDTH)]);
                }
            }
            if (count > 1) {
                assertRectangle(pasted, lambda);
            }
        }
    }

    private static void assertRectangle(boolean[] pasted, double lambda) {
        int[] at = IntStream.range(0, pasted.length).filter(i -> pasted[i]).toArray();
        assertThat(lambda).isCloseTo(1 - at.length / (double) (HEIGHT * WIDTH), within(1e-12));
        if (at.length > 0) {
            int width = Arrays.stream(at).map(i -> i % WIDTH).max().orElseThrow()
                    - Arrays.stream(at).map(i -> i % WIDTH).min().orElseThrow()
                    + 1;
            int height = at[at.length - 1] / WIDTH - at[0] / WIDTH + 1;
            assertThat(at.length).isEqualTo(width * height);
        }
    }

    /**
     * With lambda uniform, half sides are 0.5 * sqrt(1 - lambda) of the image's, and the middle is uniform: of a side s
     * the mean that is not cut off is s - s * s / 4, of which the product over both sides is integrated over s = sqrt(1
     * - lambda).
     */
    @Test
    void cutMix_overManyBatches_leavesTheShareThatFollowsFromItsDefinition() {
        int side = 400;
        double mean = 0;
        int draws = 4000;
        float[] image = new float[2 * side * side];
        for (int draw = 0; draw < draws; draw++) {
            mean += new CutMix(1).mix(FloatBuffer.wrap(image), new Shape(2, 1, side, side), random) / draws;
        }
        // Integral over s of 2 s (s - s^2 / 4)^2 = 2 (1/4 - 1/10 + 1/96).
        double pasted = 2 * (1 / 4.0 - 1 / 10.0 + 1 / 96.0);

        // A standard deviation of 0.25 / sqrt(4000), and at most a pixel of 400 to a side by rounding.
        assertThat(mean).isCloseTo(1 - pasted, within(0.02));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.3, 1})
    void mixupOrCutMix_cutsAsOftenAsItSays(double probability) {
        MixupOrCutMix either = new MixupOrCutMix(new Mixup(1), new CutMix(1), probability);
        int cuts = 0;
        for (int draw = 0; draw < 4000; draw++) {
            float[] before = noise(2);
            float[] mixed = before.clone();
            either.mix(FloatBuffer.wrap(mixed), shape(2), random);
            boolean copied = IntStream.range(0, mixed.length)
                    .allMatch(i -> mixed[i] == before[i] || mixed[i] == before[(i + LENGTH) % mixed.length]);
            cuts += copied ? 1 : 0;
        }

        // A standard deviation of at most 0.008.
        assertThat(cuts / 4000.0).isCloseTo(probability, within(probability % 1 == 0 ? 0 : 0.04));
    }

    /** Of Beta(a, a) the mean is 1/2 and the variance 1 / (4 (2 a + 1)). */
    @ParameterizedTest
    @ValueSource(doubles = {0.05, 0.2, 0.4, 1, 2, 10})
    void beta_hasItsMeanAndVariance(double alpha) {
        double[] draws = IntStream.range(0, 20_000)
                .mapToDouble(i -> Randomness.beta(alpha, random))
                .toArray();
        double variance = 1 / (4 * (2 * alpha + 1));

        assertThat(Arrays.stream(draws)).allMatch(value -> value >= 0 && value <= 1);
        assertThat(Arrays.stream(draws).average().orElseThrow())
                .isCloseTo(0.5, within(5 * Math.sqrt(variance / draws.length)));
        // A squared deviation is at most 1/4, and its own deviation at most the root of a quarter of the variance.
        assertThat(Arrays.stream(draws)
                        .map(value -> (value - 0.5) * (value - 0.5))
                        .average()
                        .orElseThrow())
                .isCloseTo(variance, within(5 * Math.sqrt(variance / 4 / draws.length)));
    }

    @Test
    void beta_ofOne_isUniform() {
        double[] draws = IntStream.range(0, 20_000)
                .mapToDouble(i -> Randomness.beta(1, random))
                .toArray();

        for (double quantile : new double[] {0.05, 0.25, 0.5, 0.75, 0.95}) {
            assertThat(Arrays.stream(draws).filter(value -> value < quantile).count() / 20_000.0)
                    .isCloseTo(quantile, within(0.018));
        }
    }

    /** Plain gamma variates would both be 0 there, and their share no number. */
    @Test
    void beta_ofATinyAlpha_isNearlyAlwaysAtOneEnd() {
        double[] draws = IntStream.range(0, 2000)
                .mapToDouble(i -> Randomness.beta(1e-4, random))
                .toArray();

        assertThat(Arrays.stream(draws)).allMatch(value -> value >= 0 && value <= 1);
        assertThat(Arrays.stream(draws)
                        .filter(value -> value > 0.01 && value < 0.99)
                        .count())
                .isLessThan(20);
        assertThat(Arrays.stream(draws).filter(value -> value > 0.5).count() / 2000.0)
                .isCloseTo(0.5, within(0.056));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -1, Double.NaN, Double.POSITIVE_INFINITY})
    void alpha_thatIsNotPositive_isRefused(double alpha) {
        assertThatIllegalArgumentException().isThrownBy(() -> new Mixup(alpha)).withMessageContaining("not " + alpha);
        assertThatIllegalArgumentException().isThrownBy(() -> new CutMix(alpha));
    }
}
