package io.github.convzoo.image;

import java.awt.image.Raster;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A GIF's screen with its first frame, as Pillow shows it.
 *
 * <p>The JDK's reader returns only the frame, and invents colors if there is no palette. Here, the frame is drawn on a
 * screen filled with its transparent color, or with color 0; a screen smaller than the frame grows; without a palette,
 * an index is a gray level. Sources: CompuServe, GIF89a; Pillow 13, {@code GifImagePlugin}.
 */
final class GifScreen {

    private static final int SCREEN_AT = 6;
    private static final int PALETTE_FLAG = 0x80;
    private static final int SIZE_BITS = 0x07;
    private static final int INTERLACED = 0x40;
    private static final int SCREEN_BYTES = 13;
    private static final int FRAME_BYTES = 10;
    private static final int COLORS = 256;
    private static final int EXTENSION = '!';
    private static final int FRAME = ',';
    private static final int GRAPHIC_CONTROL = 0xf9;

    private final int width;
    private final int height;
    private final int left;
    private final int top;
    private final int[] palette;
    private final int background;

    private final byte[] head;
    private final long framePixels;
    private final long pixelsStart;

    private GifScreen(
            int width,
            int height,
            int left,
            int top,
            int[] palette,
            int background,
            byte[] head,
            long framePixels,
            long pixelsStart) {
        this.width = width;
        this.height = height;
        this.left = left;
        this.top = top;
        this.palette = palette;
        this.background = background;
        this.head = head;
        this.framePixels = framePixels;
        this.pixelsStart = pixelsStart;
    }

    /** Reads everything before the first frame's pixels. */
    static GifScreen read(String name, ByteSource source, PixelLimit limit) throws IOException {
        SourceInputStream in = new SourceInputStream(source);
        in.setByteOrder(ByteOrder.LITTLE_ENDIAN);
        try {
            return read(name, in, limit);
        } catch (EOFException e) {
            throw new ImageException(name, ImageDecoder.TRUNCATED, e);
        }
    }

    private static GifScreen read(String name, SourceInputStream in, PixelLimit limit) throws IOException {
        in.seek(SCREEN_AT);
        int width = in.readUnsignedShort();
        int height = in.readUnsignedShort();
        int flags = in.readUnsignedByte();
        in.skipBytes(2);
        int[] palette = (flags & PALETTE_FLAG) != 0 ? palette(in, flags) : grays();
        int transparent = 0;
        int block = in.readUnsignedByte();
        while (block != FRAME) {
            if (block == EXTENSION) {
                transparent = extension(in, transparent);
            } else if (block == ';') {
                throw new ImageException(name, "this GIF has no frame; replace the file");
            }
            // Pillow also skips other bytes.
            block = in.readUnsignedByte();
        }
        int left = in.readUnsignedShort();
        int top = in.readUnsignedShort();
        int right = left + in.readUnsignedShort();
        int bottom = top + in.readUnsignedShort();
        flags = in.readUnsignedByte();
        if (right == left || bottom == top) {
            throw new ImageException(name, "the first frame of this GIF is empty; save it again");
        }
        width = Math.max(width, right);
        height = Math.max(height, bottom);
        limit.check(width, height);
        if ((flags & PALETTE_FLAG) != 0) {
            palette = palette(in, flags);
        }
        byte[] head = head(right - left, bottom - top, flags & INTERLACED);
        long pixels = (right - left) * (long) (bottom - top);
        return new GifScreen(width, height, left, top, palette, transparent, head, pixels, in.getStreamPosition());
    }

    /**
     * The head of a file with 256 colors: the JDK's reader would mask indices to the bits that a smaller palette needs.
     */
    private static byte[] head(int frameWidth, int frameHeight, int interlaced) {
        ByteBuffer head =
                ByteBuffer.allocate(SCREEN_BYTES + 3 * COLORS + FRAME_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        head.put("GIF89a".getBytes(StandardCharsets.US_ASCII));
        head.putShort((short) frameWidth).putShort((short) frameHeight).put((byte) (PALETTE_FLAG | SIZE_BITS));
        head.position(SCREEN_BYTES + 3 * COLORS);
        head.put((byte) FRAME).putInt(0);
        head.putShort((short) frameWidth).putShort((short) frameHeight).put((byte) interlaced);
        return head.array();
    }

    /** Whether the file has all pixels of the frame. */
    boolean isComplete(ByteSource source) throws IOException {
        try (SourceInputStream in = new SourceInputStream(new byte[0], source, pixelsStart)) {
            return GifPixels.areComplete(in, framePixels);
        }
    }

    /** A file with only the first frame, from which its indices are read. */
    SourceInputStream open(ByteSource source) {
        return new SourceInputStream(head, source, pixelsStart);
    }

    /** Skips an extension, and returns the transparent color if it has one. */
    private static int extension(SourceInputStream in, int transparent) throws IOException {
        int found = transparent;
        int label = in.readUnsignedByte();
        boolean first = true;
        for (int length = in.readUnsignedByte(); length > 0; length = in.readUnsignedByte()) {
            byte[] body = new byte[length];
            in.readFully(body);
            if (first && label == GRAPHIC_CONTROL && length >= 4 && (body[0] & 1) != 0) {
                found = body[3] & 0xff;
            }
            first = false;
        }
        return found;
    }

    private static int[] palette(SourceInputStream in, int flags) throws IOException {
        int size = 2 << (flags & SIZE_BITS);
        int[] palette = new int[COLORS];
        boolean ramp = true;
        for (int i = 0; i < size; i++) {
            palette[i] = in.readUnsignedByte() << 16 | in.readUnsignedByte() << 8 | in.readUnsignedByte();
            ramp &= palette[i] == gray(i);
        }
        // As in Pillow: an index past a palette of grays is itself the gray; past any other palette, black.
        return ramp ? grays() : palette;
    }

    private static int[] grays() {
        int[] grays = new int[COLORS];
        for (int i = 0; i < COLORS; i++) {
            grays[i] = gray(i);
        }
        return grays;
    }

    private static int gray(int level) {
        return level * 0x010101;
    }

    /**
     * Draws the frame on the screen.
     *
     * @param frame the frame's indices
     */
    RgbImage show(Raster frame) {
        byte[] samples = new byte[RgbImage.sampleCount(width, height)];
        int frameWidth = frame.getWidth();
        if (frameWidth < width || frame.getHeight() < height) {
            for (int i = 0; i < samples.length; i += RgbImage.CHANNELS) {
                put(samples, i, palette[background]);
            }
        }
        int[] row = new int[frameWidth];
        for (int y = 0; y < frame.getHeight(); y++) {
            frame.getSamples(0, y, frameWidth, 1, 0, row);
            int to = RgbImage.CHANNELS * ((top + y) * width + left);
            for (int index : row) {
                put(samples, to, palette[index]);
                to += RgbImage.CHANNELS;
            }
        }
        return new RgbImage(width, height, samples);
    }

    private static void put(byte[] samples, int to, int color) {
        samples[to] = (byte) (color >> 16);
        samples[to + 1] = (byte) (color >> 8);
        samples[to + 2] = (byte) color;
    }
}
