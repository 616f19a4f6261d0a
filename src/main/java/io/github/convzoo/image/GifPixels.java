package io.github.convzoo.image;

import java.io.IOException;
import java.util.Arrays;

/**
 * Counts the pixels in a GIF's compressed data: the JDK's reader leaves the rest of an incomplete frame black. Source:
 * CompuServe, GIF89a, appendix F.
 */
final class GifPixels {

    private static final int MOST_BITS = 12;

    private final SourceInputStream in;
    private int block;
    private int bits;
    private int available;
    private boolean ended;

    private GifPixels(SourceInputStream in) {
        this.in = in;
    }

    /**
     * Whether the data has all pixels of a frame.
     *
     * @param in at the start of the frame's data
     * @param pixels the frame's pixels
     */
    static boolean areComplete(SourceInputStream in, long pixels) throws IOException {
        return new GifPixels(in).reach(pixels);
    }

    private boolean reach(long pixels) throws IOException {
        int minimum = in.read();
        if (minimum < 1 || minimum >= MOST_BITS) {
            return false;
        }
        int clear = 1 << minimum;
        // How many pixels each code stands for.
        int[] lengths = new int[1 << MOST_BITS];
        Arrays.fill(lengths, 0, clear, 1);
        int next = clear + 2;
        int size = minimum + 1;
        int previous = 0;
        long count = 0;
        while (count < pixels) {
            int code = code(size);
            if (code < 0 || code == clear + 1) {
                return false;
            }
            if (code == clear) {
                next = clear + 2;
                size = minimum + 1;
                previous = 0;
                continue;
            }
            int length = code < next ? lengths[code] : previous + 1;
            if (code > next || (code == next && previous == 0)) {
                return false;
            }
            count += length;
            if (previous > 0 && next < lengths.length) {
                lengths[next++] = previous + 1;
                if (next == 1 << size && size < MOST_BITS) {
                    size++;
                }
            }
            previous = length;
        }
        return true;
    }

    /** The next code; -1 at the end of the data. */
    private int code(int size) throws IOException {
        while (available < size && !ended) {
            if (block == 0) {
                block = Math.max(0, in.read());
                ended = block == 0;
            } else {
                int value = in.read();
                ended = value < 0;
                bits |= Math.max(0, value) << available;
                available += 8;
                block--;
            }
        }
        if (available < size) {
            return -1;
        }
        int code = bits & ((1 << size) - 1);
        bits >>>= size;
        available -= size;
        return code;
    }
}
