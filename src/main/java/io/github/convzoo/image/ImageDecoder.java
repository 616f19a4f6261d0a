package io.github.convzoo.image;

import io.github.convzoo.message.Reason;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/**
 * Reads JPEG, PNG, GIF (first frame), BMP, TIFF (first page) and WebP (first frame) into 8-bit RGB, with the samples of
 * Pillow's {@code Image.open(file).convert("RGB")}.
 *
 * <p>The format is detected from the content, not from the file name. The JDK's readers decode most formats, without
 * their additional processing (color profiles, gamma, filling in missing data); docs/reference/images.md has the
 * measured comparison. WebP needs the optional library {@code com.github.usefulness:webp-imageio} on the class path.
 * CMYK and YCCK JPEGs are treated as inverted, as in Pillow. 16-bit samples keep their high byte, even gray ones, which
 * Pillow would clip.
 *
 * <p>JPEG, PNG and WebP images are rotated upright by their EXIF or XMP orientation, unless {@link
 * #withOrientation(boolean)} disables it. Evaluation scripts based on timm or torchvision do not rotate images; disable
 * it to reproduce their numbers on photos with an orientation. A TIFF's own orientation is always applied, as in
 * Pillow.
 *
 * <p>An image that cannot be decoded completely is refused. Limits apply before memory and time are spent: {@link
 * #DEFAULT_MAX_PIXELS}, {@link #DEFAULT_MAX_DECODED_PIXELS} and {@link #DEFAULT_MAX_STREAM_BYTES} unless changed.
 * Immutable and thread-safe.
 */
public final class ImageDecoder {

    /** The supported formats, for messages and help: "JPEG, PNG, GIF, BMP, TIFF, and WebP". */
    public static final String FORMATS = "JPEG, PNG, GIF, BMP, TIFF, and WebP";

    /** The default maximum number of pixels of an image, beyond which Pillow also refuses. */
    public static final long DEFAULT_MAX_PIXELS = 178_956_970;

    /** The default maximum number of bytes read from an {@link InputStream}: 256 MiB. */
    public static final int DEFAULT_MAX_STREAM_BYTES = 1 << 28;

    /** The default maximum number of decoded pixels: ten scans of the largest image. */
    public static final long DEFAULT_MAX_DECODED_PIXELS = 10 * DEFAULT_MAX_PIXELS;

    /** The default time limit for downloading an image: one minute. */
    public static final Duration DEFAULT_MAX_FETCH_TIME = Duration.ofMinutes(1);

    /** The message for an image whose end is missing. */
    private static final String DAMAGED = "damaged or truncated";

    static final String TRUNCATED = "the file ends before the image does (truncated); fetch or copy it again";

    private static final List<String> NAMES =
            List.of("imagePixels", "imageDecodedPixels", "imageBytes", "imageSeconds");

    private static final Pattern LIMIT = Pattern.compile("(\\w+)=(\\d{1,9})([KMG]?)");

    /** The JDK takes about as long for a row of a PNG as for so many pixels, however short it is. */
    private static final int ROW_PIXELS = 32;

    private static final String WEBP_LIBRARY = "com.luciad.imageio.webp.";

    private final boolean orientation;
    private final long maxPixels;
    private final long maxDecodedPixels;
    private final int maxStreamBytes;
    private final Duration maxFetchTime;

    /** Creates a decoder that applies EXIF orientation, with the default limits. */
    public ImageDecoder() {
        this(true, DEFAULT_MAX_PIXELS, DEFAULT_MAX_DECODED_PIXELS, DEFAULT_MAX_STREAM_BYTES, DEFAULT_MAX_FETCH_TIME);
    }

    private ImageDecoder(
            boolean orientation, long maxPixels, long maxDecodedPixels, int maxStreamBytes, Duration maxFetchTime) {
        this.orientation = orientation;
        this.maxPixels = maxPixels;
        this.maxDecodedPixels = maxDecodedPixels;
        this.maxStreamBytes = maxStreamBytes;
        this.maxFetchTime = maxFetchTime;
    }

    /**
     * {@return this decoder with EXIF orientation enabled or disabled}
     *
     * @param applied whether to rotate JPEG, PNG and WebP images upright
     */
    public ImageDecoder withOrientation(boolean applied) {
        return new ImageDecoder(applied, maxPixels, maxDecodedPixels, maxStreamBytes, maxFetchTime);
    }

    /**
     * {@return this decoder with another pixel limit}
     *
     * @param limit the maximum number of pixels (width times height) of an image, 1 to 715,827,879
     * @throws IllegalArgumentException if the limit is out of range
     */
    public ImageDecoder withMaxPixels(long limit) {
        if (limit < 1 || limit > RgbImage.MAX_PIXELS) {
            throw new IllegalArgumentException(String.format(
                    Locale.ROOT, "the limit must be 1 to %,d pixels, not %,d", RgbImage.MAX_PIXELS, limit));
        }
        return new ImageDecoder(orientation, limit, maxDecodedPixels, maxStreamBytes, maxFetchTime);
    }

