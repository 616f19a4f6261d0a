package io.github.convzoo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.github.convzoo.image.Border;
import io.github.convzoo.image.Box;
import io.github.convzoo.image.Enhancement;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.image.RgbImage;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Each augmentation against its definition. Shares of many draws are held to four and more standard deviations of such
 * a share, which is at most {@code 0.5 / sqrt(draws)}; the seeds are fixed.
 */
class AugmentationTest {

    private static final int DRAWS = 10_000;
    private static final double SHARE = 0.025;

    private final RandomGenerator random = new SplittableRandom(17);

    private static RgbImage noise(int width, int height) {
        byte[] samples = new byte[3 * width * height];
        new Random(5).nextBytes(samples);
        return RgbImage.of(width, height, samples);
    }

    private static double share(List<Box> boxes, ToDoubleFunction<Box> value, double below) {
        return (double) boxes.stream()
                        .filter(box -> value.applyAsDouble(box) < below)
                        .count()
                / boxes.size();
    }

    @Test
    void randomResizedCrop_whereEveryBoxFits_drawsAreaShapeAndPlaceAsDefined() {
        RandomResizedCrop crop =
                new RandomResizedCrop(8, 8, new Range(0.1, 0.5), new Range(0.5, 2), Resampling.BILINEAR);
        List<Box> boxes = IntStream.range(0, DRAWS)
                .mapToObj(i -> crop.box(3000, 3000, random))
                .toList();
        ToDoubleFunction<Box> area = box -> (double) box.width() * box.height() / 9e6;
        ToDoubleFunction<Box> shape = box -> (double) box.width() / box.height();

        assertThat(boxes).allSatisfy(box -> {
            // Rounding to whole pixels.
            assertThat(area.applyAsDouble(box)).isBetween(0.0995, 0.5005);
            assertThat(shape.applyAsDouble(box)).isBetween(0.499, 2.004);
            assertThat(box.left()).isBetween(0, 3000 - box.width());
            assertThat(box.top()).isBetween(0, 3000 - box.height());
        });
        // Uniform in the area, in the logarithm of the shape, and in the place.
        assertThat(share(boxes, area, 0.2)).isCloseTo(0.25, within(SHARE));
        assertThat(share(boxes, area, 0.4)).isCloseTo(0.75, within(SHARE));
        assertThat(share(boxes, shape, Math.sqrt(0.5))).isCloseTo(0.25, within(SHARE));
        assertThat(share(boxes, shape, 1)).isCloseTo(0.5, within(SHARE));
        assertThat(share(boxes, shape, Math.sqrt(2))).isCloseTo(0.75, within(SHARE));
        ToDoubleFunction<Box> left = box -> (double) box.left() / (3000 - box.width());
        ToDoubleFunction<Box> top = box -> (double) box.top() / (3000 - box.height());
        for (double quantile : new double[] {0.1, 0.5, 0.9}) {
            assertThat(share(boxes, left, quantile)).isCloseTo(quantile, within(SHARE));
            assertThat(share(boxes, top, quantile)).isCloseTo(quantile, within(SHARE));
        }
        // Neither decides the other.
        List<Box> wide =
                boxes.stream().filter(box -> box.width() > box.height()).toList();
        assertThat(share(wide, area, 0.3)).isCloseTo(0.5, within(0.04));
        assertThat(share(wide, left, 0.5)).isCloseTo(0.5, within(0.04));
    }

    @Test
    void randomResizedCrop_reachesBothEdges() {
        RandomResizedCrop crop = new RandomResizedCrop(8, 8, new Range(0.5, 0.5), new Range(1, 1), Resampling.BILINEAR);
        Set<Integer> lefts = new HashSet<>();
        for (int i = 0; i < 1000; i++) {
            Box box = crop.box(14, 14, random);
            assertThat(box.width()).isEqualTo(10);
            lefts.add(box.left());
        }

        assertThat(lefts).containsExactlyInAnyOrder(0, 1, 2, 3, 4);
    }

