package io.github.convzoo.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AreaTest {

    /** An image whose red says how far to the right a pixel is, and whose green how far down; blue is full. */
    private static RgbImage ramp(int width, int height) {
        byte[] samples = new byte[width * height * 3];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int at = 3 * (y * width + x);
                samples[at] = (byte) (255 * x / (width - 1));
                samples[at + 1] = (byte) (255 * y / (height - 1));
                samples[at + 2] = (byte) 255;
            }
        }
        return RgbImage.of(width, height, samples);
    }

    @ParameterizedTest
    @CsvSource({
        "CENTER, 300, 200, 96, 96, 0.875",
        "CENTER, 200, 300, 96, 96, 1",
        "CENTER, 301, 199, 95, 95, 0.875",
        "CENTER, 200, 200, 96, 64, 0.9",
        "CENTER, 100, 80, 64, 64, 1.25",
        "SQUASH, 300, 120, 96, 96, 0.8",
        "SQUASH, 90, 300, 64, 128, 1",
        "BORDER, 300, 200, 96, 96, 1",
        "BORDER, 200, 300, 96, 96, 0.9",
        "UNRESIZED, 300, 200, 96, 64, 1",
        "UNRESIZED, 41, 63, 96, 64, 1",
        "UNRESIZED, 40, 200, 96, 64, 1",
    })
    void inputArea_isWhereTheInputsPixelsComeFrom(
            CropMode mode, int width, int height, int inputWidth, int inputHeight, double fraction) {
        Preprocessing preprocessing =
                new Preprocessing(inputHeight, inputWidth, fraction, mode, Resampling.BILINEAR, Normalization.IMAGENET);
        RgbImage input = preprocessing.resizeAndCrop(ramp(width, height));
        Area area = preprocessing.inputArea(width, height);
        int seen = 0;
        for (int y = 0; y < inputHeight; y++) {
            for (int x = 0; x < inputWidth; x++) {
                double fromX = area.left() + (x + 0.5) * area.width() / inputWidth;
                double fromY = area.top() + (y + 0.5) * area.height() / inputHeight;
                int rgb = input.pixel(x, y);
                boolean inside = fromX >= 0 && fromX <= width && fromY >= 0 && fromY <= height;
                assertThat((rgb & 0xff) == 255).as("pixel %d, %d", x, y).isEqualTo(inside);
                // The filter blurs the ramp's ends.
                double blurX = Math.max(2, 2 * area.width() / inputWidth);
                double blurY = Math.max(2, 2 * area.height() / inputHeight);
                if (inside && fromX > blurX && fromX < width - blurX && fromY > blurY && fromY < height - blurY) {
                    seen++;
                    assertThat((rgb >> 16 & 0xff) * (width - 1) / 255.0 + 0.5)
                            .isCloseTo(fromX, within(1 + width / 255.0));
                    assertThat((rgb >> 8 & 0xff) * (height - 1) / 255.0 + 0.5)
                            .isCloseTo(fromY, within(1 + height / 255.0));
                }
            }
        }
        assertThat(seen).isGreaterThan(1000);
        boolean cropped = area.left() > 1e-6
                || area.top() > 1e-6
                || area.left() + area.width() < width - 1e-6
                || area.top() + area.height() < height - 1e-6;
        assertThat(area.covers(width, height)).isEqualTo(!cropped);
    }

    @Test
    void inputArea_ofAWholeImage_isTheImage() {
        Preprocessing whole = new Preprocessing(64, 64, 1, CropMode.SQUASH, Resampling.BICUBIC, Normalization.IMAGENET);
        assertThat(whole.inputArea(123, 45)).isEqualTo(new Area(0, 0, 123, 45));
    }

    @Test
    void area_withoutSizeOrEdges_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Area(0, 0, 0, 1))
                .withMessage("an area must have finite edges and positive sides, not left 0.0, top 0.0, width 0.0,"
                        + " height 1.0");
        assertThatIllegalArgumentException().isThrownBy(() -> new Area(Double.NaN, 0, 1, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new Area(0, 0, 1, Double.POSITIVE_INFINITY));
        assertThatIllegalArgumentException().isThrownBy(() -> new Area(0, Double.NEGATIVE_INFINITY, 1, 1));
    }
}
