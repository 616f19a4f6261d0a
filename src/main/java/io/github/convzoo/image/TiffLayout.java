package io.github.convzoo.image;

import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.IOException;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/** The pixel layout of a TIFF's first page; the JDK's reader does not interpret all layouts as Pillow does. */
final class TiffLayout {

    private static final int WHITE_IS_ZERO = 0;
    private static final int BLACK_IS_ZERO = 1;
    private static final int RGB = 2;
    private static final int PALETTE = 3;
    private static final int SEPARATED = 5;
    private static final int YCBCR = 6;
    private static final int UNSIGNED = 1;
    private static final int INKS = 4;

    /** Red, green, blue, and up to three ignored samples, as in Pillow. */
    private static final int MAX_SAMPLES = 6;

    /** The maximum number of strips or tiles that a byte may belong to, on average. */
    private static final int MAX_OVERLAP = 16;

    private static final long UNCOMPRESSED = 1;
    private static final long OLD_JPEG = 6;
    private static final long JPEG = 7;

    /** The compressions of the JDK's reader: none, three CCITT, LZW, two JPEG, deflate and its old number, PackBits. */
    private static final Set<Long> COMPRESSIONS =
            Set.of(UNCOMPRESSED, 2L, 3L, 4L, 5L, OLD_JPEG, JPEG, 8L, 32946L, 32773L);

    private final int photometric;
    private final Orientation orientation;
    /** All reds, then all greens, then all blues, 16 bits each. */
    private final long[] palette;

    private TiffLayout(int photometric, Orientation orientation, long[] palette) {
        this.photometric = photometric;
        this.orientation = orientation;
        this.palette = palette;
    }

    static TiffLayout read(String name, ByteSource source, PixelLimit limit) throws IOException {
        TiffDirectory directory = TiffDirectory.read(source);
        long width = directory.value(TiffDirectory.WIDTH, 0);
        long height = directory.value(TiffDirectory.LENGTH, 0);
        if (width < 1 || height < 1) {
            throw new ImageException(name, ImageDecoder.TRUNCATED);
        }
        limit.check(width, height);
        // The reader allocates memory for a whole tile or strip.
        limit.check(directory.value(TiffDirectory.TILE_WIDTH, 1), directory.value(TiffDirectory.TILE_LENGTH, 1));
        for (int tag : new int[] {TiffDirectory.STRIP_BYTES, TiffDirectory.TILE_BYTES}) {
            long[] bytes = directory.values(tag);
            if (Arrays.stream(bytes).anyMatch(each -> each > source.length())) {
                throw new ImageException(name, ImageDecoder.TRUNCATED);
            }
            if (Arrays.stream(bytes).sum() > MAX_OVERLAP * source.length()) {
                throw new ImageException(name, "the strips or tiles of this TIFF overlap; save it again");
            }
        }
        checkWork(source, directory, width, height, limit);
        long compression = directory.value(TiffDirectory.COMPRESSION, UNCOMPRESSED);
        if (!COMPRESSIONS.contains(compression)) {
            throw new ImageException(
                    name,
                    "TIFF with compression %d is not supported; save it with LZW or without".formatted(compression));
        }
        long photometric = directory.value(TiffDirectory.PHOTOMETRIC, WHITE_IS_ZERO);
        long[] bits = directory.values(TiffDirectory.BITS_PER_SAMPLE);
        long most = Arrays.stream(bits).max().orElse(1);
        boolean even = Arrays.stream(bits).allMatch(each -> each == most) && most > 0;
        long samples = directory.value(TiffDirectory.SAMPLES_PER_PIXEL, 1);
        boolean unsigned =
                Arrays.stream(directory.values(TiffDirectory.SAMPLE_FORMAT)).allMatch(format -> format == UNSIGNED);
        boolean known = unsigned
                && even
                && switch ((int) photometric) {
                    case WHITE_IS_ZERO, BLACK_IS_ZERO -> samples <= 2 && most <= 16;
                    case RGB -> samples >= RgbImage.CHANNELS && samples <= MAX_SAMPLES && (most == 8 || most == 16);
                    case PALETTE -> samples == 1 && most <= 8;
                    // Nothing states whether the inks in a JPEG are inverted.
                    case SEPARATED -> samples == INKS && most == 8 && compression != JPEG && compression != OLD_JPEG;
                    case YCBCR -> samples == RgbImage.CHANNELS && most == 8;
                    default -> false;
                };
        if (!known) {
            throw new ImageException(
                    name,
                    ("TIFF with %d %s of %s bits per pixel (photometric interpretation %d, compression %d) is not"
                                    + " supported; save it as 8-bit RGB")
                            .formatted(
                                    samples,
                                    unsigned ? "samples" : "signed or floating-point samples",
                                    even || bits.length > MAX_SAMPLES
                                            ? most
                                            : Arrays.stream(bits)
                                                    .mapToObj(Long::toString)
                                                    .collect(Collectors.joining(", ")),
                                    photometric,
                                    compression));
        }
        return new TiffLayout(
                (int) photometric,
                Orientation.of(directory.value(TiffDirectory.ORIENTATION, 1)),
                directory.values(TiffDirectory.COLOR_MAP));
    }

