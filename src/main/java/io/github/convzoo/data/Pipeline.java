package io.github.convzoo.data;

import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.RgbImage;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * From an image to a network's input, with chance on the way or without.
 *
 * @param augmentations change the image, in this order
 * @param preprocessing makes it a normalised input
 * @param erasing erases a part of that, or empty
 */
public record Pipeline(List<Augmentation> augmentations, Preprocessing preprocessing, Optional<RandomErasing> erasing) {

    /**
     * Copies the list.
     *
     * @param augmentations change the image
     * @param preprocessing makes it an input
     * @param erasing erases a part of it, or empty
     */
    public Pipeline {
        augmentations = List.copyOf(augmentations);
    }

    /**
     * What a network is evaluated with: no chance in it.
     *
     * @param preprocessing from image to input
     * @return the pipeline
     */
    public static Pipeline evaluation(Preprocessing preprocessing) {
        return new Pipeline(List.of(), preprocessing, Optional.empty());
    }

    /**
     * What a network is trained with. The augmentations give the input's size; an image of another one is cropped in the
     * middle or padded with black to it, and never resized.
     *
     * @param augmentations change the image, in this order
     * @param height the input's height in pixels
     * @param width the input's width in pixels
     * @param normalization what is subtracted and divided by
     * @param erasing erases a part of the input, or empty
     * @return the pipeline
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

    /** The number of the input's channels: 3, or 1 for grey. */
    int channels() {
        return preprocessing.normalization().channels();
    }

    /**
     * Makes an input.
     *
     * @param image the image
     * @param random where every random decision comes from
     * @param target takes red, green and blue planes, or a grey one; length channels x height x width
     * @throws IllegalArgumentException if the target is of another length, or an augmentation cannot take the image
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
