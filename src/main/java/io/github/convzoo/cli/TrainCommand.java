package io.github.convzoo.cli;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.nn.Block;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.DataSummary;
import io.github.convzoo.data.LabeledImages;
import io.github.convzoo.data.LoaderOptions;
import io.github.convzoo.data.Pipeline;
import io.github.convzoo.data.Split;
import io.github.convzoo.network.Network;
import io.github.convzoo.train.DivergedException;
import io.github.convzoo.train.EpochMetrics;
import io.github.convzoo.train.Features;
import io.github.convzoo.train.Head;
import io.github.convzoo.train.Learner;
import io.github.convzoo.train.Recipe;
import io.github.convzoo.train.RunFolder;
import io.github.convzoo.train.TrainingRun;
import io.github.convzoo.weights.WeightSaver;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "train",
        description = "Train a network, from scratch or from weights.",
        sortOptions = false,
        footer = {
            "",
            "The run's folder holds best.safetensors, last/, config.json, labels.txt, metrics.csv and metrics.jsonl,"
                    + " curves.png, log.txt, and of the best weights the confusion matrix and each class's accuracy as"
                    + " .csv and .png. Ctrl-C ends the step and saves.",
            "",
            "Examples:",
            "  convzoo train --model peleenet --dataset fashion-mnist --data fashion-mnist/ --output run --epochs 20",
            "  convzoo train --model dla34 --pretrained --data flowers/ --output run --freeze 'level0.*' --head-lr 10",
            "  convzoo train --model dla34 --pretrained --data flowers/ --output run --head-only",
            "  convzoo train --resume run"
        })
final class TrainCommand implements Callable<Integer> {

    /** What may be given anew when a run is gone on with. */
    private static final Set<String> ANEW = Set.of(
            "--resume",
            "--epochs",
            "--data",
            "--val-data",
            "--root",
            "--on-bad-image",
            "--save-every",
            "--workers",
            "--device",
            "--devices",
            "--threads",
            "--json",
            "--verbose");

    private static final String ENGINE = "PyTorch";
    private static final int SECONDS_A_MINUTE = 60;

    @Spec
    CommandSpec spec = CommandSpec.create();

    @ParentCommand
    Main main = Main.inProcess();

    @Option(names = "--output", paramLabel = "DIR", description = "The run's folder; empty, or not there.")
    @Nullable Path output;

    @Option(
            names = "--resume",
            paramLabel = "DIR",
            description = "Go on with the run in a folder, as its config.json says. Given anew may be --epochs,"
                    + " --on-bad-image, --save-every, where the data lie (--data, --val-data, --root), and where and on"
                    + " how many threads to compute (--device, --devices, --threads, --workers).")
    @Nullable Path resume;

    @Mixin
    TrainPlan plan = new TrainPlan();

    @Option(
            names = "--devices",
            paramLabel = "D,D",
            split = ",",
            description = "Several devices that share every batch, such as gpu0,gpu1.")
    List<String> devices = new ArrayList<>();

    @Option(names = "--json", description = "Print the result as JSON; accuracies are fractions.")
    boolean json;

    @Mixin
    ComputeOptions compute = new ComputeOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    /** What tells of images that cannot be read, once the run has begun. */
    private @Nullable TrainLog log;

    /** What is computed before. */
    private @Nullable ProgressBar bar;

    /** What the log of a run that has not begun lacks. */
    private final List<String> unlogged = new ArrayList<>();

    private record Result(
            String folder,
            int epochs,
            int bestEpoch,
            double bestTop1,
            double lastTop1,
            double lastTop5,
            @Nullable Double lastLoss) {}

