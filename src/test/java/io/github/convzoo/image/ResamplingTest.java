package io.github.convzoo.image;

import static io.github.convzoo.image.Fixtures.constant;
import static io.github.convzoo.image.Fixtures.image;
import static io.github.convzoo.image.Fixtures.noise;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class ResamplingTest {

    static Stream<String> references() {
        return Fixtures.names("image").filter(name -> name.matches("resize_[a-z]+_\\d+x\\d+\\.png"));
    }

    @ParameterizedTest
    @MethodSource("references")
    void resize_toAnySize_equalsPillow(String name) {
        String[] parts = name.substring(0, name.length() - 4).split("_", -1);
        String[] size = parts[2].split("x", -1);

        RgbImage resized = Resampling.valueOf(parts[1].toUpperCase(Locale.ROOT))
                .resize(image("image/resize_input.png"), Integer.parseInt(size[0]), Integer.parseInt(size[1]));

        assertThat(resized).isEqualTo(image("image/" + name));
    }

    @Test
    void references_coverEveryFilter() {
        assertThat(references()).hasSize(27);
    }

    @ParameterizedTest
    @EnumSource
    void resize_ofConstantImage_staysConstant(Resampling resampling) {
        for (int level : new int[] {0, 1, 127, 254, 255}) {
            for (int[] size : new int[][] {{1, 1}, {1, 50}, {50, 1}, {7, 11}, {200, 3}, {64, 65}}) {
                assertThat(resampling.resize(constant(37, 23, level), size[0], size[1]))
                        .isEqualTo(constant(size[0], size[1], level));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void resize_ofOnePixel_repeatsIt(Resampling resampling) {
        assertThat(resampling.resize(constant(1, 1, 200), 9, 5)).isEqualTo(constant(9, 5, 200));
    }

    @ParameterizedTest
    @EnumSource
    void resize_toTheSameSize_isTheImage(Resampling resampling) {
        RgbImage image = noise(31, 17, 1);

        assertThat(resampling.resize(image, 31, 17)).isSameAs(image);
    }

    @ParameterizedTest
    @EnumSource
    void resize_ofExtremeShapes_hasTheSize(Resampling resampling) {
        for (RgbImage image : new RgbImage[] {noise(5000, 1, 2), noise(1, 5000, 3), noise(2, 3000, 4)}) {
            RgbImage resized = resampling.resize(image, 13, 7);

            assertThat(resized.width()).isEqualTo(13);
            assertThat(resized.height()).isEqualTo(7);
        }
    }

    @ParameterizedTest
    @EnumSource
    void resize_ofWindow_isThePartOfTheWhole(Resampling resampling) {
        RgbImage image = noise(61, 47, 5);
        for (int[] size : new int[][] {{30, 20}, {61, 20}, {30, 47}, {61, 47}, {100, 90}}) {
            RgbImage whole = resampling.resize(image, size[0], size[1]);
            RgbImage part =
                    resampling.resize(image, size[0], size[1], new Resampling.Window(5, 3, size[0] - 9, size[1] - 7));

            assertThat(part.width()).isEqualTo(size[0] - 9);
            assertThat(part.height()).isEqualTo(size[1] - 7);
            for (int y = 0; y < part.height(); y++) {
                for (int x = 0; x < part.width(); x++) {
                    assertThat(part.pixel(x, y)).isEqualTo(whole.pixel(x + 5, y + 3));
                }
            }
        }
    }

    @Test
    void resize_byHalfBilinear_weighsByATriangleOfTwoPixels() {
        // Around the center of outputs 0 and 1 of four inputs: weights 3, 3, 1 of 7 and 1, 3, 3 of 7.
        RgbImage image = RgbImage.of(4, 1, bytes(70, 70, 70, 140, 140, 140, 210, 210, 210, 0, 0, 0));

        RgbImage half = Resampling.BILINEAR.resize(image, 2, 1);

        assertThat(half.pixel(0, 0)).isEqualTo(0x787878);
        assertThat(half.pixel(1, 0)).isEqualTo(0x6e6e6e);
    }

    /** As Pillow: positions are sums of the scale, whose rounding decides. Products would give 14 instead of 13. */
    @Test
    void resize_byNearest_addsTheScaleUp() {
        byte[] levels = new byte[3 * 28];
        for (int i = 0; i < levels.length; i++) {
            levels[i] = (byte) (i / 3);
        }
        RgbImage columns = Resampling.NEAREST.resize(RgbImage.of(28, 1, levels), 5, 1);
        RgbImage rows = Resampling.NEAREST.resize(RgbImage.of(1, 28, levels), 1, 5);

        assertThat(IntStream.range(0, 5).map(i -> columns.pixel(i, 0) & 0xff)).containsExactly(2, 8, 13, 19, 25);
        assertThat(IntStream.range(0, 5).map(i -> rows.pixel(0, i) & 0xff)).containsExactly(2, 8, 13, 19, 25);
    }

    @Test
    void resize_toNoSize_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Resampling.BICUBIC.resize(noise(4, 4, 6), 0, 4))
                .withMessageContaining("not 0 x 4");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Resampling.BICUBIC.resize(noise(4, 4, 6), 100_000, 100_000))
                .withMessageContaining("715,827,879");
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }
}
