package io.github.convzoo.data;

import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;
import java.util.random.RandomGenerator;

/**
 * Applies mixup or CutMix to each batch.
 *
 * @param mixup mixup
 * @param cutMix CutMix
 * @param cutMixProbability the probability of CutMix, 0 to 1
 */
public record MixupOrCutMix(Mixup mixup, CutMix cutMix, double cutMixProbability) implements Mixing {

    /**
     * Validates the parameters.
     *
     * @throws IllegalArgumentException if it is not a probability
     */
    public MixupOrCutMix {
        Randomness.requireProbability(cutMixProbability);
    }

    @Override
    public double mix(FloatBuffer batch, Shape shape, RandomGenerator random) {
        Mixing chosen = random.nextDouble() < cutMixProbability ? cutMix : mixup;
        return chosen.mix(batch, shape, random);
    }
}
