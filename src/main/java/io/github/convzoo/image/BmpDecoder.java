package io.github.convzoo.image;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteOrder;

/**
 * Decodes BMP as Pillow's {@code BmpImagePlugin} does. The JDK's reader differs: it refuses files with wrong size
 * fields, which many programs write, and rounds 5-bit and 6-bit samples differently.
 *
 * <p>Supported: headers of 12, 40, 52, 56, 64, 108 and 124 bytes; 1, 2, 4 and 8 bits with a palette, the last two also
 * run-length encoded; 16, 24 and 32 bits with standard or other masks. Sizes stated in the file are not trusted: the
 * image needs the bytes that follow from its width, height and bits. Source: Microsoft, Bitmap Header Types; Pillow 13.
 */
final class BmpDecoder {

    private static final int FILE_HEADER = 14;
    private static final int CORE_HEADER = 12;
    private static final int INFO_HEADER = 40;
    private static final int OS2_HEADER = 64;
    private static final int OFFSET_AT = 10;
    private static final int MAX_COLORS = 1 << 16;

    private static final int RAW = 0;
    private static final int RLE8 = 1;
    private static final int RLE4 = 2;
    private static final int BITFIELDS = 3;
    private static final int JPEG = 4;
    private static final int PNG = 5;
    private static final int ALPHA_BITFIELDS = 6;

    private static final int[] MASKS_15 = {0x7c00, 0x03e0, 0x001f};
    private static final int[] MASKS_32 = {0x00ff0000, 0x0000ff00, 0x000000ff};

    private final String name;
    private final PixelLimit limit;
    private final SourceInputStream in;
    private final long fileLength;

    private int headerSize;
    private int width;
    private int height;
    private boolean topDown;
    private int bits;
    private int compression;
    private long colors;
    private int[] masks = MASKS_32;

    private BmpDecoder(String name, ByteSource source, PixelLimit limit) {
        this.name = name;
        this.limit = limit;
        this.in = new SourceInputStream(source);
        this.fileLength = source.length();
        in.setByteOrder(ByteOrder.LITTLE_ENDIAN);
    }

    static RgbImage decode(String name, ByteSource source, PixelLimit limit) throws IOException {
        try {
            return new BmpDecoder(name, source, limit).decode();
        } catch (EOFException e) {
            throw new ImageException(name, ImageDecoder.TRUNCATED, e);
        }
    }

    private RgbImage decode() throws IOException {
        in.seek(OFFSET_AT);
        long offset = in.readUnsignedInt();
        readHeader();
        limit.check(width, height);
        boolean indexed = bits <= 8;
        int entry = headerSize == CORE_HEADER ? 3 : 4;
        if (indexed && offset == FILE_HEADER + headerSize) {
            // Some programs forget the palette when they compute the offset.
            offset += entry * colors;
        }
        int[] palette = indexed ? palette(entry) : new int[0];
        if (offset != 0) {
            in.seek(offset);
        }
        return switch (compression) {
            case RLE8, RLE4 -> runs(palette);
            default -> rows(palette);
        };
    }

