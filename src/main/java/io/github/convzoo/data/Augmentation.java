package io.github.convzoo.data;

import io.github.convzoo.image.RgbImage;
import java.util.random.RandomGenerator;

/** A random change of an image that leaves its class what it is. Safe for use by several threads. */
@FunctionalInterface
public interface Augmentation {

    /**
     * Changes an image.
     *
     * @param image the image
     * @param random where every random decision comes from, so that the same numbers give the same result
     * @return the changed image
     */
    RgbImage apply(RgbImage image, RandomGenerator random);
}
