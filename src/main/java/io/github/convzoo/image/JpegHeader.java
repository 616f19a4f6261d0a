package io.github.convzoo.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The header of a JPEG file, up to its first scan.
 *
 * <p>The JDK's reader gets the file without its application segments, because they affect its decoding: it refuses some
 * color profiles, applies others, and guesses color spaces by rules other than libjpeg's. Read as a raster and
 * converted here, the result is that of libjpeg. Sources: ITU-T T.81, annex B; ITU-T T.871 (JFIF), T.872 (Adobe).
 */
final class JpegHeader {

    /** The color model of a JPEG's samples. */
    enum Colors {
        GRAY,
        RGB,
        YCBCR,
        CMYK,
        YCCK
    }

    private static final int SOI = 0xd8;
    private static final int EOI = 0xd9;
    private static final int SOS = 0xda;
    private static final int DHT = 0xc4;
    private static final int JPG = 0xc8;
    private static final int DAC = 0xcc;
    private static final int APP0 = 0xe0;
    private static final int APP1 = 0xe1;
    private static final int APP14 = 0xee;
    private static final int APP15 = 0xef;
    private static final int COM = 0xfe;
    private static final int TEM = 0x01;

    /** Tables and frame take a few hundred bytes; a file with more than this was made to exhaust memory. */
    private static final int MAX_ESSENCE_BYTES = 1 << 20;

    private static final String EXIF = "Exif\0";
    private static final String XMP = "http://ns.adobe.com/xap/1.0/\0";

    private final int width;
    private final int height;
    private final Colors colors;
    private final Orientation orientation;
    private final byte[] essence;
    private final long scanStart;

    private JpegHeader(int width, int height, Colors colors, Orientation orientation, byte[] essence, long scanStart) {
        this.width = width;
        this.height = height;
        this.colors = colors;
        this.orientation = orientation;
        this.essence = essence;
        this.scanStart = scanStart;
    }

    /** The columns as stored. */
    int width() {
        return width;
    }

    /** The rows as stored. */
    int height() {
        return height;
    }

    Colors colors() {
        return colors;
    }

    Orientation orientation() {
        return orientation;
    }

    /** The number of scans; stops counting beyond {@code most}. */
    long scans(ByteSource source, long most) throws IOException {
        return JpegScans.count(source, scanStart, most);
    }

    /** The file without application segments and comments. */
    SourceInputStream open(ByteSource source) {
        return new SourceInputStream(essence, source, scanStart);
    }

    static JpegHeader read(String name, ByteSource source) throws IOException {
        return new Reader(name, source).read();
    }

    static int unsignedShort(byte[] bytes, int at) {
        return (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff);
    }

    private static final class Reader {
        private final String name;
        private final SourceInputStream in;
        private final ByteArrayOutputStream essence = new ByteArrayOutputStream();

        private boolean jfif;
        private int adobeTransform = -1;
        private final OrientationTags metadata = new OrientationTags();
        private byte[] frame = new byte[0];

        Reader(String name, ByteSource source) {
            this.name = name;
            this.in = new SourceInputStream(source);
        }

        JpegHeader read() throws IOException {
            in.skipBytes(2);
            essence.write(0xff);
            essence.write(SOI);
            int marker = nextMarker();
            while (marker != SOS) {
                if (marker == EOI) {
                    throw new ImageException(name, "this JPEG has no image data; replace the file");
                }
                if (marker != TEM) {
                    segment(marker, readSegment());
                }
                marker = nextMarker();
            }
            if (frame.length == 0) {
                throw new ImageException(name, "this JPEG's scan comes before its frame; replace the file");
            }
            int height = unsignedShort(frame, 1);
            int width = unsignedShort(frame, 3);
            if (width == 0 || height == 0) {
                throw new ImageException(
                        name, "this JPEG declares %d x %d pixels; save it again".formatted(width, height));
            }
            return new JpegHeader(
                    width, height, colors(), metadata.find(), essence.toByteArray(), in.getStreamPosition() - 2);
        }

        /** Skips to the next marker, over padding and, as in libjpeg, over stray bytes. */
        private int nextMarker() throws IOException {
            int value;
            do {
                value = require(in.read());
                while (value != 0xff) {
                    value = require(in.read());
                }
                while (value == 0xff) {
                    value = require(in.read());
                }
            } while (value == 0);
            return value;
        }

