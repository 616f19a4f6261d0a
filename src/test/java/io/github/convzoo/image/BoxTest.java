package io.github.convzoo.image;

import static io.github.convzoo.image.Fixtures.image;
import static io.github.convzoo.image.Fixtures.noise;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Parts of images: cut out, resized, and with what lies around. */
class BoxTest {

    static Stream<String> parts() {
        return Fixtures.names("image").filter(name -> name.startsWith("part_"));
    }

    @ParameterizedTest
    @MethodSource("parts")
    void resize_ofPart_equalsTorchvision(String name) {
        String[] parts = name.substring(0, name.length() - 4).split("[_x]", -1);
        int[] n = Stream.of(parts).skip(1).mapToInt(Integer::parseInt).toArray();

        RgbImage resized =
                Resampling.BILINEAR.resize(image("image/rgb.png"), new Box(n[0], n[1], n[2], n[3]), n[4], n[5]);

        assertThat(resized).isEqualTo(image("image/" + name));
    }

    @Test
    void references_areAllThere() {
        assertThat(parts()).hasSize(4);
    }

    @ParameterizedTest
    @EnumSource
    void resize_ofPart_isThatOfTheCroppedImage(Resampling resampling) {
        RgbImage image = noise(61, 47, 1);
        Box box = new Box(7, 5, 40, 30);
        for (int[] size : new int[][] {{20, 10}, {40, 10}, {20, 30}, {40, 30}, {90, 80}}) {
            assertThat(resampling.resize(image, box, size[0], size[1]))
                    .isEqualTo(resampling.resize(image.crop(box), size[0], size[1]));
        }
    }

    @ParameterizedTest
    @CsvSource({"-1, 0, 2, 2", "0, -1, 2, 2", "8, 0, 2, 2", "0, 6, 2, 2", "2147483647, 0, 2, 2"})
    void crop_reachingOut_isRefusedWithoutABorder(int left, int top, int width, int height) {
        RgbImage image = noise(9, 7, 1);
        Box box = new Box(left, top, width, height);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> image.crop(box))
                .withMessageContaining("is not inside an image of 9 x 7 pixels");
        assertThatIllegalArgumentException().isThrownBy(() -> Resampling.BILINEAR.resize(image, box, 3, 3));
    }

    @Test
    void box_withoutPixels_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Box(0, 0, 0, 1))
                .withMessageContaining("not 0 x 1");
    }

    @Test
    void crop_withBlackBorder_seesBlackBeyondTheEdges() {
        RgbImage image = noise(9, 7, 1);
        RgbImage cropped = image.crop(new Box(-3, -20, 40, 50), Border.BLACK);

        for (int y = 0; y < 50; y++) {
            for (int x = 0; x < 40; x++) {
                boolean inside = x >= 3 && x < 12 && y >= 20 && y < 27;
                assertThat(cropped.pixel(x, y)).isEqualTo(inside ? image.pixel(x - 3, y - 20) : 0);
            }
        }
    }

    @Test
    void crop_withReflectedBorder_mirrorsAtTheOutermostPixels() {
        RgbImage row = noise(3, 1, 2);
        int a = row.pixel(0, 0);
        int b = row.pixel(1, 0);
        int c = row.pixel(2, 0);
        RgbImage seen = row.crop(new Box(-5, -2, 13, 5), Border.REFLECT);
        // Positions -5 to 7.
        int[] expected = {b, a, b, c, b, a, b, c, b, a, b, c, b};

        for (int y = 0; y < 5; y++) {
            for (int x = 0; x < 13; x++) {
                assertThat(seen.pixel(x, y)).as("(%d, %d)", x, y).isEqualTo(expected[x]);
            }
        }
    }

    @Test
    void flippedHorizontally_changesLeftAndRightOver() {
        RgbImage image = noise(5, 4, 3);
        RgbImage flipped = image.flippedHorizontally();

        for (int y = 0; y < 4; y++) {
            for (int x = 0; x < 5; x++) {
                assertThat(flipped.pixel(x, y)).isEqualTo(image.pixel(4 - x, y));
            }
        }
        assertThat(flipped.flippedHorizontally()).isEqualTo(image);
    }
}
