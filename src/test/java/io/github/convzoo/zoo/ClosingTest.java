package io.github.convzoo.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.Batchifier;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models that are closed while they are used. What goes wrong here ends the whole process. */
class ClosingTest {

    private static final String MODEL = "peleenet.fmnist";
    private static final Path IMAGE = Path.of("src/test/resources/fashion-mnist/ankle-boot.png");
    private static final int THREADS = 16;

    /** {@code -Dsoak.seconds=60} goes on for longer. */
    private static final Duration SOAK = Duration.ofSeconds(Integer.getInteger("soak.seconds", 5));

    private static ZooModel<Path, Classifications> load(boolean compiled) throws Exception {
        LoadOptions options = LoadOptions.published();
        return ConvZoo.load(MODEL, Path.class, compiled ? options.compiled(CompiledRuntime.TORCHSCRIPT) : options);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void models_closedAtRandom_whileThreadsPredict_answerOrSayThatTheyAreClosed(boolean compiled) throws Exception {
        AtomicReference<ZooModel<Path, Classifications>> shared = new AtomicReference<>(load(compiled));
        AtomicInteger answers = new AtomicInteger();
        AtomicInteger refusals = new AtomicInteger();
        long end = System.nanoTime() + SOAK.toNanos();
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            SplittableRandom random = new SplittableRandom(i);
            running.add(threads.submit(() -> {
                while (System.nanoTime() < end) {
                    ZooModel<Path, Classifications> model = Objects.requireNonNull(shared.get());
                    if (random.nextInt(40) == 0) {
                        shared.set(load(compiled));
                        model.close();
                        continue;
                    }
                    try (Predictor<Path, Classifications> predictor = model.newPredictor()) {
                        for (int each = 0; each < 3; each++) {
                            assertThat(predictor.predict(IMAGE).best().getClassName())
                                    .isEqualTo("Ankle boot");
                            answers.incrementAndGet();
                        }
                    } catch (IllegalStateException e) {
                        assertThat(e).hasMessage("peleenet is closed; load the model again");
                        refusals.incrementAndGet();
                    }
                }
                return null;
            }));
        }
        for (Future<?> each : running) {
            each.get();
        }
        threads.shutdown();
        Objects.requireNonNull(shared.get()).close();
        assertThat(answers).hasValueGreaterThan(10);
        assertThat(refusals).hasValueGreaterThan(0);
    }

    /** Stops in the middle of a prediction until it is let go. */
    private static final class Slow implements Translator<NDList, Integer> {

        private final CountDownLatch inside = new CountDownLatch(1);
        private final CountDownLatch released = new CountDownLatch(1);

        @Override
        public NDList processInput(TranslatorContext context, NDList input) throws InterruptedException {
            inside.countDown();
            assertThat(released.await(1, TimeUnit.MINUTES)).isTrue();
            return new NDList();
        }

        @Override
        public Integer processOutput(TranslatorContext context, NDList list) {
            return context.getNDManager().isOpen() ? 1 : 0;
        }

        @Override
        public @Nullable Batchifier getBatchifier() {
            return null;
        }
    }

    @Test
    void close_waitsForThePredictionThatRuns() throws Exception {
        Slow slow = new Slow();
        ZooModel<NDList, NDList> model = ConvZoo.loadLogits(MODEL, LoadOptions.published());
        ExecutorService threads = Executors.newFixedThreadPool(3);
        Predictor<NDList, Integer> predictor = model.newPredictor(slow);
        Future<Integer> prediction = threads.submit(() -> predictor.predict(new NDList()));
        slow.inside.await();
        Future<?> closing = threads.submit(model::close);
        Future<?> closingPredictor = threads.submit(predictor::close);
        Thread.sleep(100);
        assertThat(closing).isNotDone();
        assertThat(closingPredictor).isNotDone();
        assertThat(model.getNDManager().isOpen()).isTrue();
        slow.released.countDown();
        assertThat(prediction.get()).isEqualTo(1);
        closing.get();
        closingPredictor.get();
        threads.shutdown();
        assertThat(model.getNDManager().isOpen()).isFalse();
        model.close();
        predictor.close();
    }

    @Test
    void predictor_ofAClosedModel_orClosedItself_saysSo() throws Exception {
        ZooModel<Path, Classifications> model = load(false);
        Predictor<Path, Classifications> closed = model.newPredictor();
        closed.close();
        assertThatIllegalStateException()
                .isThrownBy(() -> closed.predict(IMAGE))
                .withMessage("the predictor of peleenet is closed; load the model again");
        Predictor<Path, Classifications> predictor = model.newPredictor();
        model.close();
        assertThatIllegalStateException()
                .isThrownBy(() -> predictor.batchPredict(List.of(IMAGE)))
                .withMessage("peleenet is closed; load the model again");
        assertThatIllegalStateException()
                .isThrownBy(model::newPredictor)
                .withMessage("peleenet is closed; load the model again");
        predictor.close();
    }

    /** DJL's own way to a predictor for a device goes past the model. */
    @Test
    void predictor_forADevice_ofAClosedModel_saysSo() throws Exception {
        ZooModel<Path, Classifications> model = load(false);
        try (Predictor<Path, Classifications> predictor = model.newPredictor(Device.cpu())) {
            assertThat(predictor.predict(IMAGE).best().getClassName()).isEqualTo("Ankle boot");
            model.close();
            assertThatIllegalStateException()
                    .isThrownBy(() -> predictor.predict(IMAGE))
                    .withMessage("peleenet is closed; load the model again");
        }
        assertThatIllegalStateException()
                .isThrownBy(() -> model.newPredictor(Device.cpu()))
                .withMessage("peleenet is closed; load the model again");
    }

    @Test
    @SuppressWarnings("try") // that it is closed inside is what is tested
    void close_byItsOwnPrediction_isRefused_andTheModelStaysOpen() throws Exception {
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(MODEL, LoadOptions.published())) {
            Translator<NDList, String> closing = new Translator<>() {
                @Override
                public NDList processInput(TranslatorContext context, NDList input) {
                    model.close();
                    return input;
                }

                @Override
                public String processOutput(TranslatorContext context, NDList list) {
                    return "";
                }
            };
            try (Predictor<NDList, String> predictor = model.newPredictor(closing)) {
                assertThatExceptionOfType(TranslateException.class)
                        .isThrownBy(() -> predictor.predict(new NDList()))
                        .withMessageContaining("cannot be closed from within its own prediction");
            }
            assertThat(model.getNDManager().isOpen()).isTrue();
        }
    }
}
