package io.github.convzoo.plot;

import io.github.convzoo.image.Resampling;
import io.github.convzoo.image.RgbImage;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;

/** Images in rows, each with its prediction, in red if it is known to be wrong. */
public final class ImageGrid {

    private static final int SIDE = 160;
    private static final int LINE = 16;
    private static final int GAP = 8;
    private static final int CELL_HEIGHT = SIDE + 2 * LINE + GAP;
    private static final Font FONT = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    private static final Color RIGHT = new Color(0, 110, 40);
    private static final Color WRONG = new Color(180, 0, 0);

    private ImageGrid() {}

    /** Whether a prediction is correct. */
    public enum Verdict {
        /** Unknown. */
        UNKNOWN,
        /** Correct. */
        RIGHT,
        /** Wrong. */
        WRONG
    }

    /**
     * An image and its caption.
     *
     * @param image fitted into 160 x 160 pixels; larger images are kept in the drawn size
     * @param prediction the first line, such as the class and its probability
     * @param truth the second line, such as the true class; may be empty
     * @param verdict determines the first line's color
     */
    public record Entry(RgbImage image, String prediction, String truth, Verdict verdict) {

        /** Shrinks the image, so that a grid of many photos takes little memory. */
        public Entry {
            if (Math.max(image.width(), image.height()) > SIDE) {
                image = Resampling.BILINEAR.resize(image, fitted(image.width(), image), fitted(image.height(), image));
            }
        }
    }

    /** The length of a side after the longer side is scaled to the cell. */
    private static int fitted(int side, RgbImage image) {
        return Math.max(1, (int) Math.round((double) side * SIDE / Math.max(image.width(), image.height())));
    }

    /**
     * Refuses a number of images that does not fit in a grid, before there are images to draw.
     *
     * @param entries the number of images
     * @throws IllegalArgumentException if it is 0, or so large that the picture would exceed 2^31 bytes
     */
    public static void checkCount(int entries) {
        if (entries < 1) {
            throw new IllegalArgumentException("a grid needs at least one image");
        }
        if (4L * width(entries) * height(entries) > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(entries + " images are too many for one grid; use fewer");
        }
    }

    /** About the number of rows. */
    private static int columns(int entries) {
        return (int) Math.ceil(Math.sqrt(entries));
    }

    private static int width(int entries) {
        return GAP + columns(entries) * (SIDE + GAP);
    }

    private static int height(int entries) {
        int columns = columns(entries);
        return GAP + ((entries - 1) / columns + 1) * CELL_HEIGHT;
    }

    /**
     * Draws an approximately square grid.
     *
     * @param entries at least one
     * @return the picture
     * @throws IllegalArgumentException if there are none, or so many that the picture would exceed 2^31 bytes
     */
    public static BufferedImage draw(List<Entry> entries) {
        checkCount(entries.size());
        int columns = columns(entries.size());
        int width = width(entries.size());
        int height = height(entries.size());
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
        int width = fitted(image.getWidth(), entry.image());
        int height = fitted(image.getHeight(), entry.image());
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