    /**
     * Each strip or tile is decoded completely, even if little of it is inside the image, and may be a JPEG with
     * several scans.
     */
    private static void checkWork(ByteSource source, TiffDirectory directory, long width, long height, PixelLimit limit)
            throws IOException {
        boolean tiled = directory.has(TiffDirectory.TILE_WIDTH);
        long partWidth = directory.value(TiffDirectory.TILE_WIDTH, width);
        long partHeight = Math.max(
                1,
                tiled
                        ? directory.value(TiffDirectory.TILE_LENGTH, height)
                        : Math.min(height, directory.value(TiffDirectory.ROWS_PER_STRIP, height)));
        long pixels = partWidth * partHeight;
        long parts = ((width + partWidth - 1) / partWidth) * ((height + partHeight - 1) / partHeight);
        String what = "%d strips or tiles of %d x %d pixels".formatted(parts, partWidth, partHeight);
        // Neither exceeds the pixel limit, so the product does not overflow.
        limit.checkDecoded(parts * pixels, what);
        long compression = directory.value(TiffDirectory.COMPRESSION, UNCOMPRESSED);
        if (compression != JPEG && compression != OLD_JPEG) {
            return;
        }
        long[] starts = directory.values(tiled ? TiffDirectory.TILE_OFFSETS : TiffDirectory.STRIP_OFFSETS);
        long[] bytes = directory.values(tiled ? TiffDirectory.TILE_BYTES : TiffDirectory.STRIP_BYTES);
        long tables = directory.value(TiffDirectory.JPEG_START, 0);
        long sum = compression == JPEG || tables == 0
                ? 0
                : JpegScans.pixels(
                        source,
                        tables,
                        tables + directory.value(TiffDirectory.JPEG_BYTES, source.length() - tables),
                        pixels);
        for (int i = 0; i < starts.length; i++) {
            long end = i < bytes.length ? starts[i] + bytes[i] : source.length();
            sum += JpegScans.pixels(source, starts[i], end, pixels);
            limit.checkDecoded(sum, "the scans of the JPEGs in this TIFF");
        }
    }

    Orientation orientation() {
        return orientation;
    }

    RgbImage toRgb(BufferedImage image) {
        return switch (photometric) {
            case SEPARATED -> ofInks(image);
            case PALETTE -> ofIndices(image.getRaster());
            default -> RgbImage.takingOver(image);
        };
    }

    private static RgbImage ofInks(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        byte[] inks = new byte[INKS * width * height];
        int[] row = new int[INKS * width];
        int to = 0;
        for (int y = 0; y < height; y++) {
            image.getRaster().getPixels(0, y, width, 1, row);
            for (int ink : row) {
                // JPEG's inks are inverted, TIFF's are not.
                inks[to++] = (byte) ~ink;
            }
        }
        return new RgbImage(width, height, JpegColors.toRgb(JpegHeader.Colors.CMYK, inks, width * height));
    }

    /** Pillow uses the high bytes of a palette's 16-bit samples; the JDK rounds. */
    private RgbImage ofIndices(Raster raster) {
        int width = raster.getWidth();
        int colors = palette.length / RgbImage.CHANNELS;
        byte[] samples = new byte[RgbImage.sampleCount(width, raster.getHeight())];
        int[] row = new int[width];
        int to = 0;
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getSamples(0, y, width, 1, 0, row);
            for (int index : row) {
                for (int channel = 0; channel < RgbImage.CHANNELS; channel++) {
                    samples[to++] = index < colors ? (byte) (palette[channel * colors + index] >> 8) : 0;
                }
            }
        }
        return new RgbImage(width, raster.getHeight(), samples);
    }
}
