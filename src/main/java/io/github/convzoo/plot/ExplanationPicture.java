package io.github.convzoo.plot;

import io.github.convzoo.image.Area;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.zoo.Explanation;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.Locale;

/**
 * An image with an explanation over it: the lighter and more colorful, the more a place contributed to the class.
 *
 * <p>The image is gray, so that every color is the explanation's. Negative contributions have no color, and what the
 * network did not see is faded and outside of a frame.
 */
public final class ExplanationPicture {

    /** Small images are enlarged to this, because a frame and a caption need space. */
    private static final int LEAST_SIDE = 320;

    /** Photos are reduced to this; the map has few positions anyway. */
    private static final int MOST_SIDE = 1024;

    private static final int GAP = 8;
    private static final int LINE = 18;
    private static final int BAR = 16;
    private static final int MOST_OPAQUE = 170;
    private static final int FADE = 160;
    private static final Font FONT = new Font(Font.SANS_SERIF, Font.PLAIN, 13);

    private ExplanationPicture() {}

    /**
     * Draws the map over the image, without a caption.
     *
     * @param image the explained image
     * @param explanation its explanation
     * @return a picture with the image's aspect ratio, whose longer side has 320 to 1024 pixels
     * @throws IllegalArgumentException if the explanation is of an image of another size
     */
    public static BufferedImage overlay(RgbImage image, Explanation explanation) {
        requireSame(image, explanation);
        double scale = scale(image);
        int width = scaled(image.width(), scale);
        int height = scaled(image.height(), scale);
        BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = picture.createGraphics();
        try {
            graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
            graphics.drawImage(image.toBufferedImage(), 0, 0, width, height, null);
        } finally {
            graphics.dispose();
        }
        double across = (double) image.width() / width;
        double down = (double) image.height() / height;
        float max = explanation.map().max();
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                float value = explanation.at((x + 0.5) * across, (y + 0.5) * down);
                picture.setRGB(x, y, color(gray(picture.getRGB(x, y)), value, max));
            }
        }
        if (!explanation.area().covers(image.width(), image.height())) {
            frame(picture, explanation.area(), width / (double) image.width(), height / (double) image.height());
        }
        return picture;
    }

    /**
     * Draws the map over the image, with the class, its probability, and a color bar.
     *
     * @param image the explained image
     * @param explanation its explanation
     * @return a picture whose longer side is a little longer than that of {@link #overlay}
     * @throws IllegalArgumentException if the explanation is of an image of another size
     */
    public static BufferedImage draw(RgbImage image, Explanation explanation) {
        BufferedImage overlay = overlay(image, explanation);
        int width = Math.max(overlay.getWidth(), LEAST_SIDE);
        int height = overlay.getHeight();
        BufferedImage picture =
                new BufferedImage(width + 2 * GAP, height + 3 * GAP + BAR + 2 * LINE, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = picture.createGraphics();
        try {
            graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
            graphics.setFont(FONT);
            graphics.setColor(Color.WHITE);
            graphics.fillRect(0, 0, picture.getWidth(), picture.getHeight());
            graphics.drawImage(overlay, GAP + (width - overlay.getWidth()) / 2, GAP, null);
            int top = height + 2 * GAP;
            graphics.setColor(Color.BLACK);
            graphics.drawString(
                    Captions.fitted(graphics.getFontMetrics(), caption(explanation), width), GAP, top + LINE - GAP);
            bar(graphics, explanation, GAP, top + LINE, width);
        } finally {
            graphics.dispose();
        }
        return picture;
    }

    private static String caption(Explanation explanation) {
        // The percentage comes first, because long names are cut off.
        return String.format(Locale.ROOT, "%.2f %%  %s", 100 * explanation.probability(), explanation.className());
    }

    /** The colors with the numbers that they stand for. */
    private static void bar(Graphics2D graphics, Explanation explanation, int left, int top, int width) {
        float max = explanation.map().max();
        if (!(max > 0)) {
            graphics.setColor(Color.DARK_GRAY);
            graphics.drawString("no place is evidence for this class", left, top + LINE - 4);
            return;
        }
        for (int x = 0; x < width; x++) {
            // As over middle gray.
            graphics.setColor(new Color(color(0x808080, max * x / (width - 1f), max)));
            graphics.fillRect(left + x, top, 1, BAR);
        }
        graphics.setColor(Color.DARK_GRAY);
        String most = String.format(Locale.ROOT, "%.3g", max);
        int line = top + BAR + LINE - 4;
        graphics.drawString("0", left, line);
        String what = explanation.layer().map(layer -> "Grad-CAM, " + layer).orElse("contribution to the logit");
        what = Captions.fitted(graphics.getFontMetrics(), what, width - 3 * LINE);
        graphics.drawString(what, left + (width - graphics.getFontMetrics().stringWidth(what)) / 2, line);
        graphics.drawString(most, left + width - graphics.getFontMetrics().stringWidth(most), line);
    }

    private static void requireSame(RgbImage image, Explanation explanation) {
        if (image.width() != explanation.imageWidth() || image.height() != explanation.imageHeight()) {
            throw new IllegalArgumentException("the explanation is of an image of %d x %d pixels, not %d x %d"
                    .formatted(explanation.imageWidth(), explanation.imageHeight(), image.width(), image.height()));
        }
    }

    private static double scale(RgbImage image) {
        int longer = Math.max(image.width(), image.height());
        return Math.max(LEAST_SIDE, Math.min(MOST_SIDE, longer)) / (double) longer;
    }

    private static int scaled(int side, double scale) {
        return Math.max(1, (int) Math.round(side * scale));
    }

    /** Luma of ITU-R BT.601, as three equal channels. */
    private static int gray(int rgb) {
        int luma = (299 * (rgb >> 16 & 0xff) + 587 * (rgb >> 8 & 0xff) + 114 * (rgb & 0xff) + 500) / 1000;
        return luma * 0x010101;
    }

    private static int color(int gray, float value, float max) {
        if (Float.isNaN(value)) {
            return mixed(gray, 0xffffff, FADE);
        }
        if (!(value > 0 && max > 0)) {
            return gray;
        }
        double share = value / max;
        return mixed(gray, HeatColors.of(share), (int) (MOST_OPAQUE * Math.sqrt(share)));
    }

    /** A mixture of two colors; opacity 255 for only the second. */
    private static int mixed(int under, int over, int opacity) {
        int mixture = 0;
        for (int shift = 0; shift <= 16; shift += 8) {
            int level = ((under >> shift & 0xff) * (255 - opacity) + (over >> shift & 0xff) * opacity + 127) / 255;
            mixture |= level << shift;
        }
        return mixture;
    }

    private static void frame(BufferedImage picture, Area area, double across, double down) {
        Graphics2D graphics = picture.createGraphics();
        try {
            Rectangle2D edges = new Rectangle2D.Double(
                    area.left() * across - 1,
                    area.top() * down - 1,
                    area.width() * across + 1,
                    area.height() * down + 1);
            graphics.setColor(Color.WHITE);
            graphics.setStroke(new BasicStroke(3));
            graphics.draw(edges);
            graphics.setColor(Color.BLACK);
            graphics.setStroke(new BasicStroke(1));
            graphics.draw(edges);
        } finally {
            graphics.dispose();
        }
    }
}
