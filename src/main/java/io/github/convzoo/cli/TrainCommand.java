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
import io.github.convzoo.image.ImageException;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.network.Network;
import io.github.convzoo.train.DivergedException;
import io.github.convzoo.train.EpochMetrics;
import io.github.convzoo.train.Features;
import io.github.convzoo.train.Head;
import io.github.convzoo.train.Learner;
import io.github.convzoo.train.Recipe;
import io.github.convzoo.train.RunFolder;
import io.github.convzoo.train.SavedModel;
import io.github.convzoo.train.TrainingRun;
import io.github.convzoo.weights.ModelConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
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
        description = "Train a network from scratch, or fine-tune one.",
        sortOptions = false,
        footer = {
            "",
            "The run's folder is a model folder with the best weights (config.json and model.safetensors), which"
                    + " predict,"
                    + " eval, and convert accept. last/ is a model folder with the last weights. The run's folder"
                    + " also has the"
                    + " options (train.json), labels.txt, metrics.csv, metrics.jsonl, curves.png, log.txt, and the"
                    + " best weights'"
                    + " confusion matrix and per-class accuracy as .csv and .png. Ctrl-C finishes the step and saves.",
            "",
            "Examples:",
            "  convzoo train --model peleenet --dataset fashion-mnist --data fashion-mnist/ --output run --epochs 20",
            "  convzoo train --model dla34 --pretrained --data flowers/ --output run --freeze 'level0.*' --head-lr 10",
            "  convzoo train --model dla34 --pretrained --data flowers/ --output run --head-only",
            "  convzoo train --resume run",
            "  convzoo predict photo.jpg --model run"
        })
final class TrainCommand implements Callable<Integer> {

