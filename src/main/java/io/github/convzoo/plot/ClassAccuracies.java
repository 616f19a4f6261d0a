package io.github.convzoo.plot;

import io.github.convzoo.train.ConfusionMatrix;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * Per-class accuracy as bars, in the order of the class numbers. Up to 200 classes have their names and percentages
 * next to the bars; with more, each bar is one pixel high.
 */
public final class ClassAccuracies {

    private static final int MOST_NAMED = 200;
    private static final int GAP = 8;
    private static final int TITLE = 28;
    private static final int BAR = 300;
    private static final int NUMBER = 64;
    private static final int ROW = 18;
    private static final int NAME = 200;
    private static final Font FONT = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    private static final Color FILLED = new Color(8, 48, 107);
    private static final Color EMPTY = new Color(230, 230, 230);

    private ClassAccuracies() {}

    /**
     * Draws the bars.
     *
     * @param matrix the confusion matrix
     * @return a picture 588 pixels wide, whose height depends on the number of classes
     */
    public static BufferedImage draw(ConfusionMatrix matrix) {
        int classes = matrix.classes().size();
        boolean named = classes <= MOST_NAMED;
        int row = named ? ROW : 1;
        int width = NAME + BAR + NUMBER + 3 * GAP;
        BufferedImage image = new BufferedImage(width, TITLE + classes * row + GAP, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        try {
            graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
            graphics.setFont(FONT);
            graphics.setColor(Color.WHITE);
            graphics.fillRect(0, 0, width, image.getHeight());
            graphics.setColor(Color.BLACK);
            graphics.drawString("per-class accuracy", GAP, TITLE - GAP);
            for (int i = 0; i < classes; i++) {
                bar(graphics, matrix.accuracy(i), TITLE + i * row, named ? row - 2 : row);
                if (named) {
                    text(graphics, matrix, i, TITLE + i * row + row - 6);
                }
            }
        } finally {
            graphics.dispose();
        }
        return image;
    }

    private static void bar(Graphics2D graphics, OptionalDouble accuracy, int y, int height) {
        int left = NAME + GAP;
        graphics.setColor(EMPTY);
        graphics.fillRect(left, y, BAR, height);
        graphics.setColor(FILLED);
        graphics.fillRect(left, y, (int) Math.round(BAR * accuracy.orElse(0)), height);
    }

    private static void text(Graphics2D graphics, ConfusionMatrix matrix, int number, int y) {
        graphics.setColor(Color.BLACK);
        FontMetrics metrics = graphics.getFontMetrics();
        String name = Captions.fitted(metrics, matrix.classes().get(number), NAME - GAP);
        graphics.drawString(name, NAME - metrics.stringWidth(name), y);
        OptionalDouble accuracy = matrix.accuracy(number);
        String percent =
                accuracy.isEmpty() ? "no images" : String.format(Locale.ROOT, "%.2f %%", 100 * accuracy.getAsDouble());
        graphics.drawString(percent, NAME + BAR + 2 * GAP, y);
    }
}