    private void readHeader() throws IOException {
        long size = in.readUnsignedInt();
        headerSize = switch ((int) Math.min(size, Integer.MAX_VALUE)) {
            case CORE_HEADER, INFO_HEADER, 52, 56, OS2_HEADER, 108, 124 -> (int) size;
            default -> throw unsupported("a header of " + size + " bytes");
        };
        long rows;
        if (headerSize == CORE_HEADER) {
            width = in.readUnsignedShort();
            rows = in.readUnsignedShort();
            in.readUnsignedShort();
            bits = in.readUnsignedShort();
        } else {
            width = in.readInt();
            rows = in.readInt();
            in.readUnsignedShort();
            bits = in.readUnsignedShort();
            long declared = in.readUnsignedInt();
            compression = (int) Math.min(declared, Integer.MAX_VALUE);
            in.skipBytes(12);
            colors = in.readUnsignedInt();
        }
        topDown = rows < 0;
        rows = Math.abs(rows);
        if (width < 1 || rows < 1 || rows > Integer.MAX_VALUE) {
            throw new ImageException(
                    name, "this BMP declares %d x %d pixels; save it again".formatted(width, topDown ? -rows : rows));
        }
        height = (int) rows;
        if (bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32) {
            throw unsupported(bits + " bits per pixel");
        }
        checkCompression();
        if (colors == 0) {
            colors = 1L << Math.min(bits, 30);
        }
        masks = bits == 16 ? MASKS_15 : MASKS_32;
        if (compression == BITFIELDS || compression == ALPHA_BITFIELDS) {
            // At the same offset after a 40-byte header and in longer headers.
            in.seek(FILE_HEADER + INFO_HEADER);
            masks = new int[] {in.readInt(), in.readInt(), in.readInt()};
            if (masks[0] == 0 && masks[1] == 0 && masks[2] == 0) {
                masks = bits == 16 ? MASKS_15 : MASKS_32;
            }
        }
        if (headerSize > INFO_HEADER || compression == RAW || compression == RLE8 || compression == RLE4) {
            in.seek((long) FILE_HEADER + headerSize);
        }
    }

    private void checkCompression() throws ImageException {
        boolean right =
                switch (compression) {
                    case RAW -> true;
                    case RLE8 -> bits == 8 && !topDown;
                    case RLE4 -> bits == 4 && !topDown;
                    // In OS/2 headers, this number is another compression, for 1 bit.
                    case BITFIELDS -> headerSize != OS2_HEADER && bits >= 16;
                    case ALPHA_BITFIELDS -> bits >= 16;
                    case JPEG, PNG -> throw unsupported(compression == JPEG ? "an embedded JPEG" : "an embedded PNG");
                    default -> throw unsupported("compression " + compression);
                };
        if (!right) {
            throw unsupported("compression %d of %d bits per pixel%s"
                    .formatted(compression, bits, topDown ? ", rows from the top" : ""));
        }
    }

    private ImageException unsupported(String what) {
        return new ImageException(name, "BMP with " + what + " is not supported; convert it to PNG");
    }

    /** Colors as 0xRRGGBB for every index that the bits can hold. */
    private int[] palette(int entry) throws IOException {
        if (colors > MAX_COLORS) {
            throw unsupported("a palette of " + colors + " colors");
        }
        int[] palette = new int[1 << bits];
        boolean ramp = true;
        for (int i = 0; i < colors; i++) {
            int blue = in.readUnsignedByte();
            int green = in.readUnsignedByte();
            int red = in.readUnsignedByte();
            if (entry == 4) {
                in.readUnsignedByte();
            }
            ramp &= red == i && green == i && blue == i;
            if (i < palette.length) {
                palette[i] = red << 16 | green << 8 | blue;
            }
        }
        // As in Pillow: an index past a palette of grays is itself the gray; past any other palette, black.
        for (int i = (int) colors; ramp && i < palette.length; i++) {
            palette[i] = i * 0x010101;
        }
        return palette;
    }

