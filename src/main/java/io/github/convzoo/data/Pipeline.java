package io.github.convzoo.data;

import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.RgbImage;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * Converts an image to a network's input, with or without randomness.
 *
 * @param augmentations applied to the image, in this order
 * @param preprocessing converts the image to a normalized input
 * @param erasing erases a part of the input, or empty
 */
public record Pipeline(List<Augmentation> augmentations, Preprocessing preprocessing, Optional<RandomErasing> erasing) {

    /** Copies the list. */
    public Pipeline {
        augmentations = List.copyOf(augmentations);
    }

    /**
     * {@return the pipeline for evaluation, which is deterministic}
     *
     * @param preprocessing from image to input
     */
    public static Pipeline evaluation(Preprocessing preprocessing) {
        return new Pipeline(List.of(), preprocessing, Optional.empty());
    }

    /**
     * {@return a pipeline for training} The augmentations determine the input's size: an image of another size is
     * center-cropped or padded with black, never resized.
     *
     * @param augmentations applied to the image, in this order
     * @param height the input's height in pixels
     * @param width the input's width in pixels
     * @param normalization the mean and standard deviation of the input's channels
     * @param erasing erases a part of the input, or empty
     * @throws IllegalArgumentException if a size is not positive
     */
    public static Pipeline training(
            List<Augmentation> augmentations,
            int height,
            int width,
            Normalization normalization,
            Optional<RandomErasing> erasing) {
        return new Pipeline(augmentations, Preprocessing.unresized(height, width, normalization), erasing);
    }

    /** The number of input channels: 3, or 1 for grayscale. */
    int channels() {
        return preprocessing.normalization().channels();
    }

    /**
     * Converts an image to an input.
     *
     * @param image the image
     * @param random the source of all random decisions
     * @param target receives red, green and blue planes, or a gray one; length channels x height x width
     * @throws IllegalArgumentException if the target has another length, or an augmentation does not support the image
     */
    public void toChw(RgbImage image, RandomGenerator random, float[] target) {
        int height = preprocessing.height();
        int width = preprocessing.width();
        int channels = channels();
        if (target.length != (long) channels * height * width) {
            throw new IllegalArgumentException("an input of %d x %d x %d does not have %d values"
                    .formatted(channels, height, width, target.length));
        }
        RgbImage changed = image;
        for (Augmentation augmentation : augmentations) {
            changed = augmentation.apply(changed, random);
        }
        preprocessing.toChw(changed, FloatBuffer.wrap(target));
        if (erasing.isPresent()) {
            erasing.get().apply(target, channels, height, width, random);
        }
    }
}
