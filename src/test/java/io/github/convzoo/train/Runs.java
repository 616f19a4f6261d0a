package io.github.convzoo.train;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.LoaderOptions;
import io.github.convzoo.data.Samples;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;

/** Runs of a network with attention and dropout on samples of noise that say their class a little, moved at random. */
final class Runs {

    static final int CLASSES = SmallNetworks.CLASSES;
    static final int SIDE = 8;

    /** So many samples that an epoch has 7 batches and a rest. */
    static final int SAMPLES = 60;

    static final int BATCH = 8;

    /** For {@link Noise#broken}: sample 17 cannot be read at all. */
    static final int UNREADABLE = -17;

    private Runs() {}

    /** Noise, of which one sample may be not a number. */
    record Noise(int size, int broken) implements Samples {

        @Override
        public List<String> classes() {
            return List.of("none", "one", "two, or \"more\"", "many");
        }

        @Override
        public int label(int index) {
            return index % CLASSES;
        }

        @Override
        public String name(int index) {
            return "noise " + index;
        }

        @Override
        public Shape shape() {
            return new Shape(3, SIDE, SIDE);
        }

        @Override
        public void read(int index, RandomGenerator random, float[] target) throws IOException {
            if (broken == UNREADABLE && index == -UNREADABLE) {
                throw new IOException(name(index) + ": is broken");
            }
            Random own = new Random(index);
            for (int i = 0; i < target.length; i++) {
                target[i] = (float) (own.nextGaussian() + label(index) + 0.1 * random.nextGaussian());
            }
            if (index == broken && broken > 0) {
                target[0] = Float.NaN;
            }
        }
    }

    static BatchLoader training(int broken) {
        return new BatchLoader(new Noise(SAMPLES, broken), LoaderOptions.training(BATCH, 3), bad -> {});
    }

    static BatchLoader validation() {
        return new BatchLoader(new Noise(23, -1), LoaderOptions.evaluation(10), bad -> {});
    }

    /** Everything that has a state: momentum or moments, an average, annealing, dropout. */
    static Recipe recipe(String optimizer, int epochs) {
        WeightDecay decay = WeightDecay.ofWeights(1e-3);
        int steps = training(-1).batches();
        return Recipe.of(
                        optimizer.equals("sgd") ? new Optimizer.Sgd(0.9, true, decay) : Optimizer.AdamW.of(decay),
                        Schedule.OneCycle.of(optimizer.equals("sgd") ? 0.05 : 0.01, (long) epochs * steps))
                .withAveraging(new Averaging(0.9, true))
                .withAnnealing(Optional.of(new Annealing(10, 1, 3)), steps)
                .withAccumulation(2)
                .withSeed(5);
    }

    static boolean run(
            Path folder,
            Recipe recipe,
            int broken,
            int epochs,
            Duration saveEvery,
            BooleanSupplier stop,
            TrainingRun.Listener listener)
            throws DivergedException, IOException, InterruptedException {
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Block network = SmallNetworks.dynamic(manager);
            try (Learner learner = new Learner(network, recipe);
                    TrainingRun run = new TrainingRun(
                            folder(folder),
                            learner,
                            SavedModel.ofWeights(network),
                            training(broken),
                            Optional.of(validation()),
                            RunOptions.usual().withSaveEvery(saveEvery))) {
                run.resume();
                return run.run(epochs, stop, listener);
            }
        }
    }

    /** The folder of a run, new or not: these runs have their plan in the code. */
    private static RunFolder folder(Path folder) throws IOException {
        Path config = new RunFolder(folder).options();
        if (config.toFile().exists()) {
            return RunFolder.open(folder);
        }
        RunFolder created = RunFolder.create(folder);
        created.write(RunFolder.OPTIONS, "{}\n");
        return created;
    }
}