    @Override
    public Integer call() throws Exception {
        if (!devices.isEmpty() && compute.device != null) {
            throw new IllegalArgumentException("--device and --devices exclude each other");
        }
        Path path = output;
        if ((path == null) == (resume == null)) {
            throw new IllegalArgumentException("give --output for a new run, or --resume to go on with one");
        }
        @Nullable RunFolder begun = resume == null ? null : resumed(resume);
        takeComputing();
        Optional<Device> device = compute.apply();
        List<Device> shared = devices.stream().map(ComputeOptions::device).toList();
        Optional<Device> first = shared.isEmpty() ? device : Optional.of(shared.get(0));
        plan.check();
        plan.makeAbsolute();
        if (path != null) {
            RunFolder.requireFree(path);
            plan.requireOutside(path);
        }
        Split split = plan.split();
        DataSummary.of(split, split.training().size() / plan.batchSize).forEach(this::found);
        int classes = split.training().classes().size();
        PrintWriter err = spec.commandLine().getErr();
        Loaders loaders = plan.headOnly ? features(split, first) : images(split);
        // Random initial weights are drawn from it.
        Engine.getEngine(ENGINE).setRandomSeed((int) plan.seed);
        RunFolder folder = begun == null ? new RunFolder(Objects.requireNonNull(path)) : begun;
        try (ZooModel<?, ?> loaded = network(classes, first);
                Interruption interruption = new Interruption(main.ended, err)) {
            Network network = (Network) loaded.getBlock();
            Block learning = plan.headOnly ? new Head(network) : network;
            Recipe recipe = plan.recipe(network, loaders.training().batches());
            try (Learner learner = new Learner(learning, recipe, shared);
                    TrainingRun run = new TrainingRun(
                            folder,
                            learner,
                            network,
                            loaders.training(),
                            loaders.validation(),
                            Duration.ofMillis(Math.round(plan.saveEvery * SECONDS_A_MINUTE * 1000)));
                    TrainLog shown = new TrainLog(folder, err, plan, loaders)) {
                log = shown;
                if (begun == null) {
                    // After all that can be wrong, so that the next try finds no folder in its way.
                    RunFolder.create(folder.path());
                }
                // Locks the folder, a new one too.
                if (run.resume()) {
                    shown.resumed(run);
                }
                // With what was given anew, now that nothing speaks against it.
                folder.write(RunFolder.CONFIG, plan.toJson());
                unlogged.forEach(shown::append);
                if (plan.headOnly && !Files.exists(folder.start())) {
                    WeightSaver.save(folder.start(), network);
                }
                learner.recipe().annealing().ifPresent(shown::warnOfAnnealing);
                if (!run.run(plan.epochs, interruption::isAskedFor, shown)) {
                    shown.note("stopped and saved; go on with: convzoo train --resume " + quoted(folder.path()));
                    return Main.FAILED;
                }
                print(folder);
            }
        } catch (DivergedException e) {
            throw new IOException(e.getMessage() + whatIsLeft(folder, e), e);
        }
        return Main.DONE;
    }

    /** What there is to start anew from when a run has diverged: gone on with, it would again. */
    private static String whatIsLeft(RunFolder folder, DivergedException problem) {
        List<String> left = new ArrayList<>();
        if (Files.exists(folder.best())) {
            left.add("the best so far are in " + folder.best());
        }
        if (Files.exists(folder.lastWeights())) {
            left.add("those of the last whole epoch are in " + folder.lastWeights());
        }
        if (!problem.isValidation() && Files.exists(folder.diverged())) {
            left.add("those before this step are in " + folder.diverged());
        }
        return left.isEmpty()
                ? "; start a new run"
                : "; of the weights " + String.join(", ", left) + "; a new run takes them with --weights";
    }

    private static String quoted(Path path) {
        String text = path.toString();
        return text.matches("[\\w./\\\\:@%+=,~-]+") ? text : '"' + text + '"';
    }

    /** Where and on how many threads: bits depend on it, so a run goes on where it was begun, unless it is given anew. */
    private void takeComputing() {
        if (compute.threads == null) {
            compute.threads = plan.threads;
        }
        if (compute.device == null && devices.isEmpty()) {
            compute.device = plan.device;
            devices = plan.devices;
        }
        plan.threads = compute.threads;
        plan.device = compute.device;
        plan.devices = devices;
    }

    /**
     * What a run learns from and validates with.
     *
     * @param images what reads the images, where the others give features
     */
    record Loaders(BatchLoader training, BatchLoader validation, List<BatchLoader> images) {

        int badImages() {
            return images.stream().mapToInt(BatchLoader::badImages).sum();
        }
    }

    private Loaders images(Split split) {
        BatchLoader training = loader(split.training(), plan.pipeline(), plan.loading());
        BatchLoader validation =
                loader(split.validation(), Pipeline.evaluation(plan.preprocessing()), plan.validating());
        return new Loaders(training, validation, List.of(training, validation));
    }

    private BatchLoader loader(LabeledImages images, Pipeline pipeline, LoaderOptions options) {
        return new BatchLoader(images, pipeline, options, this::skipped);
    }

    private void found(String line) {
        String text = Main.oneLine(line);
        spec.commandLine().getErr().println(text);
        unlogged.add(text);
    }

    private void skipped(IOException bad) {
        String line = "skipped: " + Main.oneLine(bad.getMessage());
        if (log != null) {
            log.noteInPassing(line);
            return;
        }
        if (bar != null) {
            bar.clear();
        }
        spec.commandLine().getErr().println(line);
        unlogged.add(line);
    }

    /** Every image's features, computed once by the network without its classifier. */
    private Loaders features(Split split, Optional<Device> device) throws IOException, InterruptedException {
        try (ZooModel<?, ?> backbone = network(0, device)) {
            BatchLoader training =
                    loader(split.training(), Pipeline.evaluation(plan.preprocessing()), plan.validating());
            BatchLoader validation =
                    loader(split.validation(), Pipeline.evaluation(plan.preprocessing()), plan.validating());
            return new Loaders(
                    new BatchLoader(features(backbone, training), plan.loading(), bad -> {}),
                    new BatchLoader(features(backbone, validation), plan.validating(), bad -> {}),
                    List.of(training, validation));
        }
    }

