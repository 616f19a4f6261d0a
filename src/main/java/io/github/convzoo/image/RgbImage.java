package io.github.convzoo.image;

import ai.djl.modality.cv.Image;
import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.DirectColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.PixelInterleavedSampleModel;
import java.awt.image.Raster;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An image of 8-bit red, green and blue samples without a color space, like Pillow's mode {@code RGB}.
 *
 * <p>Immutable. The samples are interleaved, row by row from the top, so an image takes {@code 3 * width * height}
 * bytes.
 */
public final class RgbImage {

    static final int CHANNELS = 3;

    /** The maximum number of pixels whose samples fit into one Java array. */
    static final long MAX_PIXELS = (Integer.MAX_VALUE - 8) / CHANNELS;

    private final int width;
    private final int height;
    private final byte[] samples;

    /** Takes ownership of the array. */
    RgbImage(int width, int height, byte[] samples) {
        if (samples.length != sampleCount(width, height)) {
            throw new IllegalArgumentException("%d x %d pixels have %d samples, not %d"
                    .formatted(width, height, sampleCount(width, height), samples.length));
        }
        this.width = width;
        this.height = height;
        this.samples = samples;
    }

    /**
     * Copies samples into an image.
     *
     * @param width the width in pixels, at least 1
     * @param height the height in pixels, at least 1
     * @param samples red, green, blue of the pixels row by row, 0 to 255 as unsigned bytes; length 3 * width * height
     * @return the image
     * @throws IllegalArgumentException if a side is not positive, the image has more than 715,827,879 pixels, or the
     *     number of samples is wrong
     */
    public static RgbImage of(int width, int height, byte[] samples) {
        return new RgbImage(width, height, samples.clone());
    }

    /**
     * Copies the stored samples of a buffered image, like Pillow's {@code convert("RGB")}.
     *
     * <p>Gray is replicated, a palette is looked up, alpha is dropped (not blended), 16-bit samples lose their low
     * byte, and color profiles and gamma are ignored: {@link BufferedImage#getRGB(int, int)} would apply them, and so
     * change the network's input. {@code getRGB} is used only if the samples are not plain gray or RGB (premultiplied
     * alpha, floating point, other color spaces).
     *
     * @param image the image
     * @return the image, of the same size
     */
    public static RgbImage of(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        byte[] samples = new byte[sampleCount(width, height)];
        Raster raster = image.getRaster();
        ColorModel model = image.getColorModel();
        if (model instanceof IndexColorModel palette) {
            copyPalette(raster, palette, samples);
        } else if (isPlain(model)) {
            byte @Nullable [] bytes = interleavedBytes(raster);
            if (bytes != null) {
                copyInterleaved(raster, bytes, model.getNumColorComponents(), samples);
            } else {
                copyScaled(raster, model, samples);
            }
        } else {
            copyConverted(image, samples);
        }
        return new RgbImage(width, height, samples);
    }

    /**
     * Like {@link #of(BufferedImage)}, but if the image stores its samples as bytes in BGR order, they are swapped in
     * place and its array becomes the result's: for decoders, which own the image that they pass on.
     */
    static RgbImage takingOver(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        Raster raster = image.getRaster();
        byte @Nullable [] bytes = interleavedBytes(raster);
        if (bytes == null
                || !isPlain(image.getColorModel())
                || raster.getNumBands() != CHANNELS
                || bytes.length != sampleCount(width, height)
                || ((PixelInterleavedSampleModel) raster.getSampleModel()).getScanlineStride() != CHANNELS * width
                || !Arrays.equals(
                        ((PixelInterleavedSampleModel) raster.getSampleModel()).getBandOffsets(),
                        new int[] {2, 1, 0})) {
            return of(image);
        }
        for (int i = 0; i < bytes.length; i += CHANNELS) {
            byte blue = bytes[i];
            bytes[i] = bytes[i + 2];
            bytes[i + 2] = blue;
        }
        return new RgbImage(width, height, bytes);
    }

    /**
     * Copies the samples of a DJL image that wraps a {@link BufferedImage}, as do all images of DJL's default factory
     * on a desktop or server.
     *
     * <p>ImageIO decoded the file and applied color profiles. {@link ImageDecoder}, like Pillow, does not, and is the
     * better choice if the file is available.
     *
     * @param image the image
     * @return the image, of the same size
     * @throws IllegalArgumentException if the image wraps something else
     */
    public static RgbImage of(Image image) {
        Object wrapped = image.getWrappedImage();
        if (wrapped instanceof BufferedImage buffered) {
            return of(buffered);
        }
        throw new IllegalArgumentException("expected a DJL image that wraps a java.awt.image.BufferedImage, not "
                + (wrapped == null ? "none" : wrapped.getClass().getName())
                + "; create it with ai.djl.modality.cv.BufferedImageFactory");
    }

