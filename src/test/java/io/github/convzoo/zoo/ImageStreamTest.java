package io.github.convzoo.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.RgbImage;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ImageStreamTest {

    private static final Path BOOT = Path.of("src/test/resources/fashion-mnist/ankle-boot.png");

    private final Recording block = new Recording();
    private final ZooModel<RgbImage, Classifications> model = model(block);

    /** A block from images of 2 x 2 pixels to three logits, the first two values and zero. */
    private static final class Recording extends AbstractBlock {

        private final List<Integer> batches = Collections.synchronizedList(new ArrayList<>());
        private final AtomicInteger running = new AtomicInteger();
        private final AtomicInteger mostRunning = new AtomicInteger();
        private volatile @Nullable RuntimeException failure;

        @Override
        protected NDList forwardInternal(
                ParameterStore store, NDList inputs, boolean training, @Nullable PairList<String, Object> params) {
            int now = running.incrementAndGet();
            mostRunning.accumulateAndGet(now, Math::max);
            try {
                NDArray images = inputs.singletonOrThrow();
                int count = (int) images.getShape().get(0);
                batches.add(count);
                RuntimeException problem = failure;
                if (problem != null) {
                    throw problem;
                }
                assertThat(images.getShape()).isEqualTo(new Shape(count, 3, 2, 2));
                NDArray rows = images.reshape(count, 12);
                return new NDList(rows.get(":, 0:2").concat(images.getManager().zeros(new Shape(count, 1)), 1));
            } finally {
                running.decrementAndGet();
            }
        }

        @Override
        public Shape[] getOutputShapes(Shape[] inputs) {
            return new Shape[] {new Shape(inputs[0].get(0), 3)};
        }
    }

    private static ZooModel<RgbImage, Classifications> model(AbstractBlock block) {
        Model djl = Model.newInstance("recording", Device.cpu(), "PyTorch");
        djl.setBlock(block);
        Labels labels = Labels.usual(3);
        return new LabeledModel<>(
                djl,
                new ImageTranslator.Classifier<>(
                        ImageReader.of(RgbImage.class, new ImageDecoder()),
                        Preprocessing.unresized(2, 2, Normalization.IMAGENET),
                        labels,
                        3),
                labels);
    }

    @AfterEach
    void close() {
        model.close();
    }

    private static RgbImage image(int seed) {
        Random random = new Random(seed);
        BufferedImage pixels = new BufferedImage(2, 2, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 4; i++) {
            pixels.setRGB(i % 2, i / 2, random.nextInt(1 << 24));
        }
        return RgbImage.of(pixels);
    }

    private static RgbImage good(int item) throws IOException {
        if (item % 7 == 3) {
            throw new IOException("item " + item + " is damaged");
        }
        return image(item);
    }

    private Stream<StreamResult<Integer, Classifications>> stream(Iterator<Integer> items, StreamOptions options) {
        return ConvZoo.stream(model, items, ImageStreamTest::good, options);
    }

    private static Iterator<Integer> numbers(int count) {
        return IntStream.range(0, count).iterator();
    }

    @Test
    void stream_ofGoodAndBadImages_keepsTheirOrder_andGivesWhatAPredictorGives() throws Exception {
        List<StreamResult<Integer, Classifications>> results;
        try (Stream<StreamResult<Integer, Classifications>> stream =
                stream(numbers(100), StreamOptions.DEFAULT.withBatchSize(8).withWorkers(4))) {
            results = stream.toList();
        }
        assertThat(results).extracting(StreamResult::item).containsExactlyElementsOf(() -> numbers(100));
        try (Predictor<RgbImage, Classifications> predictor = model.newPredictor()) {
            for (StreamResult<Integer, Classifications> each : results) {
                if (each instanceof StreamResult.Success<Integer, Classifications> success) {
                    assertThat(success.output().getProbabilities())
                            .isEqualTo(predictor.predict(image(each.item())).getProbabilities());
                } else if (each instanceof StreamResult.Failure<Integer, Classifications> failure) {
                    assertThat(failure.error()).hasMessage("item " + each.item() + " is damaged");
                    assertThat(each.item() % 7).isEqualTo(3);
                }
            }
        }
        assertThat(results).filteredOn(StreamResult.Failure.class::isInstance).hasSize(14);
        assertThat(block.batches).allSatisfy(size -> assertThat(size).isBetween(1, 8));
    }

    @Test
    void stream_oneWorker_fillsEveryBatchButTheLast() {
        try (Stream<StreamResult<RgbImage, Classifications>> stream = ConvZoo.stream(
                model,
                IntStream.range(0, 21).mapToObj(ImageStreamTest::image).iterator(),
                StreamOptions.DEFAULT.withBatchSize(8).withWorkers(1))) {
            assertThat(stream.count()).isEqualTo(21);
        }
        assertThat(block.batches).containsExactly(8, 8, 5);
    }

    @Test
    void stream_byDefault_computesOneImageAtATime_becauseItsBlockIsNotKnownToGiveTheSameInBatches() {
        assertThat(StagedModel.of(model).usualBatchSize()).isOne();
        try (Stream<?> stream = stream(numbers(5), StreamOptions.DEFAULT)) {
            assertThat(stream.count()).isEqualTo(5);
        }
        assertThat(block.batches).containsExactly(1, 1, 1, 1);
    }

    @Test
    void stream_engineWithAsManyThreadsAsWorkers_computesOneBatchAtATime() {
        int cores = Runtime.getRuntime().availableProcessors();
        int engine = Integer.getInteger("ai.djl.pytorch.num_threads", cores);
        try (Stream<?> stream =
                stream(numbers(400), StreamOptions.DEFAULT.withBatchSize(2).withWorkers(2 * engine - 1))) {
            assertThat(stream.count()).isEqualTo(400);
        }
        assertThat(block.mostRunning).hasValue(1);
    }

    @Test
    void stream_slowConsumer_isNotFarBehindTheItems() throws Exception {
        AtomicInteger taken = new AtomicInteger();
        Iterator<Integer> items = new Iterator<>() {
            @Override
            public boolean hasNext() {
                return true;
            }

            @Override
            public Integer next() {
                return taken.getAndIncrement();
            }
        };
        StreamOptions options = StreamOptions.DEFAULT.withBatchSize(4).withWorkers(2);
        try (Stream<StreamResult<Integer, Classifications>> stream = stream(items, options)) {
            Iterator<StreamResult<Integer, Classifications>> results = stream.iterator();
            for (int consumed = 1; consumed < 50; consumed++) {
                assertThat(results.next().item()).isEqualTo(consumed - 1);
                if (consumed % 10 == 0) {
                    TimeUnit.MILLISECONDS.sleep(20);
                    assertThat(taken.get() - consumed).isBetween(1, 4 * 4 + 2);
                }
            }
        }
        int last = taken.get();
        TimeUnit.MILLISECONDS.sleep(50);
        assertThat(taken.get()).isBetween(last, last + 1);
    }

    /** Lines from a terminal, for example: the images so far are not kept waiting for a batch. */
    @Test
    void stream_itemsThatCome_slowly_givesTheResultsSoFar() throws Exception {
        CountDownLatch more = new CountDownLatch(1);
        Iterator<Integer> items = new Iterator<>() {
            private int next;

            @Override
            public boolean hasNext() {
                if (next == 2) {
                    try {
                        more.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                }
                return next < 3;
            }

            @Override
            public Integer next() {
                return next++;
            }
        };
        StreamOptions options = StreamOptions.DEFAULT.withBatchSize(8).withWorkers(2);
        try (Stream<StreamResult<Integer, Classifications>> stream = stream(items, options)) {
            Iterator<StreamResult<Integer, Classifications>> results = stream.iterator();
            assertThat(results.next().item()).isZero();
            assertThat(results.next().item()).isOne();
            more.countDown();
            assertThat(results.next().item()).isEqualTo(2);
            assertThat(results.hasNext()).isFalse();
        }
    }

    @Test
    void stream_itemsThatFail_givesTheResultsBeforeThem() {
        Iterator<Integer> items = new Iterator<>() {
            private int next;

            @Override
            public boolean hasNext() {
                if (next == 3) {
                    throw new UncheckedIOException(new IOException("the list is damaged"));
                }
                return true;
            }

            @Override
            public Integer next() {
                return next++;
            }
        };
        List<Integer> seen = new ArrayList<>();
        try (Stream<StreamResult<Integer, Classifications>> stream = stream(items, StreamOptions.DEFAULT)) {
            assertThatExceptionOfType(UncheckedIOException.class)
                    .isThrownBy(() -> stream.forEach(each -> seen.add(each.item())))
                    .withMessageContaining("the list is damaged");
        }
        assertThat(seen).containsExactly(0, 1, 2);
    }

    @Test
    void stream_engineThatFails_saysSo() {
        block.failure = new IllegalStateException("out of memory");
        try (Stream<?> stream = stream(numbers(3), StreamOptions.DEFAULT)) {
            assertThatIllegalStateException()
                    .isThrownBy(stream::count)
                    .withMessage("inference failed: java.lang.IllegalStateException: out of memory");
        }
    }

    @Test
    void stream_closedModel_saysSo() {
        model.close();
        try (Stream<?> stream = stream(numbers(3), StreamOptions.DEFAULT)) {
            assertThatIllegalStateException().isThrownBy(stream::count).withMessageContaining("recording is closed");
        }
    }

    @Test
    @SuppressWarnings("try")
    void stream_closedEarly_ends_andLeavesNothingOpen() {
        int arrays = model.getNDManager().getManagedArrays().size();
        try (Stream<StreamResult<Integer, Classifications>> stream =
                stream(numbers(1000), StreamOptions.DEFAULT.withBatchSize(4))) {
            Iterator<StreamResult<Integer, Classifications>> results = stream.iterator();
            results.next();
            stream.close();
            assertThat(results.hasNext()).isFalse();
            assertThatExceptionOfType(NoSuchElementException.class).isThrownBy(results::next);
        }
        assertThat(model.getNDManager().getManagedArrays()).hasSize(arrays);
    }

    @Test
    void stream_interruptedConsumer_saysSo() {
        Iterator<Integer> never = new Iterator<>() {
            @Override
            public boolean hasNext() {
                try {
                    new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                return false;
            }

            @Override
            public Integer next() {
                throw new NoSuchElementException();
            }
        };
        try (Stream<?> stream = stream(never, StreamOptions.DEFAULT)) {
            Thread.currentThread().interrupt();
            assertThatIllegalStateException().isThrownBy(stream::count).withMessageContaining("interrupted");
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void stream_ofNothing_isEmpty() {
        try (Stream<?> stream = stream(numbers(0), StreamOptions.DEFAULT)) {
            assertThat(stream).isEmpty();
        }
        assertThat(block.batches).isEmpty();
    }

    @Test
    @SuppressWarnings("try")
    void stages_ofABundledModel_giveTheBitsOfAPredictor() throws Exception {
        LoadOptions options = LoadOptions.published();
        try (ZooModel<Path, Classifications> bundled = ConvZoo.load("peleenet.fmnist", Path.class, options);
                Predictor<Path, Classifications> predictor = bundled.newPredictor();
                StagedModel<Path, Classifications> stages = StagedModel.of(bundled);
                ZooModel<Path, float[]> embedder = ConvZoo.loadEmbeddings("peleenet.fmnist", Path.class, options);
                Predictor<Path, float[]> embeddings = embedder.newPredictor();
                StagedModel<Path, float[]> embedding = StagedModel.of(embedder)) {
            Path trouser = BOOT.resolveSibling("trouser.png");
            List<Path> images = List.of(BOOT, trouser, BOOT);
            List<PreparedImage> prepared = new ArrayList<>();
            for (Path each : images) {
                prepared.add(stages.prepare(each));
            }
            List<Classifications> expected = predictor.batchPredict(images);
            // Larger, smaller, and again larger, because memory is reused.
            assertProbabilities(stages.run(prepared.subList(0, 1)), List.of(predictor.predict(BOOT)));
            assertProbabilities(stages.run(prepared), expected);
            assertProbabilities(stages.run(prepared.subList(1, 2)), List.of(predictor.predict(trouser)));
            assertProbabilities(stages.run(prepared), expected);
            assertThat(embedding.run(List.of(embedding.prepare(BOOT))).get(0)).isEqualTo(embeddings.predict(BOOT));
            assertThat(stages.usualBatchSize()).isOne();
            stages.close();
            assertThatIllegalStateException()
                    .isThrownBy(() -> stages.run(prepared))
                    .withMessageContaining("the stages of peleenet is closed");
        }
    }

    private static void assertProbabilities(List<Classifications> actual, List<Classifications> expected) {
        assertThat(actual.stream().map(Classifications::getProbabilities))
                .containsExactlyElementsOf(
                        expected.stream().map(Classifications::getProbabilities).toList());
    }

    @Test
    void stages_ofAModelForArrays_areRefused() throws Exception {
        try (ZooModel<NDList, NDList> logits = ConvZoo.loadLogits("peleenet.fmnist", LoadOptions.published())) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> StagedModel.of(logits))
                    .withMessageContaining("use ConvZoo.load or loadEmbeddings");
        }
    }

    @Test
    void batch_overTwoGiB_isRefused() {
        assertThat(Preprocessing.unresized(2, 2, Normalization.IMAGENET).batchBytes(3))
                .isEqualTo(3 * 48);
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        Preprocessing.unresized(2, 2, Normalization.IMAGENET).batchBytes(44_739_243))
                .withMessage("a batch must have 1 to 44739242 images of this size, not 44739243");
        assertThatIllegalArgumentException().isThrownBy(() -> Preprocessing.unresized(2, 2, Normalization.IMAGENET)
                .batchBytes(0));
    }

    @Test
    void options_outOfRange_areRefused() {
        for (int value : new int[] {0, -1, 4097}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> StreamOptions.DEFAULT.withBatchSize(value))
                    .withMessage("the batch size must be at least 1 and at most 4096, not " + value);
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> StreamOptions.DEFAULT.withWorkers(1025))
                .withMessage("the number of workers must be at least 1 and at most 1024, not 1025");
        assertThat(StreamOptions.DEFAULT.withWorkers(1024).withBatchSize(4096).workers())
                .hasValue(1024);
    }
}