    private RgbImage rows(int[] palette) throws IOException {
        long stride = ((long) width * bits + 31) / 32 * 4;
        long needed = ((long) width * bits + 7) / 8;
        if (in.getStreamPosition() + stride * (height - 1) + needed > fileLength || needed > Integer.MAX_VALUE - 8) {
            throw new ImageException(name, ImageDecoder.TRUNCATED);
        }
        byte[] samples = new byte[RgbImage.sampleCount(width, height)];
        byte[] row = new byte[(int) needed];
        long start = in.getStreamPosition();
        Field[] fields = {Field.of(masks[0]), Field.of(masks[1]), Field.of(masks[2])};
        for (int y = 0; y < height; y++) {
            in.seek(start + stride * y);
            in.readFully(row);
            int to = rowStart(y);
            for (int x = 0; x < width; x++, to += RgbImage.CHANNELS) {
                switch (bits) {
                    case 24 -> {
                        samples[to] = row[3 * x + 2];
                        samples[to + 1] = row[3 * x + 1];
                        samples[to + 2] = row[3 * x];
                    }
                    case 16, 32 -> {
                        int pixel = 0;
                        for (int k = bits / 8 - 1; k >= 0; k--) {
                            pixel = pixel << 8 | (row[x * bits / 8 + k] & 0xff);
                        }
                        samples[to] = fields[0].of8Bits(pixel);
                        samples[to + 1] = fields[1].of8Bits(pixel);
                        samples[to + 2] = fields[2].of8Bits(pixel);
                    }
                    default -> {
                        int bit = x * bits;
                        int index = ((row[bit / 8] & 0xff) >> (8 - bits - bit % 8)) & ((1 << bits) - 1);
                        put(samples, to, palette[index]);
                    }
                }
            }
        }
        return new RgbImage(width, height, samples);
    }

    private int rowStart(int stored) {
        return RgbImage.CHANNELS * width * (topDown ? stored : height - 1 - stored);
    }

    private static void put(byte[] samples, int to, int color) {
        samples[to] = (byte) (color >> 16);
        samples[to + 1] = (byte) (color >> 8);
        samples[to + 2] = (byte) color;
    }

    /**
     * Decodes run-length encoding. Pixels that the runs skip have index 0.
     *
     * <p>As in Pillow, a run ends at the end of its row, but literal pixels continue in the next row.
     */
    private RgbImage runs(int[] palette) throws IOException {
        byte[] samples = new byte[RgbImage.sampleCount(width, height)];
        long pixels = (long) width * height;
        for (int i = 0; i < samples.length; i += RgbImage.CHANNELS) {
            put(samples, i, palette[0]);
        }
        long at = 0;
        long x = 0;
        while (at < pixels) {
            int count = in.readUnsignedByte();
            int value = in.readUnsignedByte();
            if (count > 0) {
                int fitting = (int) Math.max(0, Math.min(count, width - x));
                for (int i = 0; i < fitting && at < pixels; i++) {
                    set(samples, at++, palette[nibbleOrByte(value, i)]);
                }
                x += fitting;
            } else if (value == 0) {
                at = (at + width - 1) / width * width;
                x = 0;
            } else if (value == 1) {
                break;
            } else if (value == 2) {
                at += in.readUnsignedByte();
                at += (long) in.readUnsignedByte() * width;
                x = at % width;
            } else {
                int pair = 0;
                for (int i = 0; i < value; i++) {
                    if (compression == RLE8 || i % 2 == 0) {
                        pair = in.readUnsignedByte();
                    }
                    if (at < pixels) {
                        set(samples, at++, palette[nibbleOrByte(pair, i)]);
                    }
                }
                x += value;
                if (in.getStreamPosition() % 2 != 0) {
                    in.skipBytes(1);
                }
            }
        }
        return new RgbImage(width, height, samples);
    }

    private int nibbleOrByte(int value, int i) {
        return compression == RLE8 ? value : i % 2 == 0 ? value >> 4 : value & 0xf;
    }

    private void set(byte[] samples, long pixel, int color) {
        int row = (int) (pixel / width);
        put(samples, rowStart(row) + RgbImage.CHANNELS * (int) (pixel % width), color);
    }

    /** The position of a color in a pixel. */
    private record Field(int shift, long max) {

        static Field of(int mask) {
            int shift = mask == 0 ? 0 : Integer.numberOfTrailingZeros(mask);
            return new Field(shift, Integer.toUnsignedLong(mask) >> shift);
        }

        /** Rounds down, as Pillow does. */
        byte of8Bits(int pixel) {
            return max == 0 ? 0 : (byte) (((Integer.toUnsignedLong(pixel) >> shift) & max) * 255 / max);
        }
    }
}
