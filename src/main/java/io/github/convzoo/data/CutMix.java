package io.github.convzoo.data;

import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;
import java.util.random.RandomGenerator;

/**
 * Pastes a rectangle of the partner at the same position: S. Yun et al., CutMix: Regularization Strategy to Train
 * Strong Classifiers with Localizable Features, ICCV 2019.
 *
 * <p>The rectangle has the image's aspect ratio, a fraction {@code 1 - lambda} of its area, and its center at any
 * pixel, drawn once per batch. It is clipped at the image's edges, and lambda becomes the fraction of the image that
 * remains.
 *
 * @param alpha lambda is first drawn from Beta(alpha, alpha); above 0; 1 for a uniform distribution
 */
public record CutMix(double alpha) implements Mixing {

    /**
     * Validates the parameter.
     *
     * @throws IllegalArgumentException if it is not positive and finite
     */
    public CutMix {
        Randomness.requireAlpha(alpha);
    }

    @Override
    public double mix(FloatBuffer batch, Shape shape, RandomGenerator random) {
        int count = (int) shape.get(0);
        int channels = (int) shape.get(1);
        int height = (int) shape.get(2);
        int width = (int) shape.get(3);
        double half = 0.5 * Math.sqrt(1 - Randomness.beta(alpha, random));
        int x = random.nextInt(width);
        int y = random.nextInt(height);
        int left = Math.max(0, x - (int) (half * width));
        int top = Math.max(0, y - (int) (half * height));
        int right = Math.min(width, x + (int) (half * width));
        int bottom = Math.min(height, y + (int) (half * height));
        float[] row = new float[right - left];
        float[] lastRow = new float[right - left];
        int length = channels * height * width;
        for (int c = 0; c < channels; c++) {
            for (int r = top; r < bottom; r++) {
                int at = (c * height + r) * width + left;
                batch.get((count - 1) * length + at, lastRow);
                // Backward, so that a partner is still unmodified.
                for (int n = count - 1; n > 0; n--) {
                    batch.get((n - 1) * length + at, row);
                    batch.put(n * length + at, row);
                }
                batch.put(at, lastRow);
            }
        }
        return 1 - (double) (right - left) * (bottom - top) / ((double) width * height);
    }
}
