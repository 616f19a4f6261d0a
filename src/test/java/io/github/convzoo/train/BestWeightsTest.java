package io.github.convzoo.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import io.github.convzoo.nn.CanonicalNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which epoch's weights a run keeps: each epoch's classifier is set by hand at its end. */
class BestWeightsTest {

    private static final Recipe RECIPE =
            Recipe.of(new Optimizer.Sgd(0, false, WeightDecay.NONE), new Schedule.Constant(1e-6));

    private final Path directory;

    BestWeightsTest(@TempDir Path directory) {
        this.directory = directory;
    }

    /**
     * Biases that decide the logits alone. The validation set has 23 samples, one fewer of class 3 than of the others.
     *
     * @param third class 3's; the lower the better is the loss, unless it is far below
     * @param winner the class that everything is taken for
     */
    private record Epoch(double third, int winner) {}

    /** What is in the folder after each epoch. */
    private static final class Kept implements TrainingRun.Listener {
        final List<Boolean> best = new ArrayList<>();
        final List<Double> rates = new ArrayList<>();
        List<EpochMetrics> metrics = List.of();
        byte[] weights = new byte[0];
        String confusion = "";
        int endedAfter;
        int endedWith;
        private final RunFolder folder;
        private final Block network;
        private final List<Epoch> epochs;

        Kept(RunFolder folder, Block network, List<Epoch> epochs) {
            this.folder = folder;
            this.network = network;
            this.epochs = epochs;
        }

        @Override
        public void stepped(int epoch, int batch, int batches, StepResult result) {
            if (batch == 1) {
                rates.add(result.rate());
            }
            if (batch == batches) {
                Epoch now = epochs.get(epoch - 1);
                float[] bias = {0, 0, 0, (float) now.third};
                bias[now.winner] += 1e-3f;
                set("fc.weight", new float[4 * 5]);
                set("fc.bias", bias);
            }
        }

        private void set(String name, float[] values) {
            Parameter parameter =
                    Objects.requireNonNull(CanonicalNames.parameters(network).get(name));
            NDArray array = parameter.getArray();
            try (NDArray created = array.getManager().create(values, array.getShape())) {
                Values.set(array, created);
            }
        }

        @Override
        public void epochEnded(List<EpochMetrics> all, Optional<Evaluation> evaluation, boolean isBest)
                throws IOException {
            metrics = all;
            best.add(isBest);
            if (isBest) {
                weights = Files.readAllBytes(folder.best());
                confusion = Files.readString(folder.path().resolve(RunFolder.CONFUSION));
            }
        }

        @Override
        public void endsEarly(int epoch, int bestEpoch) {
            endedAfter = epoch;
            endedWith = bestEpoch;
        }
    }

