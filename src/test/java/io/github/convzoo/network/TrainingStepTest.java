package io.github.convzoo.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import io.github.convzoo.nn.CanonicalNames;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One training step of ten networks against PyTorch in float64; tolerances as the reference's README gives them. */
class TrainingStepTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "dla34",
                "dla46_c",
                "dla60x_c",
                "dla60_res2net",
                "peleenet",
                "dpn68",
                "dpn48b",
                "dpn68b",
                "dpn92_post",
                "alexnet",
                "alexnet_dy"
            })
    void step_withReferenceWeights_agreesInLossGradientsAndStatistics(String name) {
        Reference.Step reference = Reference.step(name);
        Variant variant = Variant.of(name);
        NetworkOptions options = variant.options().withNumClasses(reference.numClasses());
        if (variant instanceof DpnVariant && variant != DpnVariant.DPN48B) {
            // The fixtures were made with the activation of timm 0.6.
            options = options.withFamily(new DpnOptions(false, LastActivation.ELU));
        }
        boolean hasDropout = variant == PeleeNetVariant.PELEENET || variant instanceof AlexNetVariant;
        Network network = variant.build(hasDropout ? options.withDropout(0) : options);

        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Reference.initialize(network, manager, reference.salt(), reference.input());
            Map<String, Parameter> parameters = CanonicalNames.parameters(network);

            double loss = forwardAndBackward(network, manager, reference, true);
            assertThat(loss).isCloseTo(reference.loss(), within(1e-4));

            TreeSet<String> trained = new TreeSet<>();
            TreeSet<String> statistics = new TreeSet<>();
            for (Map.Entry<String, Parameter> each : parameters.entrySet()) {
                String parameter = each.getKey();
                NDArray array = each.getValue().getArray();
                if (!each.getValue().requiresGradient()) {
                    statistics.add(parameter);
                    double expected = norm(reference.runningStatisticsNorms(), parameter);
                    assertThat(norm(array)).as(parameter).isCloseTo(expected, within(1e-4 * expected));
                    continue;
                }
                trained.add(parameter);
                double expected = norm(reference.gradientNorms(), parameter);
                try (NDArray gradient = array.getGradient()) {
                    assertThat(norm(gradient)).as(parameter).isCloseTo(expected, within(3e-2 * (expected + 1e-3)));
                    try (NDArray step = gradient.mul(reference.sgdLearningRate())) {
                        array.subi(step);
                    }
                }
            }
            assertThat(trained)
                    .isEqualTo(new TreeSet<>(reference.gradientNorms().keySet()));
            assertThat(statistics)
                    .isEqualTo(new TreeSet<>(reference.runningStatisticsNorms().keySet()));

            double after = forwardAndBackward(network, manager, reference, false);
            assertThat(after).isCloseTo(reference.lossAfterStep(), within(1e-3));
        }
    }

    private static double forwardAndBackward(
            Network network, NDManager manager, Reference.Step reference, boolean backward) {
        try (NDManager step = manager.newSubManager();
                GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray input = Reference.image(step, reference.salt(), reference.input());
            ParameterStore store = new ParameterStore(step, false);
            NDArray logits = network.forward(store, new NDList(input), true).singletonOrThrow();
            NDArray loss = smoothedCrossEntropy(logits, reference.labelSmoothing());
            if (backward) {
                collector.backward(loss);
            }
            return loss.getFloat();
        }
    }

    /** Sample n has label n mod classes. */
    private static NDArray smoothedCrossEntropy(NDArray logits, float smoothing) {
        int samples = (int) logits.getShape().get(0);
        int classes = (int) logits.getShape().get(1);
        float[][] targets = new float[samples][classes];
        for (int sample = 0; sample < samples; sample++) {
            Arrays.fill(targets[sample], smoothing / classes);
            targets[sample][sample % classes] += 1 - smoothing;
        }
        NDArray target = logits.getManager().create(targets);
        return logits.logSoftmax(1).mul(target).sum(new int[] {1}).mean().neg();
    }

    private static double norm(Map<String, Double> norms, String parameter) {
        return Objects.requireNonNull(norms.get(parameter), parameter);
    }

    private static double norm(NDArray array) {
        double squares = 0;
        for (float value : array.toFloatArray()) {
            squares += (double) value * value;
        }
        return Math.sqrt(squares);
    }
}
