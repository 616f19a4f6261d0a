package io.github.convzoo.train;

import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import io.github.convzoo.data.BatchLoader;
import java.io.IOException;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * The results of evaluating a classifier.
 *
 * @param correct the number of images whose most likely class is correct
 * @param correctTop5 the number of images whose class is among the five most likely
 * @param total the number of images, excluding skipped ones that could not be read
 * @param loss the mean cross-entropy, in nats
 * @param seconds the duration, including reading and preprocessing
 * @param confusion the confusion matrix
 */
public record Evaluation(
        long correct, long correctTop5, long total, double loss, double seconds, ConfusionMatrix confusion) {

    private static final int TOP = 5;

    /**
     * Evaluates a network on every image of a data set.
     *
     * @param network from (N, channels, H, W) to logits (N, classes); initialized
     * @param manager its device is used for computation
     * @param images the data set, without mixing; class numbers must be in the network's range
     * @param progress called after each batch with the number of images done
     * @return the results
     * @throws IOException if an image cannot be read and bad images are not skipped, or none can be read
     * @throws InterruptedException if the thread is interrupted
     * @throws IllegalArgumentException if an image's class is out of the network's range
     */
    public static Evaluation of(Block network, NDManager manager, BatchLoader images, IntConsumer progress)
            throws IOException, InterruptedException {
        long start = System.nanoTime();
        Counts counts = new Counts(images.samples().classes());
        Outputs.forEach(
                network,
                manager,
                images,
                (batch, logits) -> counts.add(batch.labels(), logits.toFloatArray(), (int)
                        logits.getShape().get(1)),
                progress);
        return counts.evaluation((System.nanoTime() - start) / 1e9);
    }

    /** The results of the batches so far. */
    private static final class Counts {
        private final List<String> classes;
        private long correct;
        private long correctTop5;
        private long total;
        private double loss;
        private ConfusionMatrix confusion;

        Counts(List<String> classes) {
            this.classes = classes;
            confusion = new ConfusionMatrix(classes, classes.size());
        }

        void add(int[] labels, float[] logits, int width) {
            if (total == 0) {
                confusion = new ConfusionMatrix(classes, Math.max(width, classes.size()));
            }
            for (int i = 0; i < labels.length; i++) {
                int start = i * width;
                int better = better(logits, start, width, labels[i]);
                correct += better == 0 ? 1 : 0;
                correctTop5 += better < TOP ? 1 : 0;
                loss += crossEntropy(logits, start, width, labels[i]);
                confusion.add(labels[i], better == 0 ? labels[i] : best(logits, start, width));
            }
            total += labels.length;
        }

        Evaluation evaluation(double seconds) {
            return new Evaluation(correct, correctTop5, total, loss / total, seconds, confusion);
        }
    }

    private static double crossEntropy(float[] logits, int start, int classes, int label) {
        double largest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < classes; i++) {
            largest = Math.max(largest, logits[start + i]);
        }
        double sum = 0;
        for (int i = 0; i < classes; i++) {
            sum += Math.exp(logits[start + i] - largest);
        }
        return largest + Math.log(sum) - logits[start + label];
    }

    /** The number of classes that rank above the label; the lower number wins ties; all classes if the logit is NaN. */
    private static int better(float[] logits, int start, int classes, int label) {
        if (label >= classes) {
            throw new IllegalArgumentException(
                    "an image has class " + label + ", but the network has " + classes + " classes");
        }
        float own = logits[start + label];
        if (Float.isNaN(own)) {
            return classes + TOP;
        }
        int better = 0;
        for (int i = 0; i < classes; i++) {
            float other = logits[start + i];
            if (other > own || (other == own && i < label) || Float.isNaN(other)) {
                better++;
            }
        }
        return better;
    }

    /** The class with the largest logit; the lower number wins ties, and the first NaN wins over all. */
    private static int best(float[] logits, int start, int classes) {
        int best = 0;
        for (int i = 0; i < classes; i++) {
            float value = logits[start + i];
            if (Float.isNaN(value)) {
                return i;
            }
            if (value > logits[start + best]) {
                best = i;
            }
        }
        return best;
    }

    /** {@return the top-1 accuracy, from 0 to 1} */
    public double top1() {
        return (double) correct / total;
    }

    /** {@return the top-5 accuracy, from 0 to 1} */
    public double top5() {
        return (double) correctTop5 / total;
    }

    /** {@return the mean per-class accuracy over classes with images, from 0 to 1} */
    public double balancedAccuracy() {
        return confusion.balancedAccuracy();
    }

    /** {@return the speed in images per second, including reading and preprocessing} */
    public double imagesPerSecond() {
        return total / seconds;
    }
}
