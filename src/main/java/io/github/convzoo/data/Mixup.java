package io.github.convzoo.data;

import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;
import java.util.random.RandomGenerator;

/**
 * {@code lambda * image + (1 - lambda) * partner}: H. Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR
 * 2018.
 *
 * @param alpha lambda is drawn from Beta(alpha, alpha), once per batch; above 0
 */
public record Mixup(double alpha) implements Mixing {

    /**
     * Validates the parameter.
     *
     * @throws IllegalArgumentException if it is not positive and finite
     */
    public Mixup {
        Randomness.requireAlpha(alpha);
    }

    @Override
    public double mix(FloatBuffer batch, Shape shape, RandomGenerator random) {
        double lambda = Randomness.beta(alpha, random);
        int count = (int) shape.get(0);
        int length = (int) (shape.size() / count);
        float own = (float) lambda;
        float other = (float) (1 - lambda);
        float[] last = new float[length];
        float[] image = new float[length];
        float[] partner = new float[length];
        batch.get((count - 1) * length, last);
        // Backward, so that a partner is still unmodified.
        for (int n = count - 1; n >= 0; n--) {
            batch.get(n * length, image);
            if (n > 0) {
                batch.get((n - 1) * length, partner);
            } else {
                partner = last;
            }
            for (int i = 0; i < length; i++) {
                image[i] = own * image[i] + other * partner[i];
            }
            batch.put(n * length, image);
        }
        return lambda;
    }
}
