package io.github.convzoo.plot;

import java.awt.FontMetrics;

/** Text in limited space. */
final class Captions {

    private Captions() {}

    /** The text, truncated with an ellipsis if necessary. */
    static String fitted(FontMetrics metrics, String text, int width) {
        String fitted = text;
        while (metrics.stringWidth(fitted) > width && fitted.length() > 1) {
            fitted = fitted.substring(0, fitted.length() - 2) + "\u2026";
        }
        return fitted;
    }
}
