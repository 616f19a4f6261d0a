package io.github.convzoo.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import io.github.convzoo.data.LabeledImages;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * How well a network classifies.
 *
 * @param correct how many images' most likely class is theirs
 * @param correctTop5 how many images' class is among the five most likely
 * @param total how many images there were
 * @param seconds how long it took, reading and preprocessing included
 * @param confusion what was taken for what
 */
public record Evaluation(long correct, long correctTop5, long total, double seconds, ConfusionMatrix confusion) {

    private static final int TOP = 5;

    /**
     * Evaluates a network on every image of a data set.
     *
     * @param network from (N, 3, H, W) to logits (N, classes); initialised
     * @param manager its device is the one to compute on
     * @param images the data set; no class number beyond the network's
     * @param preprocessing from image to input
     * @param batchSize how many images at once, at least 1
     * @param progress is told how many images are done, after each batch
     * @return the counts
     * @throws IOException if an image cannot be read
     */
    public static Evaluation of(
            Block network,
            NDManager manager,
            LabeledImages images,
            Preprocessing preprocessing,
            int batchSize,
            IntConsumer progress)
            throws IOException {
        if (batchSize < 1) {
            throw new IllegalArgumentException("the batch size must be at least 1, not " + batchSize);
        }
        long start = System.nanoTime();
        long correct = 0;
        long correctTop5 = 0;
        @Nullable ConfusionMatrix confusion = null;
        for (int first = 0; first < images.size(); first += batchSize) {
            int end = Math.min(images.size(), first + batchSize);
            List<RgbImage> batch = read(images, first, end);
            try (NDManager step = manager.newSubManager()) {
                NDArray input = preprocessing.toBatch(step, batch);
                NDArray logits = network.forward(new ParameterStore(step, false), new NDList(input), false)
                        .singletonOrThrow();
                int classes = (int) logits.getShape().get(1);
                float[] values = logits.toFloatArray();
                if (confusion == null) {
                    confusion = new ConfusionMatrix(
                            images.classes(), Math.max(classes, images.classes().size()));
                }
                for (int i = first; i < end; i++) {
                    int better = better(values, (i - first) * classes, classes, images.label(i));
                    correct += better == 0 ? 1 : 0;
                    correctTop5 += better < TOP ? 1 : 0;
                    confusion.add(
                            images.label(i),
                            better == 0 ? images.label(i) : best(values, (i - first) * classes, classes));
                }
            }
            progress.accept(end);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        return new Evaluation(correct, correctTop5, images.size(), seconds, Objects.requireNonNull(confusion));
    }

    private static List<RgbImage> read(LabeledImages images, int first, int end) throws IOException {
        try {
            return IntStream.range(first, end)
                    .parallel()
                    .mapToObj(i -> {
                        try {
                            return images.image(i);
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    })
                    .toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** How many classes come before the label, ties going to the lower number; all of them where the logit is NaN. */
    private static int better(float[] logits, int start, int classes, int label) {
        if (label >= classes) {
            throw new IllegalArgumentException(
                    "an image is of class " + label + ", and the network has " + classes + " classes");
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

    /** The class with the largest logit, ties going to the lower number; the first NaN where there is one. */
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

    /**
     * The share of images whose most likely class is theirs.
     *
     * @return from 0 to 1
     */
    public double top1() {
        return (double) correct / total;
    }

    /**
     * The share of images whose class is among the five most likely.
     *
     * @return from 0 to 1
     */
    public double top5() {
        return (double) correctTop5 / total;
    }

    /**
     * The speed, reading and preprocessing included.
     *
     * @return images a second
     */
    public double imagesPerSecond() {
        return total / seconds;
    }
}
