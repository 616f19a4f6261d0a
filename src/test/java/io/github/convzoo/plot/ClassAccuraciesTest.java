package io.github.convzoo.plot;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.convzoo.train.ConfusionMatrix;
import io.github.convzoo.train.ConfusionMatrixes;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ClassAccuraciesTest {

    private static final int WHITE = 0xffffffff;
    private static final int FILLED = 0xff08306b;
    private static final int EMPTY = 0xffe6e6e6;
    private static final int TITLE = 28;
    private static final int LEFT = 208;
    private static final int BAR = 300;
    private static final int ROW = 18;

    /** How many pixels of a line are filled; these come first, and the rest of the bar is empty. */
    private static int filled(BufferedImage picture, int y) {
        int filled = 0;
        while (filled < BAR && picture.getRGB(LEFT + filled, y) == FILLED) {
            filled++;
        }
        for (int x = filled; x < BAR; x++) {
            assertThat(picture.getRGB(LEFT + x, y)).as("%d, %d", x, y).isEqualTo(EMPTY);
        }
        assertThat(picture.getRGB(LEFT - 1, y)).isEqualTo(WHITE);
        assertThat(picture.getRGB(LEFT + BAR, y)).isEqualTo(WHITE);
        return filled;
    }

    private static boolean isBlank(BufferedImage picture, int left, int top, int width, int height) {
        return IntStream.range(0, width * height)
                .allMatch(i -> picture.getRGB(left + i % width, top + i / width) == WHITE);
    }

    @Test
    void bars_areAsLongAsTheirClassesAreAccurate() {
        // Of class i's six images i are right, and the others taken for the next class.
        ConfusionMatrix matrix = ConfusionMatrixes.of(
                7, 8, (actual, predicted) -> predicted == actual ? actual : predicted == actual + 1 ? 6 - actual : 0);
        BufferedImage picture = ClassAccuracies.draw(matrix);

        assertThat(picture.getWidth()).isEqualTo(588);
        assertThat(picture.getHeight()).isEqualTo(TITLE + 7 * ROW + 8);
        for (int i = 0; i < 7; i++) {
            for (int y = 0; y < 16; y++) {
                assertThat(filled(picture, TITLE + i * ROW + y)).isEqualTo(50 * i);
            }
            // Bars do not touch.
            assertThat(isBlank(picture, LEFT, TITLE + i * ROW + 16, BAR, 2)).isTrue();
            assertThat(isBlank(picture, 0, TITLE + i * ROW, LEFT - 8, 16)).isFalse();
            assertThat(isBlank(picture, LEFT + BAR + 8, TITLE + i * ROW, 72, 16))
                    .isFalse();
        }
    }

    @Test
    void classWithoutImages_isNotTakenForOneThatIsAlwaysWrong() {
        ConfusionMatrix matrix = ConfusionMatrixes.of(
                List.of("a", "a"), 2, (actual, predicted) -> actual == 0 && predicted == 1 ? 5 : 0);
        BufferedImage picture = ClassAccuracies.draw(matrix);
        int right = LEFT + BAR + 8;

        assertThat(filled(picture, TITLE)).isZero();
        assertThat(filled(picture, TITLE + ROW)).isZero();
        // The same name, and beside the bars 0.00 % and "no image".
        assertThat(differing(picture, 0, LEFT)).isZero();
        assertThat(differing(picture, right, picture.getWidth())).isPositive();
        assertThat(isBlank(picture, right, TITLE + ROW, picture.getWidth() - right, 16))
                .isFalse();
    }

    /** How many pixels of the first row are others than those below them in the second. */
    private static long differing(BufferedImage picture, int from, int to) {
        return IntStream.range(from, to)
                .mapToLong(x -> IntStream.range(TITLE, TITLE + ROW)
                        .filter(y -> picture.getRGB(x, y) != picture.getRGB(x, y + ROW))
                        .count())
                .sum();
    }

    @Test
    void longName_isCutOffBeforeItsBar() {
        String name = "hen-of-the-woods, hen of the woods, Polyporus frondosus, Grifola frondosa";
        BufferedImage picture = ClassAccuracies.draw(new ConfusionMatrix(List.of(name), 1));

        assertThat(filled(picture, TITLE + 8)).isZero();
        // Where the name begins, and between it and the bar.
        assertThat(isBlank(picture, 0, TITLE, 7, ROW)).isTrue();
        assertThat(isBlank(picture, LEFT - 6, TITLE, 6, ROW)).isTrue();
        assertThat(isBlank(picture, 8, TITLE, 40, ROW)).isFalse();
    }

    @Test
    void moreThanTwoHundredClasses_areAPixelHighAndUnnamed() {
        BufferedImage most = ClassAccuracies.draw(
                ConfusionMatrixes.of(200, 200, (actual, predicted) -> actual == predicted ? 1 : 0));
        assertThat(most.getHeight()).isEqualTo(TITLE + 200 * ROW + 8);

        BufferedImage more = ClassAccuracies.draw(
                ConfusionMatrixes.of(201, 201, (actual, predicted) -> predicted == actual / 2 * 2 ? 1 : 0));
        assertThat(more.getWidth()).isEqualTo(588);
        assertThat(more.getHeight()).isEqualTo(TITLE + 201 + 8);
        for (int i = 0; i < 201; i++) {
            assertThat(filled(more, TITLE + i)).isEqualTo(i % 2 == 0 ? BAR : 0);
        }
        assertThat(isBlank(more, 0, TITLE, LEFT, 201 + 8)).isTrue();
        assertThat(isBlank(more, LEFT + BAR, TITLE, 588 - LEFT - BAR, 201 + 8)).isTrue();
    }
}
