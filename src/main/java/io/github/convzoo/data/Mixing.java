package io.github.convzoo.data;

import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;
import java.util.random.RandomGenerator;

/**
 * Mixes each image of a batch with the one before it (the first with the last), and their targets: the image's own
 * class has weight lambda, its partner's class the rest. Batches are in random order, so partners are random.
 */
public sealed interface Mixing permits CutMix, Mixup, MixupOrCutMix {

    /**
     * Mixes in place.
     *
     * @param batch the images, starting at position 0
     * @param shape the batch's shape (N, C, H, W)
     * @param random the source of all random decisions
     * @return lambda, the weight of an image's own class in its target, 0 to 1
     */
    double mix(FloatBuffer batch, Shape shape, RandomGenerator random);
}
