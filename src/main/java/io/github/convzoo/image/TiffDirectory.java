package io.github.convzoo.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The first directory of a TIFF structure, which is also the format of EXIF data.
 *
 * <p>Reads only tags whose values are whole numbers of 16 or 32 bits. Source: Adobe, TIFF 6.0, section 2.
 */
final class TiffDirectory {

    static final int WIDTH = 256;
    static final int LENGTH = 257;
    static final int BITS_PER_SAMPLE = 258;
    static final int COMPRESSION = 259;
    static final int PHOTOMETRIC = 262;
    static final int ORIENTATION = 274;
    static final int SAMPLES_PER_PIXEL = 277;
    static final int STRIP_OFFSETS = 273;
    static final int ROWS_PER_STRIP = 278;
    static final int STRIP_BYTES = 279;
    static final int COLOR_MAP = 320;
    static final int TILE_WIDTH = 322;
    static final int TILE_LENGTH = 323;
    static final int TILE_OFFSETS = 324;
    static final int TILE_BYTES = 325;
    static final int SAMPLE_FORMAT = 339;
    static final int JPEG_START = 513;
    static final int JPEG_BYTES = 514;

    private static final int HEADER_BYTES = 8;
    private static final int ENTRY_BYTES = 12;
    private static final int MAX_VALUES = 1 << 24;

    private final ByteSource source;
    private final ByteBuffer entries;

    private TiffDirectory(ByteSource source, ByteBuffer entries) {
        this.source = source;
        this.entries = entries;
    }

    /** Reads the directory, as far as it is complete; damaged data has no entries. */
    static TiffDirectory read(ByteSource source) throws IOException {
        ByteBuffer header = ByteBuffer.wrap(source.upTo(0, HEADER_BYTES));
        if (header.limit() < HEADER_BYTES) {
            return new TiffDirectory(source, header.limit(0));
        }
        ByteOrder order = header.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
        long start = Integer.toUnsignedLong(header.order(order).getInt(4));
        ByteBuffer count = ByteBuffer.wrap(source.upTo(start, Short.BYTES)).order(order);
        int entries = count.limit() < Short.BYTES ? 0 : Short.toUnsignedInt(count.getShort());
        return new TiffDirectory(
                source,
                ByteBuffer.wrap(source.upTo(start + Short.BYTES, entries * ENTRY_BYTES))
                        .order(order));
    }

    boolean has(int tag) {
        return find(tag) >= 0;
    }

    /** A tag's first value, or a default if the tag is missing or damaged. */
    long value(int tag, long missing) throws IOException {
        long[] values = values(tag);
        return values.length == 0 ? missing : values[0];
    }

    /** A tag's values; empty if it is missing or damaged. */
    long[] values(int tag) throws IOException {
        int entry = find(tag);
        if (entry < 0) {
            return new long[0];
        }
        int bytes =
                switch (entries.getShort(entry + 2)) {
                    case 3 -> Short.BYTES;
                    case 4 -> Integer.BYTES;
                    default -> 0;
                };
        long count = Integer.toUnsignedLong(entries.getInt(entry + 4));
        if (bytes == 0 || count > MAX_VALUES) {
            return new long[0];
        }
        int length = (int) count * bytes;
        ByteBuffer values = length <= Integer.BYTES
                ? entries.slice(entry + 8, length)
                : ByteBuffer.wrap(source.upTo(Integer.toUnsignedLong(entries.getInt(entry + 8)), length));
        values.order(entries.order());
        long[] result = new long[values.limit() / bytes];
        for (int i = 0; i < result.length; i++) {
            result[i] = bytes == Short.BYTES
                    ? Short.toUnsignedInt(values.getShort(i * bytes))
                    : Integer.toUnsignedLong(values.getInt(i * bytes));
        }
        return result;
    }

    private int find(int tag) {
        for (int entry = 0; entry + ENTRY_BYTES <= entries.limit(); entry += ENTRY_BYTES) {
            if (Short.toUnsignedInt(entries.getShort(entry)) == tag) {
                return entry;
            }
        }
        return -1;
    }
}
