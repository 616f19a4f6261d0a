package io.github.convzoo.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNoException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.Safetensors;
import io.github.convzoo.network.AlexNetVariant;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.PeleeNetVariant;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.CanonicalNames;
import io.github.convzoo.nn.DynamicConv2d;
import io.github.convzoo.nn.RoutingAttention;
import io.github.convzoo.weights.WeightSaver;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class LearnerTest {

    private static final Schedule RATE = new Schedule.Constant(0.05);
    private static final Optimizer PLAIN_SGD = new Optimizer.Sgd(0, false, WeightDecay.NONE);
    private static final Optimizer MOMENTUM = new Optimizer.Sgd(0.9, false, WeightDecay.ofWeights(0.01));

    /** Of the larger of the two: sums of the same float32 in another order. */
    private static final double REORDERED = 1e-5;

    private NDManager manager;

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager("PyTorch");
    }

    @AfterEach
    void close() {
        manager.close();
    }

    // Against PyTorch

    private static Optimizer optimizer(String fixture, WeightDecay decay) {
        return switch (fixture) {
            case "sgd" -> new Optimizer.Sgd(0, false, decay);
            case "sgd_momentum" -> new Optimizer.Sgd(0.9, false, decay);
            case "sgd_nesterov" -> new Optimizer.Sgd(0.9, true, decay);
            case "adam" -> Optimizer.Adam.of(decay);
            case "adamw" -> Optimizer.AdamW.of(decay);
            default -> throw new IllegalArgumentException(fixture);
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"sgd", "sgd_momentum", "sgd_nesterov", "adam", "adamw"})
    void step_withAnyOptimizer_followsPyTorchsTrajectory(String name) throws DivergedException {
        JsonObject fixture = TrainingFixtures.read("optimizers").getAsJsonObject(name);
        WeightDecay decay = new WeightDecay(
                fixture.get("decay").getAsDouble(), fixture.get("all_decay").getAsBoolean());
        Schedule schedule = new Schedule.Exponential(fixture.get("rate").getAsDouble(), 1, Math.pow(0.5, 1.0 / 3));
        Recipe recipe = Recipe.of(optimizer(name, decay), schedule)
                .withLoss(new CrossEntropy(0.1))
                .withRateFactors(Map.of("fc.*", fixture.get("head").getAsDouble()));
        Block network = SmallNetworks.plain(manager);
        SmallNetworks.Given batch = SmallNetworks.batch(manager);
        try (Learner learner = new Learner(network, recipe)) {
            for (double expected : TrainingFixtures.doubles(fixture, "losses")) {
                assertThat(SmallNetworks.step(learner, batch).loss()).isCloseTo(expected, within(1e-5));
            }
        }
        JsonObject state = fixture.getAsJsonObject("state");
        Map<String, float[]> actual = SmallNetworks.values(network);
        assertThat(actual.keySet()).isEqualTo(state.keySet());
        actual.forEach((parameter, values) -> {
            double[] expected = TrainingFixtures.doubles(state, parameter);
            for (int i = 0; i < expected.length; i++) {
                // float32 against float64; ten steps of Adam, which divides by a gradient's size, make 2e-7 to 1e-5.
                assertThat((double) values[i]).as(parameter).isCloseTo(expected[i], within(2e-5));
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"peleenet", "dla46_c", "alexnet_dy"})
    void step_ofARealNetwork_lowersTheLossAsPyTorchs(String name) throws DivergedException {
        Reference.Step reference = Reference.step(name);
        Variant variant = Variant.of(name);
        boolean hasDropout = variant == PeleeNetVariant.PELEENET || variant instanceof AlexNetVariant;
        var options = variant.options().withNumClasses(reference.numClasses());
        Network network = variant.build(hasDropout ? options.withDropout(0) : options);
        Reference.initialize(network, manager, reference.salt(), reference.input());
        NDArray images = Reference.image(manager, reference.salt(), reference.input());
        int samples = (int) reference.input().get(0);
        Targets targets = Targets.of(
                IntStream.range(0, samples).map(i -> i % reference.numClasses()).toArray());
        Recipe recipe = Recipe.of(PLAIN_SGD, new Schedule.Constant(reference.sgdLearningRate()))
                .withLoss(new CrossEntropy(reference.labelSmoothing()));
        try (Learner learner = new Learner(network, recipe)) {
            StepResult first = learner.step(images, targets);
            // The reference's own tolerances; its README says why.
            assertThat(first.loss()).isCloseTo(reference.loss(), within(1e-4));
            double norm = Math.sqrt(reference.gradientNorms().values().stream()
                    .mapToDouble(each -> each * each)
                    .sum());
            assertThat(first.gradientNorm()).isCloseTo(norm, within(3e-2 * norm));
            assertThat(learner.step(images, targets).loss()).isCloseTo(reference.lossAfterStep(), within(1e-3));
        }
    }

    /** What the backward pass reads must not lie in memory that the JVM gives to others. */
    @Test
    void step_whileGarbageIsCollected_givesTheSameBits() throws Exception {
        List<Double> calm = losses();
        AtomicBoolean stop = new AtomicBoolean();
        Thread collector = new Thread(() -> {
            while (!stop.get()) {
                System.gc();
                for (int i = 0; i < 2000; i++) {
                    ByteBuffer buffer = ByteBuffer.allocateDirect(4 << (i % 6)).order(ByteOrder.nativeOrder());
                    while (buffer.hasRemaining()) {
                        buffer.putFloat(Float.NaN);
                    }
                }
            }
        });
        collector.start();
        try {
            for (int i = 0; i < 2; i++) {
                assertThat(losses()).isEqualTo(calm);
            }
        } finally {
            stop.set(true);
            collector.join();
        }
    }

    /** Of thirty steps of a network with attention, whose scores are divided by a temperature. */
    private List<Double> losses() throws DivergedException {
        List<Double> losses = new ArrayList<>();
        Recipe recipe = Recipe.of(MOMENTUM, RATE).withAnnealing(Optional.of(Annealing.PAPER), 3);
        try (NDManager own = manager.newSubManager();
                Learner learner = new Learner(SmallNetworks.dynamic(own), recipe)) {
            for (int i = 0; i < 30; i++) {
                losses.add(
                        SmallNetworks.step(learner, SmallNetworks.batch(own, i)).loss());
            }
        }
        return losses;
    }

    // Parts and devices

    /** After five steps from the same start, without normalization by the batch. */
    private Map<String, float[]> afterFiveSteps(int accumulation, Device... devices) throws DivergedException {
        Block network = SmallNetworks.plain(manager);
        Recipe recipe = Recipe.of(MOMENTUM, RATE).withFrozen(List.of("norm.*")).withAccumulation(accumulation);
        try (Learner learner = new Learner(network, recipe, List.of(devices))) {
            for (int i = 0; i < 5; i++) {
                SmallNetworks.step(learner, SmallNetworks.batch(manager, i));
            }
        }
        return SmallNetworks.values(network);
    }

    @Test
    void step_ofABatchInParts_equalsOneOfTheWhole() throws DivergedException {
        Map<String, float[]> whole = afterFiveSteps(1);
        assertClose(afterFiveSteps(3), whole);
        // Parts of 2, 1, 2 and 1 samples.
        assertClose(afterFiveSteps(4), whole);
        // More parts than samples.
        assertClose(afterFiveSteps(7), whole);
    }

    @Test
    void step_onTwoDevices_equalsOneDevice() throws DivergedException {
        Map<String, float[]> one = afterFiveSteps(1);
        assertClose(afterFiveSteps(1, Device.cpu(), Device.cpu()), one);
        assertClose(afterFiveSteps(2, Device.cpu(), Device.cpu()), one);
    }

    @Test
    void step_onTwoDevices_takesTheFirstOnesStatistics() throws DivergedException {
        SmallNetworks.Given batch = SmallNetworks.batch(manager);
        Block both = SmallNetworks.plain(manager);
        try (Learner learner = new Learner(both, Recipe.of(MOMENTUM, RATE), List.of(Device.cpu(), Device.cpu()))) {
            SmallNetworks.step(learner, batch);
        }
        Block first = SmallNetworks.plain(manager);
        Targets half = Targets.of(0, 1, 2);
        try (Learner learner = new Learner(first, Recipe.of(MOMENTUM, RATE))) {
            learner.step(batch.images().get("0:3, ..."), half);
        }
        assertThat(SmallNetworks.values(both).get("norm.running_mean"))
                .isEqualTo(SmallNetworks.values(first).get("norm.running_mean"));
    }

    private static void assertClose(Map<String, float[]> actual, Map<String, float[]> expected) {
        assertThat(actual.keySet()).isEqualTo(expected.keySet());
        expected.forEach((name, values) -> {
            float[] others = Objects.requireNonNull(actual.get(name));
            for (int i = 0; i < values.length; i++) {
                double tolerance = REORDERED * Math.max(0.1, Math.abs(values[i]));
                assertThat((double) others[i]).as(name).isCloseTo(values[i], within(tolerance));
            }
        });
    }

    // Clipping

    @Test
    void step_withALongGradient_movesByTheLargestNorm() throws DivergedException {
        SmallNetworks.Given batch = SmallNetworks.batch(manager);
        Block free = SmallNetworks.plain(manager);
        Block clipped = SmallNetworks.plain(manager);
        Recipe recipe = Recipe.of(PLAIN_SGD, RATE);
        double norm;
        try (Learner learner = new Learner(free, recipe)) {
            norm = SmallNetworks.step(learner, batch).gradientNorm();
        }
        try (Learner learner = new Learner(clipped, recipe.withClipNorm(norm / 4))) {
            assertThat(SmallNetworks.step(learner, batch).gradientNorm()).isEqualTo(norm);
        }
        // What is left of each difference between weights of size 1 is good to about 1e-7.
        assertThat(moved(free)).isCloseTo(0.05 * norm, within(1e-4 * 0.05 * norm));
        assertThat(moved(clipped)).isCloseTo(0.05 * norm / 4, within(1e-4 * 0.05 * norm));
    }

    @Test
    void step_withAShortGradient_isNotClipped() throws DivergedException {
        Block free = SmallNetworks.plain(manager);
        Block clipped = SmallNetworks.plain(manager);
        Recipe recipe = Recipe.of(PLAIN_SGD, RATE);
        learn(free, recipe, 2);
        learn(clipped, recipe.withClipNorm(1e6), 2);
        assertSame(SmallNetworks.values(clipped), SmallNetworks.values(free));
    }

    /** How far the trained parameters are from where they began. */
    private double moved(Block network) {
        Map<String, float[]> before = SmallNetworks.values(SmallNetworks.plain(manager));
        double squares = 0;
        for (Map.Entry<String, float[]> each : SmallNetworks.values(network).entrySet()) {
            float[] start = Objects.requireNonNull(before.get(each.getKey()));
            for (int i = 0; i < start.length; i++) {
                double difference = each.getKey().contains("running") ? 0 : each.getValue()[i] - start[i];
                squares += difference * difference;
            }
        }
        return Math.sqrt(squares);
    }

    // Freezing

    @Test
    void step_withFrozenParameters_leavesThemAndTheirStatistics() throws DivergedException {
        Block network = SmallNetworks.plain(manager);
        Map<String, float[]> before = SmallNetworks.values(network);
        learn(network, Recipe.of(MOMENTUM, RATE).withFrozen(List.of("conv.*", "norm.?????*")), 3);
        Map<String, float[]> after = SmallNetworks.values(network);
        for (String name : before.keySet()) {
            if (name.startsWith("fc.") || name.equals("norm.bias")) {
                assertThat(after.get(name)).as(name).isNotEqualTo(before.get(name));
            } else if (!name.startsWith("norm.running")) {
                assertThat(after.get(name)).as(name).isEqualTo(before.get(name));
            } else {
                // norm.bias learns, so the normalization is not frozen.
                assertThat(after.get(name)).as(name).isNotEqualTo(before.get(name));
            }
        }

        Block all = SmallNetworks.plain(manager);
        learn(all, Recipe.of(MOMENTUM, RATE).withFrozen(List.of("conv.*", "norm.*")), 3);
        after = SmallNetworks.values(all);
        for (String name : before.keySet()) {
            if (name.startsWith("fc.")) {
                assertThat(after.get(name)).as(name).isNotEqualTo(before.get(name));
            } else {
                assertThat(after.get(name)).as(name).isEqualTo(before.get(name));
            }
        }
    }

    @Test
    void learner_afterOneThatFroze_learnsAll() throws DivergedException {
        Block network = SmallNetworks.plain(manager);
        Recipe recipe = Recipe.of(MOMENTUM, RATE);
        learn(network, recipe.withFrozen(List.of("conv.*", "norm.*")), 1);
        Map<String, float[]> before = SmallNetworks.values(network);
        learn(network, recipe, 1);

        SmallNetworks.values(network)
                .forEach((name, values) -> assertThat(values).as(name).isNotEqualTo(before.get(name)));
    }

    @Test
    void learner_closedAfterItsNetwork_doesNotMind() {
        Learner learner;
        try (NDManager own = NDManager.newBaseManager("PyTorch")) {
            learner = new Learner(
                    SmallNetworks.plain(own), Recipe.of(MOMENTUM, RATE).withFrozen(List.of("conv.*")));
        }
        assertThatNoException().isThrownBy(learner::close);
    }

    @Test
    void learner_ofPatternsThatFitNothing_isRefused() {
        Block network = SmallNetworks.plain(manager);
        Recipe recipe = Recipe.of(MOMENTUM, RATE);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Learner(network, recipe.withFrozen(List.of("level1.*"))))
                .withMessageContaining("no parameter matches level1.*")
                .withMessageContaining("conv.weight");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Learner(network, recipe.withRateFactors(Map.of("head", 10.0))))
                .withMessageContaining("head");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Learner(network, recipe.withFrozen(List.of("*"))))
                .withMessageContaining("nothing to train");
    }

    @Test
    void learner_ofANetworkWithoutValues_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Learner(Variant.of("peleenet").build(), Recipe.of(MOMENTUM, RATE)))
                .withMessageContaining("initialize");
    }

    @Test
    void recipe_ofValuesThatMakeNone_isRefused() {
        Recipe recipe = Recipe.of(MOMENTUM, RATE);
        assertThatIllegalArgumentException().isThrownBy(() -> recipe.withClipNorm(0));
        assertThatIllegalArgumentException().isThrownBy(() -> recipe.withAccumulation(0));
        assertThatIllegalArgumentException().isThrownBy(() -> recipe.withAnnealing(Optional.empty(), 0));
        assertThatIllegalArgumentException().isThrownBy(() -> recipe.withRateFactors(Map.of("*", 0.0)));
        assertThatIllegalArgumentException().isThrownBy(() -> new Averaging(1, false));
        assertThatIllegalArgumentException().isThrownBy(() -> new Optimizer.Sgd(0, true, WeightDecay.NONE));
        assertThatIllegalArgumentException().isThrownBy(() -> new Optimizer.Sgd(1, false, WeightDecay.NONE));
        assertThatIllegalArgumentException().isThrownBy(() -> new Optimizer.Adam(0.9, 1, 1e-8, WeightDecay.NONE));
        assertThatIllegalArgumentException().isThrownBy(() -> new Optimizer.AdamW(0.9, 0.9, 0, WeightDecay.NONE));
        assertThatIllegalArgumentException().isThrownBy(() -> WeightDecay.ofAll(-1));
    }

    @Test
    void step_withMoreSamplesThanTargets_isRefused() {
        try (Learner learner = new Learner(SmallNetworks.plain(manager), Recipe.of(PLAIN_SGD, RATE))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> learner.step(manager.zeros(SmallNetworks.INPUT), Targets.of(1, 2)))
                    .withMessageContaining("2 targets");
        }
    }

    // Failures

    @Test
    void step_withANonFiniteLoss_changesNothing() throws DivergedException {
        Block network = SmallNetworks.plain(manager);
        Recipe recipe = Recipe.of(MOMENTUM, RATE).withAveraging(new Averaging(0.9, false));
        try (Learner learner = new Learner(network, recipe)) {
            SmallNetworks.step(learner, SmallNetworks.batch(manager, 0));
            Map<String, float[]> before = SmallNetworks.values(network);
            SmallNetworks.Given good = SmallNetworks.batch(manager, 1);
            SmallNetworks.Given bad = new SmallNetworks.Given(good.images().div(0), good.targets());
            assertThatExceptionOfType(DivergedException.class)
                    .isThrownBy(() -> SmallNetworks.step(learner, bad))
                    .withMessageStartingWith("step 1: the loss is NaN at a learning rate of 0.0500")
                    .satisfies(e -> assertThat(e.step()).isEqualTo(1));
            assertSame(SmallNetworks.values(network), before);
            assertThat(learner.step()).isEqualTo(1);

            SmallNetworks.step(learner, good);
        }
        Block undisturbed = SmallNetworks.plain(manager);
        learn(undisturbed, recipe, 2);
        assertSame(SmallNetworks.values(network), SmallNetworks.values(undisturbed));
    }

    @Test
    void step_withABadLabel_changesNothing() throws DivergedException {
        Block network = SmallNetworks.plain(manager);
        Map<String, float[]> before = SmallNetworks.values(network);
        try (Learner learner = new Learner(network, Recipe.of(MOMENTUM, RATE))) {
            SmallNetworks.Given bad =
                    new SmallNetworks.Given(SmallNetworks.batch(manager).images(), Targets.of(0, 1, 2, 3, 4, 5));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> SmallNetworks.step(learner, bad))
                    .withMessageContaining("class 4");
            assertSame(SmallNetworks.values(network), before);
            SmallNetworks.step(learner, SmallNetworks.batch(manager));
        }
    }

    // Average

    @Test
    void average_ofSteps_isTheMeanThatItsDecaySays() throws DivergedException {
        for (boolean warmUp : new boolean[] {false, true}) {
            Block network = SmallNetworks.plain(manager);
            Recipe recipe = Recipe.of(MOMENTUM, RATE).withAveraging(new Averaging(0.6, warmUp));
            Map<String, double[]> expected = new LinkedHashMap<>();
            SmallNetworks.values(network).forEach((name, values) -> expected.put(name, doubles(values)));
            try (Learner learner = new Learner(network, recipe)) {
                // timm's ModelEmaV3 with warm-up: 0, 0.370, 0.519, then the decay.
                double[] decays = warmUp ? new double[] {0, 0.3700395, 0.5192502, 0.6} : new double[] {.6, .6, .6, .6};
                for (int i = 0; i < decays.length; i++) {
                    SmallNetworks.step(learner, SmallNetworks.batch(manager, i));
                    double decay = decays[i];
                    SmallNetworks.values(network).forEach((name, values) -> {
                        double[] average = Objects.requireNonNull(expected.get(name));
                        for (int j = 0; j < values.length; j++) {
                            average[j] = decay * average[j] + (1 - decay) * values[j];
                        }
                    });
                }
                Map<String, float[]> own = SmallNetworks.values(network);
                try (Learner.Averaged averaged = learner.useAverage()) {
                    assertThat(averaged).isNotNull();
                    SmallNetworks.values(network).forEach((name, values) -> {
                        double[] average = Objects.requireNonNull(expected.get(name));
                        for (int j = 0; j < values.length; j++) {
                            assertThat((double) values[j]).as(name).isCloseTo(average[j], within(1e-6));
                        }
                    });
                    assertThatIllegalStateException()
                            .isThrownBy(() -> SmallNetworks.step(learner, SmallNetworks.batch(manager)));
                    assertThatIllegalStateException().isThrownBy(learner::useAverage);
                }
                assertSame(SmallNetworks.values(network), own);
            }
        }
    }

    @Test
    void useAverage_whereThereIsNone_saysSo() {
        try (Learner learner = new Learner(SmallNetworks.plain(manager), Recipe.of(MOMENTUM, RATE))) {
            assertThatIllegalStateException()
                    .isThrownBy(learner::useAverage)
                    .withMessageContaining("add averaging to the recipe");
        }
    }

    private static double[] doubles(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }

    // Annealing

    @Test
    void step_withAnnealing_runsAtTheEpochsTemperatureAndEndsAt1() throws DivergedException {
        Recipe recipe = Recipe.of(PLAIN_SGD, RATE)
                .withAnnealing(Optional.of(new Annealing(30, 1, 2)), 2)
                .withSeed(3);
        Block annealed = SmallNetworks.dynamic(manager);
        Block byHand = SmallNetworks.dynamic(manager);
        try (Learner learner = new Learner(annealed, recipe);
                Learner other = new Learner(byHand, Recipe.of(PLAIN_SGD, RATE).withSeed(3))) {
            float[] temperatures = {30, 30, 15, 15, 1, 1};
            for (int i = 0; i < temperatures.length; i++) {
                DynamicConv2d.setTemperature(byHand, temperatures[i]);
                double loss = SmallNetworks.step(learner, SmallNetworks.batch(manager, i))
                        .loss();
                assertThat(loss)
                        .isEqualTo(SmallNetworks.step(other, SmallNetworks.batch(manager, i))
                                .loss());
                assertThat(temperature(annealed)).isEqualTo(1);
            }
        }
        assertSame(SmallNetworks.values(annealed), SmallNetworks.values(byHand));
        // At another temperature the weights would be others.
        Block cold = SmallNetworks.dynamic(manager);
        learn(cold, Recipe.of(PLAIN_SGD, RATE).withSeed(3), 6);
        assertThat(SmallNetworks.values(cold).get("conv.weight"))
                .isNotEqualTo(SmallNetworks.values(annealed).get("conv.weight"));
    }

    private static float temperature(Block network) {
        return CanonicalNames.blocks(network).keySet().stream()
                .filter(RoutingAttention.class::isInstance)
                .map(block -> ((RoutingAttention) block).temperature())
                .findFirst()
                .orElseThrow();
    }

    // Repetition

    static Stream<Optimizer> optimizers() {
        WeightDecay decay = WeightDecay.ofWeights(0.01);
        return Stream.of(
                new Optimizer.Sgd(0, false, decay),
                new Optimizer.Sgd(0.9, false, decay),
                new Optimizer.Sgd(0.9, true, decay),
                Optimizer.Adam.of(decay),
                Optimizer.AdamW.of(decay));
    }

    private static Recipe everything(Optimizer optimizer) {
        return Recipe.of(optimizer, Schedule.OneCycle.of(0.05, 8))
                .withLoss(new CrossEntropy(0.1))
                .withClipNorm(1)
                .withAccumulation(2)
                .withAveraging(new Averaging(0.9, true))
                .withAnnealing(Optional.of(new Annealing(30, 1, 3)), 2)
                .withSeed(42);
    }

    @ParameterizedTest
    @MethodSource("optimizers")
    void restore_inTheMiddle_endsAtTheSameBits(
            Optimizer optimizer, @TempDir(deletionStrategy = IgnoreFailures.class) Path folder)
            throws DivergedException, IOException {
        Recipe recipe = everything(optimizer);
        Path unbroken = folder.resolve("unbroken");
        Path middle = folder.resolve("middle");
        Path resumed = folder.resolve("resumed");
        try (Learner learner = new Learner(SmallNetworks.dynamic(manager), recipe)) {
            for (int i = 0; i < 7; i++) {
                if (i == 3) {
                    learner.save(middle, Map.of("batch", "3"));
                }
                SmallNetworks.step(learner, SmallNetworks.batch(manager, i));
            }
            learner.save(unbroken, Map.of());
        }
        // Another network, another seed, another temperature: all of it comes from the file.
        Block network = SmallNetworks.dynamic(manager);
        learn(network, Recipe.of(PLAIN_SGD, RATE), 1);
        Recipe other = recipe.withSeed(1).withAnnealing(Optional.empty(), 1);
        try (Learner learner = new Learner(network, other)) {
            manager.randomNormal(SmallNetworks.INPUT).close();
            assertThat(learner.restore(middle)).containsExactly(Map.entry("batch", "3"));
            assertThat(learner.step()).isEqualTo(3);
            Path maps = Path.of("/proc/self/maps");
            if (Files.exists(maps)) {
                // Windows would not let the next save replace a mapped file.
                assertThat(Files.readString(maps)).doesNotContain(middle.toString());
            }
            for (int i = 3; i < 7; i++) {
                SmallNetworks.step(learner, SmallNetworks.batch(manager, i));
            }
            learner.save(resumed, Map.of());
        }
        assertThat(resumed).hasSameBinaryContentAs(unbroken);
    }

    @Test
    void step_withTheSameSeed_repeatsBitForBit() throws DivergedException {
        Map<Long, Map<String, float[]>> ends = new LinkedHashMap<>();
        for (long seed : new long[] {5, 6}) {
            Block network = SmallNetworks.withDropout(manager);
            learn(network, Recipe.of(MOMENTUM, RATE).withSeed(seed), 4);
            ends.put(seed, SmallNetworks.values(network));
        }
        Block again = SmallNetworks.withDropout(manager);
        learn(again, Recipe.of(MOMENTUM, RATE).withSeed(5), 4);
        assertSame(SmallNetworks.values(again), Objects.requireNonNull(ends.get(5L)));
        assertThat(Objects.requireNonNull(ends.get(6L)).get("fc.weight"))
                .isNotEqualTo(SmallNetworks.values(again).get("fc.weight"));
    }

    @Test
    void step_onTheSameBatchTwice_drawsOtherNumbersAndRepeatsThem() throws DivergedException {
        // At no rate to speak of, only dropout can change the loss.
        Recipe recipe = Recipe.of(new Optimizer.Sgd(0, false, WeightDecay.NONE), new Schedule.Constant(1e-30));
        List<List<Double>> losses = new ArrayList<>();
        for (int run = 0; run < 2; run++) {
            try (Learner learner = new Learner(SmallNetworks.withDropout(manager), recipe)) {
                SmallNetworks.Given batch = SmallNetworks.batch(manager);
                losses.add(List.of(
                        SmallNetworks.step(learner, batch).loss(),
                        SmallNetworks.step(learner, batch).loss()));
            }
        }
        assertThat(losses.get(0).get(0)).isNotEqualTo(losses.get(0).get(1));
        assertThat(losses.get(1)).isEqualTo(losses.get(0));
    }

    @Test
    void step_ofARealNetwork_repeatsBitForBit() throws DivergedException {
        List<Map<String, float[]>> ends = new ArrayList<>();
        for (int run = 0; run < 2; run++) {
            Reference.Step reference = Reference.step("peleenet");
            Network network = PeleeNetVariant.PELEENET.build(
                    PeleeNetVariant.PELEENET.options().withNumClasses(10));
            Reference.initialize(network, manager, reference.salt(), reference.input());
            NDArray images = Reference.image(manager, reference.salt(), reference.input());
            Targets targets = Targets.of(
                    IntStream.range(0, (int) reference.input().get(0)).toArray());
            try (Learner learner = new Learner(network, Recipe.of(MOMENTUM, RATE))) {
                for (int i = 0; i < 3; i++) {
                    learner.step(images, targets);
                }
            }
            ends.add(SmallNetworks.values(network));
        }
        assertSame(ends.get(1), ends.get(0));
    }

    @Test
    void restore_ofWhatDoesNotFit_saysWhatAndChangesNothing(
            @TempDir(deletionStrategy = IgnoreFailures.class) Path folder)
            throws DivergedException, CheckpointException {
        Path saved = folder.resolve("saved");
        Recipe recipe = Recipe.of(MOMENTUM, RATE);
        Block network = SmallNetworks.plain(manager);
        try (Learner learner = new Learner(network, recipe)) {
            SmallNetworks.step(learner, SmallNetworks.batch(manager));
            learner.save(saved, Map.of());
            SmallNetworks.step(learner, SmallNetworks.batch(manager));
            Map<String, float[]> before = SmallNetworks.values(network);

            Path weights = folder.resolve("weights");
            WeightSaver.save(weights, network);
            assertRefused(learner, weights, "not a saved training state");

            Path damaged = folder.resolve("damaged");
            Safetensors.write(
                    damaged,
                    List.of(),
                    Map.of(
                            "convzoo.step", "x",
                            "convzoo.optimizer", "sgd",
                            "convzoo.seed", "0",
                            "convzoo.steps_per_epoch", "1"));
            assertRefused(learner, damaged, "its metadata is damaged");
            assertSame(SmallNetworks.values(network), before);
            assertThat(learner.step()).isEqualTo(2);
        }
        refusedBy(SmallNetworks.plain(manager), Recipe.of(Optimizer.Adam.of(WeightDecay.NONE), RATE), saved, "adam");
        refusedBy(SmallNetworks.plain(manager), Recipe.of(PLAIN_SGD, RATE), saved, "unknown: optimizer.momentum.");
        refusedBy(
                SmallNetworks.plain(manager),
                recipe.withAveraging(new Averaging(0.9, false)),
                saved,
                "missing: average.conv.weight");
        refusedBy(
                SmallNetworks.dynamic(manager),
                recipe,
                saved,
                "missing: network.conv.bias, network.conv.routing.net.0.weight");
    }

    private static void refusedBy(Block network, Recipe recipe, Path file, String message) {
        Map<String, float[]> before = SmallNetworks.values(network);
        try (Learner learner = new Learner(network, recipe)) {
            assertRefused(learner, file, message);
            assertThat(learner.step()).isZero();
        }
        assertSame(SmallNetworks.values(network), before);
    }

    private static void assertRefused(Learner learner, Path file, String message) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> learner.restore(file))
                .withMessageContaining(file.toString())
                .withMessageContaining(message);
    }

    @Test
    void save_overAState_leavesNothingBeside(@TempDir(deletionStrategy = IgnoreFailures.class) Path folder)
            throws DivergedException, Exception {
        Path file = folder.resolve("state.safetensors");
        try (Learner learner = new Learner(SmallNetworks.plain(manager), Recipe.of(MOMENTUM, RATE))) {
            learner.save(file, Map.of());
            SmallNetworks.step(learner, SmallNetworks.batch(manager));
            learner.save(file, Map.of());
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    // What is left behind

    @Test
    void step_ofAnyRecipe_leavesNoArraysBehind() throws DivergedException {
        Block network = SmallNetworks.dynamic(manager);
        SmallNetworks.Given batch = SmallNetworks.batch(manager);
        try (Learner learner = new Learner(network, everything(MOMENTUM))) {
            SmallNetworks.step(learner, batch);
            int arrays = manager.getManagedArrays().size();
            for (int i = 0; i < 3; i++) {
                SmallNetworks.step(learner, batch);
            }
            assertThat(manager.getManagedArrays()).hasSize(arrays);
        }
    }

    @Test
    void network_betweenSteps_keepsNothingForGradients() throws DivergedException {
        Block network = SmallNetworks.plain(manager);
        learn(network, Recipe.of(MOMENTUM, RATE), 1);
        CanonicalNames.parameters(network)
                .forEach((name, parameter) ->
                        assertThat(parameter.getArray().hasGradient()).as(name).isFalse());
    }

    @Test
    void learner_ofAFoldedNetwork_unfoldsIt() throws DivergedException {
        Network network = PeleeNetVariant.PELEENET.build(
                PeleeNetVariant.PELEENET.options().withNumClasses(10).withDropout(0));
        Reference.Step reference = Reference.step("peleenet");
        Reference.initialize(network, manager, reference.salt(), reference.input());
        NDArray images = Reference.image(manager, reference.salt(), reference.input());
        network.foldNorms();
        Targets targets = Targets.of(new int[(int) reference.input().get(0)]);
        try (Learner learner = new Learner(network, Recipe.of(PLAIN_SGD, RATE))) {
            learner.step(images, targets);
        }
        float[] after = logits(network, images);
        network.unfoldNorms();
        assertThat(after).isEqualTo(logits(network, images));
    }

    private static float[] logits(Block network, NDArray images) {
        try (NDArray logits = network.forward(new ParameterStore(images.getManager(), false), new NDList(images), false)
                .singletonOrThrow()) {
            return logits.toFloatArray();
        }
    }

    @Test
    void step_ofKnownLogits_countsWhatIsRight() throws DivergedException {
        Block network = SmallNetworks.plain(manager);
        SmallNetworks.Given batch = SmallNetworks.batch(manager);
        float[] evaluated;
        try (Learner learner = new Learner(network, Recipe.of(PLAIN_SGD, RATE).withFrozen(List.of("norm.*")))) {
            evaluated = logits(network, batch.images());
            int correct = 0;
            for (int i = 0; i < SmallNetworks.SAMPLES; i++) {
                int best = 0;
                for (int c = 1; c < SmallNetworks.CLASSES; c++) {
                    if (evaluated[i * SmallNetworks.CLASSES + c] > evaluated[i * SmallNetworks.CLASSES + best]) {
                        best = c;
                    }
                }
                correct += best == i % SmallNetworks.CLASSES ? 1 : 0;
            }
            StepResult result = SmallNetworks.step(learner, batch);
            assertThat(result.correct()).isEqualTo(correct).isBetween(1, SmallNetworks.SAMPLES - 1);
            assertThat(result.samples()).isEqualTo(SmallNetworks.SAMPLES);
            assertThat(result.step()).isZero();
            assertThat(result.rate()).isEqualTo(0.05);
        }
    }

    private void learn(Block network, Recipe recipe, int steps) throws DivergedException {
        try (Learner learner = new Learner(network, recipe)) {
            for (int i = 0; i < steps; i++) {
                SmallNetworks.step(learner, SmallNetworks.batch(manager, i));
            }
        }
    }

    private static void assertSame(Map<String, float[]> actual, Map<String, float[]> expected) {
        assertThat(actual.keySet()).isEqualTo(expected.keySet());
        expected.forEach((name, values) -> assertThat(actual.get(name)).as(name).isEqualTo(values));
    }
}
