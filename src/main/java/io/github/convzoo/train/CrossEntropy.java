package io.github.convzoo.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

/**
 * The cross-entropy of logits against targets, the mean over the samples.
 *
 * @param labelSmoothing the share of every target that is spread evenly over all classes, from Szegedy et al., Rethinking
 *     the Inception Architecture, CVPR 2016; 0 for none
 */
public record CrossEntropy(double labelSmoothing) {

    /**
     * Checks the share.
     *
     * @param labelSmoothing in [0, 1)
     */
    public CrossEntropy {
        if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
            throw new IllegalArgumentException("label smoothing must be in [0, 1), not " + labelSmoothing);
        }
    }

    /**
     * Computes the loss.
     *
     * @param logits (N, classes)
     * @param targets N of them
     * @return a scalar, with the manager of the logits
     * @throws IllegalArgumentException if the targets are not N, or a class is beyond the network's
     */
    public NDArray of(NDArray logits, Targets targets) {
        return ofSum(logits, targets, targets.size());
    }

    /** The sum over the samples, divided by a number. */
    NDArray ofSum(NDArray logits, Targets targets, int divisor) {
        Shape shape = logits.getShape();
        if (shape.dimension() != 2 || shape.get(0) != targets.size()) {
            throw new IllegalArgumentException(
                    "logits of shape (" + targets.size() + ", classes) are expected, not " + shape);
        }
        NDManager manager = logits.getManager();
        float[] weights = smoothed(targets, (int) shape.get(1));
        for (int i = 0; i < weights.length; i++) {
            weights[i] /= -divisor;
        }
        // The backward pass reads the weights: they must lie in the engine's memory, and a created array's are the
        // JVM's.
        try (NDArray created = manager.create(weights, shape);
                NDArray engines = created.duplicate();
                NDArray target = engines.toDevice(logits.getDevice(), true);
                NDArray logProbabilities = logits.logSoftmax(1);
                NDArray products = logProbabilities.mul(target)) {
            return products.sum();
        }
    }

    private float[] smoothed(Targets targets, int classes) {
        float[] all = targets.distributions(classes);
        float stays = (float) (1 - labelSmoothing);
        float spread = (float) (labelSmoothing / classes);
        if (labelSmoothing > 0) {
            for (int i = 0; i < all.length; i++) {
                all[i] = all[i] * stays + spread;
            }
        }
        return all;
    }
}
