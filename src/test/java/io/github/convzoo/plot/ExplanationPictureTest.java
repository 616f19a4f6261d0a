package io.github.convzoo.plot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.convzoo.image.Area;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.zoo.ActivationMap;
import io.github.convzoo.zoo.Explanation;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExplanationPictureTest {

    private static RgbImage image(int width, int height, Color color) {
        byte[] samples = new byte[width * height * 3];
        for (int i = 0; i < samples.length; i += 3) {
            samples[i] = (byte) color.getRed();
            samples[i + 1] = (byte) color.getGreen();
            samples[i + 2] = (byte) color.getBlue();
        }
        return RgbImage.of(width, height, samples);
    }

    private static Explanation explanation(ActivationMap map, Area area, int width, int height) {
        return new Explanation(3, "Dress", 0.5, true, Optional.empty(), map, area, width, height);
    }

    private static double chroma(int rgb) {
        int[] levels = {rgb >> 16 & 0xff, rgb >> 8 & 0xff, rgb & 0xff};
        return Arrays.stream(levels).max().orElse(0)
                - (double) Arrays.stream(levels).min().orElse(0);
    }

    private static double lightness(int rgb) {
        return 0.2126 * Math.pow((rgb >> 16 & 0xff) / 255.0, 2.2)
                + 0.7152 * Math.pow((rgb >> 8 & 0xff) / 255.0, 2.2)
                + 0.0722 * Math.pow((rgb & 0xff) / 255.0, 2.2);
    }

    @Test
    void colors_becomeEvenlyLighter() {
        double before = -1;
        for (int i = 0; i <= 255; i++) {
            double now = lightness(HeatColors.of(i / 255.0));
            assertThat(now).as("color %d", i).isGreaterThan(before);
            before = now;
        }
        assertThat(lightness(HeatColors.of(0))).isLessThan(0.05);
        assertThat(lightness(HeatColors.of(1))).isGreaterThan(0.8);
        assertThat(HeatColors.of(-1)).isEqualTo(HeatColors.of(0));
        assertThat(HeatColors.of(7)).isEqualTo(HeatColors.of(1));
    }

    @Test
    void overlay_colorsEvidence_keepsTheRestGray_andFadesWhatWasNotSeen() {
        // The left half is evidence, the right half is evidence against; the input is the middle half.
        ActivationMap map = new ActivationMap(1, 2, new float[] {2, -3});
        Explanation explanation = explanation(map, new Area(100, 0, 200, 200), 400, 200);
        BufferedImage overlay = ExplanationPicture.overlay(image(400, 200, new Color(200, 20, 20)), explanation);
        assertThat(overlay.getWidth()).isEqualTo(400);
        assertThat(overlay.getHeight()).isEqualTo(200);
        int evidence = overlay.getRGB(130, 100);
        int against = overlay.getRGB(280, 100);
        int unseen = overlay.getRGB(30, 100);
        assertThat(chroma(evidence)).isGreaterThan(20);
        // Luma of the image.
        assertThat(against & 0xffffff).isEqualTo(74 * 0x010101);
        assertThat(chroma(unseen)).isZero();
        assertThat(lightness(unseen)).isGreaterThan(lightness(against));
        assertThat(overlay.getRGB(370, 100)).isEqualTo(unseen);
        // The frame.
        assertThat(overlay.getRGB(99, 100)).isNotIn(unseen, evidence);
        assertThat(overlay.getRGB(300, 100)).isNotIn(unseen, against);
    }

    @Test
    void overlay_ofAWholeImage_hasNoFrame() {
        ActivationMap map = new ActivationMap(1, 1, new float[] {-1});
        BufferedImage overlay = ExplanationPicture.overlay(
                image(400, 400, Color.GRAY), explanation(map, new Area(-4, -4, 408, 408), 400, 400));
        for (int i = 0; i < 400; i++) {
            assertThat(overlay.getRGB(i, 0) & 0xffffff).isEqualTo(0x808080);
            assertThat(overlay.getRGB(399, i) & 0xffffff).isEqualTo(0x808080);
        }
    }

    @ParameterizedTest
    @CsvSource({"28, 28, 320, 320", "500, 375, 500, 375", "4000, 1000, 1024, 256", "1, 3000, 1, 1024"})
    void overlay_hasTheImagesAspectRatio(int width, int height, int drawnWidth, int drawnHeight) {
        ActivationMap map = new ActivationMap(1, 1, new float[] {1});
        Explanation explanation = explanation(map, new Area(0, 0, width, height), width, height);
        BufferedImage overlay = ExplanationPicture.overlay(image(width, height, Color.BLUE), explanation);
        assertThat(overlay.getWidth()).isEqualTo(drawnWidth);
        assertThat(overlay.getHeight()).isEqualTo(drawnHeight);
        BufferedImage picture = ExplanationPicture.draw(image(width, height, Color.BLUE), explanation);
        assertThat(picture.getWidth()).isEqualTo(Math.max(320, drawnWidth) + 16);
        assertThat(picture.getHeight()).isGreaterThan(drawnHeight + 50);
    }

    @Test
    void drawing_withoutEvidence_saysSoInsteadOfABar() {
        Area all = new Area(0, 0, 320, 320);
        RgbImage image = image(320, 320, Color.GRAY);
        BufferedImage with =
                ExplanationPicture.draw(image, explanation(new ActivationMap(1, 1, new float[] {1}), all, 320, 320));
        BufferedImage without =
                ExplanationPicture.draw(image, explanation(new ActivationMap(1, 1, new float[] {0}), all, 320, 320));
        int bar = 320 + 16 + 18 + 2;
        assertThat(chroma(with.getRGB(300, bar))).isGreaterThan(20);
        assertThat(without.getRGB(300, bar) & 0xffffff).isEqualTo(0xffffff);
    }

    @Test
    void explanationOfAnotherImage_isRefused() {
        Explanation explanation = explanation(new ActivationMap(1, 1, new float[] {1}), new Area(0, 0, 8, 9), 8, 9);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ExplanationPicture.draw(image(9, 8, Color.RED), explanation))
                .withMessage("the explanation is of an image of 8 x 9 pixels, not 9 x 8");
    }
}
