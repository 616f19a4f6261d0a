package io.github.convzoo.zoo;

import ai.djl.modality.Classifications;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** From images to the network's input, and from logits to named probabilities. */
final class ImageTranslator<I> implements Translator<I, Classifications> {

    private final ImageReader<I> reader;
    private final Preprocessing preprocessing;
    private final Labels labels;
    private final int topK;

    ImageTranslator(ImageReader<I> reader, Preprocessing preprocessing, Labels labels, int topK) {
        this.reader = reader;
        this.preprocessing = preprocessing;
        this.labels = labels;
        this.topK = topK;
    }

    /** Names for classes that come without: 1000 are ImageNet's, as in all that is published. */
    static Labels labels(int classes) {
        if (classes == Labels.imageNet().size()) {
            return Labels.imageNet();
        }
        return new Labels(
                IntStream.range(0, classes).mapToObj(Integer::toString).toList());
    }

    @Override
    public NDList processInput(TranslatorContext context, I input) throws IOException {
        NDArray batch = preprocessing.toBatch(context.getNDManager(), List.of(reader.read(input)));
        return new NDList(batch.squeeze(0));
    }

    @Override
    public Classifications processOutput(TranslatorContext context, NDList list) {
        return classifications(list.singletonOrThrow().expandDims(0)).get(0);
    }

    // A batch is written as one array, without stacking.

    @Override
    public NDList batchProcessInput(TranslatorContext context, List<I> inputs) throws IOException {
        List<RgbImage> images = new ArrayList<>(inputs.size());
        for (I input : inputs) {
            images.add(reader.read(input));
        }
        return new NDList(preprocessing.toBatch(context.getNDManager(), images));
    }

    @Override
    public List<Classifications> batchProcessOutput(TranslatorContext context, NDList list) {
        return classifications(list.singletonOrThrow());
    }

    private List<Classifications> classifications(NDArray logits) {
        try (NDArray probabilities = logits.softmax(1)) {
            float[] values = probabilities.toFloatArray();
            int classes = labels.size();
            List<Classifications> all = new ArrayList<>();
            for (int start = 0; start < values.length; start += classes) {
                List<Double> row = new ArrayList<>(classes);
                for (int i = 0; i < classes; i++) {
                    row.add((double) values[start + i]);
                }
                Classifications named = new Classifications(labels.names(), row);
                named.setTopK(topK);
                all.add(named);
            }
            return all;
        }
    }
}
