package io.github.convzoo.quantize;

import ai.djl.ndarray.types.Shape;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.LoaderOptions;
import io.github.convzoo.data.Samples;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;

/** Images of noise, each of its own color, in two classes. */
record Noise(int size, Shape shape) implements Samples {

    static BatchLoader batches(int images, int batch, Shape shape) {
        return new BatchLoader(new Noise(images, shape), LoaderOptions.evaluation(batch), bad -> {});
    }

    @Override
    public List<String> classes() {
        return List.of("even", "odd");
    }

    @Override
    public int label(int index) {
        return index % 2;
    }

    @Override
    public String name(int index) {
        return "noise " + index;
    }

    @Override
    public void read(int index, RandomGenerator random, float[] target) {
        Random own = new Random(index);
        int each = target.length / Math.toIntExact(shape.get(0));
        double color = 0;
        for (int i = 0; i < target.length; i++) {
            color = i % each == 0 ? own.nextGaussian() : color;
            target[i] = (float) (color + 0.7 * own.nextGaussian());
        }
    }
}
