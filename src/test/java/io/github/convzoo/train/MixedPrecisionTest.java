package io.github.convzoo.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.CanonicalNames;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Float16 on the CPU, where it is slow, and rounds as on a GPU. */
class MixedPrecisionTest {

    private static final Schedule RATE = new Schedule.Constant(0.05);
    private static final Optimizer SGD = new Optimizer.Sgd(0, false, WeightDecay.NONE);
    private static final Optimizer ADAM = Optimizer.Adam.of(WeightDecay.NONE);

    /** Of a whole step's length: float16 has 11 bits, and errors of many layers add up. */
    private static final double HALF = 0.02;

    @TempDir(deletionStrategy = IgnoreFailures.class)
    Path folder = Path.of("");

    private NDManager manager;

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager("PyTorch");
    }

    @AfterEach
    void close() {
        manager.close();
    }

    private static Recipe recipe(Optimizer optimizer) {
        return Recipe.of(optimizer, RATE).withPrecision(Precision.FP16);
    }

    private static Map<String, double[]> moves(Map<String, float[]> before, Map<String, float[]> after) {
        Map<String, double[]> moves = new LinkedHashMap<>();
        before.forEach((name, values) -> {
            float[] others = Objects.requireNonNull(after.get(name));
            moves.put(
                    name,
                    IntStream.range(0, values.length)
                            .mapToDouble(i -> (double) others[i] - values[i])
                            .toArray());
        });
        return moves;
    }

    private static double length(Map<String, double[]> moves, Map<String, double[]> from) {
        double sum = 0;
        for (Map.Entry<String, double[]> each : moves.entrySet()) {
            double[] others = from.get(each.getKey());
            for (int i = 0; i < each.getValue().length; i++) {
                sum += Math.pow(each.getValue()[i] - (others == null ? 0 : others[i]), 2);
            }
        }
        return Math.sqrt(sum);
    }

    /** How far the steps in float16 end from those in float32, as a share of the latter's way. */
    private double deviation(Recipe recipe, int steps, Device... devices) throws DivergedException {
        Block single = SmallNetworks.plain(manager);
        Block half = SmallNetworks.plain(manager);
        Map<String, float[]> before = SmallNetworks.values(single);
        try (Learner one = new Learner(single, recipe, List.of(devices));
                Learner other = new Learner(half, recipe.withPrecision(Precision.FP16), List.of(devices))) {
            for (int i = 0; i < steps; i++) {
                SmallNetworks.Given batch = SmallNetworks.batch(manager, i);
                StepResult expected = SmallNetworks.step(one, batch);
                StepResult actual = SmallNetworks.step(other, batch);
                assertThat(actual.isSkipped()).isFalse();
                assertThat(actual.loss())
                        .isCloseTo(expected.loss(), within(5e-3))
                        .isNotEqualTo(expected.loss());
                // The gradients are those of the loss, not of the scaled one.
                assertThat(actual.gradientNorm())
                        .isCloseTo(expected.gradientNorm(), within(HALF * expected.gradientNorm()));
            }
        }
        for (Parameter each : CanonicalNames.parameters(half).values()) {
            assertThat(each.getArray().getDataType()).isEqualTo(DataType.FLOAT32);
        }
        Map<String, double[]> expected = moves(before, SmallNetworks.values(single));
        return length(moves(before, SmallNetworks.values(half)), expected) / length(expected, Map.of());
    }

    @Test
    void step_inFloat16_movesTheWeightsAsInFloat32() throws DivergedException {
        assertThat(deviation(Recipe.of(SGD, RATE), 1)).isBetween(1e-6, HALF);
        assertThat(deviation(Recipe.of(SGD, RATE), 5)).isBetween(1e-6, HALF);
        // Unscaled before they are clipped, or the step would be of the same length at any scale.
        assertThat(deviation(Recipe.of(SGD, RATE).withClipNorm(0.1), 3)).isBetween(1e-6, HALF);
        assertThat(deviation(Recipe.of(SGD, RATE).withClipNorm(100), 3)).isBetween(1e-6, HALF);
        assertThat(deviation(Recipe.of(SGD, RATE).withAccumulation(3), 3)).isBetween(1e-6, HALF);
        assertThat(deviation(Recipe.of(SGD, RATE).withFrozen(List.of("conv.*")), 3))
                .isBetween(1e-6, HALF);
        assertThat(deviation(Recipe.of(SGD, RATE), 3, Device.cpu(), Device.cpu()))
                .isBetween(1e-6, HALF);
    }

    /** An update of float16 weights would be lost in their rounding. */
    @Test
    void step_ofATinyRate_movesTheFloat32Weights() throws DivergedException {
        Block network = SmallNetworks.plain(manager);
        Map<String, float[]> before = SmallNetworks.values(network);
        Recipe tiny = Recipe.of(SGD, new Schedule.Constant(1e-4)).withPrecision(Precision.FP16);
        try (Learner learner = new Learner(network, tiny)) {
            SmallNetworks.step(learner, SmallNetworks.batch(manager));
        }
        assertThat(SmallNetworks.values(network).get("fc.weight")).isNotEqualTo(before.get("fc.weight"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"peleenet", "dla46_c", "alexnet_dy"})
    void step_ofARealNetworkInFloat16_lowersTheLossAsInFloat32(String name) throws DivergedException {
        Reference.Step reference = Reference.step(name);
        Variant variant = Variant.of(name);
        var options = variant.options().withNumClasses(reference.numClasses());
        Network network = variant.build(name.startsWith("dla") ? options : options.withDropout(0));
        Reference.initialize(network, manager, reference.salt(), reference.input());
        NDArray images = Reference.image(manager, reference.salt(), reference.input());
        int samples = (int) reference.input().get(0);
        Targets targets = Targets.of(
                IntStream.range(0, samples).map(i -> i % reference.numClasses()).toArray());
        Recipe recipe = Recipe.of(SGD, new Schedule.Constant(reference.sgdLearningRate()))
                .withLoss(new CrossEntropy(reference.labelSmoothing()))
                .withPrecision(Precision.FP16);
        try (Learner learner = new Learner(network, recipe)) {
            StepResult first = learner.step(images, targets);
            while (first.isSkipped()) {
                first = learner.step(images, targets);
            }
            assertThat(first.loss()).isCloseTo(reference.loss(), within(2e-2));
            StepResult second = learner.step(images, targets);
            while (second.isSkipped()) {
                second = learner.step(images, targets);
            }
            assertThat(second.loss()).isLessThan(first.loss()).isCloseTo(reference.lossAfterStep(), within(5e-2));
            // Evaluation is in float32.
            try (NDArray logits = network.forward(new ParameterStore(manager, false), new NDList(images), false)
                    .singletonOrThrow()) {
                assertThat(logits.getDataType()).isEqualTo(DataType.FLOAT32);
            }
        }
    }

    // Overflow

    /** A state of no steps with another loss scale. */
    private Path stateWith(Block network, LossScale scale) throws CheckpointException {
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        CanonicalNames.parameters(network).forEach((name, each) -> {
            arrays.put("network." + name, each.getArray());
            if (!name.contains("running")) {
                arrays.put("optimizer.mean." + name, each.getArray().zerosLike());
                arrays.put("optimizer.variance." + name, each.getArray().zerosLike());
            }
        });
        Path file = folder.resolve("state " + scale.factor());
        new LearnerState(0, "adam", 1, 0, Optional.empty(), 1, scale, Map.of()).write(file, arrays);
        return file;
    }

    private static LossScale scaleOf(Path state) throws CheckpointException {
        String[] numbers = Objects.requireNonNull(
                        Checkpoint.readCopy(state).metadata().get("convzoo.loss_scale"))
                .split(" ", -1);
        return new LossScale(Double.parseDouble(numbers[0]), Integer.parseInt(numbers[1]), Long.parseLong(numbers[2]));
    }

    @Test
    void step_whoseGradientsOverflow_isSkippedAndTheScaleHalved() throws Exception {
        Block network = SmallNetworks.plain(manager);
        Block single = SmallNetworks.plain(manager);
        Map<String, float[]> before = SmallNetworks.values(network);
        SmallNetworks.Given batch = SmallNetworks.batch(manager);
        Path state = stateWith(network, new LossScale(Math.pow(2, 22), 7, 0));
        int skipped = 0;
        try (Learner learner = new Learner(single, Recipe.of(ADAM, RATE))) {
            SmallNetworks.step(learner, batch);
        }
        try (Learner learner = new Learner(network, recipe(ADAM))) {
            learner.restore(state);
            StepResult result = SmallNetworks.step(learner, batch);
            while (result.isSkipped()) {
                skipped++;
                assertThat(result.loss()).isFinite();
                assertThat(result.gradientNorm()).isNotFinite();
                assertThat(learner.step()).isEqualTo(skipped);
                SmallNetworks.values(network).forEach((name, values) -> {
                    if (!name.contains("running")) {
                        assertThat(values).as(name).isEqualTo(before.get(name));
                    }
                });
                Path now = folder.resolve("now");
                learner.save(now, Map.of());
                assertThat(scaleOf(now)).isEqualTo(new LossScale(Math.pow(2, 22 - skipped), 0, skipped));
                result = SmallNetworks.step(learner, batch);
            }
            assertThat(skipped).isBetween(2, 10);
        }
        // Adam's first update is of the rate's size; it would be smaller, had it counted the skipped steps.
        Map<String, float[]> expected = SmallNetworks.values(single);
        float[] after = Objects.requireNonNull(SmallNetworks.values(network).get("fc.bias"));
        for (int i = 0; i < after.length; i++) {
            assertThat((double) after[i]).isCloseTo(Objects.requireNonNull(expected.get("fc.bias"))[i], within(1e-4));
        }
    }

    @Test
    void step_whoseGradientsOverflowAtAScaleOf1_diverges() throws Exception {
        Block network = SmallNetworks.plain(manager);
        // Tiny deviations make large gradients.
        Map<String, Parameter> parameters = CanonicalNames.parameters(network);
        Objects.requireNonNull(parameters.get("norm.weight")).getArray().muli(8000);
        Objects.requireNonNull(parameters.get("fc.weight")).getArray().muli(12);
        SmallNetworks.Given given = SmallNetworks.batch(manager);
        SmallNetworks.Given batch = new SmallNetworks.Given(given.images().mul(1e-3), given.targets());
        try (Learner learner = new Learner(network, recipe(ADAM))) {
            learner.restore(stateWith(network, new LossScale(1, 3, 16)));
            Map<String, float[]> before = SmallNetworks.values(network);
            assertThatExceptionOfType(DivergedException.class)
                    .isThrownBy(() -> SmallNetworks.step(learner, batch))
                    .withMessageStartingWith("step 0: the gradient's norm is ")
                    .withMessageContaining("float16 overflows")
                    .satisfies(e -> assertThat(e.loss()).isFinite());
            assertThat(SmallNetworks.values(network)).usingRecursiveComparison().isEqualTo(before);
            assertThat(learner.step()).isZero();
            Path now = folder.resolve("now");
            learner.save(now, Map.of());
            assertThat(scaleOf(now)).isEqualTo(new LossScale(1, 3, 16));
        }
    }

    @Test
    void step_whoseLossOverflows_diverges() throws Exception {
        Block network = SmallNetworks.plain(manager);
        SmallNetworks.Given good = SmallNetworks.batch(manager);
        // Float32 would have room for them.
        SmallNetworks.Given bad = new SmallNetworks.Given(good.images().mul(1e6), good.targets());
        try (Learner learner = new Learner(network, recipe(SGD))) {
            Map<String, float[]> before = SmallNetworks.values(network);
            assertThatExceptionOfType(DivergedException.class)
                    .isThrownBy(() -> SmallNetworks.step(learner, bad))
                    .withMessageStartingWith("step 0: the loss is NaN")
                    .withMessageEndingWith("or float16 overflows, so try float32");
            assertThat(SmallNetworks.values(network)).usingRecursiveComparison().isEqualTo(before);
        }
    }

    // What is kept, and what is not

    @Test
    void restore_inFloat16_keepsTheScaleAndEndsAtTheSameBits() throws Exception {
        Recipe recipe = recipe(ADAM)
                .withLoss(new CrossEntropy(0.1))
                .withClipNorm(1)
                .withAccumulation(2)
                .withSeed(42);
        Path unbroken = folder.resolve("unbroken");
        Path middle = folder.resolve("middle");
        Path resumed = folder.resolve("resumed");
        Path high = stateWith(SmallNetworks.plain(manager), new LossScale(Math.pow(2, 19), 1998, 0));
        boolean skips = false;
        try (Learner learner = new Learner(SmallNetworks.plain(manager), recipe)) {
            learner.restore(high);
            for (int i = 0; i < 8; i++) {
                if (i == 4) {
                    learner.save(middle, Map.of());
                }
                skips |= SmallNetworks.step(learner, SmallNetworks.batch(manager, i))
                        .isSkipped();
            }
            learner.save(unbroken, Map.of());
        }
        assertThat(skips).isTrue();
        assertThat(scaleOf(middle)).isNotEqualTo(LossScale.INITIAL).isNotEqualTo(scaleOf(unbroken));
        try (Learner learner = new Learner(SmallNetworks.plain(manager), recipe)) {
            learner.restore(middle);
            for (int i = 4; i < 8; i++) {
                SmallNetworks.step(learner, SmallNetworks.batch(manager, i));
            }
            learner.save(resumed, Map.of());
        }
        assertThat(resumed).hasSameBinaryContentAs(unbroken);
    }

    @Test
    void step_inFloat16_leavesNoArraysBehind() throws DivergedException {
        Block network = SmallNetworks.dynamic(manager);
        SmallNetworks.Given batch = SmallNetworks.batch(manager);
        try (Learner learner = new Learner(network, recipe(ADAM).withAccumulation(2))) {
            SmallNetworks.step(learner, batch);
            int arrays = manager.getManagedArrays().size();
            for (int i = 0; i < 3; i++) {
                SmallNetworks.step(learner, batch);
            }
            assertThat(manager.getManagedArrays()).hasSize(arrays);
        }
    }
}
