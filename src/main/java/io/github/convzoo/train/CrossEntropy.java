package io.github.convzoo.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.List;

/**
 * The cross-entropy of logits against targets, averaged over the samples.
 *
 * @param labelSmoothing the fraction of every target that is spread evenly over all classes, in [0, 1), from Szegedy et
 *     al., Rethinking the Inception Architecture, CVPR 2016; 0 for none
 * @param classWeights the weight of each class, positive and finite, like {@code weight} of PyTorch's CrossEntropyLoss:
 *     the loss is the weighted mean; empty if all classes have equal weight
 */
public record CrossEntropy(double labelSmoothing, List<Double> classWeights) {

    /**
     * Validates the values, and copies the list.
     *
     * @throws IllegalArgumentException if a value is out of range
     */
    public CrossEntropy {
        classWeights = List.copyOf(classWeights);
        for (double weight : classWeights) {
            if (!(weight > 0) || Double.isInfinite(weight)) {
                throw new IllegalArgumentException("a class weight must be positive and finite, not " + weight);
            }
        }
        if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
            throw new IllegalArgumentException("label smoothing must be in [0, 1), not " + labelSmoothing);
        }
    }

    /**
     * Creates a loss with equal class weights.
     *
     * @param labelSmoothing in [0, 1)
     */
    public CrossEntropy(double labelSmoothing) {
        this(labelSmoothing, List.of());
    }

    /**
     * {@return the weights, one per class, for {@link #classWeights}, with which every class contributes equally,
     * whatever its number of samples: the number of samples divided by the number of classes and by the class's number
     * of samples, like scikit-learn's {@code balanced}}
     *
     * @param counts the number of samples of each class, at least one each
     */
    public static List<Double> balancedWeights(int... counts) {
        long total = Arrays.stream(counts).asLongStream().sum();
        return Arrays.stream(counts)
                .mapToObj(count -> (double) total / ((double) counts.length * count))
                .toList();
    }

    /**
     * Computes the loss.
     *
     * @param logits (N, classes)
     * @param targets N targets
     * @return a scalar, attached to the manager of the logits
     * @throws IllegalArgumentException if the number of targets is not N, or a class is out of range
     */
    public NDArray of(NDArray logits, Targets targets) {
        return ofSum(logits, targets, divisor(targets));
    }

    /** The divisor of the sum over the samples: their number, or the sum of their classes' weights. */
    double divisor(Targets targets) {
        if (classWeights.isEmpty()) {
            return targets.size();
        }
        float[] all = targets.distributions(classWeights.size());
        double sum = 0;
        for (int i = 0; i < all.length; i++) {
            sum += all[i] * classWeights.get(i % classWeights.size());
        }
        return sum;
    }

    /** The sum over the samples, divided by a number. */
    NDArray ofSum(NDArray logits, Targets targets, double divisor) {
        Shape shape = logits.getShape();
        if (shape.dimension() != 2 || shape.get(0) != targets.size()) {
            throw new IllegalArgumentException(
                    "logits must have the shape (" + targets.size() + ", classes), not " + shape);
        }
        NDManager manager = logits.getManager();
        int classes = (int) shape.get(1);
        if (!classWeights.isEmpty() && classWeights.size() != classes) {
            throw new IllegalArgumentException("there are " + classWeights.size()
                    + " class weights, but the network has " + classes + " classes; pass one per class");
        }
        float[] weights = smoothed(targets, classes);
        for (int i = 0; i < weights.length; i++) {
            if (!classWeights.isEmpty()) {
                weights[i] *= (float) (double) classWeights.get(i % classes);
            }
            weights[i] /= (float) -divisor;
        }
        // The backward pass reads the weights, so they must be in the engine's memory; a created array is in the JVM's.
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