    /**
     * {@return this decoder with another limit of decoded pixels} An image's pixels count once per scan (a progressive
     * JPEG has about ten); a TIFF's tiles all count; a PNG's row counts as at least 32 pixels. A small file can require
     * any amount of work.
     *
     * @param limit the maximum number of pixels, at least 1
     * @throws IllegalArgumentException if the limit is out of range
     */
    public ImageDecoder withMaxDecodedPixels(long limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("the limit must be at least 1 pixel, not " + limit);
        }
        return new ImageDecoder(orientation, maxPixels, limit, maxStreamBytes, maxFetchTime);
    }

    /**
     * {@return this decoder with another size limit for streams} Files and arrays have none, because they are not
     * copied.
     *
     * @param limit the maximum number of bytes of a stream, 1 to 2,147,483,639
     * @throws IllegalArgumentException if the limit is out of range
     */
    public ImageDecoder withMaxStreamBytes(int limit) {
        if (limit < 1 || limit > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(String.format(
                    Locale.ROOT, "the limit must be 1 to %,d bytes, not %,d", Integer.MAX_VALUE - 8, limit));
        }
        return new ImageDecoder(orientation, maxPixels, maxDecodedPixels, limit, maxFetchTime);
    }

    /**
     * {@return this decoder with another time limit for downloading an image, from the first connection to the last
     * byte}
     *
     * @param limit the time limit
     * @throws IllegalArgumentException if the limit is not positive, or longer than a day
     */
    public ImageDecoder withMaxFetchTime(Duration limit) {
        if (limit.isNegative() || limit.isZero() || limit.compareTo(Duration.ofDays(1)) > 0) {
            throw new IllegalArgumentException("the limit must be positive and at most one day, not " + limit);
        }
        return new ImageDecoder(orientation, maxPixels, maxDecodedPixels, maxStreamBytes, limit);
    }

    /**
     * {@return whether a text is a limit for {@link #withLimit}: whether its name is that of a limit of images}
     *
     * @param limit {@code NAME=NUMBER}
     */
    public static boolean isLimit(String limit) {
        return NAMES.contains(limit.replaceFirst("=.*", ""));
    }

    /**
     * {@return this decoder with a limit that is given as text, as on the command line}
     *
     * @param limit {@code imagePixels}, {@code imageDecodedPixels}, {@code imageBytes} or {@code imageSeconds}, then
     *     {@code =} and a whole number, which K, M, or G may follow
     * @throws IllegalArgumentException if there is no such limit, or it is out of range
     */
    public ImageDecoder withLimit(String limit) {
        Matcher matcher = LIMIT.matcher(limit);
        if (!isLimit(limit) || !matcher.matches()) {
            throw new IllegalArgumentException("'" + limit + "' is not an image limit; write "
                    + String.join(", ", NAMES) + ", then = and a whole number, optionally with K, M, or G");
        }
        long number = Long.parseLong(matcher.group(2)) << (10 * "-KMG".indexOf(matcher.group(3)));
        return switch (matcher.group(1)) {
            case "imagePixels" -> withMaxPixels(number);
            case "imageDecodedPixels" -> withMaxDecodedPixels(number);
            case "imageBytes" -> withMaxStreamBytes((int) Math.min(number, Integer.MAX_VALUE));
            default -> withMaxFetchTime(Duration.ofSeconds(number));
        };
    }

    /** {@return the maximum number of pixels of an image} */
    public long maxPixels() {
        return maxPixels;
    }

    /** {@return the time limit for downloading an image} */
    public Duration maxFetchTime() {
        return maxFetchTime;
    }

    /**
     * Decodes a file.
     *
     * @param file the file; pipes and devices are refused because they may be endless
     * @return its image
     * @throws ImageException if there is no such file, or it cannot be read or decoded, or exceeds the limits
     */
    public RgbImage decode(Path file) throws ImageException {
        String name = file.toString();
        try {
            if (Files.isDirectory(file)) {
                throw new ImageException(name, "this is a directory; pass an image file");
            }
            if (Files.exists(file) && !Files.isRegularFile(file)) {
                // A pipe waits for its other end, and some devices are endless.
                throw new ImageException(
                        name,
                        "a pipe or device, not a regular file; copy it into a file first, or read it as a stream");
            }
            try (SeekableByteChannel channel = Files.newByteChannel(file)) {
                return decode(name, ByteSource.of(channel));
            }
        } catch (NoSuchFileException | FileNotFoundException e) {
            throw new ImageException(name, "no such file; check the path", e);
        } catch (ImageException e) {
            throw e;
        } catch (ClosedByInterruptException e) {
            throw interrupted(name, e);
        } catch (IOException e) {
            throw new ImageException(
                    name, "cannot be read (" + Reason.of(e) + "); check the file and its permissions", e);
        }
    }

    private static ImageException interrupted(String name, IOException cause) {
        return new ImageException(name, "not read because the thread was interrupted; try again", cause);
    }

    /**
     * Decodes a stream, read to its end. The stream is not closed.
     *
     * @param in the stream
     * @param name the image's name in errors
     * @return its image
     * @throws ImageException if the stream cannot be read or decoded, or exceeds the limits
     */
    public RgbImage decode(InputStream in, String name) throws ImageException {
        byte[] bytes;
        try {
            bytes = in.readNBytes(maxStreamBytes);
            if (bytes.length == maxStreamBytes && in.read() >= 0) {
                throw new ImageException(
                        name,
                        String.format(
                                Locale.ROOT,
                                "more than the allowed %,d bytes; raise the limit imageBytes if this is intended",
                                maxStreamBytes));
            }
        } catch (ImageException e) {
            throw e;
        } catch (ClosedByInterruptException | InterruptedIOException e) {
            throw e instanceof SocketTimeoutException
                    ? new ImageException(name, "cannot be read (" + Reason.of(e) + "); check where it comes from", e)
                    : interrupted(name, e);
        } catch (IOException e) {
            throw new ImageException(name, "cannot be read (" + Reason.of(e) + "); check where it comes from", e);
        } catch (OutOfMemoryError e) {
            throw outOfMemory(name, e);
        }
        return decode(bytes, name);
    }

    /**
     * Decodes bytes.
     *
     * @param bytes the encoded image
     * @param name the image's name in errors
     * @return the image
     * @throws ImageException if the bytes cannot be decoded or exceed the limits
     */
    public RgbImage decode(byte[] bytes, String name) throws ImageException {
        try {
            return decode(name, ByteSource.of(bytes));
        } catch (ImageException e) {
            throw e;
        } catch (IOException e) {
            throw new ImageException(name, "cannot be decoded (" + Reason.of(e) + ")", e);
        }
    }

    private RgbImage decode(String name, ByteSource source) throws IOException {
        ImageFormat format = ImageFormat.detect(name, source);
        try {
            return decode(name, source, format);
        } catch (OutOfMemoryError e) {
            throw outOfMemory(name, e);
        } catch (RuntimeException e) {
            // A bug here, which must not end the work on other images.
            throw new ImageException(name, DAMAGED + " (" + Reason.of(e) + "); fetch or copy it again", e);
        }
    }

    /** One array of the image's size failed to allocate, after which the heap is unchanged. */
    private static ImageException outOfMemory(String name, OutOfMemoryError cause) {
        return new ImageException(
                name, "not enough memory to decode; raise the JVM's heap (-Xmx) or lower the pixel limit", cause);
    }

    private RgbImage decode(String name, ByteSource source, ImageFormat format) throws IOException {
        return switch (format) {
            case JPEG -> decodeJpeg(name, source);
            case PNG -> {
                RgbImage stored = decodeByTheJdk(name, source, "png");
                yield orientation ? PngMetadata.orientation(source).apply(stored) : stored;
            }
            case GIF -> decodeGif(name, source);
            case BMP -> BmpDecoder.decode(name, source, limit(name));
            case TIFF -> decodeTiff(name, source);
            case WEBP -> decodeWebp(name, source);
        };
    }

    private RgbImage decodeJpeg(String name, ByteSource source) throws IOException {
        JpegHeader header = JpegHeader.read(name, source);
        int width = header.width();
        int height = header.height();
        limit(name).check(width, height);
        long pixels = (long) width * height;
        long scans = header.scans(source, maxDecodedPixels / pixels);
        limit(name).checkDecoded(scans * pixels, "%d or more scans of %d x %d pixels".formatted(scans, width, height));
        byte[] samples;
        ImageReader reader = jdkReader("jpeg");
        try (SourceInputStream in = header.open(source)) {
            Raster raster = read(name, reader, in, () -> reader.readRaster(0, null));
            if (in.ranOut()) {
                throw JpegHeader.truncated(name);
            }
            samples = ((DataBufferByte) raster.getDataBuffer()).getData();
        }
        RgbImage stored = new RgbImage(width, height, JpegColors.toRgb(header.colors(), samples, width * height));
        return orientation ? header.orientation().apply(stored) : stored;
    }

    private RgbImage decodeGif(String name, ByteSource source) throws IOException {
        GifScreen screen = GifScreen.read(name, source, limit(name));
        if (!screen.isComplete(source)) {
            throw new ImageException(name, TRUNCATED);
        }
        ImageReader reader = jdkReader("gif");
        try (SourceInputStream in = screen.open(source)) {
            return screen.show(read(name, reader, in, () -> reader.read(0).getRaster()));
        }
    }

    private RgbImage decodeByTheJdk(String name, ByteSource source, String format) throws IOException {
        ImageReader reader = jdkReader(format);
        try (SourceInputStream in = new SourceInputStream(source)) {
            return read(name, reader, in, () -> {
                int width = reader.getWidth(0);
                int height = reader.getHeight(0);
                limit(name).check(width, height);
                long pixels = (long) height * Math.max(width, ROW_PIXELS);
                if (pixels > maxDecodedPixels) {
                    throw new ImageException(
                            name,
                            String.format(
                                    Locale.ROOT,
                                    "%d x %d pixels take as long to decode as %,d pixels in long rows, more than the"
                                            + " allowed %,d; raise the limit imageDecodedPixels if this is intended",
                                    width,
                                    height,
                                    pixels,
                                    maxDecodedPixels));
                }
                return RgbImage.takingOver(reader.read(0));
            });
        }
    }

    /** Always rotated, as in Pillow, because the orientation is part of the TIFF format. */
    private RgbImage decodeTiff(String name, ByteSource source) throws IOException {
        TiffLayout layout = TiffLayout.read(name, source, limit(name));
        ImageReader reader = jdkReader("tiff");
        try (SourceInputStream in = new SourceInputStream(source)) {
            RgbImage stored = read(name, reader, in, () -> layout.toRgb(reader.read(0)));
            return layout.orientation().apply(stored);
        }
    }

    private RgbImage decodeWebp(String name, ByteSource source) throws IOException {
        WebpFile file = WebpFile.read(name, source, limit(name));
        ImageReader reader = webpReader(name);
        try (SourceInputStream in = file.open(source)) {
            RgbImage frame = read(name, reader, in, () -> RgbImage.takingOver(reader.read(0)));
            RgbImage stored = file.show(frame);
            return orientation ? file.orientation().apply(stored) : stored;
        } catch (LinkageError e) {
            throw new ImageException(
                    name,
                    "the WebP library's native part did not load (" + Reason.of(e) + "); convert it to JPEG or PNG",
                    e);
        }
    }

    private PixelLimit limit(String name) {
        return new PixelLimit() {
            @Override
            public void check(long width, long height) throws ImageException {
                if (width < 1 || height < 1) {
                    throw new ImageException(
                            name, "damaged: it has a size of " + width + " x " + height + "; fetch or copy it again");
                }
                // The product may overflow a long.
                if (width > maxPixels / height) {
                    throw new ImageException(
                            name,
                            String.format(
                                    Locale.ROOT,
                                    "%d x %d pixels are more than the allowed %,d; raise the limit imagePixels if"
                                            + " this is intended",
                                    width,
                                    height,
                                    maxPixels));
                }
            }

            @Override
            public void checkDecoded(long pixels, String what) throws ImageException {
                if (pixels > maxDecodedPixels) {
                    throw new ImageException(
                            name,
                            String.format(
                                    Locale.ROOT,
                                    "%s exceed the limit of %,d decoded pixels; save it as a plain JPEG or PNG, or"
                                            + " raise the limit imageDecodedPixels if this is intended",
                                    what,
                                    maxDecodedPixels));
                }
            }
        };
    }

    private interface Read<T> {
        T run() throws IOException;
    }

    private static <T> T read(String name, ImageReader reader, ImageInputStream in, Read<T> action) throws IOException {
        try {
            reader.setInput(in, true, true);
            return action.run();
        } catch (ImageException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                if (cause instanceof OutOfMemoryError outOfMemory) {
                    throw outOfMemory;
                }
            }
            // The JDK's readers throw various exceptions on damaged data: index, null, arithmetic, argument.
            throw new ImageException(name, DAMAGED + " (" + Reason.of(e) + "); fetch or copy it again", e);
        } finally {
            reader.dispose();
        }
    }

    /** The JDK's own reader, so that results do not depend on readers on the class path. */
    private static ImageReader jdkReader(String format) {
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
        while (readers.hasNext()) {
            ImageReader reader = readers.next();
            if ("java.desktop".equals(reader.getClass().getModule().getName())) {
                return reader;
            }
        }
        throw new IllegalStateException("this Java runtime lacks the module java.desktop's reader for " + format);
    }

    /** The libwebp reader, which Pillow also uses; others give different samples. */
    private static ImageReader webpReader(String name) throws ImageException {
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName("webp");
        while (readers.hasNext()) {
            ImageReader reader = readers.next();
            if (reader.getClass().getName().startsWith(WEBP_LIBRARY)) {
                return reader;
            }
        }
        throw new ImageException(
                name,
                "this is a WebP, which needs a library: add com.github.usefulness:webp-imageio:0.11.0 to the class path,"
                        + " or convert the image to JPEG or PNG");
    }
}
