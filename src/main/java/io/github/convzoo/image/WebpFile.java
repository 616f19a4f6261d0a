package io.github.convzoo.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A WebP file's size, orientation, and the bitstream of its first frame.
 *
 * <p>libwebp gets only this bitstream, as a file of its own, so animations show their first frame, alpha and color
 * profiles are ignored, and other chunks cannot interfere. Source: WebP Container Specification (RFC 9649).
 */
final class WebpFile {

    private static final int RIFF_HEAD_BYTES = 12;
    private static final int CHUNK_HEAD_BYTES = 8;
    private static final int FRAME_HEAD_BYTES = 16;

    /** Further chunks are ignored: each costs a read of the file. */
    private static final int MAX_CHUNKS = 1 << 20;

    private static final int LOSSLESS_SIGNATURE = 0x2f;

    /** The mask of a 14-bit size. */
    private static final int SIZE_MASK = 0x3fff;

    /** The canvas size; in some animations, it is larger than the first frame. */
    private final int width;

    private final int height;
    private final int left;
    private final int top;
    private final Orientation orientation;
    private final byte[] head;
    private final long start;
    private final long end;

    private WebpFile(Reader reader, byte[] head) {
        this.width = reader.width;
        this.height = reader.height;
        this.left = reader.left;
        this.top = reader.top;
        this.orientation = reader.tags.find();
        this.head = head;
        this.start = reader.start;
        this.end = reader.end;
    }

    Orientation orientation() {
        return orientation;
    }

    /** A file with only the first frame. */
    SourceInputStream open(ByteSource source) {
        return new SourceInputStream(head, new Part(source, end, end + (end - start) % 2), start);
    }

    /** Draws the frame on a black canvas. */
    RgbImage show(RgbImage frame) {
        return frame.crop(new Box(-left, -top, width, height), Border.BLACK);
    }

    static WebpFile read(String name, ByteSource source, PixelLimit limit) throws IOException {
        Reader reader = new Reader(name, source);
        reader.chunks(RIFF_HEAD_BYTES, source.length(), false);
        if (reader.type.isEmpty()) {
            throw new ImageException(name, ImageDecoder.TRUNCATED);
        }
        reader.frameSize();
        limit.check(reader.width, reader.height);
        if (reader.end > source.length()) {
            throw new ImageException(name, ImageDecoder.TRUNCATED);
        }
        int length = Math.toIntExact(reader.end - reader.start);
        // A padding byte follows a chunk of odd length.
        int padded = length + length % 2;
        ByteBuffer head =
                ByteBuffer.allocate(RIFF_HEAD_BYTES + CHUNK_HEAD_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        head.put(ascii("RIFF")).putInt(4 + CHUNK_HEAD_BYTES + padded).put(ascii("WEBP"));
        head.put(ascii(reader.type)).putInt(length);
        return new WebpFile(reader, head.array());
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** A source up to the end of a chunk, padded to even length with a zero. */
    private record Part(ByteSource source, long end, long paddedEnd) implements ByteSource {

        @Override
        public long length() {
            return paddedEnd;
        }

        @Override
        public int read(long position, byte[] target, int offset, int length) throws IOException {
            if (position >= paddedEnd) {
                return -1;
            }
            if (position == end) {
                target[offset] = 0;
                return 1;
            }
            return source.read(position, target, offset, (int) Math.min(length, end - position));
        }
    }

    private static final class Reader {
        private final String name;
        private final ByteSource source;
        private final OrientationTags tags = new OrientationTags();
        private int width;
        private int height;
        private int left;
        private int top;
        private int chunks;
        private String type = "";
        private long start;
        private long end;

        Reader(String name, ByteSource source) {
            this.name = name;
            this.source = source;
        }

        /** Reads the chunks of the file, or of a frame in it. */
        void chunks(long from, long to, boolean inFrame) throws IOException {
            long at = from;
            byte[] head = source.upTo(at, CHUNK_HEAD_BYTES);
            while (at < to && head.length == CHUNK_HEAD_BYTES && chunks++ < MAX_CHUNKS) {
                String chunk = new String(head, 0, 4, StandardCharsets.ISO_8859_1);
                long length = Integer.toUnsignedLong(
                        ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getInt(4));
                long body = at + CHUNK_HEAD_BYTES;
                switch (chunk) {
                    case "VP8 ", "VP8L" -> {
                        if (type.isEmpty()) {
                            type = chunk;
                            start = body;
                            end = body + length;
                        }
                    }
                    case "VP8X" -> {
                        byte[] size = source.upTo(body, 10);
                        if (size.length == 10) {
                            width = 1 + threeBytes(size, 4);
                            height = 1 + threeBytes(size, 7);
                        }
                    }
                    case "ANMF" -> {
                        byte[] frame = source.upTo(body, FRAME_HEAD_BYTES);
                        if (type.isEmpty() && !inFrame && frame.length == FRAME_HEAD_BYTES) {
                            left = 2 * threeBytes(frame, 0);
                            top = 2 * threeBytes(frame, 3);
                            chunks(body + FRAME_HEAD_BYTES, body + length, true);
                        }
                    }
                    case "EXIF" -> {
                        if (length <= OrientationTags.MAX_BYTES) {
                            tags.exif(source.upTo(body, (int) length));
                        }
                    }
                    case "XMP " -> {
                        if (length <= OrientationTags.MAX_BYTES) {
                            tags.xmp(source.upTo(body, (int) length));
                        }
                    }
                    default -> {}
                }
                at = body + length + length % 2;
                head = source.upTo(at, CHUNK_HEAD_BYTES);
            }
        }

        /** Reads the size from the bitstream if the file has no canvas, and refuses a frame larger than the canvas. */
        void frameSize() throws IOException {
            byte[] bits = source.upTo(start, 10);
            ByteBuffer frame = ByteBuffer.wrap(Arrays.copyOf(bits, 10)).order(ByteOrder.LITTLE_ENDIAN);
            int frameWidth;
            int frameHeight;
            if (type.equals("VP8L")) {
                int size = frame.getInt(1);
                frameWidth = 1 + (size & SIZE_MASK);
                frameHeight = 1 + ((size >> 14) & SIZE_MASK);
                if (bits.length >= 5 && bits[0] != LOSSLESS_SIGNATURE) {
                    throw new ImageException(
                            name, "damaged or truncated (not a lossless WebP); download or copy it again");
                }
            } else {
                frameWidth = frame.getShort(6) & SIZE_MASK;
                frameHeight = frame.getShort(8) & SIZE_MASK;
            }
            if (bits.length < 10 && !(type.equals("VP8L") && bits.length >= 5)) {
                throw new ImageException(name, ImageDecoder.TRUNCATED);
            }
            if (width == 0 || height == 0) {
                width = frameWidth;
                height = frameHeight;
            }
            if (frameWidth == 0 || frameHeight == 0) {
                throw new ImageException(
                        name, "this WebP declares %d x %d pixels; save it again".formatted(frameWidth, frameHeight));
            }
            if (left + frameWidth > width || top + frameHeight > height) {
                throw new ImageException(name, "a frame of this WebP is outside the image; replace the file");
            }
        }

        private static int threeBytes(byte[] bytes, int at) {
            return (bytes[at] & 0xff) | (bytes[at + 1] & 0xff) << 8 | (bytes[at + 2] & 0xff) << 16;
        }
    }
}