    /** {@return the width in pixels} */
    public int width() {
        return width;
    }

    /** {@return the height in pixels} */
    public int height() {
        return height;
    }

    /**
     * {@return one pixel, as {@code 0xRRGGBB}}
     *
     * @param x the column, from 0 at the left
     * @param y the row, from 0 at the top
     * @throws IndexOutOfBoundsException if the pixel is outside the image
     */
    public int pixel(int x, int y) {
        int i = CHANNELS * (Objects.checkIndex(y, height) * width + Objects.checkIndex(x, width));
        return (samples[i] & 0xff) << 16 | (samples[i + 1] & 0xff) << 8 | (samples[i + 2] & 0xff);
    }

    /**
     * {@return a copy of the samples: red, green, blue of the pixels row by row, as unsigned bytes; length 3 * width *
     * height}
     */
    public byte[] toBytes() {
        return samples.clone();
    }

    /**
     * {@return a part of the image}
     *
     * @param box the part, which must be inside the image
     * @throws IllegalArgumentException if the box is not inside the image
     */
    public RgbImage crop(Box box) {
        box.requireInside(this);
        if (box.isAllOf(this)) {
            return this;
        }
        byte[] cropped = new byte[sampleCount(box.width(), box.height())];
        int row = CHANNELS * box.width();
        for (int y = 0; y < box.height(); y++) {
            System.arraycopy(samples, CHANNELS * ((box.top() + y) * width + box.left()), cropped, y * row, row);
        }
        return new RgbImage(box.width(), box.height(), cropped);
    }

    /**
     * {@return a part of the image and its surroundings}
     *
     * @param box the part, which may extend beyond the image
     * @param border the pixels beyond the image
     * @throws IllegalArgumentException if the box has more than 715,827,879 pixels
     */
    public RgbImage crop(Box box, Border border) {
        if (box.isInside(this)) {
            return crop(box);
        }
        byte[] cropped = new byte[sampleCount(box.width(), box.height())];
        int[] columns = new int[box.width()];
        Arrays.setAll(columns, x -> seen((long) box.left() + x, width, border));
        int to = 0;
        for (int y = 0; y < box.height(); y++) {
            int row = seen((long) box.top() + y, height, border);
            for (int x = 0; x < box.width(); x++, to += CHANNELS) {
                if (row >= 0 && columns[x] >= 0) {
                    int from = CHANNELS * (row * width + columns[x]);
                    cropped[to] = samples[from];
                    cropped[to + 1] = samples[from + 1];
                    cropped[to + 2] = samples[from + 2];
                }
            }
        }
        return new RgbImage(box.width(), box.height(), cropped);
    }

    /** The row or column that is visible at a position; -1 for none. */
    private static int seen(long position, int size, Border border) {
        if (position >= 0 && position < size) {
            return (int) position;
        }
        if (border == Border.BLACK) {
            return -1;
        }
        // Back and forth without repeating the outermost; a single pixel is repeated.
        long period = Math.max(1, 2L * (size - 1));
        int phase = (int) Math.floorMod(position, period);
        return phase < size ? phase : (int) (period - phase);
    }

    /** {@return the image mirrored left to right} */
    public RgbImage flippedHorizontally() {
        byte[] flipped = new byte[samples.length];
        int row = CHANNELS * width;
        for (int start = 0; start < samples.length; start += row) {
            int to = start + row - CHANNELS;
            for (int from = start; from < start + row; from += CHANNELS, to -= CHANNELS) {
                flipped[to] = samples[from];
                flipped[to + 1] = samples[from + 1];
                flipped[to + 2] = samples[from + 2];
            }
        }
        return new RgbImage(width, height, flipped);
    }

    /**
     * {@return a copy of the image as a Java image of type {@link BufferedImage#TYPE_3BYTE_BGR}, which can be drawn on,
     * shown, or written}
     */
    public BufferedImage toBufferedImage() {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
        byte[] target = ((DataBufferByte) image.getRaster().getDataBuffer()).getData();
        for (int i = 0; i < samples.length; i += CHANNELS) {
            target[i] = samples[i + 2];
            target[i + 1] = samples[i + 1];
            target[i + 2] = samples[i];
        }
        return image;
    }

    /** The samples themselves, which must not be modified. */
    byte[] samples() {
        return samples;
    }

