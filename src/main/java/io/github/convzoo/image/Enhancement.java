package io.github.convzoo.image;

/**
 * Color changes with Pillow's results: those of {@code ImageEnhance}, and torchvision's hue shift on Pillow images.
 *
 * <p>The first three interpolate each sample from a degenerate image (factor 0) to the image itself (factor 1) and
 * extrapolate beyond: P. Haeberli and D. Voorhies, Image Processing by Interpolation and Extrapolation, 1994. Computed
 * in float32, clipped to 0 to 255, and truncated.
 */
public final class Enhancement {

    private static final int LEVELS = 256;

    private Enhancement() {}

    /**
     * Changes the brightness: interpolates from black.
     *
     * @param image the image
     * @param factor 0 or more; 1 changes nothing
     * @return the image, brighter or darker
     * @throws IllegalArgumentException if the factor is negative or not finite
     */
    public static RgbImage brightness(RgbImage image, double factor) {
        return throughLevels(image, 0, factor(factor));
    }

    /**
     * Changes the contrast: interpolates from the image's mean gray.
     *
     * @param image the image
     * @param factor 0 or more; 1 changes nothing
     * @return the image, with more or less contrast
     * @throws IllegalArgumentException if the factor is negative or not finite
     */
    public static RgbImage contrast(RgbImage image, double factor) {
        float checked = factor(factor);
        byte[] samples = image.samples();
        long sum = 0;
        for (int i = 0; i < samples.length; i += RgbImage.CHANNELS) {
            sum += gray(samples[i] & 0xff, samples[i + 1] & 0xff, samples[i + 2] & 0xff);
        }
        double mean = sum / ((double) image.width() * image.height());
        return throughLevels(image, (int) (mean + 0.5), checked);
    }

    /**
     * Changes the saturation: interpolates from the grayscale image.
     *
     * @param image the image
     * @param factor 0 or more; 1 changes nothing
     * @return the image, more or less colorful
     * @throws IllegalArgumentException if the factor is negative or not finite
     */
    public static RgbImage saturation(RgbImage image, double factor) {
        float checked = factor(factor);
        byte[] from = image.samples();
        byte[] to = new byte[from.length];
        for (int i = 0; i < from.length; i += RgbImage.CHANNELS) {
            int red = from[i] & 0xff;
            int green = from[i + 1] & 0xff;
            int blue = from[i + 2] & 0xff;
            int gray = gray(red, green, blue);
            to[i] = (byte) blend(gray, red, checked);
            to[i + 1] = (byte) blend(gray, green, checked);
            to[i + 2] = (byte) blend(gray, blue, checked);
        }
        return new RgbImage(image.width(), image.height(), to);
    }

    /**
     * Rotates the hue in Pillow's 8-bit HSV, whose rounding changes colors slightly even if the shift is 0.
     *
     * @param image the image
     * @param shift the shift as a fraction of the color circle, -0.5 to 0.5; in steps of 1 / 255, rounded toward 0
     * @return the image with shifted hues
     * @throws IllegalArgumentException if the shift is out of range
     */
    public static RgbImage hue(RgbImage image, double shift) {
        if (!(Math.abs(shift) <= 0.5)) {
            throw new IllegalArgumentException("the hue shift must be -0.5 to 0.5, not " + shift);
        }
        int steps = (int) (shift * 255);
        byte[] from = image.samples();
        byte[] to = new byte[from.length];
        for (int i = 0; i < from.length; i += RgbImage.CHANNELS) {
            int red = from[i] & 0xff;
            int green = from[i + 1] & 0xff;
            int blue = from[i + 2] & 0xff;
            int max = Math.max(red, Math.max(green, blue));
            int range = max - Math.min(red, Math.min(green, blue));
            int hue = (hue(red, green, blue, max, range) + steps) & 0xff;
            int saturation = range == 0 ? 0 : (int) ((float) range / max * 255.0);
            toRgb(hue, saturation, max, to, i);
        }
        return new RgbImage(image.width(), image.height(), to);
    }

    /** The hue in 255ths of the circle. The mix of float and double is Pillow's; any other rounds differently. */
    private static int hue(int red, int green, int blue, int max, int range) {
        if (range == 0) {
            return 0;
        }
        float toRed = (max - red) / (float) range;
        float toGreen = (max - green) / (float) range;
        float toBlue = (max - blue) / (float) range;
        float sextants;
        if (red == max) {
            sextants = toBlue - toGreen;
        } else if (green == max) {
            sextants = (float) (2.0 + toRed - toBlue);
        } else {
            sextants = (float) (4.0 + toGreen - toRed);
        }
        float turns = (float) ((sextants / 6.0 + 1.0) % 1.0);
        return (int) (turns * 255.0);
    }

    private static void toRgb(int hue, int saturation, int value, byte[] to, int at) {
        int sextant = (int) (hue * 6.0 / 255.0);
        float fraction = (float) (hue * 6.0 / 255.0 - sextant);
        float share = (float) (saturation / 255.0);
        byte full = (byte) value;
        byte none = (byte) rounded(value * (1.0 - share));
        byte falling = (byte) rounded(value * (1.0 - share * fraction));
        byte rising = (byte) rounded(value * (1.0 - share * (1.0 - fraction)));
        switch (sextant % 6) {
            case 0 -> set(to, at, full, rising, none);
            case 1 -> set(to, at, falling, full, none);
            case 2 -> set(to, at, none, full, rising);
            case 3 -> set(to, at, none, falling, full);
            case 4 -> set(to, at, rising, none, full);
            default -> set(to, at, full, none, falling);
        }
    }

    private static void set(byte[] to, int at, byte red, byte green, byte blue) {
        to[at] = red;
        to[at + 1] = green;
        to[at + 2] = blue;
    }

    /** Rounds a non-negative value to the nearest whole number, halves up. */
    private static int rounded(double value) {
        return (int) Math.floor(value + 0.5);
    }

    /** If all samples are interpolated from one level, the result depends on the sample's own level only. */
    private static RgbImage throughLevels(RgbImage image, int degenerate, float factor) {
        byte[] levels = new byte[LEVELS];
        for (int i = 0; i < LEVELS; i++) {
            levels[i] = (byte) blend(degenerate, i, factor);
        }
        byte[] from = image.samples();
        byte[] to = new byte[from.length];
        for (int i = 0; i < from.length; i++) {
            to[i] = levels[from[i] & 0xff];
        }
        return new RgbImage(image.width(), image.height(), to);
    }

    private static int blend(int degenerate, int sample, float factor) {
        return (int) Math.max(0, Math.min(255, degenerate + factor * (sample - degenerate)));
    }

    /** ITU-R BT.601 luma with 16 fractional bits, as in Pillow's {@code convert("L")}. */
    private static int gray(int red, int green, int blue) {
        return (red * 19595 + green * 38470 + blue * 7471 + (1 << 15)) >> 16;
    }

    private static float factor(double factor) {
        if (!(factor >= 0 && factor <= Float.MAX_VALUE)) {
            throw new IllegalArgumentException("the factor must be finite and at least 0, not " + factor);
        }
        return (float) factor;
    }
}
