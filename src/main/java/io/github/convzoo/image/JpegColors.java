package io.github.convzoo.image;

/**
 * Converts a JPEG's samples to RGB, in the integer arithmetic of libjpeg and Pillow.
 *
 * <p>YCbCr is ITU-R BT.601 at full range, as in T.871, with factors of 16 fractional bits. The four inks are treated as
 * inverted, as Adobe writes them and Pillow reads all files, and become RGB without a profile.
 */
final class JpegColors {

    private static final int HALF = 1 << 15;
    private static final int[] RED_OF_CR = new int[256];
    private static final int[] BLUE_OF_CB = new int[256];
    private static final int[] GREEN_OF_CR = new int[256];
    private static final int[] GREEN_OF_CB = new int[256];

    static {
        for (int i = 0; i < 256; i++) {
            int chroma = i - 128;
            RED_OF_CR[i] = (fixed(1.402) * chroma + HALF) >> 16;
            BLUE_OF_CB[i] = (fixed(1.772) * chroma + HALF) >> 16;
            GREEN_OF_CR[i] = -fixed(0.71414) * chroma;
            GREEN_OF_CB[i] = -fixed(0.34414) * chroma + HALF;
        }
    }

    private JpegColors() {}

    /** Converts pixels of one, three or four samples; three are converted in place, and the same array is returned. */
    static byte[] toRgb(JpegHeader.Colors colors, byte[] stored, int pixels) {
        return switch (colors) {
            case RGB -> stored;
            case GRAY -> ofGray(stored, pixels);
            case YCBCR -> {
                for (int i = 0; i < RgbImage.CHANNELS * pixels; i += RgbImage.CHANNELS) {
                    ycbcr(stored, i, stored, i);
                }
                yield stored;
            }
            case CMYK, YCCK -> ofInks(stored, pixels, colors == JpegHeader.Colors.YCCK);
        };
    }

    private static byte[] ofGray(byte[] stored, int pixels) {
        byte[] rgb = new byte[RgbImage.CHANNELS * pixels];
        int to = 0;
        for (int i = 0; i < pixels; i++) {
            rgb[to++] = stored[i];
            rgb[to++] = stored[i];
            rgb[to++] = stored[i];
        }
        return rgb;
    }

    private static byte[] ofInks(byte[] stored, int pixels, boolean ycck) {
        byte[] rgb = new byte[RgbImage.CHANNELS * pixels];
        int to = 0;
        for (int from = 0; from < 4 * pixels; from += 4, to += RgbImage.CHANNELS) {
            int light = stored[from + 3] & 0xff;
            if (ycck) {
                // YCC here encodes the complement of the inks, which is what the other case computes from inverted
                // inks.
                ycbcr(stored, from, rgb, to);
            } else {
                rgb[to] = (byte) ~stored[from];
                rgb[to + 1] = (byte) ~stored[from + 1];
                rgb[to + 2] = (byte) ~stored[from + 2];
            }
            for (int i = to; i < to + RgbImage.CHANNELS; i++) {
                rgb[i] = (byte) clamp(light - timesOver255(rgb[i] & 0xff, light));
            }
        }
        return rgb;
    }

    private static void ycbcr(byte[] from, int i, byte[] to, int o) {
        int y = from[i] & 0xff;
        int cb = from[i + 1] & 0xff;
        int cr = from[i + 2] & 0xff;
        to[o] = (byte) clamp(y + RED_OF_CR[cr]);
        to[o + 1] = (byte) clamp(y + ((GREEN_OF_CB[cb] + GREEN_OF_CR[cr]) >> 16));
        to[o + 2] = (byte) clamp(y + BLUE_OF_CB[cb]);
    }

    /** {@code a * b / 255}, rounded, for 0 to 255. */
    private static int timesOver255(int a, int b) {
        int product = a * b + 128;
        return (product + (product >> 8)) >> 8;
    }

    private static int clamp(int value) {
        return Math.max(0, Math.min(255, value));
    }

    private static int fixed(double factor) {
        return (int) (factor * (1 << 16) + 0.5);
    }
}
