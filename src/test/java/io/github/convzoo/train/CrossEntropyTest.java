package io.github.convzoo.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import com.google.gson.JsonObject;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CrossEntropyTest {

    private static final int SAMPLES = 5;
    private static final int CLASSES = 7;

    private static final JsonObject FIXTURE = TrainingFixtures.read("losses");

    private static Targets targets(String kind) {
        int[] first = TrainingFixtures.ints(FIXTURE, "first");
        return switch (kind) {
            case "hard" -> Targets.of(first);
            case "mixed" ->
                Targets.mixed(
                        first, TrainingFixtures.ints(FIXTURE, "second"), TrainingFixtures.floats(FIXTURE, "shares"));
            case "dense" -> {
                float[] values = TrainingFixtures.floats(FIXTURE, "dense");
                float[][] rows = new float[SAMPLES][CLASSES];
                for (int i = 0; i < values.length; i++) {
                    rows[i / CLASSES][i % CLASSES] = values[i];
                }
                yield Targets.dense(rows);
            }
            default -> throw new IllegalArgumentException(kind);
        };
    }

    @ParameterizedTest
    @CsvSource({
        "hard, hard, 0",
        "hard_smoothed, hard, 0.1",
        "mixed, mixed, 0",
        "mixed_smoothed, mixed, 0.1",
        "dense_plain, dense, 0",
        "dense_smoothed, dense, 0.1"
    })
    void of_anyTargets_isPyTorchsLossAndGradient(String fixture, String kind, double labelSmoothing) {
        JsonObject expected = FIXTURE.getAsJsonObject(fixture);
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            NDArray logits = manager.create(TrainingFixtures.floats(FIXTURE, "logits"), new Shape(SAMPLES, CLASSES));
            logits.setRequiresGradient(true);
            try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
                NDArray loss = new CrossEntropy(labelSmoothing).of(logits, targets(kind));
                collector.backward(loss);
                // Sums of a few float32, each good to 6e-8.
                double value = expected.get("loss").getAsDouble();
                assertThat((double) loss.getFloat()).isCloseTo(value, within(1e-6 * value));
            }
            float[] gradient = logits.getGradient().toFloatArray();
            double[] wanted = TrainingFixtures.doubles(expected, "gradient");
            for (int i = 0; i < wanted.length; i++) {
                assertThat((double) gradient[i]).isCloseTo(wanted[i], within(1e-7));
            }
        }
    }

    /** The values are those of PyTorch's CrossEntropyLoss with the same weights. */
    @ParameterizedTest
    @CsvSource({"0, 1.8573480334866728", "0.1, 1.82728726964426"})
    void of_weightedClasses_isPyTorchsLoss(double labelSmoothing, double expected) {
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            NDArray logits = manager.create(new float[] {1, 2, -1, 0.5f, -0.5f, 0, 2, 0, 1}, new Shape(3, 3));
            CrossEntropy loss = new CrossEntropy(labelSmoothing, List.of(0.5, 2.0, 1.25));
            assertThat((double) loss.of(logits, Targets.of(0, 2, 1)).getFloat()).isCloseTo(expected, within(1e-6));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new CrossEntropy(0, List.of(1.0, 1.0)).of(logits, Targets.of(0, 1, 1)))
                    .withMessage("there are 2 class weights, but the network has 3 classes; pass one per class");
        }
        assertThat(CrossEntropy.balancedWeights(30, 10, 20)).containsExactly(60 / 90.0, 2.0, 1.0);
        assertThatIllegalArgumentException().isThrownBy(() -> new CrossEntropy(0, List.of(1.0, 0.0)));
    }

    @Test
    void of_targetsThatDoNotFit_saysWhich() {
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            NDArray logits = manager.zeros(new Shape(2, 3));
            CrossEntropy loss = new CrossEntropy(0);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> loss.of(logits, Targets.of(0, 3)))
                    .withMessage("sample 1 has class 3, but the network has 3 classes");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> loss.of(logits, Targets.of(-1, 0)))
                    .withMessageContaining("sample 0 has class -1");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> loss.of(logits, Targets.of(0)))
                    .withMessageContaining("(1, classes), not (2, 3)");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> loss.of(logits, Targets.dense(new float[][] {{1, 0}, {0, 1}})))
                    .withMessageContaining("probabilities of 2 classes");
        }
    }

    @Test
    void targets_thatAreNone_areRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Targets.of());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Targets.mixed(new int[] {0}, new int[] {1}, new float[] {1.5f}));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Targets.mixed(new int[] {0}, new int[] {1}, new float[] {0.5f, 0.5f}));
        assertThatIllegalArgumentException().isThrownBy(() -> Targets.dense(new float[][] {{Float.NaN}}));
        assertThatIllegalArgumentException().isThrownBy(() -> new CrossEntropy(1));
    }
}
