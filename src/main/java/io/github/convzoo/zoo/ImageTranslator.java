package io.github.convzoo.zoo;

import ai.djl.modality.Classifications;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/** Translates images to the network's input, and its output of shape (N, values) to one result per image. */
abstract sealed class ImageTranslator<I, O> implements Translator<I, O> {

    private final ImageReader<I> reader;
    private final Preprocessing preprocessing;

    private ImageTranslator(ImageReader<I> reader, Preprocessing preprocessing) {
        this.reader = reader;
        this.preprocessing = preprocessing;
    }

    /** Translates logits to class probabilities. */
    static final class Classifier<I> extends ImageTranslator<I, Classifications> {

        private final Labels labels;
        private final int topK;

        Classifier(ImageReader<I> reader, Preprocessing preprocessing, Labels labels, int topK) {
            super(reader, preprocessing);
            this.labels = labels;
            this.topK = topK;
        }

        Labels labels() {
            return labels;
        }

        @Override
        NDArray prepared(NDArray logits) {
            return logits.softmax(1);
        }

        @Override
        Classifications result(float[] probabilities) {
            List<Double> row = new ArrayList<>(probabilities.length);
            for (float each : probabilities) {
                row.add((double) each);
            }
            Classifications named = new Classifications(labels.names(), row);
            named.setTopK(topK);
            return named;
        }
    }

    /** Returns pooled features unchanged. */
    static final class Embedder<I> extends ImageTranslator<I, float[]> {

        Embedder(ImageReader<I> reader, Preprocessing preprocessing) {
            super(reader, preprocessing);
        }

        @Override
        NDArray prepared(NDArray features) {
            return features.duplicate();
        }

        @Override
        float[] result(float[] features) {
            return features;
        }
    }

    /** A new array of the values that {@link #result} reads; the caller closes it. */
    abstract NDArray prepared(NDArray output);

    abstract O result(float[] values);

    RgbImage read(I input) throws IOException {
        return reader.read(input);
    }

    /** Decodes and preprocesses an image. Thread-safe, unlike the rest of a prediction. */
    PreparedImage prepare(I input) throws IOException {
        float[] values = new float[sampleSize()];
        preprocessing.toChw(reader.read(input), FloatBuffer.wrap(values));
        return new PreparedImage(values);
    }

    /** An image that is preprocessed already. */
    PreparedImage prepared(float[] values) {
        if (values.length != sampleSize()) {
            throw new IllegalArgumentException("the network's input of shape " + sampleShape() + " has " + sampleSize()
                    + " values, not " + values.length);
        }
        return new PreparedImage(values);
    }

    private int sampleSize() {
        return Math.toIntExact(sampleShape().size());
    }

    private Shape sampleShape() {
        return new Shape(preprocessing.normalization().channels(), preprocessing.height(), preprocessing.width());
    }

    /** Translates prepared images, in the same way otherwise. A translator belongs to one predictor. */
    Translator<PreparedImage, O> ofPrepared() {
        return new Prepared();
    }

    private final class Prepared implements Translator<PreparedImage, O> {

        /** Reused, because the collector learns too late that buffers are not referenced anymore. */
        private ByteBuffer buffer = ByteBuffer.allocateDirect(0);

        @Override
        public NDList processInput(TranslatorContext context, PreparedImage input) {
            return new NDList(batchProcessInput(context, List.of(input))
                    .singletonOrThrow()
                    .squeeze(0));
        }

        @Override
        public O processOutput(TranslatorContext context, NDList list) {
            return ImageTranslator.this.processOutput(context, list);
        }

        @Override
        public NDList batchProcessInput(TranslatorContext context, List<PreparedImage> inputs) {
            int bytes = preprocessing.batchBytes(inputs.size());
            if (buffer.capacity() < bytes) {
                buffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
            }
            FloatBuffer floats = buffer.limit(bytes).asFloatBuffer();
            for (PreparedImage each : inputs) {
                floats.put(each.values);
            }
            Shape sample = sampleShape();
            Shape shape = new Shape(inputs.size()).addAll(sample);
            return new NDList(context.getNDManager().create(buffer, shape, DataType.FLOAT32));
        }

        @Override
        public List<O> batchProcessOutput(TranslatorContext context, NDList list) {
            return ImageTranslator.this.batchProcessOutput(context, list);
        }
    }

    @Override
    public NDList processInput(TranslatorContext context, I input) throws IOException {
        NDArray batch = preprocessing.toBatch(context.getNDManager(), List.of(reader.read(input)));
        return new NDList(batch.squeeze(0));
    }

    @Override
    public O processOutput(TranslatorContext context, NDList list) {
        return results(list.singletonOrThrow().expandDims(0)).get(0);
    }

    // A batch is written into one array directly, without stacking.

    @Override
    public NDList batchProcessInput(TranslatorContext context, List<I> inputs) throws IOException {
        List<RgbImage> images = new ArrayList<>(inputs.size());
        for (I input : inputs) {
            images.add(reader.read(input));
        }
        return batch(context, images);
    }

    NDList batch(TranslatorContext context, List<RgbImage> images) {
        return new NDList(preprocessing.toBatch(context.getNDManager(), images));
    }

    @Override
    public List<O> batchProcessOutput(TranslatorContext context, NDList list) {
        return results(list.singletonOrThrow());
    }

    private List<O> results(NDArray output) {
        try (NDArray prepared = prepared(output)) {
            float[] values = prepared.toFloatArray();
            int count = (int) output.getShape().get(0);
            int length = values.length / count;
            List<O> all = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                float[] row = new float[length];
                System.arraycopy(values, i * length, row, 0, length);
                all.add(result(row));
            }
            return all;
        }
    }
}
