package io.github.convzoo.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Variant;
import io.github.convzoo.train.Averaging;
import io.github.convzoo.train.DivergedException;
import io.github.convzoo.train.Learner;
import io.github.convzoo.train.Optimizer;
import io.github.convzoo.train.Recipe;
import io.github.convzoo.train.Schedule;
import io.github.convzoo.train.Targets;
import io.github.convzoo.train.WeightDecay;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Trains for many steps and prints the process's resident memory on the way: it must not grow. Run it with a fixed heap
 * that is resident from the start, as the POM does.
 *
 * <p>Arguments: model, size, batch, how many steps.
 */
public final class TrainingMemory {

    private static final int LINES = 10;
    private static final int CLASSES = 10;

    private TrainingMemory() {}

    public static void main(String[] args) throws DivergedException {
        Variant variant = Variant.of(args[0]);
        int size = Integer.parseInt(args[1]);
        int batch = Integer.parseInt(args[2]);
        int steps = Integer.parseInt(args[3]);
        Recipe recipe = Recipe.of(Optimizer.AdamW.of(WeightDecay.ofWeights(0.01)), new Schedule.Constant(1e-3))
                .withClipNorm(1)
                .withAveraging(new Averaging(0.99, true));
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Network network = variant.build(variant.options().withNumClasses(CLASSES));
            Shape input = new Shape(batch, 3, size, size);
            network.initialize(manager, DataType.FLOAT32, input);
            Targets targets =
                    Targets.of(IntStream.range(0, batch).map(i -> i % CLASSES).toArray());
            try (Learner learner = new Learner(network, recipe)) {
                for (int i = 1; i <= steps; i++) {
                    try (NDArray images = manager.randomNormal(input)) {
                        learner.step(images, targets);
                    }
                    if (i % Math.max(1, steps / LINES) == 0) {
                        System.out.printf(Locale.ROOT, "step %5d: %.0f MiB%n", i, PeakMemory.resident() / 1024.0);
                    }
                }
            }
        }
    }
}
