package io.github.convzoo.image;

import static io.github.convzoo.image.Fixtures.image;
import static io.github.convzoo.image.Fixtures.noise;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.modality.cv.BufferedImageFactory;
import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.WritableRaster;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RgbImageTest {

    @ParameterizedTest
    @ValueSource(
            ints = {
                BufferedImage.TYPE_INT_RGB,
                BufferedImage.TYPE_INT_ARGB,
                BufferedImage.TYPE_INT_ARGB_PRE,
                BufferedImage.TYPE_INT_BGR,
                BufferedImage.TYPE_3BYTE_BGR,
                BufferedImage.TYPE_4BYTE_ABGR,
                BufferedImage.TYPE_4BYTE_ABGR_PRE,
            })
    void of_opaqueBufferedImage_hasItsSamples(int type) {
        RgbImage image = noise(13, 7, 1);
        BufferedImage buffered = new BufferedImage(13, 7, type);
        buffered.setRGB(0, 0, 13, 7, argb(image), 0, 13);

        assertThat(RgbImage.of(buffered)).isEqualTo(image);
        assertThat(RgbImage.takingOver(buffered)).isEqualTo(image);
    }

    @Test
    void of_grayBufferedImage_replicatesTheStoredLevels() {
        BufferedImage buffered = new BufferedImage(256, 1, BufferedImage.TYPE_BYTE_GRAY);
        buffered.getRaster().setPixels(0, 0, 256, 1, IntStream.range(0, 256).toArray());

        RgbImage image = RgbImage.of(buffered);

        for (int level = 0; level < 256; level++) {
            assertThat(image.pixel(level, 0)).isEqualTo(0x010101 * level);
        }
        // What getRGB would make of it, which is why it is not used.
        assertThat(buffered.getRGB(100, 0) & 0xff).isNotEqualTo(100);
    }

    @Test
    void of_16BitGray_keepsTheHighByte() {
        BufferedImage buffered = new BufferedImage(3, 1, BufferedImage.TYPE_USHORT_GRAY);
        buffered.getRaster().setPixels(0, 0, 3, 1, new int[] {0x00ff, 0x7f80, 0xffff});

        assertThat(RgbImage.of(buffered))
                .isEqualTo(RgbImage.of(3, 1, new byte[] {0, 0, 0, 0x7f, 0x7f, 0x7f, -1, -1, -1}));
    }

    @Test
    void of_565_scalesToFullRange() {
        BufferedImage buffered = new BufferedImage(2, 1, BufferedImage.TYPE_USHORT_565_RGB);
        buffered.getRaster().setPixels(0, 0, 2, 1, new int[] {31, 63, 31, 16, 32, 0});

        RgbImage image = RgbImage.of(buffered);

        assertThat(image.pixel(0, 0)).isEqualTo(0xffffff);
        assertThat(image.pixel(1, 0)).isEqualTo(132 << 16 | 130 << 8);
    }

    @Test
    void of_transparentPixels_dropsAlpha() {
        BufferedImage buffered = new BufferedImage(1, 1, BufferedImage.TYPE_INT_ARGB);
        buffered.setRGB(0, 0, 0x00123456);

        assertThat(RgbImage.of(buffered).pixel(0, 0)).isEqualTo(0x123456);
    }

    @Test
    void of_premultipliedAlpha_isDivided() {
        BufferedImage buffered = new BufferedImage(1, 1, BufferedImage.TYPE_INT_ARGB_PRE);
        buffered.setRGB(0, 0, 0x80ff0000);

        assertThat(RgbImage.of(buffered).pixel(0, 0) >> 16).isGreaterThan(0xfc);
    }

    @Test
    void of_otherColorSpace_ignoresTheProfile() {
        ColorModel linear = new ComponentColorModel(
                ColorSpace.getInstance(ColorSpace.CS_LINEAR_RGB),
                false,
                false,
                ColorModel.OPAQUE,
                DataBuffer.TYPE_BYTE);
        WritableRaster raster = linear.createCompatibleWritableRaster(1, 1);
        raster.setPixel(0, 0, new int[] {10, 100, 200});
        BufferedImage buffered = new BufferedImage(linear, raster, false, null);

        assertThat(RgbImage.of(buffered).pixel(0, 0)).isEqualTo(10 << 16 | 100 << 8 | 200);
        assertThat(RgbImage.takingOver(buffered).pixel(0, 0)).isEqualTo(10 << 16 | 100 << 8 | 200);
    }

    @Test
    void of_paletteWithMissingEntries_takesBlack() {
        IndexColorModel palette = new IndexColorModel(8, 2, new byte[] {1, 2}, new byte[] {3, 4}, new byte[] {5, 6});
        WritableRaster raster = palette.createCompatibleWritableRaster(3, 1);
        raster.setPixels(0, 0, 3, 1, new int[] {1, 0, 7});

        RgbImage image = RgbImage.of(new BufferedImage(palette, raster, false, null));

        assertThat(image).isEqualTo(RgbImage.of(3, 1, new byte[] {2, 4, 6, 1, 3, 5, 0, 0, 0}));
    }

    @ParameterizedTest
    @ValueSource(
            ints = {
                BufferedImage.TYPE_3BYTE_BGR,
                BufferedImage.TYPE_INT_RGB,
                BufferedImage.TYPE_BYTE_GRAY,
                BufferedImage.TYPE_BYTE_INDEXED
            })
    void of_partOfABufferedImage_readsOnlyThatPart(int type) {
        BufferedImage whole = new BufferedImage(20, 10, type);
        whole.setRGB(0, 0, 20, 10, argb(noise(20, 10, 2)), 0, 20);
        RgbImage expected = RgbImage.of(whole);

        RgbImage part = RgbImage.of(whole.getSubimage(3, 4, 9, 5));
        RgbImage taken = RgbImage.takingOver(whole.getSubimage(3, 4, 9, 5));

        assertThat(taken).isEqualTo(part);
        for (int y = 0; y < 5; y++) {
            for (int x = 0; x < 9; x++) {
                assertThat(part.pixel(x, y)).isEqualTo(expected.pixel(x + 3, y + 4));
            }
        }
    }

    @Test
    void toBufferedImage_andBack_isTheSame() {
        RgbImage image = noise(9, 11, 3);

        BufferedImage buffered = image.toBufferedImage();

        assertThat(buffered.getRGB(4, 5)).isEqualTo(0xff000000 | image.pixel(4, 5));
        assertThat(RgbImage.of(buffered)).isEqualTo(image);
    }

    @Test
    void of_djlImage_hasItsSamples() {
        RgbImage image = noise(9, 11, 4);

        Image djl = new BufferedImageFactory().fromImage(image.toBufferedImage());

        assertThat(RgbImage.of(djl)).isEqualTo(image);
        try (NDManager manager = NDManager.newBaseManager();
                NDArray array = djl.toNDArray(manager).toType(DataType.UINT8, false)) {
            assertThat(array.toByteArray()).isEqualTo(image.toBytes());
        }
    }

    @Test
    void of_wrongNumberOfSamples_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RgbImage.of(2, 2, new byte[11]))
                .withMessageContaining("have 12 samples, not 11");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RgbImage.of(0, 2, new byte[0]))
                .withMessageContaining("not 0 x 2");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RgbImage.of(65536, 65536, new byte[0]))
                .withMessageContaining("not 65536 x 65536");
    }

    @Test
    void samples_ofCallers_areCopied() {
        byte[] samples = {1, 2, 3};
        RgbImage image = RgbImage.of(1, 1, samples);
        samples[0] = 9;
        image.toBytes()[1] = 9;

        assertThat(image.pixel(0, 0)).isEqualTo(0x010203);
    }

    @Test
    void pixel_outside_isRefused() {
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
                .isThrownBy(() -> noise(3, 4, 1).pixel(3, 0));
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
                .isThrownBy(() -> noise(3, 4, 1).pixel(0, 4));
    }

    @Test
    void equals_ofOtherShape_isFalse() {
        byte[] samples = new byte[12];

        assertThat(RgbImage.of(4, 1, samples)).isNotEqualTo(RgbImage.of(1, 4, samples));
        assertThat(RgbImage.of(2, 2, samples))
                .isEqualTo(RgbImage.of(2, 2, samples))
                .hasSameHashCodeAs(RgbImage.of(2, 2, samples))
                .hasToString("RgbImage[2 x 2]");
        assertThat(image("image/rgb.png")).isNotEqualTo(image("image/gray.png"));
    }

    private static int[] argb(RgbImage image) {
        int[] pixels = new int[image.width() * image.height()];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = 0xff000000 | image.pixel(i % image.width(), i / image.width());
        }
        return pixels;
    }
}
