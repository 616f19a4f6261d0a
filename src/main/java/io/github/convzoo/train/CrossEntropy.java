package io.github.convzoo.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.List;

/**
 * The cross-entropy of logits against targets, the mean over the samples.
 *
 * @param labelSmoothing the share of every target that is spread evenly over all classes, from Szegedy et al., Rethinking
 *     the Inception Architecture, CVPR 2016; 0 for none
 * @param classWeights how much each class counts, as {@code weight} of PyTorch's CrossEntropyLoss: the loss is the weighted mean;
 *     empty if all classes count the same
 */
public record CrossEntropy(double labelSmoothing, List<Double> classWeights) {

    /**
     * Checks the values.
     *
     * @param labelSmoothing in [0, 1)
     * @param classWeights each positive and finite; or empty
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
     * All classes count the same.
     *
     * @param labelSmoothing in [0, 1)
     */
    public CrossEntropy(double labelSmoothing) {
        this(labelSmoothing, List.of());
    }

    /**
     * The weights with which every class counts the same, however many samples it has: the number of samples divided by the number
     * of classes and by the samples of the class, as scikit-learn's {@code balanced}.
     *
     * @param counts how many samples each class has, at least one each
     * @return a weight for each class, for {@link #classWeights}
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
     * @param targets N of them
     * @return a scalar, with the manager of the logits
     * @throws IllegalArgumentException if the targets are not N, or a class is beyond the network's
     */
    public NDArray of(NDArray logits, Targets targets) {
        return ofSum(logits, targets, divisor(targets));
    }

    /** What the sum over the samples is divided by: how many they are, or how much their classes count together. */
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
                    "logits of shape (" + targets.size() + ", classes) are expected, not " + shape);
        }
        NDManager manager = logits.getManager();
        int classes = (int) shape.get(1);
        if (!classWeights.isEmpty() && classWeights.size() != classes) {
            throw new IllegalArgumentException("there are " + classWeights.size()
                    + " class weights, and the network has " + classes + " classes; give one per class");
        }
        float[] weights = smoothed(targets, classes);
        for (int i = 0; i < weights.length; i++) {
            if (!classWeights.isEmpty()) {
                weights[i] *= (float) (double) classWeights.get(i % classes);
            }
            weights[i] /= (float) -divisor;
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