    private Features features(ZooModel<?, ?> backbone, BatchLoader images) throws IOException, InterruptedException {
        ProgressBar shown =
                new ProgressBar(spec.commandLine().getErr(), images.samples().size(), ProgressBar.Unit.IMAGES);
        bar = shown;
        try {
            return Features.of(
                    backbone.getBlock(), backbone.getNDManager(), images, done -> shown.update(done, "features ", ""));
        } finally {
            shown.clear();
        }
    }

    /** Opens a run's folder, and takes over what the run was started with. */
    private RunFolder resumed(Path path) throws IOException {
        List<String> given = spec.commandLine().getParseResult().matchedOptions().stream()
                .map(OptionSpec::longestName)
                .filter(name -> !ANEW.contains(name))
                .toList();
        if (!given.isEmpty()) {
            throw new IllegalArgumentException(
                    "--resume goes on as the run was begun: leave " + String.join(", ", given) + " out");
        }
        RunFolder folder = RunFolder.open(path);
        TrainPlan begun = TrainPlan.read(folder.config());
        if (spec.commandLine().getParseResult().hasMatchedOption("--epochs")) {
            begun.epochs = plan.epochs;
        }
        if (spec.commandLine().getParseResult().hasMatchedOption("--on-bad-image")) {
            begun.onBadImage = plan.onBadImage;
        }
        if (spec.commandLine().getParseResult().hasMatchedOption("--save-every")) {
            begun.saveEvery = plan.saveEvery;
        }
        if (!plan.data.isEmpty()) {
            begun.data = plan.data;
        }
        if (plan.valData != null) {
            begun.valData = plan.valData;
        }
        if (plan.root != null) {
            begun.root = plan.root;
        }
        if (plan.workers != null) {
            begun.workers = plan.workers;
        }
        plan = begun;
        return folder;
    }

    /**
     * The network that learns, or with no class the one that features are made with. A run that has saved something needs
     * nothing of what it was begun with: the state has all that learns, and where the head alone does, the start was kept.
     */
    private ZooModel<?, ?> network(int classes, Optional<Device> device) throws IOException {
        @Nullable RunFolder begun = resume == null ? null : new RunFolder(resume);
        boolean restored = begun != null && !plan.headOnly && Files.exists(begun.state());
        @Nullable Path weights = plan.weights == null ? null : Path.of(plan.weights);
        if (begun != null && plan.headOnly && Files.exists(begun.start())) {
            weights = begun.start();
        }
        LoadOptions options = weights == null ? LoadOptions.published() : LoadOptions.of(weights);
        options = options.withStore(main.store())
                .withProgress(new DownloadBar(spec.commandLine().getErr()))
                .withNumClasses(classes)
                .withPreprocessing(plan.preprocessing())
                .forTraining();
        if (device.isPresent()) {
            options = options.withDevice(device.get());
        }
        return restored || (!plan.pretrained && weights == null)
                ? ConvZoo.untrained(plan.model, options)
                : ConvZoo.loadLogits(plan.model, options);
    }

    private void print(RunFolder folder) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        List<EpochMetrics> all = folder.metrics();
        if (all.isEmpty()) {
            throw new IOException(folder.path() + ": its metrics are gone; the weights are there");
        }
        EpochMetrics best = all.get(0);
        for (EpochMetrics each : all) {
            best = each.valTop1() > best.valTop1() ? each : best;
        }
        EpochMetrics last = all.get(all.size() - 1);
        if (json) {
            out.println(Json.of(new Result(
                    folder.path().toString(),
                    all.size(),
                    best.epoch(),
                    best.valTop1(),
                    last.valTop1(),
                    last.valTop5(),
                    Double.isFinite(last.valLoss()) ? last.valLoss() : null)));
            return;
        }
        out.printf(Locale.ROOT, "best   %.2f %% top-1, epoch %d%n", 100 * best.valTop1(), best.epoch());
        out.printf(Locale.ROOT, "last   %.2f %% top-1, epoch %d%n", 100 * last.valTop1(), last.epoch());
        out.println("folder " + folder.path());
    }

    /**
     * While this is open, a process that is told to end, as by Ctrl-C, asks for the end of the step and waits until
     * everything is saved and said.
     */
    private static final class Interruption implements AutoCloseable {

        private final CountDownLatch ended;
        private final PrintWriter err;
        private final Thread hook = new Thread(this::await, "convzoo-train-stop");
        private volatile boolean asked;

        Interruption(CountDownLatch ended, PrintWriter err) {
            this.ended = ended;
            this.err = err;
            Runtime.getRuntime().addShutdownHook(hook);
        }

        boolean isAskedFor() {
            return asked;
        }

        private void await() {
            asked = true;
            // On a terminal the bar's line is being written.
            err.println((Boolean.getBoolean("convzoo.terminal") ? System.lineSeparator() : "")
                    + "convzoo: stopping after this step, or when its epoch is validated; then all is saved");
            try {
                ended.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void close() {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                // The process is ending already.
            }
        }
    }
}