    /** Runs some epochs in the folder, which may have some already. */
    private Kept run(Recipe recipe, RunOptions options, int until, Epoch... epochs) throws Exception {
        RunFolder folder = new RunFolder(directory);
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Block network = SmallNetworks.plain(manager);
            Kept kept = new Kept(folder, network, List.of(epochs));
            try (Learner learner = new Learner(network, recipe);
                    TrainingRun run = new TrainingRun(
                            folder,
                            learner,
                            SavedModel.ofWeights(network),
                            Runs.training(-1),
                            Optional.of(Runs.validation()),
                            options)) {
                run.resume();
                assertThat(run.run(until, () -> false, kept)).isTrue();
            }
            return kept;
        }
    }

    @Test
    void run_whoseLastEpochIsWorse_keepsTheFilesOfTheBest() throws Exception {
        Kept kept = run(RECIPE, RunOptions.usual(), 2, new Epoch(0, 0), new Epoch(0, 3));

        assertThat(kept.metrics.get(1).valTop1()).isLessThan(kept.metrics.get(0).valTop1());
        assertThat(kept.best).containsExactly(true, false);
        RunFolder folder = new RunFolder(directory);
        assertThat(folder.best()).hasBinaryContent(kept.weights);
        assertThat(Files.mismatch(folder.best(), folder.lastWeights())).isNotEqualTo(-1);
        // Everything is taken for class 0, of which there are 6 of 23; in the second epoch for class 3.
        assertThat(directory.resolve(RunFolder.CONFUSION)).hasContent(kept.confusion);
        assertThat(kept.confusion).contains("none,6,0,0,0");
        assertThat(Files.readAllLines(directory.resolve(RunFolder.PER_CLASS))).contains("none,6,6,1.0", "many,5,0,0.0");
    }

    @Test
    void run_withEqualAccuracies_keepsTheOneOfTheLowerLoss() throws Exception {
        Epoch usual = new Epoch(0, 0);
        Epoch better = new Epoch(-0.1, 0);
        Kept kept = run(RECIPE, RunOptions.usual(), 3, usual, better, usual);

        assertThat(kept.metrics.stream().map(EpochMetrics::valTop1).distinct()).hasSize(1);
        assertThat(kept.metrics.get(1).valLoss()).isLessThan(kept.metrics.get(0).valLoss());
        assertThat(kept.best).containsExactly(true, true, false);
        assertThat(new RunFolder(directory).best()).hasBinaryContent(kept.weights);
    }

    @Test
    void run_resumedAfterItsBestEpoch_stillKnowsTheLoss() throws Exception {
        Epoch usual = new Epoch(0, 0);
        Epoch better = new Epoch(-0.1, 0);
        run(RECIPE, RunOptions.usual(), 1, better);
        Kept kept = run(RECIPE, RunOptions.usual(), 3, better, usual, better);

        assertThat(kept.best).containsExactly(false, false);
    }

    @Test
    void bestBy_balancedAccuracyOrLoss_decides() throws Exception {
        // Class 3 has fewer samples: taking all for it is as good for the balanced accuracy, and worse for the usual
        // one.
        Kept balanced =
                run(RECIPE, RunOptions.usual().withBestBy(BestBy.BALANCED), 2, new Epoch(0.1, 3), new Epoch(0, 0));
        assertThat(balanced.metrics.get(0).valBalanced()).isEqualTo(0.25);
        assertThat(balanced.metrics.get(1).valBalanced()).isEqualTo(0.25);
        assertThat(balanced.best).containsExactly(true, true);

        EpochMetrics accurate = new EpochMetrics(1, 1, 1, 1, 1, 1, 2.0, 0.9, 1, 0.3, 1, 1);
        EpochMetrics even = new EpochMetrics(2, 1, 1, 1, 1, 1, 3.0, 0.8, 1, 0.7, 1, 1);
        assertThat(BestBy.TOP1.isBetter(accurate, even)).isTrue();
        assertThat(BestBy.BALANCED.isBetter(accurate, even)).isFalse();
        assertThat(BestBy.BALANCED.isBetter(even, accurate)).isTrue();
        assertThat(BestBy.LOSS.isBetter(accurate, even)).isTrue();
        assertThat(BestBy.LOSS.isBetter(even, accurate)).isFalse();
        assertThat(BestBy.TOP1.isBetter(even, even)).isFalse();
    }

    @Test
    void patience_thatRunsOut_endsTheRunAndStaysOver() throws Exception {
        Epoch[] epochs = {new Epoch(0, 0), new Epoch(-0.1, 0), new Epoch(0, 0), new Epoch(0, 0), new Epoch(-0.1, 0)};
        RunOptions options = RunOptions.usual().withPatience(2);
        Kept kept = run(RECIPE, options, 5, epochs);

        assertThat(kept.metrics).hasSize(4);
        assertThat(kept.endedAfter).isEqualTo(4);
        assertThat(kept.endedWith).isEqualTo(2);
        assertThat(run(RECIPE, options, 5, epochs).best).as("resumed").isEmpty();
        assertThat(run(RECIPE, RunOptions.usual().withPatience(3), 5, epochs).best)
                .as("with more patience")
                .hasSize(1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RunOptions.usual().withPatience(0))
                .withMessage("the patience must be at least 1 epoch, not 0");
    }

    @Test
    void plateau_longerThanItsPatience_reducesTheRateAlsoAfterResuming() throws Exception {
        Recipe recipe = Recipe.of(new Optimizer.Sgd(0, false, WeightDecay.NONE), new Schedule.Plateau(1e-6, 0.5, 1));
        Epoch same = new Epoch(0, 0);
        Epoch[] epochs = {new Epoch(-0.1, 0), same, same, same, same, same};
        List<Double> whole = run(recipe, RunOptions.usual(), 4, epochs).rates;
        List<Double> rest = run(recipe, RunOptions.usual(), 6, epochs).rates;

        // The second epoch is the first that is not better, the third one too many.
        assertThat(whole).containsExactly(1e-6, 1e-6, 1e-6, 0.5e-6);
        assertThat(rest).containsExactly(0.5e-6, 0.25e-6);
    }

    @Test
    void run_withoutValidation_keepsTheLast() throws Exception {
        RunFolder folder = new RunFolder(directory);
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Block network = SmallNetworks.plain(manager);
            try (Learner learner = new Learner(network, RECIPE);
                    TrainingRun run = new TrainingRun(
                            folder,
                            learner,
                            SavedModel.ofWeights(network),
                            Runs.training(-1),
                            Optional.empty(),
                            RunOptions.usual())) {
                run.run(2, () -> false, new TrainingRun.Listener() {});
            }
            assertThat(Files.mismatch(folder.best(), folder.lastWeights())).isEqualTo(-1);
            assertThat(folder.metrics()).hasSize(2).allMatch(each -> Double.isNaN(each.valTop1()));
            assertThat(directory.resolve(RunFolder.CONFUSION)).doesNotExist();
            try (Learner learner = new Learner(network, RECIPE)) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> new TrainingRun(
                                folder,
                                learner,
                                SavedModel.ofWeights(network),
                                Runs.training(-1),
                                Optional.empty(),
                                RunOptions.usual().withPatience(1)))
                        .withMessageContaining("patience needs validation data");
            }
        }
    }
}
