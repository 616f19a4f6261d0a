package io.github.convzoo.data;

import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;
import java.util.random.RandomGenerator;

/**
 * Mixes each image of a batch with the one before it, the first with the last, and so their targets: of an image's target, a
 * share lambda is its own class, the rest its partner's. A batch's order is random, so partners are too.
 */
public sealed interface Mixing permits CutMix, Mixup, MixupOrCutMix {

    /**
     * Mixes in place.
     *
     * @param batch the images from position 0 on
     * @param shape the batch's shape (N, C, H, W)
     * @param random where every random decision comes from
     * @return lambda, the share of an image's own class in its target, 0 to 1
     */
    double mix(FloatBuffer batch, Shape shape, RandomGenerator random);
}
