package io.github.convzoo.plot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.convzoo.image.RgbImage;
import io.github.convzoo.train.ConfusionMatrix;
import io.github.convzoo.train.ConfusionMatrixes;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PicturesTest {

    private static final int WHITE = 0xffffffff;

    @Test
    void confusion_ofTenClasses_isDarkWhereAllAreRight() {
        ConfusionMatrix matrix = ConfusionMatrixes.of(10, 10, (actual, predicted) -> actual == predicted ? 5 : 0);
        BufferedImage picture = ConfusionPicture.draw(matrix);
        int corner = picture.getWidth() - 8 - 10 * 48;
        int top = picture.getHeight() - 8 - 10 * 48;
        for (int row = 0; row < 10; row++) {
            for (int column = 0; column < 10; column++) {
                int field = picture.getRGB(corner + column * 48 + 3, top + row * 48 + 3);
                assertThat(field).isEqualTo(row == column ? 0xff08306b : WHITE);
            }
        }
    }

    @Test
    void confusion_ofAThousandClasses_isAPixelAField() {
        ConfusionMatrix matrix = ConfusionMatrixes.of(1000, 1000, (actual, predicted) -> predicted == 7 ? 1 : 0);
        BufferedImage picture = ConfusionPicture.draw(matrix);
        assertThat(picture.getWidth()).isEqualTo(1016);
        assertThat(picture.getRGB(8 + 7, picture.getHeight() - 9)).isEqualTo(0xff08306b);
        assertThat(picture.getRGB(8 + 8, picture.getHeight() - 9)).isEqualTo(WHITE);
    }

    @Test
    void confusion_ofFewerClassesThanTheNetworks_leavesOutWhatNobodyWasTakenFor() {
        BufferedImage ten = ConfusionPicture.draw(ConfusionMatrixes.of(10, 10, (actual, predicted) -> 1));
        BufferedImage more =
                ConfusionPicture.draw(ConfusionMatrixes.of(10, 1000, (actual, predicted) -> predicted < 10 ? 1 : 0));
        assertThat(more.getWidth()).isEqualTo(ten.getWidth());
    }

    @Test
    void curves_ofTwoPanels_haveTheirLinesAndSurviveGaps() {
        List<Double> epochs = List.of(1.0, 2.0, 3.0);
        Curves.Line falling = new Curves.Line("training", epochs, List.of(2.0, Double.NaN, 0.5));
        Curves.Line none = new Curves.Line("validation", epochs, Collections.nCopies(3, Double.POSITIVE_INFINITY));
        BufferedImage with = new Curves(List.of(
                        new Curves.Panel("loss", List.of(falling, none)), new Curves.Panel("accuracy", List.of())))
                .draw();
        BufferedImage without = new Curves(
                        List.of(new Curves.Panel("loss", List.of(none)), new Curves.Panel("accuracy", List.of())))
                .draw();
        assertThat(with.getWidth()).isEqualTo(1280);
        assertThat(with.getHeight()).isEqualTo(480);
        assertThat(differing(with, without, 0)).isPositive();
        assertThat(differing(with, without, 640)).isZero();
        assertThatIllegalArgumentException().isThrownBy(() -> new Curves.Line("loss", epochs, List.of(1.0)));
        assertThatIllegalArgumentException().isThrownBy(() -> new Curves(List.of()));
    }

    private static long differing(BufferedImage one, BufferedImage other, int from) {
        return IntStream.range(from, from + 640)
                .mapToLong(x -> IntStream.range(0, 480)
                        .filter(y -> one.getRGB(x, y) != other.getRGB(x, y))
                        .count())
                .sum();
    }

    @Test
    void grid_ofSevenImages_showsEachInItsCell() {
        List<ImageGrid.Entry> entries = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            byte[] samples = new byte[3 * 40 * 20];
            Arrays.fill(samples, (byte) (30 * i));
            entries.add(new ImageGrid.Entry(
                    RgbImage.of(40, 20, samples),
                    "a very long name of a class that does not fit 99.9 %",
                    i % 2 == 0 ? "" : "cat",
                    List.of(ImageGrid.Verdict.values()).get(i % 3)));
        }
        BufferedImage grid = ImageGrid.draw(entries);
        assertThat(grid.getWidth()).isEqualTo(8 + 3 * 168);
        assertThat(grid.getHeight()).isEqualTo(8 + 3 * 200);
        for (int i = 0; i < 7; i++) {
            int x = 8 + i % 3 * 168 + 80;
            int y = 8 + i / 3 * 200 + 80;
            assertThat(grid.getRGB(x, y) & 0xff).isEqualTo(30 * i);
            // Fitted by its longer side, centered.
            assertThat(grid.getRGB(x, y - 45)).isEqualTo(WHITE);
        }
        assertThatIllegalArgumentException().isThrownBy(() -> ImageGrid.draw(List.of()));
    }

    @Test
    void grid_ofEachVerdict_hasItsColor() {
        RgbImage black = RgbImage.of(1, 1, new byte[3]);
        for (ImageGrid.Verdict verdict : ImageGrid.Verdict.values()) {
            BufferedImage grid = ImageGrid.draw(List.of(new ImageGrid.Entry(black, "MMMM", "", verdict)));
            int redder = most(grid, 16) - most(grid, 8);
            assertThat(Integer.signum(redder))
                    .as(verdict.toString())
                    .isEqualTo(
                            switch (verdict) {
                                case UNKNOWN -> 0;
                                case RIGHT -> -1;
                                case WRONG -> 1;
                            });
        }
    }

    /** By how much a color is above blue, where it is most, in the only caption. */
    private static int most(BufferedImage grid, int shift) {
        return IntStream.range(0, 160 * 16)
                .map(i -> grid.getRGB(8 + i % 160, 8 + 160 + i / 160))
                .map(pixel -> (pixel >> shift & 0xff) - (pixel & 0xff))
                .max()
                .orElseThrow();
    }

    @Test
    void grid_ofALargePhoto_holdsItInTheSizeThatIsDrawn() {
        // Stripes of a pixel, which only a shrinking that counts every pixel makes gray.
        byte[] samples = new byte[3 * 1600 * 800];
        for (int i = 0; i < samples.length; i++) {
            samples[i] = (byte) (i / 3 % 2 * 255);
        }
        ImageGrid.Entry entry =
                new ImageGrid.Entry(RgbImage.of(1600, 800, samples), "stripes", "", ImageGrid.Verdict.UNKNOWN);

        assertThat(entry.image().width()).isEqualTo(160);
        assertThat(entry.image().height()).isEqualTo(80);
        BufferedImage grid = ImageGrid.draw(List.of(entry));
        for (int x = 10; x < 150; x++) {
            assertThat(grid.getRGB(8 + x, 8 + 80) & 0xff).isBetween(120, 136);
        }
        assertThat(grid.getRGB(8 + 80, 8 + 39)).isEqualTo(WHITE);
        assertThat(grid.getRGB(8 + 80, 8 + 120)).isEqualTo(WHITE);
        RgbImage line = new ImageGrid.Entry(
                        RgbImage.of(3, 2000, new byte[3 * 3 * 2000]), "line", "", ImageGrid.Verdict.UNKNOWN)
                .image();
        assertThat(line.width()).isEqualTo(1);
        assertThat(line.height()).isEqualTo(160);
    }

    @Test
    void grid_ofMoreImagesThanFit_isRefused() {
        // 126 x 126 cells of 168 x 200 pixels take just under 2^31 bytes, 127 columns more.
        ImageGrid.checkCount(126 * 126);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ImageGrid.checkCount(126 * 126 + 1))
                .withMessage("15877 images are too many for one grid; use fewer");
        assertThatIllegalArgumentException().isThrownBy(() -> ImageGrid.checkCount(Integer.MAX_VALUE));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ImageGrid.checkCount(0))
                .withMessage("a grid needs at least one image");
    }
}
