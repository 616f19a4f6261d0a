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
import java.util.OptionalInt;

/**
 * From an image to a network's input: resize the shorter side, crop the centre, normalise.
 *
 * <p>The numbers are those of torchvision's {@code Resize}, {@code CenterCrop}, {@code ToTensor} and {@code Normalize}
 * on Pillow images, which timm evaluates with. An image smaller than the crop is padded with black before it is
 * normalised.
 *
 * @param height the input's height in pixels
 * @param width the input's width in pixels
 * @param shorterSide what the image's shorter side is resized to, in pixels; empty to leave the size as it is
 * @param resampling the filter of the resize
 * @param normalization what is subtracted and divided by
 */
public record Preprocessing(
        int height, int width, OptionalInt shorterSide, Resampling resampling, Normalization normalization) {

    /** 224 pixels, crop 0.875, bilinear, statistics of ImageNet: DLA and PeleeNet. */
    public static final Preprocessing IMAGENET =
            ofCropFraction(224, 0.875, Resampling.BILINEAR, Normalization.IMAGENET);

    /** 224 pixels, crop 0.875, bicubic, the DPN authors' statistics: DPN as its authors trained it. */
    public static final Preprocessing DPN = ofCropFraction(224, 0.875, Resampling.BICUBIC, Normalization.DPN);

    /** 224 pixels, crop 0.95, bicubic, statistics of ImageNet: {@code dpn68b.ra_in1k}. */
    public static final Preprocessing DPN68B_RA = ofCropFraction(224, 0.95, Resampling.BICUBIC, Normalization.IMAGENET);

    /** 288 pixels, crop 1, bicubic, statistics of ImageNet: {@code dpn68b.ra_in1k} at its best. */
    public static final Preprocessing DPN68B_RA_288 =
            ofCropFraction(288, 1.0, Resampling.BICUBIC, Normalization.IMAGENET);

    /** 28 x 28 images padded with black to 32 x 32, statistics of ImageNet: PeleeNet trained on Fashion-MNIST. */
    public static final Preprocessing FASHION_MNIST =
            new Preprocessing(32, 32, OptionalInt.empty(), Resampling.BILINEAR, Normalization.IMAGENET);

    /** 28 x 28 images doubled, and padded with black to 64 x 64: {@code peleenet.fmnist}. */
    public static final Preprocessing FASHION_MNIST_64 = fashionMnist(64);

    /**
     * Checks the sizes.
     *
     * @param height the input's height
     * @param width the input's width
     * @param shorterSide the resized image's shorter side, or empty
     * @param resampling the filter
     * @param normalization the statistics
     * @throws IllegalArgumentException if a size is not positive or the input has more than 178,956,970 pixels
     */
    public Preprocessing {
        checkInput(height, width);
        if (shorterSide.isPresent() && shorterSide.getAsInt() < 1) {
            throw new IllegalArgumentException(
                    "a shorter side of at least 1 pixel is expected, not " + shorterSide.getAsInt());
        }
    }

    private static void checkInput(int height, int width) {
        if (height < 1 || width < 1 || (long) height * width > ImageDecoder.DEFAULT_MAX_PIXELS) {
            throw new IllegalArgumentException(String.format(
                    Locale.ROOT,
                    "an input of 1 x 1 to %,d pixels is expected, not %d x %d",
                    ImageDecoder.DEFAULT_MAX_PIXELS,
                    width,
                    height));
        }
    }

    /**
     * The preprocessing of published weights by the name that the manifests have for it.
     *
     * @param name imagenet, dpn, dpn68b_ra, dpn68b_ra_288 or fashion_mnist_64
     * @return the preprocessing
     * @throws IllegalArgumentException if there is none of this name
     */
    public static Preprocessing published(String name) {
        return switch (name) {
            case "imagenet" -> IMAGENET;
            case "dpn" -> DPN;
            case "dpn68b_ra" -> DPN68B_RA;
            case "dpn68b_ra_288" -> DPN68B_RA_288;
            case "fashion_mnist_64" -> FASHION_MNIST_64;
            default ->
                throw new IllegalArgumentException("there is no preprocessing " + name
                        + "; there are imagenet, dpn, dpn68b_ra, dpn68b_ra_288, fashion_mnist_64");
        };
    }

    /**
     * The preprocessing of published weights for a square input of another size: the same crop, filter and normalisation.
     *
     * @param name imagenet, dpn, dpn68b_ra, dpn68b_ra_288 or fashion_mnist_64
     * @param size the input's height and width in pixels
     * @return the preprocessing
     * @throws IllegalArgumentException if there is none of this name, or the size is not positive or too large
     */
    public static Preprocessing published(String name, int size) {
        Preprocessing usual = published(name);
        // A size that is too large by far is refused as such.
        checkInput(size, size);
        if (name.equals("fashion_mnist_64")) {
            return fashionMnist(size);
        }
        double crop =
                switch (name) {
                    case "dpn68b_ra" -> 0.95;
                    case "dpn68b_ra_288" -> 1;
                    default -> 0.875;
                };
        return ofCropFraction(size, crop, usual.resampling, usual.normalization);
    }

    /** What {@code FashionMnist} does to its images: 28 of 32 parts of the input are the image, each pixel repeated. */
    private static Preprocessing fashionMnist(int size) {
        return new Preprocessing(
                size, size, OptionalInt.of(Math.max(1, size * 28 / 32)), Resampling.NEAREST, Normalization.IMAGENET);
    }

    /**
     * Timm's way to say it: a square input that is a share of the resized image.
     *
     * @param size the input's height and width in pixels
     * @param cropFraction the input's side as a share of the resized image's shorter side, above 0 and at most 1; the
     *     image is resized to {@code floor(size / cropFraction)}
     * @param resampling the filter of the resize
     * @param normalization what is subtracted and divided by
     * @return the preprocessing
     * @throws IllegalArgumentException if the size is not positive, the fraction out of range, or the resized side
     *     beyond an int
     */
    public static Preprocessing ofCropFraction(
            int size, double cropFraction, Resampling resampling, Normalization normalization) {
        if (!(cropFraction > 0 && cropFraction <= 1) || size / cropFraction > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "a crop above 0 and at most 1 is expected, not %s of a size of %d".formatted(cropFraction, size));
        }
        return new Preprocessing(
                size, size, OptionalInt.of((int) Math.floor(size / cropFraction)), resampling, normalization);
    }

    /**
     * For a square input of another size. The input stays the share of the resized image that it was, as far as whole pixels
     * tell; {@link #published(String, int)} knows the published share exactly.
     *
     * @param size the input's height and width in pixels
     * @return the preprocessing
     * @throws IllegalArgumentException if the size is not positive or too large
     */
    public Preprocessing withInputSize(int size) {
        OptionalInt side = shorterSide.isEmpty()
                ? shorterSide
                // A size beyond an int is refused with the input's own.
                : OptionalInt.of(
                        (int) Math.max(1, Math.min(Integer.MAX_VALUE, (long) size * shorterSide.getAsInt() / height)));
        return new Preprocessing(size, size, side, resampling, normalization);
    }

    /**
     * Without resizing: the image is cropped to the input's size, or padded with black.
     *
     * @return the preprocessing
     */
    public Preprocessing withoutResize() {
        return new Preprocessing(height, width, OptionalInt.empty(), resampling, normalization);
    }

    /**
     * Resizes and crops: what the network sees, before it is normalised.
     *
     * @param image the image, of any size
     * @return an image of {@link #width()} x {@link #height()} pixels
     */
    public RgbImage resizeAndCrop(RgbImage image) {
        long resizedWidth = image.width();
        long resizedHeight = image.height();
        if (shorterSide.isPresent()) {
            int side = shorterSide.getAsInt();
            boolean tall = image.width() <= image.height();
            resizedWidth = tall ? side : scaled(side, image.width(), image.height());
            resizedHeight = tall ? scaled(side, image.height(), image.width()) : side;
        }
        int cropWidth = (int) Math.min(width, resizedWidth);
        int cropHeight = (int) Math.min(height, resizedHeight);
        Resampling.Window window = new Resampling.Window(
                margin(resizedWidth, cropWidth), margin(resizedHeight, cropHeight), cropWidth, cropHeight);
        RgbImage crop = resampling.resize(image, resizedWidth, resizedHeight, window);
        return cropWidth == width && cropHeight == height ? crop : padded(crop);
    }

    /**
     * Resizes, crops and normalises an image.
     *
     * @param image the image, of any size
     * @param target takes 3 x height x width floats, the channels red, green, blue one after the other; its position
     *     moves on by as many
     * @throws BufferOverflowException if fewer remain in the target
     */
    public void toChw(RgbImage image, FloatBuffer target) {
        int plane = height * width;
        if (target.remaining() < RgbImage.CHANNELS * plane) {
            throw new BufferOverflowException();
        }
        byte[] samples = resizeAndCrop(image).samples();
        int start = target.position();
        for (int channel = 0; channel < RgbImage.CHANNELS; channel++) {
            float[] levels = normalization.levels(channel);
            int to = start + channel * plane;
            for (int i = 0; i < plane; i++) {
                target.put(to + i, levels[samples[RgbImage.CHANNELS * i + channel] & 0xff]);
            }
        }
        target.position(start + RgbImage.CHANNELS * plane);
    }

    /**
     * Resizes, crops and normalises images into one array.
     *
     * @param manager the manager that the array belongs to, and whose device it lies on
     * @param images at least one image, each of any size
     * @return float32 of shape (number of images, 3, height, width)
     * @throws IllegalArgumentException if there is no image, or the array would take more than 2 GiB
     */
    public NDArray toBatch(NDManager manager, List<RgbImage> images) {
        long bytes = (long) images.size() * RgbImage.CHANNELS * height * width * Float.BYTES;
        if (images.isEmpty() || bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("1 to %d images of this size make a batch, not %d"
                    .formatted((long) Integer.MAX_VALUE * images.size() / Math.max(1, bytes), images.size()));
        }
        ByteBuffer buffer = ByteBuffer.allocateDirect((int) bytes).order(ByteOrder.nativeOrder());
        FloatBuffer floats = buffer.asFloatBuffer();
        for (RgbImage image : images) {
            toChw(image, floats);
        }
        return manager.create(buffer, new Shape(images.size(), RgbImage.CHANNELS, height, width), DataType.FLOAT32);
    }

    /** The longer side that goes with a shorter one, as torchvision computes it: in double, then cut off. */
    private static long scaled(int side, int longer, int shorter) {
        return (long) ((double) ((long) side * longer) / shorter);
    }

    /** What is cut off before the crop: half of the rest, and of two equally near numbers the even one. */
    private static long margin(long size, int crop) {
        return (long) Math.rint((size - crop) / 2.0);
    }

    private RgbImage padded(RgbImage crop) {
        byte[] samples = new byte[RgbImage.sampleCount(width, height)];
        int row = RgbImage.CHANNELS * crop.width();
        int left = (width - crop.width()) / 2;
        int top = (height - crop.height()) / 2;
        for (int y = 0; y < crop.height(); y++) {
            System.arraycopy(crop.samples(), y * row, samples, RgbImage.CHANNELS * ((top + y) * width + left), row);
        }
        return new RgbImage(width, height, samples);
    }
}
