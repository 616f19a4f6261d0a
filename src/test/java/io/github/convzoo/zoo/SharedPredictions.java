package io.github.convzoo.zoo;

import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.TranslateException;
import io.github.convzoo.image.RgbImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/**
 * Predictions by several threads on one model, each with its own predictors of images and of arrays in turn, compared
 * bit for bit with what one thread gave before.
 */
public final class SharedPredictions {

    private final ZooModel<RgbImage, Classifications> model;
    private final List<RgbImage> images = new ArrayList<>();
    private final List<float[]> arrays = new ArrayList<>();
    private final Shape input;
    private final List<List<Double>> expectedProbabilities = new ArrayList<>();
    private final List<float[]> expectedLogits = new ArrayList<>();

    /** What one of the threads predicts with. */
    private final class Caller implements AutoCloseable {
        private final Predictor<RgbImage, Classifications> ofImages = model.newPredictor();
        private final Predictor<NDList, NDList> ofArrays = model.newPredictor(new NoopTranslator());
        private final NDManager manager = model.getNDManager().newSubManager();

        List<Double> probabilities(int index) throws TranslateException {
            return ofImages.predict(images.get(index)).getProbabilities();
        }

        float[] logits(int index) throws TranslateException {
            try (NDArray array = manager.create(arrays.get(index), input);
                    NDList logits = ofArrays.predict(new NDList(array))) {
                return logits.singletonOrThrow().toFloatArray();
            }
        }

        @Override
        public void close() {
            ofImages.close();
            ofArrays.close();
            manager.close();
        }
    }

    /**
     * Predicts each input once on this thread.
     *
     * @param model the model that all threads share
     * @param inputs how many images and how many arrays there are
     * @param side the side of the arrays, and about that of the images
     */
    public SharedPredictions(ZooModel<RgbImage, Classifications> model, int inputs, int side)
            throws TranslateException {
        this.model = model;
        input = new Shape(1, 3, side, side);
        Random random = new Random(20);
        try (Caller caller = new Caller()) {
            for (int i = 0; i < inputs; i++) {
                byte[] samples = new byte[3 * side * (side + i)];
                random.nextBytes(samples);
                images.add(RgbImage.of(side, side + i, samples));
                float[] values = new float[3 * side * side];
                for (int j = 0; j < values.length; j++) {
                    values[j] = (float) random.nextGaussian();
                }
                arrays.add(values);
                expectedProbabilities.add(caller.probabilities(i));
                expectedLogits.add(caller.logits(i));
            }
        }
    }

    /** How many results there are to tell apart: where weights are degenerate, equal results say nothing. */
    public int distinct() {
        return (int) (expectedProbabilities.stream().distinct().count()
                + expectedLogits.stream().map(Arrays::toString).distinct().count());
    }

    /**
     * Predicts on several threads, images and arrays in turn.
     *
     * @param threads how many threads
     * @param predictions how many predictions they make together
     * @param progress is told the number of predictions after each, by the thread that made it
     * @return how many results differed from the expected
     */
    public int run(int threads, int predictions, IntConsumer progress) throws Exception {
        AtomicInteger begun = new AtomicInteger();
        AtomicInteger done = new AtomicInteger();
        AtomicInteger different = new AtomicInteger();
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                running.add(pool.submit(() -> {
                    try (Caller caller = new Caller()) {
                        for (int next = begun.getAndIncrement(); next < predictions; next = begun.getAndIncrement()) {
                            int index = next / 2 % images.size();
                            boolean same = next % 2 == 0
                                    ? caller.probabilities(index).equals(expectedProbabilities.get(index))
                                    : Arrays.equals(caller.logits(index), expectedLogits.get(index));
                            if (!same) {
                                different.incrementAndGet();
                            }
                            progress.accept(done.incrementAndGet());
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> each : running) {
                each.get();
            }
            if (done.get() != predictions) {
                throw new IllegalStateException(done.get() + " predictions were made, not " + predictions);
            }
            return different.get();
        } finally {
            pool.shutdownNow();
        }
    }
}
