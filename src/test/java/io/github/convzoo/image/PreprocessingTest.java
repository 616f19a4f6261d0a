package io.github.convzoo.image;

import static io.github.convzoo.image.Fixtures.constant;
import static io.github.convzoo.image.Fixtures.image;
import static io.github.convzoo.image.Fixtures.noise;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.BufferOverflowException;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class PreprocessingTest {

    private static final Preprocessing IMAGENET =
            Preprocessing.ofCropFraction(224, 0.875, Resampling.BILINEAR, Normalization.IMAGENET);

    private static final Preprocessing FASHION_MNIST =
            Preprocessing.ofCropFraction(32, 8.0 / 7, Resampling.NEAREST, Normalization.IMAGENET);

    private static final Normalization NONE = new Normalization(List.of(0.0, 0.0, 0.0), List.of(1.0, 1.0, 1.0));

    static Stream<String> crops() {
        return Fixtures.names("image").filter(name -> name.startsWith("crop_"));
    }

    /** What timm's evaluation transform makes of an image, by crop mode and fraction. */
    @ParameterizedTest
    @MethodSource("crops")
    void resizeAndCrop_ofEveryMode_equalsTimm(String name) {
        String[] parts = name.substring(0, name.length() - 4).split("_", -1);
        int[] from = size(parts[1]);
        int[] to = size(parts[4]);
        RgbImage input = Resampling.BICUBIC.resize(image("image/resize_input.png"), from[0], from[1]);
        Preprocessing preprocessing = new Preprocessing(
                to[0],
                to[1],
                Double.parseDouble(parts[3]),
                CropMode.of(parts[2]),
                Resampling.BICUBIC,
                Normalization.IMAGENET);

        // The name has torchvision's order, height first, for the crop.
        assertThat(preprocessing.resizeAndCrop(input)).isEqualTo(image("image/" + name));
    }

    @Test
    void references_areAllThere() {
        assertThat(crops()).hasSize(20);
    }

    /** Python's round(): 0.5 to 0, 1.5 to 2, 2.5 to 2. */
    @ParameterizedTest
    @CsvSource({"10, 10, 0", "11, 10, 0", "12, 10, 1", "13, 10, 2", "15, 10, 2", "17, 10, 4", "16, 10, 3"})
    void crop_ofOddRest_startsAtTheEvenPixel(int size, int crop, int start) {
        RgbImage image = noise(size, size, 1);

        RgbImage cropped = Preprocessing.unresized(crop, crop, NONE).resizeAndCrop(image);

        assertThat(cropped.pixel(0, 0)).isEqualTo(image.pixel(start, start));
        assertThat(cropped.pixel(crop - 1, crop - 1)).isEqualTo(image.pixel(start + crop - 1, start + crop - 1));
    }

    @Test
    void crop_ofSmallerImage_padsLessAtLeftAndTop() {
        RgbImage padded = Preprocessing.unresized(4, 7, NONE).resizeAndCrop(constant(4, 1, 9));

        for (int y = 0; y < 4; y++) {
            for (int x = 0; x < 7; x++) {
                assertThat(padded.pixel(x, y)).isEqualTo(y == 1 && x >= 1 && x < 5 ? 0x090909 : 0);
            }
        }
    }

    @Test
    void resize_ofVeryLongImage_makesOnlyTheCrop() {
        RgbImage seen = IMAGENET.resizeAndCrop(constant(10_000_000, 1, 77));

        assertThat(seen).isEqualTo(constant(224, 224, 77));
    }

    @Test
    void toChw_ofTwoPixels_normalizesEachChannel() {
        Normalization normalization = new Normalization(List.of(0.5, 0.25, 0.0), List.of(0.5, 0.25, 2.0));
        RgbImage image = RgbImage.of(2, 1, new byte[] {0, (byte) 255, 51, (byte) 255, 0, 102});
        FloatBuffer target = FloatBuffer.allocate(8).position(1);

        Preprocessing.unresized(1, 2, normalization).toChw(image, target);

        assertThat(target.position()).isEqualTo(7);
        // (0 - 0.5) / 0.5, (1 - 0.5) / 0.5; (1 - 0.25) / 0.25, (0 - 0.25) / 0.25; 0.2 / 2, 0.4 / 2.
        assertThat(target.array()).containsExactly(0f, -1f, 1f, 3f, -1f, 0.1f, 0.2f, 0f);
    }

    /** Values that torchvision 0.29 gives, whose bits depend on the order of the three operations. */
    @Test
    void toChw_ofImagenetStatistics_hasTorchvisionsBits() {
        RgbImage image =
                RgbImage.of(3, 1, new byte[] {0, 0, 0, 1, 100, (byte) 200, (byte) 255, (byte) 255, (byte) 255});
        FloatBuffer target = FloatBuffer.allocate(9);

        Preprocessing.unresized(1, 3, Normalization.IMAGENET).toChw(image, target);

        assertThat(target.array()).containsExactly(TORCHVISION_IMAGENET);
    }

    private static final float[] TORCHVISION_IMAGENET = {
        -2.117904f, -2.1007793f, 2.2489083f, -2.0357141f, -0.28501397f, 2.4285715f, -1.8044444f, 1.6813945f, 2.64f
    };

    @Test
    void toChw_ofTooSmallBuffer_isRefused() {
        assertThatExceptionOfType(BufferOverflowException.class)
                .isThrownBy(() -> FASHION_MNIST.toChw(noise(28, 28, 1), FloatBuffer.allocate(3 * 32 * 32 - 1)));
    }

    @Test
    void fashionMnist_ofGrayImage_padsBeforeItNormalizes() {
        FloatBuffer target = FloatBuffer.allocate(3 * 32 * 32);

        FASHION_MNIST.toChw(constant(28, 28, 255), target);

        float black = -0.485f / 0.229f;
        float white = (1f - 0.485f) / 0.229f;
        assertThat(target.get(0)).isEqualTo(black);
        assertThat(target.get(32 + 15)).isEqualTo(black);
        assertThat(target.get(2 * 32 + 1)).isEqualTo(black);
        assertThat(target.get(2 * 32 + 2)).isEqualTo(white);
        assertThat(target.get(29 * 32 + 29)).isEqualTo(white);
        assertThat(target.get(30 * 32 + 29)).isEqualTo(black);
    }

    @Test
    void toBatch_ofTwoImages_isFloat32Nchw() {
        RgbImage first = noise(50, 40, 1);
        RgbImage second = noise(30, 60, 2);
        Preprocessing preprocessing = Preprocessing.ofCropFraction(16, 0.8, Resampling.BICUBIC, Normalization.IMAGENET);
        FloatBuffer expected = FloatBuffer.allocate(2 * 3 * 16 * 16);
        preprocessing.toChw(first, expected);
        preprocessing.toChw(second, expected);
        try (NDManager manager = NDManager.newBaseManager();
                NDArray batch = preprocessing.toBatch(manager, List.of(first, second))) {
            assertThat(batch.getShape()).isEqualTo(new Shape(2, 3, 16, 16));
            assertThat(batch.getDataType()).isEqualTo(DataType.FLOAT32);
            assertThat(batch.toFloatArray()).containsExactly(expected.array());
        }
    }

    @Test
    void toBatch_ofNoImage_isRefused() {
        try (NDManager manager = NDManager.newBaseManager()) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> IMAGENET.toBatch(manager, List.of()))
                    .withMessageContaining("not 0");
        }
    }

    @ParameterizedTest
    @CsvSource({"224, 0.875, 256", "224, 0.95, 235", "288, 1.0, 288", "224, 0.9, 248"})
    void ofCropFraction_floorsTheResizedSide(int size, double crop, int side) {
        assertThat(Preprocessing.ofCropFraction(size, crop, Resampling.BICUBIC, NONE)
                        .resizedSide())
                .isEqualTo(side);
    }

    @Test
    void withResizedSide_ofAnySide_isThatSide() {
        for (int size : new int[] {32, 128, 224, 288}) {
            for (int side = 1; side < 1000; side++) {
                assertThat(IMAGENET.withInputSize(size).withResizedSide(side).resizedSide())
                        .isEqualTo(side);
            }
        }
    }

    @Test
    void toChw_ofOneChannel_isPillowsGray() {
        Normalization gray = new Normalization(List.of(0.5), List.of(0.25));
        // Image.new("RGB", (1, 1), rgb).convert("L"): 76, 150, 29, 93.
        RgbImage image = RgbImage.of(
                4, 1, new byte[] {(byte) 255, 0, 0, 0, (byte) 255, 0, 0, 0, (byte) 255, 10, (byte) 128, (byte) 130});
        FloatBuffer target = FloatBuffer.allocate(4);

        Preprocessing.unresized(1, 4, gray).toChw(image, target);

        assertThat(target.array())
                .containsExactly(
                        (76 / 255f - 0.5f) / 0.25f,
                        (150 / 255f - 0.5f) / 0.25f,
                        (29 / 255f - 0.5f) / 0.25f,
                        (93 / 255f - 0.5f) / 0.25f);
    }

    @Test
    void forChannels_ofAnotherNumber_averagesAsTimmDoes() {
        Normalization gray = Normalization.IMAGENET.forChannels(1);

        assertThat(gray.mean()).containsExactly((0.485 + 0.456 + 0.406) / 3);
        assertThat(gray.std()).containsExactly((0.229 + 0.224 + 0.225) / 3);
        assertThat(gray.forChannels(3).mean())
                .hasSize(3)
                .containsOnly(gray.mean().get(0));
        assertThat(Normalization.IMAGENET.forChannels(3)).isSameAs(Normalization.IMAGENET);
        assertThatIllegalArgumentException().isThrownBy(() -> Normalization.IMAGENET.forChannels(2));
    }

    @Test
    void construction_ofImpossibleValues_namesThem() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Preprocessing.unresized(0, 5, NONE))
                .withMessageContaining("not 5 x 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> IMAGENET.withResizedSide(0))
                .withMessageContaining("not 0");
        for (double crop : new double[] {0, -1, 224.1, Double.NaN, 1e-9, Double.POSITIVE_INFINITY}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Preprocessing.ofCropFraction(224, crop, Resampling.BILINEAR, NONE))
                    .withMessageContaining(String.valueOf(crop));
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Normalization(List.of(0.5, 0.5), List.of(1.0, 1.0)))
                .withMessageContaining("[0.5, 0.5]");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Normalization(List.of(0.5, 0.5, 0.5), List.of(1.0, 0.0, 1.0)))
                .withMessageContaining("[1.0, 0.0, 1.0]");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Normalization(List.of(Double.NaN, 0.5, 0.5), List.of(1.0, 1.0, 1.0)))
                .withMessageContaining("NaN");
    }

    private static int[] size(String text) {
        return Arrays.stream(text.split("x", -1)).mapToInt(Integer::parseInt).toArray();
    }
}
