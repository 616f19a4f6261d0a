package io.github.convzoo.plot;

/**
 * Colors for numbers from 0 to 1: dark violet, red, orange, light yellow.
 *
 * <p>A path through CIELAB whose lightness rises evenly, so that larger numbers are lighter in print and for every kind
 * of color vision; the hue turns with it.
 */
final class HeatColors {

    private static final int STEPS = 256;
    private static final double DARKEST = 18;
    private static final double LIGHTEST = 96;
    private static final double FIRST_HUE = 300;
    private static final double LAST_HUE = 465;
    private static final double MOST_CHROMA = 62;

    private static final int[] TABLE = table();

    private HeatColors() {}

    /** The color of a number as 0xRRGGBB; numbers beyond 0 and 1 have the first and last color. */
    static int of(double share) {
        return TABLE[(int) Math.max(0, Math.min(STEPS - 1L, Math.round(share * (STEPS - 1))))];
    }

    private static int[] table() {
        int[] table = new int[STEPS];
        for (int i = 0; i < STEPS; i++) {
            double share = i / (STEPS - 1.0);
            double hue = Math.toRadians(FIRST_HUE + share * (LAST_HUE - FIRST_HUE));
            // Colors near black and white have little chroma.
            double chroma = MOST_CHROMA * Math.sin(Math.PI * (0.15 + 0.7 * share));
            table[i] = rgb(DARKEST + share * (LIGHTEST - DARKEST), chroma * Math.cos(hue), chroma * Math.sin(hue));
        }
        return table;
    }

    /** CIELAB with the white of D65 to sRGB, IEC 61966-2-1; colors beyond it are clipped. */
    private static int rgb(double lightness, double a, double b) {
        double fy = (lightness + 16) / 116;
        double x = 0.95047 * cube(fy + a / 500);
        double y = cube(fy);
        double z = 1.08883 * cube(fy - b / 200);
        return level(3.2406 * x - 1.5372 * y - 0.4986 * z) << 16
                | level(-0.9689 * x + 1.8758 * y + 0.0415 * z) << 8
                | level(0.0557 * x - 0.2040 * y + 1.0570 * z);
    }

    private static double cube(double t) {
        return t > 6.0 / 29 ? t * t * t : 3 * Math.pow(6.0 / 29, 2) * (t - 4.0 / 29);
    }

    private static int level(double linear) {
        double bounded = Math.max(0, Math.min(1, linear));
        double encoded = bounded <= 0.0031308 ? 12.92 * bounded : 1.055 * Math.pow(bounded, 1 / 2.4) - 0.055;
        return (int) Math.round(255 * encoded);
    }
}
