package io.github.convzoo.data;

import io.github.convzoo.image.Box;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.image.RgbImage;
import java.util.random.RandomGenerator;

/**
 * Crops a part of random size, shape and place and resizes it, as torchvision's transform of this name does; first in C.
 * Szegedy et al., Going Deeper with Convolutions, CVPR 2015.
 *
 * @param height the result's height in pixels
 * @param width the result's width in pixels
 * @param scale the part's area as a share of the image's, drawn uniformly
 * @param ratio the part's width by its height, its logarithm drawn uniformly
 * @param resampling the filter of the resize
 */
public record RandomResizedCrop(int height, int width, Range scale, Range ratio, Resampling resampling)
        implements Augmentation {

    private static final int TRIES = 10;

    /**
     * Checks the numbers.
     *
     * @param height the result's height
     * @param width the result's width
     * @param scale the range of the area
     * @param ratio the range of the shape
     * @param resampling the filter
     * @throws IllegalArgumentException if a side is not positive or the scale exceeds 1
     */
    public RandomResizedCrop {
        if (height < 1 || width < 1) {
            throw new IllegalArgumentException(
                    "at least 1 x 1 pixels are expected, not %d x %d".formatted(width, height));
        }
        scale.requireShare("the scale");
    }

    /**
     * What networks are trained with on ImageNet: 8 % to all of the area, shapes of 3:4 to 4:3, bilinear.
     *
     * @param size the result's height and width in pixels
     * @return the augmentation
     */
    public static RandomResizedCrop of(int size) {
        return new RandomResizedCrop(size, size, new Range(0.08, 1), new Range(3 / 4.0, 4 / 3.0), Resampling.BILINEAR);
    }

    @Override
    public RgbImage apply(RgbImage image, RandomGenerator random) {
        return resampling.resize(image, box(image.width(), image.height(), random), width, height);
    }

    /** The part. A box that does not fit is drawn anew; after ten it is the largest in the middle of an allowed shape. */
    Box box(int imageWidth, int imageHeight, RandomGenerator random) {
        for (int i = 0; i < TRIES; i++) {
            double area = scale.uniform(random) * imageWidth * imageHeight;
            double shape = ratio.logUniform(random);
            int boxWidth = (int) Math.rint(Math.sqrt(area * shape));
            int boxHeight = (int) Math.rint(Math.sqrt(area / shape));
            if (boxWidth > 0 && boxWidth <= imageWidth && boxHeight > 0 && boxHeight <= imageHeight) {
                return new Box(
                        random.nextInt(imageWidth - boxWidth + 1),
                        random.nextInt(imageHeight - boxHeight + 1),
                        boxWidth,
                        boxHeight);
            }
        }
        int boxWidth = imageWidth;
        int boxHeight = imageHeight;
        double shape = (double) imageWidth / imageHeight;
        if (shape < ratio.min()) {
            boxHeight = (int) Math.max(1, Math.rint(imageWidth / ratio.min()));
        } else if (shape > ratio.max()) {
            boxWidth = (int) Math.max(1, Math.rint(imageHeight * ratio.max()));
        }
        return new Box((imageWidth - boxWidth) / 2, (imageHeight - boxHeight) / 2, boxWidth, boxHeight);
    }
}
