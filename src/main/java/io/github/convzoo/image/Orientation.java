package io.github.convzoo.image;

/**
 * The transformation from stored to upright pixels: the values of the EXIF tag 0x0112, in order.
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

    private final boolean swapped;
    private final boolean fromRight;
    private final boolean fromBottom;

    /**
     * @param swapped whether an upright row is a stored column
     * @param fromRight whether the stored columns are read from right to left
     * @param fromBottom whether the stored rows are read from bottom to top
     */
    Orientation(boolean swapped, boolean fromRight, boolean fromBottom) {
        this.swapped = swapped;
        this.fromRight = fromRight;
        this.fromBottom = fromBottom;
    }

    /** The orientation with a tag's value; values other than 1 to 8 count as upright. */
    static Orientation of(long value) {
        return value >= 1 && value <= values().length ? values()[(int) value - 1] : UPRIGHT;
    }

    /** Rotates a stored image upright. */
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