    /** After ten boxes that do not fit: as much of the middle as the ratio allows. */
    @ParameterizedTest
    @CsvSource({"1000, 10, 493, 0, 13, 10", "10, 1000, 0, 493, 10, 13", "1, 1000, 0, 499, 1, 1", "40, 40, 0, 0, 40, 40"
    })
    void randomResizedCrop_whereNothingFits_takesTheMiddle(
            int width, int height, int left, int top, int boxWidth, int boxHeight) {
        RandomResizedCrop crop =
                new RandomResizedCrop(8, 8, new Range(1, 1), new Range(3 / 4.0, 4 / 3.0), Resampling.BILINEAR);

        for (int i = 0; i < 100; i++) {
            assertThat(crop.box(width, height, random)).isEqualTo(new Box(left, top, boxWidth, boxHeight));
        }
    }

    @Test
    void randomResizedCrop_ofImage_isTheBoxResized() {
        RandomResizedCrop crop =
                new RandomResizedCrop(11, 17, new Range(0.08, 1), new Range(0.75, 4 / 3.0), Resampling.BICUBIC);
        RgbImage image = noise(50, 37);
        RgbImage cropped = crop.apply(image, new SplittableRandom(3));

        Box box = crop.box(50, 37, new SplittableRandom(3));
        assertThat(cropped).isEqualTo(Resampling.BICUBIC.resize(image.crop(box), 17, 11));
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "-1, 1", "0.5, 0.4", "NaN, 1", "0.5, Infinity"})
    void range_thatIsNone_isRefused(double min, double max) {
        assertThatIllegalArgumentException().isThrownBy(() -> new Range(min, max));
    }

    @Test
    void scale_beyondTheImage_isRefused() {
        Range ratio = new Range(1, 1);
        Range scale = new Range(0.5, 1.1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RandomResizedCrop(8, 8, scale, ratio, Resampling.BILINEAR))
                .withMessageContaining("at most 1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RandomErasing(1, scale, ratio, RandomErasing.Fill.ZERO))
                .withMessageContaining("at most 1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"BLACK", "REFLECT"})
    void randomCrop_withPadding_takesEveryPlaceAsOften(Border border) {
        RandomCrop crop = new RandomCrop(6, 5, 2, border);
        RgbImage image = noise(7, 6);
        RgbImage padded = image.crop(new Box(-2, -2, 11, 10), border);
        int[][] seen = new int[5][7];
        for (int i = 0; i < DRAWS; i++) {
            RgbImage part = crop.apply(image, random);
            for (int top = 0; top < 5; top++) {
                for (int left = 0; left < 7; left++) {
                    seen[top][left] += part.equals(padded.crop(new Box(left, top, 5, 6))) ? 1 : 0;
                }
            }
        }

        // 35 places, 286 each, standard deviation 17.
        assertThat(Arrays.stream(seen).flatMapToInt(Arrays::stream)).hasSize(35).allMatch(n -> n > 200 && n < 372);
        assertThat(Arrays.stream(seen).flatMapToInt(Arrays::stream).sum()).isEqualTo(DRAWS);
    }

    @Test
    void randomCrop_ofTooSmallAnImage_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RandomCrop(32, 32, 4, Border.BLACK).apply(noise(23, 40), random))
                .withMessageContaining("cannot crop 32 x 32 pixels from an image of 23 x 40 with a padding of 4");
        assertThatIllegalArgumentException().isThrownBy(() -> new RandomCrop(32, 32, -1, Border.BLACK));
        assertThatIllegalArgumentException().isThrownBy(() -> new RandomCrop(0, 32, 0, Border.BLACK));
        RgbImage fits = noise(24, 24);
        assertThat(new RandomCrop(24, 24, 0, Border.BLACK).apply(fits, random)).isEqualTo(fits);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.3, 0.5, 1})
    void horizontalFlip_flipsAsOftenAsItSays(double probability) {
        RgbImage image = noise(3, 2);
        RgbImage flipped = image.flippedHorizontally();
        int flips = 0;
        for (int i = 0; i < DRAWS; i++) {
            RgbImage result = new HorizontalFlip(probability).apply(image, random);
            flips += result.equals(flipped) ? 1 : 0;
            assertThat(result.equals(flipped) || result.equals(image)).isTrue();
        }

        assertThat((double) flips / DRAWS).isCloseTo(probability, within(probability % 1 == 0 ? 0 : SHARE));
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1.1, Double.NaN})
    void probability_thatIsNone_isRefused(double probability) {
        assertThatIllegalArgumentException().isThrownBy(() -> new HorizontalFlip(probability));
        assertThatIllegalArgumentException().isThrownBy(() -> RandomErasing.of(probability));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new MixupOrCutMix(new Mixup(1), new CutMix(1), probability));
    }

    /** A gray level shows the factor. */
    @ParameterizedTest
    @CsvSource({"0.4, 60, 140", "1.2, 0, 220"})
    void colorJitter_ofBrightness_drawsFactorsUniformly(double change, double least, double most) {
        byte[] samples = new byte[3];
        Arrays.fill(samples, (byte) 100);
        RgbImage gray = RgbImage.of(1, 1, samples);
        ColorJitter jitter = new ColorJitter(change, 0, 0, 0);
        double[] levels = IntStream.range(0, DRAWS)
                .mapToDouble(i -> jitter.apply(gray, random).pixel(0, 0) & 0xff)
                .toArray();

        assertThat(Arrays.stream(levels)).allMatch(level -> level >= least - 1 && level <= most);
        for (double quantile : new double[] {0.1, 0.5, 0.9}) {
            double at = least + (most - least) * quantile;
            assertThat(Arrays.stream(levels).filter(level -> level < at).count() / (double) DRAWS)
                    .isCloseTo(quantile, within(SHARE));
        }
    }

    @Test
    void colorJitter_ofEverything_appliesAllFourInTheDrawnOrder() {
        ColorJitter jitter = new ColorJitter(0.4, 0.5, 0.6, 0.1);
        RgbImage image = noise(6, 5);
        Set<List<Integer>> orders = new HashSet<>();
        for (int seed = 0; seed < 500; seed++) {
            RgbImage result = jitter.apply(image, new SplittableRandom(seed));

            // The same numbers drawn again: an order, then one for each operation.
            RandomGenerator again = new SplittableRandom(seed);
            int[] order = {0, 1, 2, 3};
            Randomness.shuffle(order, again);
            double[] draws = again.doubles(4).toArray();
            RgbImage expected = image;
            for (int operation : order) {
                expected = switch (operation) {
                    case 0 -> Enhancement.brightness(expected, 0.6 + 0.8 * draws[0]);
                    case 1 -> Enhancement.contrast(expected, 0.5 + draws[1]);
                    case 2 -> Enhancement.saturation(expected, 0.4 + 1.2 * draws[2]);
                    default -> Enhancement.hue(expected, -0.1 + 0.2 * draws[3]);
                };
            }
            assertThat(maxDifference(result, expected)).isLessThanOrEqualTo(1);
            orders.add(Arrays.stream(order).boxed().toList());
        }

        assertThat(orders).hasSize(24);
    }

    /** Where a factor's last bit differs, so may a level; a later operation may enlarge that by its factor. */
    private static int maxDifference(RgbImage a, RgbImage b) {
        byte[] left = a.toBytes();
        byte[] right = b.toBytes();
        return IntStream.range(0, left.length)
                .map(i -> Math.abs((left[i] & 0xff) - (right[i] & 0xff)))
                .max()
                .orElseThrow();
    }

    @Test
    void colorJitter_ofNothing_changesNothing() {
        RgbImage image = noise(6, 5);

        assertThat(new ColorJitter(0, 0, 0, 0).apply(image, random)).isEqualTo(image);
        assertThatIllegalArgumentException().isThrownBy(() -> new ColorJitter(-0.1, 0, 0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new ColorJitter(0, 0, Double.NaN, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new ColorJitter(0, 0, 0, 0.6));
    }

    /** The rectangle of values that are not 1, which must be the only one; null if none exists. */
    private static Box erased(float[] chw, int channels, int height, int width) {
        int left = width;
        int top = height;
        int right = 0;
        int bottom = 0;
        int count = 0;
        for (int i = 0; i < chw.length; i++) {
            if (chw[i] != 1) {
                left = Math.min(left, i % width);
                right = Math.max(right, i % width + 1);
                top = Math.min(top, i / width % height);
                bottom = Math.max(bottom, i / width % height + 1);
                count++;
            }
        }
        if (count == 0) {
            return new Box(-1, -1, 1, 1);
        }
        Box box = new Box(left, top, right - left, bottom - top);
        assertThat(count).isEqualTo(channels * box.width() * box.height());
        return box;
    }

    @Test
    void randomErasing_always_drawsAreaShapeAndPlaceAsDefined() {
        RandomErasing erasing = new RandomErasing(1, new Range(0.02, 0.32), new Range(0.5, 2), RandomErasing.Fill.ZERO);
        float[] image = new float[2 * 200 * 220];
        List<Box> boxes = IntStream.range(0, 2500)
                .mapToObj(i -> {
                    Arrays.fill(image, 1);
                    erasing.apply(image, 2, 200, 220, random);
                    return erased(image, 2, 200, 220);
                })
                .toList();
        ToDoubleFunction<Box> area = box -> (double) box.width() * box.height() / (200 * 220);
        ToDoubleFunction<Box> shape = box -> (double) box.height() / box.width();

        // Rounding to whole pixels; 2500 draws, of which 0.045 is four and a half standard deviations.
        assertThat(boxes).allSatisfy(box -> {
            assertThat(area.applyAsDouble(box)).isBetween(0.0185, 0.325);
            assertThat(shape.applyAsDouble(box)).isBetween(0.47, 2.12);
        });
        assertThat(share(boxes, area, 0.095)).isCloseTo(0.25, within(0.045));
        assertThat(share(boxes, area, 0.245)).isCloseTo(0.75, within(0.045));
        assertThat(share(boxes, shape, Math.sqrt(0.5))).isCloseTo(0.25, within(0.045));
        assertThat(share(boxes, shape, Math.sqrt(2))).isCloseTo(0.75, within(0.045));
        assertThat(share(boxes, box -> (double) box.left() / (220 - box.width()), 0.5))
                .isCloseTo(0.5, within(0.045));
        assertThat(share(boxes, box -> (double) box.top() / (200 - box.height()), 0.5))
                .isCloseTo(0.5, within(0.045));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.25, 1})
    void randomErasing_erasesAsOftenAsItSays(double probability) {
        int erased = 0;
        float[] image = new float[3 * 20 * 20];
        for (int i = 0; i < DRAWS; i++) {
            Arrays.fill(image, 1);
            RandomErasing.of(probability).apply(image, 3, 20, 20, random);
            erased += erased(image, 3, 20, 20).left() >= 0 ? 1 : 0;
        }

        assertThat((double) erased / DRAWS).isCloseTo(probability, within(probability % 1 == 0 ? 0 : SHARE));
    }

    @Test
    void randomErasing_withNoise_fillsWithTheStandardNormalDistribution() {
        float[] image = new float[3 * 200 * 200];
        Arrays.fill(image, 1);
        new RandomErasing(1, new Range(0.3, 0.3), new Range(1, 1), RandomErasing.Fill.NORMAL)
                .apply(image, 3, 200, 200, random);
        double[] filled = IntStream.range(0, image.length)
                .mapToDouble(i -> image[i])
                .filter(value -> value != 1)
                .toArray();

        // sqrt(0.3 * 40000) is 110 to a side. Standard deviations of mean and share: 0.005 and 0.003.
        assertThat(filled).hasSize(3 * 110 * 110);
        assertThat(Arrays.stream(filled).average().orElseThrow()).isCloseTo(0, within(0.025));
        assertThat(Arrays.stream(filled).map(v -> v * v).average().orElseThrow())
                .isCloseTo(1, within(0.04));
        assertThat(Arrays.stream(filled).filter(v -> Math.abs(v) < 1).count() / (double) filled.length)
                .isCloseTo(0.6827, within(0.013));
    }

    @Test
    void randomErasing_whereNothingFits_erasesNothing() {
        float[] image = new float[100];
        Arrays.fill(image, 1);
        RandomErasing erasing = new RandomErasing(1, new Range(0.3, 0.3), new Range(100, 100), RandomErasing.Fill.ZERO);

        erasing.apply(image, 1, 10, 10, random);

        assertThat(image).containsOnly(1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> erasing.apply(image, 3, 10, 10, random))
                .withMessageContaining("100 values are not an image of 3 channels of 10 x 10");
    }
}
