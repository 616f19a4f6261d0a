package io.github.convzoo.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * How the stored rows and columns have to be turned to stand upright: the values of the EXIF tag 0x0112, in order.
 *
 * <p>Source: Exif 2.32 (CIPA DC-008-2019), 4.6.4.
 */
enum Orientation {
    UPRIGHT(false, false, false),
    MIRRORED(false, true, false),
    UPSIDE_DOWN(false, true, true),
    FLIPPED(false, false, true),
    TRANSPOSED(true, false, false),
    NEEDS_RIGHT_TURN(true, false, true),
    TRANSVERSED(true, true, true),
    NEEDS_LEFT_TURN(true, true, false);

    private static final short TAG = 0x0112;
    private static final int ENTRY_BYTES = 12;

    private final boolean swapped;
    private final boolean fromRight;
    private final boolean fromBottom;

    /**
     * @param swapped whether an upright row is a stored column
     * @param fromRight whether the stored columns are walked from right to left
     * @param fromBottom whether the stored rows are walked from the bottom up
     */
    Orientation(boolean swapped, boolean fromRight, boolean fromBottom) {
        this.swapped = swapped;
        this.fromRight = fromRight;
        this.fromBottom = fromBottom;
    }

    /**
     * The orientation that EXIF data name in their first directory.
     *
     * @param exif the TIFF structure; without the tag, with another value than 1 to 8, or damaged it counts as upright
     */
    static Orientation ofExif(ByteBuffer exif) {
        if (exif.limit() < 8) {
            return UPRIGHT;
        }
        exif.order(exif.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        long directory = Integer.toUnsignedLong(exif.getInt(4));
        if (directory + 2 > exif.limit()) {
            return UPRIGHT;
        }
        int entries = Short.toUnsignedInt(exif.getShort((int) directory));
        for (int i = 0; i < entries; i++) {
            long entry = directory + 2 + ENTRY_BYTES * (long) i;
            if (entry + ENTRY_BYTES > exif.limit()) {
                return UPRIGHT;
            }
            if (exif.getShort((int) entry) == TAG) {
                int value = exif.getShort((int) entry + 8);
                return value >= 1 && value <= values().length ? values()[value - 1] : UPRIGHT;
            }
        }
        return UPRIGHT;
    }

    /** Stands an image as stored upright. */
    RgbImage apply(RgbImage stored) {
        if (this == UPRIGHT) {
            return stored;
        }
        int width = swapped ? stored.height() : stored.width();
        int height = swapped ? stored.width() : stored.height();
        int row = RgbImage.CHANNELS * stored.width();
        int column = RgbImage.CHANNELS;
        int origin = (fromRight ? (stored.width() - 1) * column : 0) + (fromBottom ? (stored.height() - 1) * row : 0);
        int columnStep = fromRight ? -column : column;
        int rowStep = fromBottom ? -row : row;
        int dx = swapped ? rowStep : columnStep;
        int dy = swapped ? columnStep : rowStep;

        byte[] from = stored.samples();
        byte[] to = new byte[from.length];
        int i = 0;
        for (int y = 0; y < height; y++) {
            int p = origin + y * dy;
            for (int x = 0; x < width; x++, p += dx) {
                to[i++] = from[p];
                to[i++] = from[p + 1];
                to[i++] = from[p + 2];
            }
        }
        return new RgbImage(width, height, to);
    }
}
