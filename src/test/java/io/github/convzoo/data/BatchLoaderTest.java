package io.github.convzoo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.image.Border;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BatchLoaderTest {

    private static final Normalization NONE = new Normalization(List.of(0.0, 0.0, 0.0), List.of(1.0, 1.0, 1.0));
    private static final Pipeline PLAIN = Pipeline.training(List.of(), 4, 4, NONE, Optional.empty());
    private static final Pipeline RANDOM = Pipeline.training(
            List.of(new RandomCrop(4, 4, 1, Border.REFLECT), new HorizontalFlip(0.5), new ColorJitter(0.5, 0, 0, 0)),
            4,
            4,
            NONE,
            Optional.of(RandomErasing.of(0.5)));

    private final List<String> reported = new ArrayList<>();

    @Test
    void order_ofBalancedClasses_hasEachEquallyOften() {
        int[] labels = new int[40];
        Arrays.fill(labels, 30, 37, 1);
        Arrays.fill(labels, 37, 40, 2);
        Made images = Made.of(labels);
        BatchLoader loader =
                new BatchLoader(images, PLAIN, LoaderOptions.training(4, 3).withBalancedClasses(), bad -> {});
        int[] order = loader.order(1);

        assertThat(order).hasSize(40).isEqualTo(loader.order(1)).isNotEqualTo(loader.order(2));
        long[] counts = new long[3];
        Arrays.stream(order).forEach(index -> counts[images.label(index)]++);
        assertThat(counts)
                .containsOnly(13, 14)
                .satisfies(all -> assertThat(Arrays.stream(all).sum()).isEqualTo(40));
        // Of small classes all images come, of large ones none twice.
        assertThat(Arrays.stream(order).filter(index -> index >= 30).distinct()).hasSize(10);
        assertThat(Arrays.stream(order).filter(index -> index < 30)).doesNotHaveDuplicates();
        assertThat(Arrays.stream(order).limit(9).map(images::label).distinct().toArray())
                .hasSizeGreaterThan(1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LoaderOptions.evaluation(4).withBalancedClasses())
                .withMessage("balanced batches must be shuffled");
    }

    /** What a batch held. */
    private record Seen(int number, List<Integer> indices, List<Integer> labels, List<Float> values, double lambda) {
        static Seen of(Batch batch) {
            List<Float> values = new ArrayList<>();
            for (int i = 0; i < batch.values().capacity(); i++) {
                values.add(batch.values().get(i));
            }
            return new Seen(
                    batch.number(),
                    Arrays.stream(batch.indices()).boxed().toList(),
                    Arrays.stream(batch.labels()).boxed().toList(),
                    values,
                    batch.lambda());
        }
    }

    /** A data set that tells of every read. */
    private record Watched(LabeledImages images, IntConsumer onRead) implements LabeledImages {
        @Override
        public int size() {
            return images.size();
        }

        @Override
        public List<String> classes() {
            return images.classes();
        }

        @Override
        public RgbImage image(int index) throws IOException {
            onRead.accept(index);
            return images.image(index);
        }

        @Override
        public int label(int index) {
            return images.label(index);
        }

        @Override
        public String name(int index) {
            return images.name(index);
        }
    }

    @AfterEach
    void threads_areAllGone() {
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.getName().startsWith("convzoo-loader"));
    }

    private BatchLoader loader(LabeledImages images, Pipeline pipeline, LoaderOptions options) {
        return new BatchLoader(images, pipeline, options, problem -> reported.add(problem.getMessage()));
    }

    private static List<Seen> run(BatchLoader loader, int epoch, int first) throws IOException, InterruptedException {
        List<Seen> seen = new ArrayList<>();
        try (Epoch batches = loader.epoch(epoch, first)) {
            for (Batch batch = batches.next(); batch != null; batch = batches.next()) {
                seen.add(Seen.of(batch));
                batch.close();
            }
        }
        return seen;
    }

    private static List<Integer> indices(List<Seen> batches) {
        return batches.stream().flatMap(batch -> batch.indices().stream()).toList();
    }

    @Test
    void epoch_ofEvaluation_showsEveryImageOnceInOrder() throws Exception {
        Made images = Made.of(11, Set.of());
        List<Seen> seen = run(loader(images, PLAIN, LoaderOptions.evaluation(4)), 0, 0);

        assertThat(indices(seen)).isEqualTo(IntStream.range(0, 11).boxed().toList());
        assertThat(seen).extracting(batch -> batch.indices().size()).containsExactly(4, 4, 3);
        assertThat(seen).extracting(Seen::number).containsExactly(0, 1, 2);
        for (Seen batch : seen) {
            for (int i = 0; i < batch.indices().size(); i++) {
                int index = batch.indices().get(i);
                assertThat(batch.labels().get(i)).isEqualTo(index % 3);
                // The green plane says which image it is, the blue one where a pixel lies.
                assertThat(batch.values().get(48 * i + 16)).isEqualTo(index / 255f);
                assertThat(batch.values().get(48 * i + 32 + 5)).isEqualTo(15 / 255f);
            }
            assertThat(batch.lambda()).isEqualTo(1);
        }
    }

    @Test
    void epoch_ofTraining_isAnotherOrderEachTimeAndTheSameForTheSameSeed() throws Exception {
        Made images = Made.of(41, Set.of());
        BatchLoader loader = loader(images, PLAIN, LoaderOptions.training(4, 7));
        List<Integer> first = indices(run(loader, 0, 0));
        List<Integer> second = indices(run(loader, 1, 0));

        assertThat(loader.batches()).isEqualTo(10);
        assertThat(first).hasSize(40).doesNotHaveDuplicates().isNotEqualTo(second);
        assertThat(second).hasSize(40).doesNotHaveDuplicates();
        assertThat(indices(run(loader(images, PLAIN, LoaderOptions.training(4, 7)), 0, 0)))
                .isEqualTo(first);
        assertThat(indices(run(loader(images, PLAIN, LoaderOptions.training(4, 8)), 0, 0)))
                .isNotEqualTo(first);
    }

    @Test
    void order_overManyEpochs_putsEveryImageEverywhere() {
        BatchLoader loader = loader(Made.of(5, Set.of()), PLAIN, LoaderOptions.training(1, 3));
        int[][] seen = new int[5][5];
        for (int epoch = 0; epoch < 5000; epoch++) {
            int[] order = loader.order(epoch);
            for (int i = 0; i < 5; i++) {
                seen[i][order[i]]++;
            }
        }

        // 1000 each, with a standard deviation of 28.
        assertThat(Arrays.stream(seen).flatMapToInt(Arrays::stream)).allMatch(n -> n > 850 && n < 1150);
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "2, 1", "3, 2", "8, 5"})
    void epoch_withOtherThreads_orBegunLater_showsTheSame(int workers, int prefetch) throws Exception {
        Made images = Made.of(50, Set.of(3, 4, 17));
        LoaderOptions options = LoaderOptions.training(6, 5)
                .withOnBadImage(OnBadImage.SKIP)
                .withMixing(new MixupOrCutMix(new Mixup(0.5), new CutMix(1), 0.5));
        List<Seen> expected = run(loader(images, RANDOM, options.withWorkers(1, 1)), 2, 0);
        BatchLoader loader = loader(images, RANDOM, options.withWorkers(workers, prefetch));

        assertThat(expected).hasSize(8);
        assertThat(run(loader, 2, 0)).isEqualTo(expected);
        assertThat(run(loader, 2, 5)).isEqualTo(expected.subList(5, 8));
        assertThat(run(loader, 2, 8)).isEmpty();
        assertThat(run(loader, 3, 0)).isNotEqualTo(expected);
    }

    @Test
    void epoch_ofAugmentations_givesEachImageWhatItsOwnNumbersGive() throws Exception {
        Made images = Made.of(20, Set.of());
        List<Seen> seen = run(loader(images, RANDOM, LoaderOptions.training(5, 9)), 4, 0);
        int changed = 0;
        for (Seen batch : seen) {
            for (int i = 0; i < 5; i++) {
                int index = batch.indices().get(i);
                float[] expected = new float[48];
                RANDOM.toChw(images.image(index), Randomness.of(9, Randomness.Purpose.SAMPLE, 4, index), expected);
                assertThat(batch.values().subList(48 * i, 48 * i + 48)).containsExactly(boxed(expected));
                float[] plain = new float[48];
                PLAIN.toChw(images.image(index), Randomness.of(0, Randomness.Purpose.SAMPLE, 0, 0), plain);
                changed += Arrays.equals(plain, expected) ? 0 : 1;
            }
        }
        assertThat(changed).isGreaterThan(15);
    }

    private static Float[] boxed(float[] values) {
        return IntStream.range(0, values.length).mapToObj(i -> values[i]).toArray(Float[]::new);
    }

    @Test
    void badImage_whereItShallFail_endsTheEpochByItsName() throws Exception {
        BatchLoader loader = loader(Made.of(20, Set.of(9, 13)), PLAIN, LoaderOptions.evaluation(4));
        try (Epoch batches = loader.epoch(0, 0)) {
            assertThat(batches.next()).isNotNull();
            assertThat(batches.next()).isNotNull();
            assertThatIOException().isThrownBy(batches::next).withMessage("image 9: is broken");
            assertThatIllegalStateException().isThrownBy(batches::next).withMessage("this epoch is closed");
        }
    }

    @Test
    void badImage_skippedInTraining_isReplacedByTheNextOfTheOrder() throws Exception {
        LoaderOptions options = LoaderOptions.training(5, 1).withOnBadImage(OnBadImage.SKIP);
        List<Seen> whole = run(loader(Made.of(20, Set.of()), PLAIN, options), 0, 0);
        List<Integer> order = indices(whole);
        // Two in a row, over the end of a batch, and the last one.
        Set<Integer> bad = Set.of(order.get(4), order.get(5), order.get(19));
        BatchLoader loader = loader(Made.of(20, bad), PLAIN, options);
        List<Integer> shown = indices(run(loader, 0, 0));

        List<Integer> expected = new ArrayList<>(order);
        expected.set(4, order.get(6));
        expected.set(5, order.get(6));
        expected.set(19, order.get(0));
        assertThat(shown).isEqualTo(expected);
        assertThat(loader.badImages()).isEqualTo(3);
        assertThat(reported)
                .containsExactly(
                        "image " + order.get(4) + ": is broken",
                        "image " + order.get(5) + ": is broken",
                        "image " + order.get(19) + ": is broken");
        run(loader, 1, 0);
        assertThat(reported).hasSize(3);
        assertThat(loader.badImages()).isEqualTo(3);
    }

    @Test
    void badImage_skippedInEvaluation_isLeftOut() throws Exception {
        Made images = Made.of(14, Set.of(0, 5, 8, 9, 10, 11, 13));
        BatchLoader loader = loader(images, PLAIN, LoaderOptions.evaluation(4).withOnBadImage(OnBadImage.SKIP));
        List<Seen> seen = run(loader, 0, 0);

        assertThat(seen).extracting(Seen::indices).containsExactly(List.of(1, 2, 3), List.of(4, 6, 7), List.of(12));
        assertThat(seen).extracting(Seen::number).containsExactly(0, 1, 3);
        for (Seen batch : seen) {
            assertThat(batch.labels())
                    .isEqualTo(batch.indices().stream().map(i -> i % 3).toList());
            for (int i = 0; i < batch.indices().size(); i++) {
                assertThat(batch.values().get(48 * i + 16))
                        .isEqualTo(batch.indices().get(i) / 255f);
            }
        }
        assertThat(loader.badImages()).isEqualTo(7);
    }

    @Test
    void badImages_only_areAnErrorInTraining() throws Exception {
        Made images = Made.of(8, Set.of(0, 1, 2, 3, 4, 5, 6, 7));
        LoaderOptions options = LoaderOptions.training(2, 1).withOnBadImage(OnBadImage.SKIP);
        assertThatIOException()
                .isThrownBy(() -> run(loader(images, PLAIN, options), 0, 0))
                .withMessageMatching("8 images in a row cannot be read, the last because of image \\d: is broken");
        assertThat(run(loader(images, PLAIN, LoaderOptions.evaluation(2).withOnBadImage(OnBadImage.SKIP)), 0, 0))
                .isEmpty();
    }

    @Test
    void augmentationThatFails_namesTheImage() {
        Pipeline tooLarge =
                Pipeline.training(List.of(new RandomCrop(9, 9, 2, Border.BLACK)), 9, 9, NONE, Optional.empty());
        BatchLoader loader = loader(Made.of(4, Set.of()), tooLarge, LoaderOptions.evaluation(4));

        assertThatIllegalStateException()
                .isThrownBy(() -> run(loader, 0, 0))
                .withMessageStartingWith("image 0: cannot crop 9 x 9 pixels");
    }

    @Test
    void dataSetThatFailsOtherwise_isAnErrorWithItsCause() {
        Watched images = new Watched(Made.of(8, Set.of()), index -> {
            if (index == 3) {
                throw new OutOfMemoryError("for a test");
            }
        });

        assertThatIllegalStateException()
                .isThrownBy(() -> run(loader(images, PLAIN, LoaderOptions.evaluation(8)), 0, 0))
                .withCauseInstanceOf(OutOfMemoryError.class);
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "2, 3", "4, 2"})
    void loading_ahead_neverBeginsMoreThanTheBound(int workers, int prefetch) throws Exception {
        Semaphore reads = new Semaphore(0);
        Watched images = new Watched(Made.of(60, Set.of()), index -> reads.release());
        BatchLoader loader = loader(images, PLAIN, LoaderOptions.evaluation(5).withWorkers(workers, prefetch));
        try (Epoch batches = loader.epoch(0, 0)) {
            for (int taken = 0; taken < 5; taken++) {
                // All that may be begun is, and after a while still nothing more.
                assertThat(reads.tryAcquire(taken == 0 ? 5 * prefetch : 5, 60, TimeUnit.SECONDS))
                        .isTrue();
                awaitIdleLoaders(workers);
                assertThat(reads.availablePermits()).isZero();
                Batch batch = Objects.requireNonNull(batches.next());
                assertThat(batch.number()).isEqualTo(taken);
            }
        }
    }

    /** Until every thread waits for a batch to be taken, or is done. */
    private static void awaitIdleLoaders(int workers) throws InterruptedException {
        boolean idle = false;
        while (!idle) {
            List<Thread> threads = Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().startsWith("convzoo-loader"))
                    .toList();
            assertThat(threads).hasSizeLessThanOrEqualTo(workers);
            idle = threads.stream()
                    .allMatch(thread ->
                            thread.getState() == Thread.State.WAITING || thread.getState() == Thread.State.TERMINATED);
            Thread.sleep(1);
        }
    }

    @Test
    void epoch_thatMixes_drawsEachBatchsShareOfItsOwnNumbers() throws Exception {
        double alpha = 0.5;
        LoaderOptions options = LoaderOptions.training(4, 21).withMixing(new Mixup(alpha));
        for (int epoch = 0; epoch < 2; epoch++) {
            List<Seen> seen = run(loader(Made.of(40, Set.of()), PLAIN, options), epoch, 0);

            assertThat(seen).extracting(Seen::lambda).hasSize(10).doesNotHaveDuplicates();
            for (Seen batch : seen) {
                RandomGenerator random = Randomness.of(21, Randomness.Purpose.BATCH, epoch, batch.number());
                assertThat(batch.lambda()).isEqualTo(Randomness.beta(alpha, random));
            }
        }
    }

    @Test
    void close_whileThreadsAreAtWork_endsThem() throws Exception {
        CountDownLatch begun = new CountDownLatch(2);
        Watched images = new Watched(Made.of(20, Set.of()), index -> {
            begun.countDown();
            try {
                // Longer than any test; the interrupt ends it.
                Thread.sleep(600_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        BatchLoader loader = loader(images, PLAIN, LoaderOptions.evaluation(4).withWorkers(2, 2));
        Epoch batches = loader.epoch(0, 0);
        assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
        batches.close();

        threads_areAllGone();
        assertThatIllegalStateException().isThrownBy(batches::next).withMessage("this epoch is closed");
        batches.close();
    }

    @Test
    void next_ofAnInterruptedThread_isInterrupted() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        Watched images = new Watched(Made.of(4, Set.of()), index -> {
            try {
                go.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        try (Epoch batches = loader(images, PLAIN, LoaderOptions.evaluation(4)).epoch(0, 0)) {
            Thread consumer = new Thread(() -> {
                try {
                    batches.next();
                } catch (IOException | InterruptedException | RuntimeException e) {
                    thrown.set(e);
                }
            });
            consumer.start();
            consumer.interrupt();
            consumer.join();
            assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
            // And the epoch goes on for whoever asks.
            go.countDown();
            assertThat(batches.next()).isNotNull();
        }
    }

    @Test
    void batch_ofMixedImages_hasThePartnersClasses() throws Exception {
        Made images = Made.of(12, Set.of());
        LoaderOptions options = LoaderOptions.training(4, 2).withMixing(new Mixup(1));
        try (Epoch batches = loader(images, PLAIN, options).epoch(0, 0);
                Batch batch = Objects.requireNonNull(batches.next())) {
            int[] labels = batch.labels();
            int[] partners = batch.partnerLabels();

            assertThat(partners).containsExactly(labels[3], labels[0], labels[1], labels[2]);
            assertThat(batch.lambda()).isBetween(0.0, 1.0).isNotEqualTo(1);
        }
    }

    @Test
    @SuppressWarnings("try") // Closing by hand is what is tested.
    void batch_asAnArray_hasItsValuesAndShape() throws Exception {
        BatchLoader loader = loader(Made.of(7, Set.of()), PLAIN, LoaderOptions.evaluation(4));
        try (NDManager manager = NDManager.newBaseManager("PyTorch");
                Epoch batches = loader.epoch(0, 1);
                Batch batch = Objects.requireNonNull(batches.next())) {
            assertThat(batch.size()).isEqualTo(3);
            try (NDArray array = batch.toArray(manager)) {
                float[] values = new float[3 * 48];
                batch.values().get(values);
                assertThat(array.getShape()).isEqualTo(new Shape(3, 3, 4, 4));
                assertThat(array.toFloatArray()).containsExactly(values);
                assertThat(values[48 + 16]).isEqualTo(5 / 255f);
            }
            batch.close();
            assertThatIllegalStateException()
                    .isThrownBy(() -> batch.toArray(manager))
                    .withMessageContaining("batch 1 is closed");
            assertThatIllegalStateException().isThrownBy(batch::values);
            // A second time, it gives nothing back that another batch has by now.
            batch.close();
        }
    }

    @Test
    void loader_ofImpossibleNumbers_isRefused() {
        Made images = Made.of(10, Set.of());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LoaderOptions.training(0, 1))
                .withMessage("the batch size must be at least 1, not 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LoaderOptions.training(1, 1).withWorkers(0, 1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LoaderOptions.training(1, 1).withWorkers(1, 0));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> loader(images, PLAIN, LoaderOptions.training(11, 1)))
                .withMessageContaining("10 images do not fill a batch of 11");
        Pipeline large = Pipeline.training(List.of(), 8192, 8192, NONE, Optional.empty());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> loader(images, large, LoaderOptions.evaluation(3)))
                .withMessageContaining("use batches of at most 2");
        BatchLoader loader = loader(images, PLAIN, LoaderOptions.evaluation(4));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> loader.epoch(0, 4))
                .withMessage("an epoch has batches 0 to 2; it cannot start with 4");
        assertThatExceptionOfType(IllegalArgumentException.class).isThrownBy(() -> loader.epoch(0, -1));
    }

    /** Of samples of any size, each value its sample's number. */
    private record Numbered(int length) implements Samples {

        @Override
        public int size() {
            return 5;
        }

        @Override
        public List<String> classes() {
            return List.of("one");
        }

        @Override
        public int label(int index) {
            return 0;
        }

        @Override
        public String name(int index) {
            return "sample " + index;
        }

        @Override
        public Shape shape() {
            return new Shape(length);
        }

        @Override
        public void read(int index, RandomGenerator random, float[] target) {
            Arrays.fill(target, index + 1);
        }
    }

    /** Memory is taken in cache lines; what is asked for must fit whatever its size. */
    @ParameterizedTest
    @ValueSource(ints = {1, 3, 5, 15, 16, 17, 31, 33})
    void batch_ofSamplesOfAnySize_hasAllTheirValues(int length) throws Exception {
        for (int i = 0; i < 20; i++) {
            BatchLoader loader = new BatchLoader(new Numbered(length), LoaderOptions.evaluation(5), bad -> {});
            try (Epoch epoch = loader.epoch(0, 0);
                    Batch batch = Objects.requireNonNull(epoch.next())) {
                assertThat(batch.shape()).isEqualTo(new Shape(5, length));
                for (int at = 0; at < 5 * length; at++) {
                    assertThat(batch.values().get(at)).isEqualTo(at / length + 1);
                }
            }
        }
    }
}
