package io.github.convzoo.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.train.DivergedException;
import io.github.convzoo.train.Learner;
import io.github.convzoo.train.Optimizer;
import io.github.convzoo.train.Recipe;
import io.github.convzoo.train.Schedule;
import io.github.convzoo.train.Targets;
import io.github.convzoo.train.WeightDecay;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Times training steps: the same step on the same batch, again and again, as training_step.py does it. Prints the
 * median in milliseconds.
 *
 * <p>Arguments: model, size, batch, how many steps to leave out, how many to time.
 */
public final class TrainingSteps {

    private static final String SALT = "convzoo/";
    private static final int CLASSES = 1000;

    private TrainingSteps() {}

    public static void main(String[] args) throws DivergedException {
        Variant variant = Variant.of(args[0]);
        int size = Integer.parseInt(args[1]);
        int batch = Integer.parseInt(args[2]);
        int warmUp = Integer.parseInt(args[3]);
        double[] times = new double[Integer.parseInt(args[4])];
        Recipe recipe = Recipe.of(new Optimizer.Sgd(0.9, false, WeightDecay.ofAll(1e-4)), new Schedule.Constant(1e-3));
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Network network = variant.build(variant.options().withNumClasses(CLASSES));
            Shape input = new Shape(batch, 3, size, size);
            Reference.initialize(network, manager, SALT, input);
            NDArray images = Reference.image(manager, SALT, input);
            Targets targets =
                    Targets.of(IntStream.range(0, batch).map(i -> i % CLASSES).toArray());
            try (Learner learner = new Learner(network, recipe)) {
                for (int i = 0; i < warmUp + times.length; i++) {
                    long start = System.nanoTime();
                    learner.step(images, targets);
                    if (i >= warmUp) {
                        times[i - warmUp] = (System.nanoTime() - start) / 1e6;
                    }
                }
            }
        }
        Arrays.sort(times);
        System.out.printf(Locale.ROOT, "%.3f%n", (times[times.length / 2] + times[(times.length - 1) / 2]) / 2);
    }
}
