package io.github.convzoo.data;

import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.util.List;
import java.util.random.RandomGenerator;

/** The outputs of a pipeline for a data set. */
record ImageSamples(LabeledImages images, Pipeline pipeline) implements Samples {

    @Override
    public int size() {
        return images.size();
    }

    @Override
    public List<String> classes() {
        return images.classes();
    }

    @Override
    public int label(int index) {
        return images.label(index);
    }

    @Override
    public String name(int index) {
        return images.name(index);
    }

    @Override
    public Shape shape() {
        return new Shape(
                pipeline.channels(),
                pipeline.preprocessing().height(),
                pipeline.preprocessing().width());
    }

    @Override
    public void read(int index, RandomGenerator random, float[] target) throws IOException {
        pipeline.toChw(images.image(index), random, target);
    }
}
