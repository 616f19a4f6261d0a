package io.github.convzoo.data;

import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;
import java.util.random.RandomGenerator;

/**
 * One of the two for each batch.
 *
 * @param mixup the one
 * @param cutMix the other
 * @param cutMixProbability how likely it is the other, 0 to 1
 */
public record MixupOrCutMix(Mixup mixup, CutMix cutMix, double cutMixProbability) implements Mixing {

    /**
     * Checks the number.
     *
     * @param mixup the one
     * @param cutMix the other
     * @param cutMixProbability how likely it is the other
     * @throws IllegalArgumentException if it is no probability
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
