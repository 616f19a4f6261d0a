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
        try (NDArray target = manager.create(smoothed(targets, (int) shape.get(1)), shape)
                        .toDevice(logits.getDevice(), false);
                NDArray logProbabilities = logits.logSoftmax(1);
                NDArray products = logProbabilities.mul(target);
                NDArray sum = products.sum()) {
            return sum.mul(-1f / divisor);
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
