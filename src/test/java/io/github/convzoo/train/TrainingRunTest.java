package io.github.convzoo.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.LoaderOptions;
import io.github.convzoo.weights.StateDict;
import io.github.convzoo.weights.WeightSaver;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrainingRunTest {

    private static final Duration NEVER = Duration.ofDays(1);
    private static final TrainingRun.Listener SILENT = new TrainingRun.Listener() {};

    private final Path directory;

    TrainingRunTest(@TempDir Path directory) {
        this.directory = directory;
    }

    /** Told everything. */
    private static class Notes implements TrainingRun.Listener {
        final List<String> steps = new ArrayList<>();
        final List<Evaluation> evaluations = new ArrayList<>();
        final List<Boolean> best = new ArrayList<>();
        List<EpochMetrics> metrics = List.of();
        int validated;

        @Override
        public void stepped(int epoch, int batch, int batches, StepResult result) {
            steps.add(epoch + ":" + batch + "/" + batches);
        }

        @Override
        public void validated(int epoch, int images) {
            validated = images;
        }

        @Override
        public void epochEnded(List<EpochMetrics> all, Optional<Evaluation> evaluation, boolean isBest) {
            metrics = all;
            evaluation.ifPresent(evaluations::add);
            best.add(isBest);
        }
    }

    static EpochMetrics withoutTimes(EpochMetrics all) {
        return new EpochMetrics(
                all.epoch(),
                all.step(),
                all.learningRate(),
                all.temperature(),
                all.trainLoss(),
                all.trainAccuracy(),
                all.valLoss(),
                all.valTop1(),
                all.valTop5(),
                all.valBalanced(),
                0,
                0);
    }

    private static void assertSame(Path actual, Path expected) throws IOException {
        for (String file : List.of("model.safetensors", "last/model.safetensors", "last/state.safetensors")) {
            assertThat(Files.mismatch(actual.resolve(file), expected.resolve(file)))
                    .as(file)
                    .isEqualTo(-1);
        }
        assertThat(new RunFolder(actual).metrics().stream().map(TrainingRunTest::withoutTimes))
                .isEqualTo(new RunFolder(expected)
                        .metrics().stream().map(TrainingRunTest::withoutTimes).toList());
    }

    @Test
    void run_ofTwoEpochs_leavesWhatTheFolderPromises() throws Exception {
        Notes notes = new Notes();
        boolean done = Runs.run(directory, Runs.recipe("sgd", 2), -1, 2, NEVER, () -> false, notes);

        assertThat(done).isTrue();
        assertThat(notes.steps).hasSize(14).startsWith("1:1/7").endsWith("2:7/7");
        assertThat(notes.validated).isEqualTo(23);
        try (Stream<Path> files = Files.walk(directory)) {
            assertThat(files.filter(Files::isRegularFile)
                            .map(file -> directory.relativize(file).toString()))
                    .containsExactlyInAnyOrder(
                            "model.safetensors",
                            "train.json",
                            "confusion.csv",
                            "labels.txt",
                            "last" + directory.getFileSystem().getSeparator() + ".lock",
                            "last" + directory.getFileSystem().getSeparator() + "state.safetensors",
                            "last" + directory.getFileSystem().getSeparator() + "model.safetensors",
                            "metrics.csv",
                            "metrics.jsonl",
                            "per-class.csv");
        }
        assertThat(directory.resolve("labels.txt")).hasContent("none\none\ntwo, or \"more\"\nmany\n");
        assertThat(Files.readString(directory.resolve("per-class.csv")))
                .contains("\"two, or \"\"more\"\"\",")
                .startsWith("class,images,correct,accuracy\n");
        List<String> csv = Files.readAllLines(directory.resolve("metrics.csv"));
        assertThat(csv).hasSize(3);
        assertThat(csv.get(0)).startsWith("epoch,step,learning_rate,temperature,train_loss,");
        assertThat(csv.get(2)).startsWith("2,14,");
        assertThat(new RunFolder(directory).metrics()).isEqualTo(notes.metrics).hasSize(2);
        EpochMetrics last = notes.metrics.get(1);
        assertThat(last.temperature()).isCloseTo(10 - 10.0 / 3, within(1e-12));
        assertThat(last.valTop1()).isEqualTo(notes.evaluations.get(1).top1());
        assertThat(last.valLoss()).isEqualTo(notes.evaluations.get(1).loss());
        assertThat(last.trainLoss()).isPositive();
        assertThat(last.trainAccuracy()).isBetween(0.0, 1.0);
        assertThat(last.imagesPerSecond()).isPositive();
        assertThat(notes.best.get(0)).isTrue();
    }

    @Test
    void run_thatLearns_keepsTheBestEpochsAverage() throws Exception {
        Notes notes = new Notes();
        Runs.run(directory, Runs.recipe("adamw", 6), -1, 6, NEVER, () -> false, notes);

        double best =
                notes.metrics.stream().mapToDouble(EpochMetrics::valTop1).max().orElseThrow();
        // Four classes: by chance a quarter.
        assertThat(best).isGreaterThan(0.5);
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Block network = SmallNetworks.dynamic(manager);
            try (Learner learner = new Learner(network, Runs.recipe("adamw", 6))) {
                learner.restore(directory.resolve("last/state.safetensors"));
                Evaluation own = Evaluation.of(network, manager, Runs.validation(), done -> {});
                try (Learner.Averaged averaged = learner.useAverage()) {
                    assertThat(averaged).isNotNull();
                    Evaluation average = Evaluation.of(network, manager, Runs.validation(), done -> {});
                    assertThat(average.loss())
                            .isEqualTo(notes.metrics.get(5).valLoss())
                            .isNotEqualTo(own.loss());
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"sgd", "adamw"})
    void run_stoppedAfterEveryStep_endsAtTheBitsOfAnUnbrokenOne(String optimizer) throws Exception {
        Path unbroken = directory.resolve("unbroken");
        Path broken = directory.resolve("broken");
        Recipe recipe = Runs.recipe(optimizer, 2);
        Runs.run(unbroken, recipe, -1, 2, NEVER, () -> false, SILENT);
        int runs = 1;
        while (!Runs.run(broken, recipe, -1, 2, NEVER, () -> true, SILENT)) {
            runs++;
        }

        // Fourteen steps, and the end of the first of two epochs; then one that does the rest.
        assertThat(runs).isEqualTo(16);
        assertSame(broken, unbroken);
    }

    @Test
    void run_stoppedWhileValidating_endsWithTheEpoch() throws Exception {
        AtomicBoolean asked = new AtomicBoolean();
        Notes notes = new Notes() {
            @Override
            public void validated(int epoch, int images) {
                asked.set(true);
            }
        };
        assertThat(Runs.run(directory, Runs.recipe("sgd", 2), -1, 2, NEVER, asked::get, notes))
                .isFalse();
        assertThat(notes.steps).hasSize(7);
        assertThat(new RunFolder(directory).metrics()).hasSize(1);
    }

    @Test
    void run_thatIsDone_canBeResumed() throws Exception {
        Path once = directory.resolve("once");
        Path twice = directory.resolve("twice");
        Recipe recipe = Runs.recipe("sgd", 3);
        Runs.run(once, recipe, -1, 3, NEVER, () -> false, SILENT);
        Runs.run(twice, recipe, -1, 2, NEVER, () -> false, SILENT);
        Runs.run(twice, recipe, -1, 3, NEVER, () -> false, SILENT);

        assertSame(twice, once);
        assertThat(Runs.run(twice, recipe, -1, 3, NEVER, () -> false, SILENT)).isTrue();
        assertSame(twice, once);
    }

    @Test
    void resume_afterACrashBetweenMetricsAndState_makesTheEpochAgain() throws Exception {
        Path unbroken = directory.resolve("unbroken");
        Path crashed = directory.resolve("crashed");
        Recipe recipe = Runs.recipe("sgd", 2);
        Runs.run(unbroken, recipe, -1, 2, NEVER, () -> false, SILENT);
        Runs.run(crashed, recipe, -1, 1, NEVER, () -> false, SILENT);
        byte[] state = Files.readAllBytes(crashed.resolve("last/state.safetensors"));
        Runs.run(crashed, recipe, -1, 2, NEVER, () -> false, SILENT);
        Files.write(crashed.resolve("last/state.safetensors"), state);
        Files.writeString(crashed.resolve("last/.state.safetensors.1f.tmp"), "half");
        Runs.run(crashed, recipe, -1, 2, NEVER, () -> false, SILENT);

        assertSame(crashed, unbroken);
        assertThat(crashed.resolve("last/.state.safetensors.1f.tmp")).doesNotExist();
    }

    @Test
    void run_thatDiverges_namesStepAndBatchAndKeepsTheLastGoodState() throws Exception {
        Recipe recipe = Runs.recipe("sgd", 2);
        Notes notes = new Notes();

        assertThatExceptionOfType(DivergedException.class)
                .isThrownBy(() -> Runs.run(directory, recipe, 17, 2, NEVER, () -> false, notes))
                .satisfies(e -> assertThat(e.step()).isEqualTo(notes.steps.size()))
                .withMessageMatching(
                        "epoch 1, batch " + (notes.steps.size() + 1) + "?\\d*, step \\d+: the loss is NaN .*");
        int steps = notes.steps.size();
        // The weights after the same number of good steps, computed in another way.
        Path before = directory.resolve("before");
        AtomicInteger taken = new AtomicInteger();
        Runs.run(before, recipe, -1, 2, NEVER, () -> taken.incrementAndGet() == steps, SILENT);
        Map<String, float[]> expected = new LinkedHashMap<>();
        try (NDManager manager = NDManager.newBaseManager("PyTorch");
                Learner learner = new Learner(SmallNetworks.dynamic(manager), recipe)) {
            if (steps > 0) {
                learner.restore(before.resolve("last/state.safetensors"));
            }
            expected.putAll(SmallNetworks.values(learner.network()));
        }
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Path file = directory.resolve("last/diverged.safetensors");
            WeightSaver.save(directory.resolve("copy.safetensors"), SmallNetworks.dynamic(manager));
            assertThat(file).hasSize(Files.size(directory.resolve("copy.safetensors")));
            StateDict.of(Checkpoint.read(file)).tensors().forEach((name, tensor) -> {
                float[] good = Objects.requireNonNull(expected.get(name));
                FloatBuffer values = FloatBuffer.allocate(good.length);
                tensor.toFloats(values);
                assertThat(values.array()).as(name).isEqualTo(good);
            });
        }
    }

    @Test
    void run_thatMeetsABadSample_savesWhatItHas() throws Exception {
        Recipe recipe = Runs.recipe("sgd", 2);
        Notes notes = new Notes();

        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Runs.run(directory, recipe, Runs.UNREADABLE, 2, NEVER, () -> false, notes))
                .withMessage("noise 17: is broken");
        assertThat(Checkpoint.read(directory.resolve("last/state.safetensors"))
                        .metadata()
                        .get("convzoo.step"))
                .isEqualTo(Integer.toString(notes.steps.size()));
        Path whole = directory.resolve("whole");
        Runs.run(whole, recipe, -1, 2, NEVER, () -> false, SILENT);
        Runs.run(directory, recipe, -1, 2, NEVER, () -> false, SILENT);
        assertSame(directory, whole);
    }

    @Test
    void run_inAFolderOfAnother_isRefused() throws Exception {
        Recipe recipe = Runs.recipe("sgd", 1);
        assertThatExceptionOfType(IllegalStateException.class)
                .isThrownBy(() -> Runs.run(
                        directory,
                        recipe,
                        -1,
                        1,
                        NEVER,
                        () -> {
                            try {
                                return Runs.run(directory, recipe, -1, 1, NEVER, () -> false, SILENT);
                            } catch (Exception e) {
                                throw new IllegalStateException(e);
                            }
                        },
                        SILENT))
                .withMessageContaining(directory + ": another run is using this folder");
        // Not any more.
        assertThat(Runs.run(directory, recipe, -1, 1, NEVER, () -> false, SILENT))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.safetensors", "metrics.csv", "last/model.safetensors", "last/state.safetensors"})
    void run_thatCannotWriteAFile_resumesToTheSameBitsWhenItCan(String file) throws Exception {
        Recipe recipe = Runs.recipe("adamw", 2);
        Path unbroken = directory.resolve("unbroken");
        Runs.run(unbroken, recipe, -1, 2, NEVER, () -> false, SILENT);
        Path broken = directory.resolve("broken");
        Path blocked = broken.resolve(file);

        // Not before, for what is there at the beginning is read.
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Runs.run(broken, recipe, -1, 2, NEVER, () -> false, new TrainingRun.Listener() {
                    @Override
                    public void stepped(int epoch, int batch, int batches, StepResult result) {
                        if (epoch == 1 && batch == 2) {
                            assertThat(blocked.toFile().mkdir()).isTrue();
                        }
                    }
                }))
                .withMessageStartingWith(blocked.toString());
        Files.delete(blocked);
        assertThat(Runs.run(broken, recipe, -1, 2, NEVER, () -> false, SILENT)).isTrue();
        assertSame(broken, unbroken);
    }

    @Test
    void run_whoseWeightsGiveNoNumbers_keepsTheGoodOnes() throws Exception {
        Recipe recipe = Recipe.of(new Optimizer.Sgd(0, false, WeightDecay.NONE), new Schedule.Constant(0.01));
        RunFolder folder = RunFolder.create(directory);
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Block network = SmallNetworks.dynamic(manager);
            try (Learner learner = new Learner(network, recipe);
                    TrainingRun run = new TrainingRun(
                            folder,
                            learner,
                            SavedModel.ofWeights(network),
                            Runs.training(-1),
                            Optional.of(Runs.validation()),
                            RunOptions.usual().withSaveEvery(NEVER))) {
                run.run(1, () -> false, SILENT);
                byte[] good = Files.readAllBytes(folder.lastWeights());
                TrainingRun.Listener ruin = new TrainingRun.Listener() {
                    @Override
                    public void stepped(int epoch, int batch, int batches, StepResult result) {
                        if (batch == batches) {
                            NDArray first = network.getParameters().valueAt(0).getArray();
                            try (NDArray nothing = first.mul(Float.NaN)) {
                                Values.set(first, nothing);
                            }
                        }
                    }
                };

                assertThatExceptionOfType(DivergedException.class)
                        .isThrownBy(() -> run.run(2, () -> false, ruin))
                        .withMessageStartingWith("epoch 2: the validation loss is NaN; try a lower learning rate");
                assertThat(folder.lastWeights()).hasBinaryContent(good);
                assertThat(folder.best()).hasBinaryContent(good);
                assertThat(folder.metrics()).hasSize(1);
            }
        }
    }

    @Test
    void run_thatNeverSavesInBetween_isPossible() throws Exception {
        Duration forever = ChronoUnit.FOREVER.getDuration();
        assertThat(Runs.run(directory, Runs.recipe("sgd", 1), -1, 1, forever, () -> false, SILENT))
                .isTrue();
    }

    @Test
    void metrics_thatAreNotFinite_areNullInJson() throws IOException {
        RunFolder folder = RunFolder.create(directory);
        EpochMetrics metrics =
                new EpochMetrics(1, 7, 0.1, 1, Double.NaN, 0.5, Double.POSITIVE_INFINITY, 0.5, 1, 0.5, 2, 3);
        folder.writeMetrics(List.of(metrics));

        assertThat(directory.resolve("metrics.jsonl")).content().contains("\"train_loss\":null,", "\"val_loss\":null,");
        assertThat(folder.metrics().get(0).valLoss()).isNaN();
        assertThat(folder.metrics().get(0).step()).isEqualTo(7);
    }

    @Test
    void run_whoseFolderGoesAway_saysSoAndKeepsWhatItHas() throws Exception {
        AtomicInteger steps = new AtomicInteger();
        Path last = directory.resolve("last");

        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Runs.run(
                        directory, Runs.recipe("sgd", 3), -1, 3, NEVER, () -> false, new TrainingRun.Listener() {
                            @Override
                            public void stepped(int epoch, int batch, int batches, StepResult result) {
                                if (steps.incrementAndGet() == 10) {
                                    try {
                                        Files.move(last, directory.resolve("away"));
                                    } catch (IOException e) {
                                        throw new IllegalStateException(e);
                                    }
                                }
                            }
                        }))
                .withMessageContaining("directory " + last.toAbsolutePath());
        assertThat(directory.resolve("model.safetensors")).exists();
        assertThat(new RunFolder(directory).metrics()).hasSize(1);
    }

    @Test
    void resume_withWhatIsNoState_isRefused() throws Exception {
        Recipe recipe = Runs.recipe("sgd", 1);
        Runs.run(directory, recipe, -1, 1, NEVER, () -> false, SILENT);
        Path state = directory.resolve("last/state.safetensors");
        byte[] good = Files.readAllBytes(state);

        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Runs.run(directory, Runs.recipe("adamw", 1), -1, 2, NEVER, () -> false, SILENT))
                .withMessageContaining("was saved with the optimizer sgd");
        Files.copy(directory.resolve("model.safetensors"), state, StandardCopyOption.REPLACE_EXISTING);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Runs.run(directory, recipe, -1, 2, NEVER, () -> false, SILENT))
                .withMessageContaining("not a saved training state");
        Files.write(state, Arrays.copyOf(good, good.length / 2));
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Runs.run(directory, recipe, -1, 2, NEVER, () -> false, SILENT))
                .withMessageStartingWith(state.toString());
        Files.write(state, good);
        Path metrics = directory.resolve("metrics.jsonl");
        String first = Files.readAllLines(metrics).get(0);
        for (String damaged : List.of("no json", "null", "{\"epoch\":1}")) {
            Files.writeString(metrics, first + "\n" + damaged + "\n");
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> Runs.run(directory, recipe, -1, 2, NEVER, () -> false, SILENT))
                    .withMessage(metrics + ": line 2 is damaged; remove the file");
        }
    }

    @Test
    void resume_withOtherData_isRefused() throws Exception {
        Recipe recipe = Runs.recipe("sgd", 1).withAnnealing(Optional.empty(), 1);
        AtomicInteger steps = new AtomicInteger();
        Runs.run(directory, recipe, -1, 1, NEVER, () -> steps.incrementAndGet() == 5, SILENT);

        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Block network = SmallNetworks.dynamic(manager);
            BatchLoader fewer = new BatchLoader(new Runs.Noise(20, -1), LoaderOptions.training(8, 3), bad -> {});
            try (Learner learner = new Learner(network, recipe);
                    TrainingRun run = new TrainingRun(
                            RunFolder.open(directory),
                            learner,
                            SavedModel.ofWeights(network),
                            fewer,
                            Optional.of(Runs.validation()),
                            RunOptions.usual().withSaveEvery(NEVER))) {
                assertThatExceptionOfType(IOException.class)
                        .isThrownBy(run::resume)
                        .withMessageContainingAll("saved with other images", "60:", "20:");
            }
        }
    }

    @Test
    void run_withAnnealingOfOtherEpochs_isRefused() throws Exception {
        Recipe recipe = Runs.recipe("sgd", 1).withAnnealing(Optional.of(Annealing.PAPER), 5);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> Runs.run(directory, recipe, -1, 1, NEVER, () -> false, SILENT))
                .withMessage(
                        "the recipe's epochs have 5 steps, but the data's have 7; use the data's for the annealing");
    }

    @Test
    void folder_thatIsNone_isRefused() throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "");

        assertThatIllegalArgumentException()
                .isThrownBy(() -> RunFolder.create(file))
                .withMessage(file + ": not a folder; choose a folder for the run");
        // What a process leaves that is killed while it makes the folder.
        Path begun = directory.resolve("begun");
        Files.createDirectories(begun.resolve("last"));
        Files.writeString(begun.resolve(".train.json.2a.tmp"), "{");
        assertThat(RunFolder.create(begun).path()).isEqualTo(begun);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RunFolder.create(directory))
                .withMessageStartingWith(directory + ": not empty");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> RunFolder.create(file.resolve("below")))
                .withMessageContaining("cannot be created because " + directory.resolve("file") + " is not a folder");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> RunFolder.open(directory))
                .withMessage(directory + ": no training run found here (no train.json)");
    }
}
