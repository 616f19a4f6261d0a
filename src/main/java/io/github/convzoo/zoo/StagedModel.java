package io.github.convzoo.zoo;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import io.github.convzoo.nn.GraphBlock;
import java.io.IOException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * An image model whose predictions have two stages: decoding with preprocessing, which is Java code for one image, and
 * inference, which the engine computes for a batch. Servers and {@linkplain ConvZoo#stream streams} run the stages on
 * different threads. The results are those of the model's predictors.
 *
 * <p>Thread-safe. Closing it frees its predictors; the model stays open.
 *
 * @param <I> the type of images
 * @param <O> the type of results
 */
public final class StagedModel<I, O> implements AutoCloseable {

    /** Larger batches are hardly faster on a CPU. */
    private static final int BATCH = 8;

    private static final int GPU_BATCH = 32;

    private final ZooModel<I, O> model;
    private final ImageTranslator<I, O> translator;
    private final Queue<Predictor<PreparedImage, O>> idle = new ConcurrentLinkedQueue<>();
    private final Gate gate;

    private StagedModel(ZooModel<I, O> model, ImageTranslator<I, O> translator) {
        this.model = model;
        this.translator = translator;
        gate = new Gate("the stages of " + model.getName());
    }

    /**
     * Splits the predictions of a model.
     *
     * @param model a model for images: a classifier, or one for embeddings
     * @param <I> the type of images
     * @param <O> the type of results
     * @return the stages of its predictions; close it before the model
     * @throws IllegalArgumentException if ConvZoo does not translate the model's input and output
     */
    public static <I, O> StagedModel<I, O> of(ZooModel<I, O> model) {
        if (model.getTranslator() instanceof ImageTranslator<I, O> translator) {
            return new StagedModel<>(model, translator);
        }
        throw new IllegalArgumentException(model.getName()
                + ": not a model of ConvZoo from images to classes or embeddings; use ConvZoo.load or loadEmbeddings");
    }

    /**
     * The first stage: decodes and preprocesses an image.
     *
     * @param image the image
     * @return the network's input
     * @throws IOException if the image cannot be read or decoded
     */
    public PreparedImage prepare(I image) throws IOException {
        return translator.prepare(image);
    }

    /**
     * Takes the network's input as it is, in place of the first stage.
     *
     * @param values a normalized image, channels x height x width as the model's preprocessing makes it; not copied
     * @return the network's input
     * @throws IllegalArgumentException if there are too many or too few values
     */
    public PreparedImage prepared(float[] values) {
        return translator.prepared(values);
    }

    /**
     * The second stage: computes a batch.
     *
     * @param batch at least one image that this model prepared
     * @return one result per image, in the same order
     * @throws TranslateException if the engine fails
     * @throws IllegalStateException if this or the model is closed
     */
    public List<O> run(List<PreparedImage> batch) throws TranslateException {
        return gate.enter(() -> {
            Predictor<PreparedImage, O> predictor = idle.poll();
            if (predictor == null) {
                predictor = model.newPredictor(translator.ofPrepared());
            }
            try {
                return predictor.batchPredict(batch);
            } finally {
                idle.add(predictor);
            }
        });
    }

    /**
     * {@return the usual batch size, at least 1: one that does not change results} ONNX Runtime's results have the same
     * bits in any batch. Those of PyTorch differ in the last bits and larger batches gain little on a CPU, so it gets
     * one image at a time; on a GPU, the gain is worth the difference.
     */
    public int usualBatchSize() {
        Device device = model.getNDManager().getDevice();
        if (!device.equals(Device.cpu())) {
            return GPU_BATCH;
        }
        return model.getBlock() instanceof GraphBlock block && block.isBatchInvariant() ? BATCH : 1;
    }

    @Override
    public void close() {
        gate.close(() -> idle.forEach(Predictor::close));
    }
}