    /** Whether the other is an image of the same size and samples. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof RgbImage image
                && image.width == width
                && image.height == height
                && Arrays.equals(image.samples, samples);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * width + height) + Arrays.hashCode(samples);
    }

    /** The size, not the samples. */
    @Override
    public String toString() {
        return "RgbImage[" + width + " x " + height + "]";
    }

    static int sampleCount(int width, int height) {
        if (width < 1 || height < 1 || (long) width * height > MAX_PIXELS) {
            throw new IllegalArgumentException(String.format(
                    Locale.ROOT, "an image must have 1 x 1 to %,d pixels, not %d x %d", MAX_PIXELS, width, height));
        }
        return CHANNELS * width * height;
    }

    /** Whether the first one or three bands are gray or RGB, not premultiplied by alpha. */
    private static boolean isPlain(ColorModel model) {
        if (model.isAlphaPremultiplied() && model.getTransparency() != Transparency.OPAQUE) {
            return false;
        }
        if (model instanceof DirectColorModel) {
            return model.getColorSpace().getType() == ColorSpace.TYPE_RGB;
        }
        int type = model.getColorSpace().getType();
        int transfer = model.getTransferType();
        return model instanceof ComponentColorModel
                && ((type == ColorSpace.TYPE_GRAY && model.getNumColorComponents() == 1)
                        || (type == ColorSpace.TYPE_RGB && model.getNumColorComponents() == CHANNELS))
                && (transfer == DataBuffer.TYPE_BYTE || transfer == DataBuffer.TYPE_USHORT);
    }

    /** The raster's bytes, if a pixel's samples are adjacent whole bytes. */
    private static byte @Nullable [] interleavedBytes(Raster raster) {
        return raster.getSampleModel() instanceof PixelInterleavedSampleModel
                        && raster.getDataBuffer() instanceof DataBufferByte buffer
                ? buffer.getData()
                : null;
    }

    private static void copyInterleaved(Raster raster, byte[] bytes, int colors, byte[] samples) {
        PixelInterleavedSampleModel model = (PixelInterleavedSampleModel) raster.getSampleModel();
        int[] bands = model.getBandOffsets();
        int red = bands[0];
        int green = bands[colors == 1 ? 0 : 1];
        int blue = bands[colors == 1 ? 0 : 2];
        int origin = raster.getDataBuffer().getOffset()
                - raster.getSampleModelTranslateY() * model.getScanlineStride()
                - raster.getSampleModelTranslateX() * model.getPixelStride();
        int to = 0;
        for (int y = 0; y < raster.getHeight(); y++) {
            int from = origin + y * model.getScanlineStride();
            for (int x = 0; x < raster.getWidth(); x++, from += model.getPixelStride()) {
                samples[to++] = bytes[from + red];
                samples[to++] = bytes[from + green];
                samples[to++] = bytes[from + blue];
            }
        }
    }

    private static void copyPalette(Raster raster, IndexColorModel palette, byte[] samples) {
        int[] colors = new int[palette.getMapSize()];
        palette.getRGBs(colors);
        int width = raster.getWidth();
        int[] row = new int[width];
        int to = 0;
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getSamples(0, y, width, 1, 0, row);
            for (int index : row) {
                // A file may use indices past the end of its palette; Pillow's palettes are padded with black.
                int color = index < colors.length ? colors[index] : 0;
                samples[to++] = (byte) (color >> 16);
                samples[to++] = (byte) (color >> 8);
                samples[to++] = (byte) color;
            }
        }
    }

    private static void copyScaled(Raster raster, ColorModel model, byte[] samples) {
        int width = raster.getWidth();
        int bands = raster.getNumBands();
        int colors = model.getNumColorComponents();
        int[] row = new int[width * bands];
        int to = 0;
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getPixels(0, y, width, 1, row);
            for (int x = 0; x < width; x++) {
                for (int channel = 0; channel < CHANNELS; channel++) {
                    int band = colors == 1 ? 0 : channel;
                    samples[to++] = (byte) toEightBits(row[x * bands + band], model.getComponentSize(band));
                }
            }
        }
    }

    private static int toEightBits(int sample, int bits) {
        if (bits >= 8) {
            return sample >>> (bits - 8);
        }
        int max = (1 << bits) - 1;
        return (sample * 255 + max / 2) / max;
    }

    private static void copyConverted(BufferedImage image, byte[] samples) {
        int width = image.getWidth();
        int[] row = new int[width];
        int to = 0;
        for (int y = 0; y < image.getHeight(); y++) {
            image.getRGB(0, y, width, 1, row, 0, width);
            for (int color : row) {
                samples[to++] = (byte) (color >> 16);
                samples[to++] = (byte) (color >> 8);
                samples[to++] = (byte) color;
            }
        }
    }
}
