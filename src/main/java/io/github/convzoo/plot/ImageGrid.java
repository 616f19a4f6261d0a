package io.github.convzoo.plot;

import io.github.convzoo.image.RgbImage;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;

/** Images in rows, each with what it was taken for, and in red where that is known to be wrong. */
public final class ImageGrid {

    private static final int SIDE = 160;
    private static final int LINE = 16;
    private static final int GAP = 8;
    private static final int CELL_HEIGHT = SIDE + 2 * LINE + GAP;
    private static final Font FONT = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    private static final Color RIGHT = new Color(0, 110, 40);
    private static final Color WRONG = new Color(180, 0, 0);

    private ImageGrid() {}

    /** Whether a prediction is right. */
    public enum Verdict {
        /** Nobody knows. */
        UNKNOWN,
        /** It is. */
        RIGHT,
        /** It is not. */
        WRONG
    }

    /**
     * An image and what is written under it.
     *
     * @param image of any size; it is fitted into 160 x 160 pixels
     * @param prediction the first line, such as the class and its probability
     * @param truth the second line, such as the true class; may be empty
     * @param verdict the first line's colour
     */
    public record Entry(RgbImage image, String prediction, String truth, Verdict verdict) {}

    /**
     * Draws a grid that is about as wide as high.
     *
     * @param entries at least one
     * @return the picture
     * @throws IllegalArgumentException if there is none, or so many that the picture would pass 2^31 bytes
     */
    public static BufferedImage draw(List<Entry> entries) {
        if (entries.isEmpty()) {
            throw new IllegalArgumentException("a grid needs at least one image");
        }
        int columns = (int) Math.ceil(Math.sqrt(entries.size()));
        int rows = (entries.size() + columns - 1) / columns;
        int width = GAP + columns * (SIDE + GAP);
        int height = GAP + rows * CELL_HEIGHT;
        if (4L * width * height > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(entries.size() + " images are too many for one grid; give fewer");
        }
        BufferedImage grid = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = grid.createGraphics();
        try {
            graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
            graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
            graphics.setFont(FONT);
            graphics.setColor(Color.WHITE);
            graphics.fillRect(0, 0, width, height);
            for (int i = 0; i < entries.size(); i++) {
                draw(graphics, entries.get(i), GAP + i % columns * (SIDE + GAP), GAP + i / columns * CELL_HEIGHT);
            }
        } finally {
            graphics.dispose();
        }
        return grid;
    }

    private static void draw(Graphics2D graphics, Entry entry, int x, int y) {
        BufferedImage image = entry.image().toBufferedImage();
        double scale = Math.min((double) SIDE / image.getWidth(), (double) SIDE / image.getHeight());
        int width = Math.max(1, (int) Math.round(image.getWidth() * scale));
        int height = Math.max(1, (int) Math.round(image.getHeight() * scale));
        graphics.drawImage(image, x + (SIDE - width) / 2, y + (SIDE - height) / 2, width, height, null);
        graphics.setColor(
                switch (entry.verdict()) {
                    case UNKNOWN -> Color.BLACK;
                    case RIGHT -> RIGHT;
                    case WRONG -> WRONG;
                });
        graphics.drawString(
                Captions.fitted(graphics.getFontMetrics(), entry.prediction(), SIDE), x, y + SIDE + LINE - 3);
        graphics.setColor(Color.DARK_GRAY);
        graphics.drawString(
                Captions.fitted(graphics.getFontMetrics(), entry.truth(), SIDE), x, y + SIDE + 2 * LINE - 3);
    }
}
