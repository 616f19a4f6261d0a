package io.github.convzoo.plot;

import io.github.convzoo.train.ConfusionMatrix;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.AffineTransform;
import java.awt.image.BufferedImage;
import java.util.stream.IntStream;

/**
 * A confusion matrix: one row per actual class, one column per predicted class, cells darker for a larger fraction of
 * the row. Up to 20 classes have their counts in the cells, up to 100 their names next to them.
 */
public final class ConfusionPicture {

    private static final int MOST_COUNTED = 20;
    private static final int MOST_NAMED = 100;
    private static final int GAP = 8;
    private static final int TITLE = 28;
    private static final Font FONT = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    private static final Color FULL = new Color(8, 48, 107);

    private ConfusionPicture() {}

    /**
     * Draws a matrix.
     *
     * @param matrix the confusion matrix
     * @return a picture whose size depends on the number of classes: 48, 16 or 1 pixel per cell
     */
    public static BufferedImage draw(ConfusionMatrix matrix) {
        int rows = matrix.classes().size();
        int columns = columns(matrix);
        int cell = columns <= MOST_COUNTED ? 48 : columns <= MOST_NAMED ? 16 : 1;
        boolean named = columns <= MOST_NAMED;
        int margin = named ? longestName(matrix) + 2 * GAP : GAP;
        int width = margin + columns * cell + GAP;
        int height = TITLE + margin + rows * cell + GAP;
        BufferedImage image = new BufferedImage(Math.max(width, 240), height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        try {
            graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
            graphics.setFont(FONT);
            graphics.setColor(Color.WHITE);
            graphics.fillRect(0, 0, image.getWidth(), height);
            graphics.setColor(Color.BLACK);
            graphics.drawString("rows: actual, columns: predicted", GAP, TITLE - GAP);
            for (int row = 0; row < rows; row++) {
                for (int column = 0; column < columns; column++) {
                    field(graphics, matrix, row, column, margin + column * cell, TITLE + margin + row * cell, cell);
                }
            }
            if (named) {
                names(graphics, matrix, columns, cell, margin);
            }
        } finally {
            graphics.dispose();
        }
        return image;
    }

    /** The number of columns; trailing classes that are neither actual nor predicted are omitted. */
    private static int columns(ConfusionMatrix matrix) {
        int rows = matrix.classes().size();
        int columns = matrix.predictable();
        while (columns > rows && isEmpty(matrix, columns - 1)) {
            columns--;
        }
        return columns;
    }

    private static boolean isEmpty(ConfusionMatrix matrix, int column) {
        return IntStream.range(0, matrix.classes().size()).allMatch(row -> matrix.count(row, column) == 0);
    }

    private static void field(
            Graphics2D graphics, ConfusionMatrix matrix, int row, int column, int x, int y, int cell) {
        long count = matrix.count(row, column);
        long total = matrix.total(row);
        double share = total == 0 ? 0 : (double) count / total;
        graphics.setColor(
                new Color(mixed(share, FULL.getRed()), mixed(share, FULL.getGreen()), mixed(share, FULL.getBlue())));
        graphics.fillRect(x, y, cell, cell);
        if (cell >= 48 && count > 0) {
            graphics.setColor(share > 0.5 ? Color.WHITE : Color.BLACK);
            String text = Long.toString(count);
            FontMetrics metrics = graphics.getFontMetrics();
            graphics.drawString(
                    text, x + (cell - metrics.stringWidth(text)) / 2, y + (cell + metrics.getAscent()) / 2 - 2);
        }
    }

    private static int mixed(double share, int full) {
        return (int) Math.round(255 + share * (full - 255));
    }

    private static void names(Graphics2D graphics, ConfusionMatrix matrix, int columns, int cell, int margin) {
        graphics.setColor(Color.BLACK);
        FontMetrics metrics = graphics.getFontMetrics();
        int drop = (cell + metrics.getAscent()) / 2 - 2;
        for (int row = 0; row < matrix.classes().size(); row++) {
            String name = matrix.classes().get(row);
            int y = TITLE + margin + row * cell + drop;
            graphics.drawString(name, margin - GAP - metrics.stringWidth(name), y);
        }
        AffineTransform upright = graphics.getTransform();
        for (int column = 0; column < columns; column++) {
            graphics.translate(margin + column * cell + drop, TITLE + margin - GAP);
            graphics.rotate(-Math.PI / 2);
            graphics.drawString(name(matrix, column), 0, 0);
            graphics.setTransform(upright);
        }
    }

    private static String name(ConfusionMatrix matrix, int column) {
        return column < matrix.classes().size() ? matrix.classes().get(column) : Integer.toString(column);
    }

    private static int longestName(ConfusionMatrix matrix) {
        BufferedImage any = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = any.createGraphics();
        try {
            FontMetrics metrics = graphics.getFontMetrics(FONT);
            return matrix.classes().stream()
                    .mapToInt(metrics::stringWidth)
                    .max()
                    .orElse(0);
        } finally {
            graphics.dispose();
        }
    }
}
