package io.github.convzoo.image;

/**
 * Changes of an image's colours with the results of Pillow: of its {@code ImageEnhance}, and of the shift of the hue that
 * torchvision does on Pillow images.
 *
 * <p>The first three move each sample from a degenerate image (factor 0) through the image itself (factor 1) and beyond: P.
 * Haeberli and D. Voorhies, Image Processing by Interpolation and Extrapolation, 1994. In float32, cut off to 0 to 255 and to
 * whole numbers.
 */
public final class Enhancement {

    private static final int LEVELS = 256;

    private Enhancement() {}

    /**
     * From black to brighter.
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
     * From the image's mean grey to more contrast.
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
            sum += grey(samples[i] & 0xff, samples[i + 1] & 0xff, samples[i + 2] & 0xff);
        }
        double mean = sum / ((double) image.width() * image.height());
        return throughLevels(image, (int) (mean + 0.5), checked);
    }

    /**
     * From grey to more colour.
     *
     * @param image the image
     * @param factor 0 or more; 1 changes nothing
     * @return the image, more or less colourful
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
            int grey = grey(red, green, blue);
            to[i] = (byte) blend(grey, red, checked);
            to[i + 1] = (byte) blend(grey, green, checked);
            to[i + 2] = (byte) blend(grey, blue, checked);
        }
        return new RgbImage(image.width(), image.height(), to);
    }

    /**
     * Turns the colours along the circle of hues, in Pillow's HSV of 8 bits, whose rounding changes colours a little even
     * where nothing is turned.
     *
     * @param image the image
     * @param shift by how much, as a share of the circle, -0.5 to 0.5; in steps of 1 / 255, cut off towards 0
     * @return the image with other hues
     * @throws IllegalArgumentException if the shift is out of range
     */
    public static RgbImage hue(RgbImage image, double shift) {
        if (!(Math.abs(shift) <= 0.5)) {
            throw new IllegalArgumentException("a shift of the hue of -0.5 to 0.5 is expected, not " + shift);
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

    /** The hue in 255ths of the circle. The mix of float and double is Pillow's: another one rounds differently. */
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

    /** To the nearest whole number, halves away from 0. Not negative. */
    private static int rounded(double value) {
        return (int) Math.floor(value + 0.5);
    }

    /** Where all samples start from one level, what becomes of a sample depends on its own level only. */
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

    /** ITU-R BT.601's luma with 16 fractional bits, as Pillow's {@code convert("L")} has it. */
    private static int grey(int red, int green, int blue) {
        return (red * 19595 + green * 38470 + blue * 7471 + (1 << 15)) >> 16;
    }

    private static float factor(double factor) {
        if (!(factor >= 0 && factor <= Float.MAX_VALUE)) {
            throw new IllegalArgumentException("a finite factor of at least 0 is expected, not " + factor);
        }
        return (float) factor;
    }
}
