package io.github.convzoo.data;

import io.github.convzoo.image.RgbImage;
import java.util.random.RandomGenerator;

/** A random change of an image that preserves its class. Thread-safe. */
@FunctionalInterface
public interface Augmentation {

    /**
     * Changes an image.
     *
     * @param image the image
     * @param random the source of all random decisions; the same numbers give the same result
     * @return the changed image
     */
    RgbImage apply(RgbImage image, RandomGenerator random);
}
