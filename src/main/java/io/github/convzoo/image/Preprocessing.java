package io.github.convzoo.image;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleBinaryOperator;

/**
 * The preprocessing from an image to a network's input: resize, center crop, normalize. The components are those of
 * timm's configurations.
 *
 * <p>The numbers are those of torchvision's {@code Resize}, {@code CenterCrop}, {@code ToTensor} and {@code Normalize}
 * on Pillow images, which timm evaluates with. An image smaller than the crop is padded with black before
 * normalization.
 *
 * @param height the input's height in pixels
 * @param width the input's width in pixels
 * @param cropFraction the input's side as a fraction of the resized image's, timm's {@code crop_pct}; above 1, the
 *     image is resized to less than the input and padded
 * @param cropMode how the image is resized
 * @param resampling the filter of the resize
 * @param normalization the mean and standard deviation of the input's channels
 */
public record Preprocessing(
        int height,
        int width,
        double cropFraction,
        CropMode cropMode,
        Resampling resampling,
        Normalization normalization) {

    /**
     * Validates the sizes.
     *
     * @throws IllegalArgumentException if a size is not positive, the input has more than 178,956,970 pixels, the
     *     fraction is not positive and finite, or the resized image would have no pixel or a side beyond an int
     */
    public Preprocessing {
        if (height < 1 || width < 1 || (long) height * width > ImageDecoder.DEFAULT_MAX_PIXELS) {
            throw new IllegalArgumentException(String.format(
                    Locale.ROOT,
                    "the input must have 1 x 1 to %,d pixels, not %d x %d",
                    ImageDecoder.DEFAULT_MAX_PIXELS,
                    width,
                    height));
        }
        double smaller = Math.min(height, width) / cropFraction;
        double larger = Math.max(height, width) / cropFraction;
        if (!(cropFraction > 0 && smaller >= 1 && larger <= Integer.MAX_VALUE)) {
            throw new IllegalArgumentException(
                    "the crop fraction must be above 0 and leave at least one pixel, not %s of %d x %d"
                            .formatted(cropFraction, width, height));
        }
    }

    /**
     * {@return the most common preprocessing: resize the shorter side and crop the center to a square}
     *
     * @param size the input's height and width in pixels
     * @param cropFraction the input's side as a fraction of the resized image's shorter side, above 0; the image is
     *     resized to {@code floor(size / cropFraction)}
     * @param resampling the filter of the resize
     * @param normalization the mean and standard deviation of the input's channels
     * @throws IllegalArgumentException if the size is not positive, the fraction out of range, or the resized side
     *     beyond an int
     */
    public static Preprocessing ofCropFraction(
            int size, double cropFraction, Resampling resampling, Normalization normalization) {
        return new Preprocessing(size, size, cropFraction, CropMode.CENTER, resampling, normalization);
    }

    /**
     * {@return a preprocessing without resize: the image is cropped, or padded with black, to the input's size}
     *
     * @param height the input's height in pixels
     * @param width the input's width in pixels
     * @param normalization the mean and standard deviation of the input's channels
     * @throws IllegalArgumentException if a size is not positive or the input too large
     */
    public static Preprocessing unresized(int height, int width, Normalization normalization) {
        return new Preprocessing(height, width, 1, CropMode.UNRESIZED, Resampling.BILINEAR, normalization);
    }

    /**
     * {@return the preprocessing for another square input size, with the same crop fraction}
     *
     * @param size the input's height and width in pixels
     * @throws IllegalArgumentException if the size is not positive or too large
     */
    public Preprocessing withInputSize(int size) {
        return withInputSize(size, size);
    }

    /**
     * {@return the preprocessing for another input height and width, with the same crop fraction}
     *
     * @param newHeight the input's height in pixels
     * @param newWidth the input's width in pixels
     * @throws IllegalArgumentException if a size is not positive or too large
     */
    public Preprocessing withInputSize(int newHeight, int newWidth) {
        return new Preprocessing(newHeight, newWidth, cropFraction, cropMode, resampling, normalization);
    }

    /**
     * {@return the preprocessing with another crop fraction}
     *
     * @param value the input's side as a fraction of the resized image's
     * @throws IllegalArgumentException if it is out of range
     */
    public Preprocessing withCropFraction(double value) {
        return new Preprocessing(height, width, value, cropMode, resampling, normalization);
    }

    /**
     * {@return the preprocessing with the crop fraction that resizes the image to a given side before the crop, like
     * the number in torchvision's {@code Resize}}
     *
     * @param side the resized image's side in pixels, along the input's shorter side
     * @throws IllegalArgumentException if the side is not positive
     */
    public Preprocessing withResizedSide(int side) {
        if (side < 1) {
            throw new IllegalArgumentException("the image must be resized to at least 1 pixel, not " + side);
        }
        int size = Math.min(height, width);
        double fraction = (double) size / side;
        // The quotient is rounded, and the side is its inverse rounded down.
        return withCropFraction(resized(size, fraction) < side ? Math.nextDown(fraction) : fraction);
    }

    /**
     * {@return the preprocessing with another crop mode}
     *
     * @param value how the image is resized
     */
    public Preprocessing withCropMode(CropMode value) {
        return new Preprocessing(height, width, cropFraction, value, resampling, normalization);
    }

    /**
     * {@return the preprocessing with another filter}
     *
     * @param value the filter of the resize
     */
    public Preprocessing withResampling(Resampling value) {
        return new Preprocessing(height, width, cropFraction, cropMode, value, normalization);
    }

    /**
     * {@return the preprocessing with another normalization}
     *
     * @param value the mean and standard deviation of the input's channels
     */
    public Preprocessing withNormalization(Normalization value) {
        return new Preprocessing(height, width, cropFraction, cropMode, resampling, value);
    }

    /**
     * {@return the side, in pixels, to which an image's shorter side is resized for a square input in the mode {@link
     * CropMode#CENTER}: {@code floor(side / cropFraction)} of the input's shorter side}
     */
    public int resizedSide() {
        return resized(Math.min(height, width), cropFraction);
    }

    private static int resized(int side, double cropFraction) {
        return (int) Math.floor(side / cropFraction);
    }

    /**
     * Resizes and crops an image: the network's input before normalization.
     *
     * @param image the image, of any size
     * @return an image of {@link #width()} x {@link #height()} pixels
     */
    public RgbImage resizeAndCrop(RgbImage image) {
        Size resized = resizedSize(image);
        int cropWidth = (int) Math.min(width, resized.width);
        int cropHeight = (int) Math.min(height, resized.height);
        Resampling.Window window = new Resampling.Window(
                margin(resized.width, cropWidth), margin(resized.height, cropHeight), cropWidth, cropHeight);
        RgbImage crop = resampling.resize(image, resized.width, resized.height, window);
        return cropWidth == width && cropHeight == height ? crop : padded(crop);
    }

    /**
     * Resizes the whole image, as before the crop, for example to crop it elsewhere.
     *
     * @param image the image, of any size
     * @return the resized image; in the mode {@link CropMode#UNRESIZED} the image itself
     * @throws IllegalArgumentException if the resized image would have too many pixels
     */
    public RgbImage resize(RgbImage image) {
        if (cropMode == CropMode.UNRESIZED) {
            return image;
        }
        Size resized = resizedSize(image);
        if (resized.width > Integer.MAX_VALUE || resized.height > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "the image would be resized to %d x %d pixels because it is too elongated"
                            .formatted(resized.width, resized.height));
        }
        return resampling.resize(image, (int) resized.width, (int) resized.height);
    }

    /**
     * {@return the part of an image that becomes the network's input: the input's edges in the coordinates of the
     * image} If the image is padded, the input has more than the image, and the area extends beyond it.
     *
     * @param imageWidth the image's width in pixels, at least 1
     * @param imageHeight the image's height in pixels, at least 1
     */
    public Area inputArea(int imageWidth, int imageHeight) {
        Size resized = resizedSize(imageWidth, imageHeight);
        double across = (double) imageWidth / resized.width;
        double down = (double) imageHeight / resized.height;
        return new Area(
                start(resized.width, width) * across,
                start(resized.height, height) * down,
                width * across,
                height * down);
    }

    /** The first column or row of the input in the resized image; negative if that is smaller, and padded. */
    private static long start(long size, int input) {
        return size < input ? -((input - size) / 2) : margin(size, input);
    }

    private record Size(long width, long height) {}

    private Size resizedSize(RgbImage image) {
        return resizedSize(image.width(), image.height());
    }

    private Size resizedSize(int imageWidth, int imageHeight) {
        return switch (cropMode) {
            case UNRESIZED -> new Size(imageWidth, imageHeight);
            case SQUASH -> new Size(resized(width, cropFraction), resized(height, cropFraction));
            case BORDER -> scaled(imageWidth, imageHeight, Math::max);
            case CENTER -> {
                if (resized(width, cropFraction) != resized(height, cropFraction)) {
                    yield scaled(imageWidth, imageHeight, Math::min);
                }
                int side = resizedSide();
                yield imageWidth <= imageHeight
                        ? new Size(side, scaled(side, imageHeight, imageWidth))
                        : new Size(scaled(side, imageWidth, imageHeight), side);
            }
        };
    }

    /** The size with the aspect ratio kept, computed as in timm's {@code ResizeKeepRatio}; ties round to even. */
    private Size scaled(int imageWidth, int imageHeight, DoubleBinaryOperator choice) {
        double ratio = choice.applyAsDouble(
                (double) imageHeight / resized(height, cropFraction),
                (double) imageWidth / resized(width, cropFraction));
        return new Size(
                Math.max(1, (long) Math.rint(imageWidth / ratio)), Math.max(1, (long) Math.rint(imageHeight / ratio)));
    }

    /**
     * Resizes, crops and normalizes an image. If the input has one channel, gray levels are Pillow's: {@code (19595 R +
     * 38470 G + 7471 B + 32768) / 65536}.
     *
     * @param image the image, of any size
     * @param target receives channels x height x width floats, one channel (red, green, blue, or gray) after the other,
     *     and advances its position
     * @throws BufferOverflowException if the target has less space
     */
    public void toChw(RgbImage image, FloatBuffer target) {
        int plane = height * width;
        int channels = normalization.channels();
        if (target.remaining() < channels * plane) {
            throw new BufferOverflowException();
        }
        byte[] samples = resizeAndCrop(image).samples();
        int start = target.position();
        for (int channel = 0; channel < channels; channel++) {
            float[] levels = normalization.levels(channel);
            int to = start + channel * plane;
            for (int i = 0; i < plane; i++) {
                int at = RgbImage.CHANNELS * i;
                target.put(to + i, levels[channels == 1 ? gray(samples, at) : samples[at + channel] & 0xff]);
            }
        }
        target.position(start + channels * plane);
    }

    private static int gray(byte[] samples, int at) {
        return (19595 * (samples[at] & 0xff)
                        + 38470 * (samples[at + 1] & 0xff)
                        + 7471 * (samples[at + 2] & 0xff)
                        + 32768)
                >> 16;
    }

    /**
     * Resizes, crops and normalizes images into one array.
     *
     * @param manager the manager of the array, which determines its device
     * @param images at least one image, each of any size
     * @return float32 of shape (number of images, channels, height, width)
     * @throws IllegalArgumentException if there is no image, or the array would take more than 2 GiB
     */
    public NDArray toBatch(NDManager manager, List<RgbImage> images) {
        int bytes = batchBytes(images.size());
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
        FloatBuffer floats = buffer.asFloatBuffer();
        for (RgbImage image : images) {
            toChw(image, floats);
        }
        return manager.create(
                buffer, new Shape(images.size(), normalization.channels(), height, width), DataType.FLOAT32);
    }

    /**
     * {@return the size of a batch's array in bytes}
     *
     * @param images the number of images
     * @throws IllegalArgumentException if there is no image, or the array would take more than 2 GiB
     */
    public int batchBytes(int images) {
        long image = (long) Float.BYTES * normalization.channels() * height * width;
        if (images < 1 || images * image > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a batch must have 1 to %d images of this size, not %d"
                    .formatted(Integer.MAX_VALUE / image, images));
        }
        return (int) (images * image);
    }

    /** The longer side that matches a shorter one, computed as in torchvision: in double, then truncated. */
    private static long scaled(int side, int longer, int shorter) {
        return (long) ((double) ((long) side * longer) / shorter);
    }

    /** The margin before the crop: half of the rest; ties round to even. */
    private static long margin(long size, int crop) {
        return (long) Math.rint((size - crop) / 2.0);
    }

    private RgbImage padded(RgbImage crop) {
        byte[] samples = new byte[RgbImage.sampleCount(width, height)];
        if (cropMode == CropMode.BORDER) {
            fill(samples);
        }
        int row = RgbImage.CHANNELS * crop.width();
        int left = (width - crop.width()) / 2;
        int top = (height - crop.height()) / 2;
        for (int y = 0; y < crop.height(); y++) {
            System.arraycopy(crop.samples(), y * row, samples, RgbImage.CHANNELS * ((top + y) * width + left), row);
        }
        return new RgbImage(width, height, samples);
    }

    private void fill(byte[] samples) {
        for (int i = 0; i < samples.length; i++) {
            double mean = normalization.mean().get(normalization.channels() == 1 ? 0 : i % RgbImage.CHANNELS);
            samples[i] = (byte) Math.max(0, Math.min(255, Math.rint(255 * mean)));
        }
    }
}
