package io.github.convzoo.train;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.Samples;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.random.RandomGenerator;

/**
 * A network's features of images, before the classifier, computed once and kept. A {@link Head} then trains on them in
 * a fraction of the time, which makes small data sets practical on a CPU.
 */
public final class Features implements Samples {

    private final List<String> classes;
    private final List<String> names;
    private final int[] labels;
    private final float[][] values;

    private Features(List<String> classes, List<String> names, int[] labels, float[][] values) {
        this.classes = classes;
        this.names = names;
        this.labels = labels;
        this.values = values;
    }

    /**
     * Computes the features of every image once, four bytes per value.
     *
     * @param backbone from (N, channels, H, W) to (N, features): a network built with 0 classes, initialized
     * @param manager its device is used for computation
     * @param images not shuffled and not mixed
     * @param progress called after each batch with the number of images done
     * @return the features, in the data set's order; images that could not be read are omitted
     * @throws IOException if an image cannot be read and bad images are not skipped, or none can be read
     * @throws InterruptedException if the thread is interrupted
     */
    public static Features of(Block backbone, NDManager manager, BatchLoader images, IntConsumer progress)
            throws IOException, InterruptedException {
        List<String> names = new ArrayList<>();
        List<Integer> labels = new ArrayList<>();
        List<float[]> values = new ArrayList<>();
        Outputs.forEach(
                backbone,
                manager,
                images,
                (batch, features) -> {
                    Shape shape = features.getShape();
                    if (shape.dimension() != 2) {
                        throw new IllegalArgumentException(
                                "features must have the shape (N, features), not " + shape + "; pool the feature maps");
                    }
                    float[] all = features.toFloatArray();
                    int length = (int) shape.get(1);
                    for (int i = 0; i < batch.size(); i++) {
                        values.add(Arrays.copyOfRange(all, i * length, (i + 1) * length));
                        labels.add(batch.labels()[i]);
                        names.add(images.samples().name(batch.indices()[i]));
                    }
                },
                progress);
        return new Features(
                images.samples().classes(),
                List.copyOf(names),
                labels.stream().mapToInt(Integer::intValue).toArray(),
                values.toArray(float[][]::new));
    }

    @Override
    public int size() {
        return values.length;
    }

    @Override
    public List<String> classes() {
        return classes;
    }

    @Override
    public int label(int index) {
        return labels[index];
    }

    @Override
    public String name(int index) {
        return names.get(index);
    }

    /** {@return the shape of an image's features, (features)} */
    @Override
    public Shape shape() {
        return new Shape(values[0].length);
    }

    @Override
    public void read(int index, RandomGenerator random, float[] target) {
        System.arraycopy(values[index], 0, target, 0, target.length);
    }
}