    /** Options that may change when a run is resumed. */
    private static final Set<String> ANEW = Set.of(
            "--resume",
            "--epochs",
            "--patience",
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

    @Spec
    CommandSpec spec = CommandSpec.create();

    @ParentCommand
    Main main = Main.inProcess();

    @Option(names = "--output", paramLabel = "DIR", description = "The run's folder; it must be empty or not exist.")
    @Nullable Path output;

    @Option(
            names = "--resume",
            paramLabel = "DIR",
            description = "Resume the run in a folder, with the options in its train.json. You can change --epochs,"
                    + " --patience, --on-bad-image, --save-every, the location of the data (--data, --val-data,"
                    + " --root), and"
                    + " the devices and number of threads (--device, --devices, --threads, --workers).")
    @Nullable Path resume;

    @Mixin
    TrainOptions options = new TrainOptions();

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

    /** Reports images that cannot be read, once the run has begun. */
    private @Nullable TrainLog log;

    /** The progress of computation before the run begins. */
    private @Nullable ProgressBar bar;

    /** Lines to log once the run's log exists. */
    private final List<String> unlogged = new ArrayList<>();

    private record Result(
            String folder,
            int epochs,
            int bestEpoch,
            @Nullable Double bestTop1,
            @Nullable Double bestBalanced,
            @Nullable Double lastTop1,
            @Nullable Double lastTop5,
            @Nullable Double lastBalanced,
            @Nullable Double lastLoss) {}

    @Override
    public Integer call() throws Exception {
        if (!devices.isEmpty() && compute.device != null) {
            throw new IllegalArgumentException("--device and --devices are mutually exclusive");
        }
        Path path = output;
        if ((path == null) == (resume == null)) {
            throw new IllegalArgumentException("pass --output to start a run, or --resume to resume one");
        }
        @Nullable RunFolder begun = resume == null ? null : resumed(resume);
        takeComputing();
        Optional<Device> device = compute.apply();
        List<Device> shared = devices.stream().map(ComputeOptions::device).toList();
        Optional<Device> first = shared.isEmpty() ? device : Optional.of(shared.get(0));
        TrainChecks.check(options);
        Engine engine = Engine.getEngine(ENGINE);
        TrainChecks.devices(options, shared.isEmpty() ? List.of(device.orElse(engine.defaultDevice())) : shared);
        if (options.model.isEmpty() && options.weights != null) {
            options.model = options.weights;
            options.weights = null;
        }
        options.makeAbsolute();
        if (path != null) {
            RunFolder.requireFree(path);
            TrainChecks.requireOutside(options, path);
        }
        PrintWriter err = spec.commandLine().getErr();
        TrainStart start = TrainStart.of(options, begun, main, common, err);
        TrainFactory factory = new TrainFactory(options);
        TrainFactory.Data data = factory.data(start.config().upright());
        describe(data);
        if (begun == null && start.open() == null) {
            TrainChecks.fewSteps(
                            options, (long) options.epochs * (data.training().size() / options.batchSize))
                    .ifPresent(this::found);
        }
        RunFolder folder = begun == null ? new RunFolder(Objects.requireNonNull(path)) : begun;
        // Seeds the random initial weights.
        engine.setRandomSeed((int) options.seed);
        try (ZooModel<?, ?> loaded = start.network(data.training().classes(), first);
                Interruption interruption = new Interruption(main.ended, err)) {
            Network network = (Network) loaded.getBlock();
            ModelConfig config = start.config(network, data.training().classes());
            Loaders loaders =
                    options.headOnly ? features(start, factory, data, config, first) : images(factory, data, config);
            Block learning = options.headOnly ? new Head(network) : network;
            Recipe recipe = factory.recipe(network, loaders.training().batches(), TrainFactory.counts(data.training()));
            try (Learner learner = new Learner(learning, recipe, shared);
                    TrainingRun run = new TrainingRun(
                            folder,
                            learner,
                            SavedModel.of(network, config),
                            loaders.training(),
                            loaders.validation(),
                            factory.run());
                    TrainLog shown = new TrainLog(folder, err, options, loaders)) {
                log = shown;
                if (begun == null) {
                    // After all checks, so that a failed attempt does not leave a folder in the way of the next.
                    RunFolder.create(folder.path());
                }
                try {
                    return train(folder, run, learner, shown, interruption, SavedModel.of(network, config));
                } catch (DivergedException | IOException | InterruptedException | RuntimeException | Error e) {
                    if (begun == null) {
                        removeUnlessSaved(folder, run, e);
                    }
                    throw e;
                }
            }
        } catch (DivergedException e) {
            throw new IOException(e.getMessage() + whatIsLeft(folder, e), e);
        } catch (IOException e) {
            if (!(e instanceof ImageException || e.getCause() instanceof ImageException)) {
                throw e;
            }
            // After a step, the images must stay the same.
            throw new IOException(
                    e.getMessage()
                            + (Files.exists(folder.options())
                                    ? "; or skip such images: convzoo train --resume " + quoted(folder.path())
                                            + " --on-bad-image skip"
                                    : "; or remove it, or pass --on-bad-image skip"),
                    e);
        }
    }

    private int train(
            RunFolder folder,
            TrainingRun run,
            Learner learner,
            TrainLog shown,
            Interruption interruption,
            SavedModel saved)
            throws DivergedException, IOException, InterruptedException {
        // Also locks a new folder.
        boolean resumed = run.resume();
        long batches = learner.recipe().stepsPerEpoch();
        // The options given on resuming are saved only after all checks passed.
        folder.write(RunFolder.OPTIONS, options.toJson());
        unlogged.forEach(shown::append);
        if (resumed) {
            shown.resumed(run);
            if (run.epochs() >= options.epochs) {
                shown.note("the run is complete; to train longer, pass an --epochs above " + options.epochs);
            }
        }
        if (options.headOnly && !Files.exists(folder.start())) {
            saved.writeTo(folder.start());
        }
        learner.recipe().annealing().ifPresent(shown::warnOfAnnealing);
        shown.begins((long) run.epochs() * batches + run.batches(), learner.device());
        if (!run.run(options.epochs, interruption::isAskedFor, shown)) {
            shown.note("stopped and saved; resume with: convzoo train --resume " + quoted(folder.path()));
            return Main.FAILED;
        }
        print(folder);
        return Main.DONE;
    }

    /** Removes the folder of a run that failed before it saved anything, so that the corrected command can use it. */
    private static void removeUnlessSaved(RunFolder folder, TrainingRun run, Throwable problem) {
        run.close();
        try {
            folder.removeUnlessSaved();
        } catch (IOException e) {
            problem.addSuppressed(e);
        }
    }

    private void describe(TrainFactory.Data data) {
        List<String> lines = data.validation()
                .map(validation -> DataSummary.of(
                        new Split(data.training(), validation), data.training().size() / options.batchSize))
                .orElseGet(() -> DataSummary.of(data.training()));
        lines.forEach(this::found);
        if (data.validation().isEmpty()) {
            found("no validation: the last weights count as the best");
        }
    }

    /** The weights that a diverged run leaves to start a new run from; resuming it would diverge again. */
    private static String whatIsLeft(RunFolder folder, DivergedException problem) {
        List<String> left = new ArrayList<>();
        if (Files.exists(folder.best())) {
            left.add("the best weights so far are in " + folder.best());
        }
        if (Files.exists(folder.lastWeights())) {
            left.add("those of the last epoch are in " + folder.lastWeights());
        }
        if (!problem.isValidation() && Files.exists(folder.diverged())) {
            left.add("the weights before this step are in " + folder.diverged());
        }
        return left.isEmpty()
                ? "; start a new run"
                : "; " + String.join(", ", left) + "; start a new run from them with --weights";
    }

    private static String quoted(Path path) {
        String text = path.toString();
        return text.matches("[\\w./\\\\:@%+=,~-]+") ? text : '"' + text + '"';
    }

    /** The device and number of threads affect the exact results, so a resumed run keeps them unless they are given. */
    private void takeComputing() {
        if (compute.threads == null) {
            compute.threads = options.threads;
        }
        if (compute.device == null && devices.isEmpty()) {
            compute.device = options.device;
            devices = options.devices;
        }
        options.threads = compute.threads;
        options.device = compute.device;
        options.devices = devices;
    }

    /**
     * The data that a run trains on and validates with.
     *
     * @param images the loaders that read images, even if the others serve features
     */
    record Loaders(BatchLoader training, Optional<BatchLoader> validation, List<BatchLoader> images) {

        int badImages() {
            return images.stream().mapToInt(BatchLoader::badImages).sum();
        }
    }

    private Loaders images(TrainFactory factory, TrainFactory.Data data, ModelConfig config) {
        Preprocessing preprocessing = config.preprocessing();
        BatchLoader training = loader(data.training(), factory.pipeline(preprocessing), factory.loading());
        Optional<BatchLoader> validation = data.validation()
                .map(images -> loader(images, Pipeline.evaluation(preprocessing), factory.validating()));
        return new Loaders(
                training,
                validation,
                validation.map(each -> List.of(training, each)).orElse(List.of(training)));
    }

    private BatchLoader loader(LabeledImages images, Pipeline pipeline, LoaderOptions loading) {
        return new BatchLoader(images, pipeline, loading, this::skipped);
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

    /** The features of every image, computed once by the network without its classifier. */
    private Loaders features(
            TrainStart start, TrainFactory factory, TrainFactory.Data data, ModelConfig config, Optional<Device> device)
            throws IOException, InterruptedException {
        try (ZooModel<?, ?> backbone = start.backbone(device)) {
            Pipeline pipeline = Pipeline.evaluation(config.preprocessing());
            BatchLoader training = loader(data.training(), pipeline, factory.validating());
            Features learned = features(backbone, training);
            BatchLoader features = new BatchLoader(learned, factory.loading(), bad -> {});
            if (data.validation().isEmpty()) {
                return new Loaders(features, Optional.empty(), List.of(training));
            }
            BatchLoader validation = loader(data.validation().get(), pipeline, factory.validating());
            return new Loaders(
                    features,
                    Optional.of(new BatchLoader(features(backbone, validation), factory.validating(), bad -> {})),
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

    /** Opens a run's folder and restores the options that the run was started with. */
    private RunFolder resumed(Path path) throws IOException {
        List<String> given = spec.commandLine().getParseResult().matchedOptions().stream()
                .map(OptionSpec::longestName)
                .filter(name -> !ANEW.contains(name))
                .toList();
        if (!given.isEmpty()) {
            throw new IllegalArgumentException("--resume keeps the run's options; omit " + String.join(", ", given));
        }
        RunFolder folder = RunFolder.open(path);
        TrainOptions begun = TrainOptions.read(folder.options());
        if (spec.commandLine().getParseResult().hasMatchedOption("--epochs")) {
            begun.epochs = options.epochs;
        }
        if (options.patience != null) {
            begun.patience = options.patience;
        }
        if (spec.commandLine().getParseResult().hasMatchedOption("--on-bad-image")) {
            begun.onBadImage = options.onBadImage;
        }
        if (spec.commandLine().getParseResult().hasMatchedOption("--save-every")) {
            begun.saveEvery = options.saveEvery;
        }
        if (!options.data.isEmpty()) {
            begun.data = options.data;
        }
        if (options.valData != null) {
            begun.valData = options.valData;
        }
        if (options.root != null) {
            begun.root = options.root;
        }
        if (options.workers != null) {
            begun.workers = options.workers;
        }
        options = begun;
        return folder;
    }

    private void print(RunFolder folder) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        List<EpochMetrics> all = folder.metrics();
        if (all.isEmpty()) {
            throw new IOException(folder.path() + ": the metrics file has no epochs, but the weights are intact");
        }
        EpochMetrics best = all.get(0);
        for (EpochMetrics each : all) {
            best = options.bestBy.isBetter(each, best) ? each : best;
        }
        EpochMetrics last = all.get(all.size() - 1);
        if (json) {
            out.println(Json.of(new Result(
                    folder.path().toString(),
                    all.size(),
                    best.epoch(),
                    finite(best.valTop1()),
                    finite(best.valBalanced()),
                    finite(last.valTop1()),
                    finite(last.valTop5()),
                    finite(last.valBalanced()),
                    finite(last.valLoss()))));
            return;
        }
        out.println("best   " + described(best));
        out.println("last   " + described(last));
        out.println("folder " + folder.path());
    }

    private static @Nullable Double finite(double value) {
        return Double.isFinite(value) ? value : null;
    }

    private static String described(EpochMetrics epoch) {
        return Double.isNaN(epoch.valTop1())
                ? "epoch %d, not validated".formatted(epoch.epoch())
                : String.format(
                        Locale.ROOT,
                        "%.2f %% top-1, %.2f %% balanced, epoch %d",
                        100 * epoch.valTop1(),
                        100 * epoch.valBalanced(),
                        epoch.epoch());
    }

    /**
     * While open, lets a process that is asked to exit, as by Ctrl-C, finish the step, and waits until everything is
     * saved and reported.
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
            // The terminal's current line holds the bar.
            err.println((Boolean.getBoolean("convzoo.terminal") ? System.lineSeparator() : "")
                    + "convzoo: stopping and saving after this step, or after validation if it ends an epoch");
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
                // The process is already exiting.
            }
        }
    }
}