        private byte[] readSegment() throws IOException {
            int length = require(in.read()) << 8 | require(in.read());
            if (length < 2) {
                throw new ImageException(name, "this JPEG has a segment of length " + length + "; replace the file");
            }
            byte[] body = new byte[length - 2];
            int n = 0;
            while (n < body.length) {
                n += require(in.read(body, n, body.length - n));
            }
            return body;
        }

        private int require(int value) throws ImageException {
            if (value < 0) {
                throw truncated(name);
            }
            return value;
        }

        private void segment(int marker, byte[] body) throws ImageException {
            if (marker == APP0) {
                jfif |= startsWith(body, "JFIF\0") && body.length >= 14;
            } else if (marker == APP1) {
                if (startsWith(body, EXIF) && body.length > EXIF.length() + 1) {
                    // One byte of padding follows, which may be nonzero.
                    metadata.exif(Arrays.copyOfRange(body, EXIF.length() + 1, body.length));
                } else if (startsWith(body, XMP)) {
                    metadata.xmp(Arrays.copyOfRange(body, XMP.length(), body.length));
                }
            } else if (marker == APP14) {
                if (startsWith(body, "Adobe") && body.length >= 12) {
                    adobeTransform = body[11] & 0xff;
                }
            } else if (marker != COM && (marker < APP0 || marker > APP15)) {
                if (marker >= 0xc0 && marker <= 0xcf && marker != DHT && marker != JPG && marker != DAC) {
                    frame(marker, body);
                }
                keep(marker, body);
            }
        }

        private void frame(int marker, byte[] body) throws ImageException {
            if (marker > 0xc2) {
                throw new ImageException(
                        name,
                        ("JPEG of kind SOF%d (lossless, hierarchical or arithmetic coding) is not supported; save it"
                                        + " as baseline or progressive JPEG or as PNG")
                                .formatted(marker - 0xc0));
            }
            if (frame.length != 0) {
                throw new ImageException(name, "this JPEG has two frames; replace the file");
            }
            if (body.length < 6 || body.length != 6 + 3 * (body[5] & 0xff)) {
                throw new ImageException(name, "this JPEG's frame header is damaged; replace the file");
            }
            if (body[0] != 8) {
                throw new ImageException(
                        name,
                        "JPEG with %d bits per sample is not supported; save it with 8 bits or as PNG"
                                .formatted(body[0] & 0xff));
            }
            frame = body;
        }

        private void keep(int marker, byte[] body) throws ImageException {
            if (essence.size() + body.length > MAX_ESSENCE_BYTES) {
                throw new ImageException(name, "this JPEG's tables take more than 1 MiB; replace the file");
            }
            essence.write(0xff);
            essence.write(marker);
            essence.write((body.length + 2) >> 8);
            essence.write(body.length + 2);
            essence.write(body, 0, body.length);
        }

        /** libjpeg's rules, in its order. */
        private Colors colors() throws ImageException {
            int components = frame[5] & 0xff;
            return switch (components) {
                case 1 -> Colors.GRAY;
                case 3 -> {
                    if (jfif) {
                        yield Colors.YCBCR;
                    }
                    if (adobeTransform >= 0) {
                        yield adobeTransform == 0 ? Colors.RGB : Colors.YCBCR;
                    }
                    yield frame[6] == 'R' && frame[9] == 'G' && frame[12] == 'B' ? Colors.RGB : Colors.YCBCR;
                }
                case 4 -> adobeTransform <= 0 ? Colors.CMYK : Colors.YCCK;
                default ->
                    throw new ImageException(
                            name,
                            "JPEG with %d components is not supported (only 1, 3, or 4); save it as RGB"
                                    .formatted(components));
            };
        }

        private static boolean startsWith(byte[] body, String ascii) {
            byte[] start = ascii.getBytes(StandardCharsets.US_ASCII);
            if (body.length < start.length) {
                return false;
            }
            for (int i = 0; i < start.length; i++) {
                if (body[i] != start[i]) {
                    return false;
                }
            }
            return true;
        }
    }

    static ImageException truncated(String name) {
        return new ImageException(name, ImageDecoder.TRUNCATED);
    }
}
