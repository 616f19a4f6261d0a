package io.github.convzoo.data;

import io.github.convzoo.image.Box;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.image.RgbImage;
import java.util.random.RandomGenerator;

/**
 * Crops a part of random size, shape and position and resizes it, like torchvision's transform of this name; first in
 * C. Szegedy et al., Going Deeper with Convolutions, CVPR 2015.
 *
 * @param height the result's height in pixels
 * @param width the result's width in pixels
 * @param scale the part's area as a fraction of the image's, drawn uniformly
 * @param ratio the part's width divided by its height, drawn log-uniformly
 * @param resampling the filter of the resize
 */
public record RandomResizedCrop(int height, int width, Range scale, Range ratio, Resampling resampling)
        implements Augmentation {

    private static final int TRIES = 10;

    /**
     * Validates the parameters.
     *
     * @throws IllegalArgumentException if a side is not positive or the scale exceeds 1
     */
    public RandomResizedCrop {
        if (height < 1 || width < 1) {
            throw new IllegalArgumentException(
                    "the crop must have at least 1 x 1 pixels, not %d x %d".formatted(width, height));
        }
        scale.requireShare("the scale");
    }

    /**
     * {@return the usual augmentation on ImageNet: 8 % to 100 % of the area, aspect ratios of 3:4 to 4:3, bilinear}
     *
     * @param size the result's height and width in pixels
     */
    public static RandomResizedCrop of(int size) {
        return new RandomResizedCrop(size, size, new Range(0.08, 1), new Range(3 / 4.0, 4 / 3.0), Resampling.BILINEAR);
    }

    @Override
    public RgbImage apply(RgbImage image, RandomGenerator random) {
        return resampling.resize(image, box(image.width(), image.height(), random), width, height);
    }

    /**
     * The part. A box that does not fit is redrawn; after ten attempts, it is the largest center box of an allowed
     * shape.
     */
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
