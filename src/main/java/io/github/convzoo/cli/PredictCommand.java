package io.github.convzoo.cli;

import ai.djl.Device;
import ai.djl.modality.Classifications;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.data.ImageFolder;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.plot.ImageGrid;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import io.github.convzoo.zoo.StreamResult;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "predict",
        description = "Classify images.",
        footer = {
            "",
            "An image that cannot be read is reported, and the others are still classified. With --grid, an image"
                    + " also shows "
                    + "its true class if its folder is named after one: correct predictions are green, wrong ones red.",
            "",
            "Examples:",
            "  convzoo predict photo.jpg",
            "  convzoo predict photo.jpg --model dla34",
            "  convzoo predict photos/ --recursive --model run --compiled --jsonl results.jsonl",
            "  convzoo predict photo.jpg --model dpn68b.ra_in1k --input-size 288",
            "  convzoo predict *.png --model peleenet --weights mine.pth --labels names.txt --json",
            "  convzoo predict --list names.txt --model hf-hub:timm/dla34.in1k",
            "  convzoo predict flowers/*/*.jpg --model run --grid grid.png"
        })
final class PredictCommand implements Callable<Integer> {

    private static final String STANDARD_OUTPUT = "-";

    /** The largest difference of probabilities by rounding. */
    private static final double SAME = 1e-5;

    @Spec
    CommandSpec spec = CommandSpec.create();

    @ParentCommand
    Main main = Main.inProcess();

    @Parameters(
            arity = "0..*",
            paramLabel = "IMAGE",
            description = "Image files (" + ImageDecoder.FORMATS + "), folders of images, or URLs; - for an image from"
                    + " standard input.")
    List<String> images = new ArrayList<>();

    @Option(
            names = "--list",
            paramLabel = "FILE",
            description = "A file that lists images, folders, or URLs, one per line; - for standard input.")
    @Nullable String list;

    @Option(names = "--recursive", description = "Also search subfolders.")
    boolean recursive;

    @Mixin
    ModelOptions model = new ModelOptions();

    @Option(
            names = "--labels",
            paramLabel = "FILE",
            description =
                    "The class names, one per line. Default: the model's, else ImageNet's if there are 1000 classes,"
                            + " else"
                            + " class numbers.")
    @Nullable Path labels;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            defaultValue = "5",
            description = "The number of classes to show, at least 1. Default: 5.")
    int topK = 5;

    @Option(
            names = "--grid",
            paramLabel = "FILE",
            description = "Draw the images with their predictions as a picture (.png). An existing file is replaced.")
    @Nullable Path grid;

    @Mixin
    InputOptions input = new InputOptions();

    @Option(names = "--json", description = "Print one JSON array at the end; probabilities are fractions.")
    boolean json;

    @Option(
            names = "--jsonl",
            arity = "0..1",
            fallbackValue = STANDARD_OUTPUT,
            paramLabel = "FILE",
            description = "Print one JSON object per line and image, as soon as it is classified; an image that cannot"
                    + " be read has an error instead of predictions. With FILE (.jsonl), write the lines there.")
    @Nullable String jsonl;

    @Option(
            names = "--csv",
            paramLabel = "FILE",
            description =
                    "Write a table with one row per image (.csv). An existing file is replaced when all images are"
                            + " done.")
    @Nullable Path csv;

    @Option(
            names = "--resume",
            description = "Keep the results in --jsonl FILE, and classify only the images without one.")
    boolean resume;

    @Mixin
    StreamingOptions streaming = new StreamingOptions();

    @Mixin
    CompileOptions compile = new CompileOptions();

    @Mixin
    ComputeOptions compute = new ComputeOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    /** An image to classify. Its pixels are kept for the grid. */
    private static final class Item {
        private final ImageNames.Entry entry;
        private @Nullable RgbImage pixels;

        Item(ImageNames.Entry entry) {
            this.entry = entry;
        }
    }

    @Override
    public Integer call() throws Exception {
        checkOutputs();
        ImageNames names = new ImageNames(images, Optional.ofNullable(list), recursive, main.in);
        Optional<Device> device = names.isOne() ? compute.apply() : compute.applyForMany();
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        if (grid != null) {
            checkGrid(grid);
        }
        model.chooseModel(main, err);
        ModelOptions.Opened opened =
                model.open(model.options(main, common, err).withTopK(topK), input, null, compile, device);
        LoadOptions options = opened.options();
        if (labels != null) {
            options = options.withLabels(Labels.read(labels));
        }
        ImageDecoder decoder = model.decoder(opened);
        try (ZooModel<RgbImage, Classifications> loaded = ConvZoo.load(opened.model(), RgbImage.class, options)) {
            Optional<Path> file = lineFile();
            if (file.isPresent()) {
                try (ResultLines lines = new ResultLines(file.get(), resume)) {
                    return run(new Run(loaded, names, decoder, lines, err), Optional.of(lines));
                }
            }
            try (ResultWriter writer = writer(out, names.isOne())) {
                return run(new Run(loaded, names, decoder, writer, err), Optional.empty());
            }
        }
    }

    private ResultWriter writer(PrintWriter out, boolean one) throws IOException {
        if (csv != null) {
            return new ResultTable(csv, topK);
        }
        if (jsonl != null) {
            return ResultWriter.jsonLines(out);
        }
        return json ? ResultWriter.json(out) : ResultWriter.text(out, one);
    }

    /** The file for JSON lines, if they are not printed. */
    private Optional<Path> lineFile() {
        return Optional.ofNullable(jsonl)
                .filter(file -> !file.equals(STANDARD_OUTPUT))
                .map(Path::of);
    }

    private void checkOutputs() throws IOException {
        if (topK < 1) {
            throw new IllegalArgumentException("--top-k must be at least 1, not " + topK);
        }
        List<String> formats = new ArrayList<>();
        if (json) {
            formats.add("--json");
        }
        if (jsonl != null) {
            formats.add("--jsonl");
        }
        if (csv != null) {
            formats.add("--csv");
        }
        if (formats.size() > 1) {
            throw new IllegalArgumentException(String.join(" and ", formats) + " are mutually exclusive; choose one");
        }
        Optional<Path> file = lineFile();
        if (file.isPresent() && !file.get().toString().toLowerCase(Locale.ROOT).matches(".*\\.(jsonl|ndjson)")) {
            // It may be an image that follows the option.
            throw new IllegalArgumentException("--jsonl: results go to a .jsonl file, not " + file.get()
                    + "; to print them, put --jsonl after the images");
        }
        if (file.isPresent()) {
            OutputFile.requireFile("--jsonl", file.get());
        }
        if (resume && file.isEmpty()) {
            throw new IllegalArgumentException("--resume needs --jsonl FILE");
        }
        if (csv != null) {
            OutputFile.requireFile("--csv", csv);
            if (!csv.toString().toLowerCase(Locale.ROOT).endsWith(".csv")) {
                throw new IllegalArgumentException("--csv: tables are CSV files; pass a .csv file, not " + csv);
            }
        }
    }

    private int run(Run run, Optional<ResultLines> lines) throws Exception {
        Optional<ProgressBar> bar = Optional.empty();
        if (lines.isPresent() || csv != null) {
            bar = Optional.of(new ProgressBar(run.err, run.names.count().orElse(0), ProgressBar.Unit.IMAGES));
        }
        Iterator<ImageNames.Entry> entries = run.names.iterator();
        if (lines.isPresent()) {
            entries = run.resumed(lines.get(), entries);
            run.done = lines.get().finished();
            bar.get().startAt(run.done);
        }
        if (bar.isPresent()) {
            try (CleanExit exit = new CleanExit(main.ended, () -> {})) {
                run.classify(entries, bar, exit::isAskedFor);
                if (exit.isAskedFor()) {
                    run.err.println("convzoo: stopped after " + Count.of(run.done, "image")
                            + (lines.isPresent() ? "; continue with --resume" : "; " + csv + " was not written"));
                    return Main.FAILED;
                }
            }
        } else {
            run.classify(entries, bar, () -> false);
        }
        OutputFile.Existing existing = OutputFile.Existing.among(csv, run.tiles.isEmpty() ? null : grid);
        run.writer.complete();
        if (lines.isPresent() && lines.get().unused() > 0) {
            run.err.println("convzoo: " + jsonl + " has results of images that were not given: "
                    + lines.get().unused());
        }
        if (grid != null && !run.tiles.isEmpty()) {
            OutputFile.writePng(grid, () -> ImageGrid.draw(run.tiles));
        }
        existing.sayReplaced(run.err);
        sayWritten(run);
        return run.failures > 0 ? Main.FAILED : Main.DONE;
    }

    private void sayWritten(Run run) {
        Optional<Path> results = lineFile().or(() -> Optional.ofNullable(csv));
        String failures = run.failures == 0 ? "" : ", " + run.failures + " of them errors";
        results.ifPresent(file -> OutputFile.sayWritten(file, Count.of(run.done, "image") + failures, run.err));
        if (grid != null && !run.tiles.isEmpty()) {
            OutputFile.sayWritten(grid, Count.of(run.tiles.size(), "image"), run.err);
        }
    }

    /** Classifies images and reports the results. */
    private final class Run {

        private final ZooModel<RgbImage, Classifications> loaded;
        private final ImageNames names;
        private final ImageDecoder decoder;
        private final ResultWriter writer;
        private final PrintWriter err;
        private final List<ImageGrid.Entry> tiles = new ArrayList<>();
        private long failures;
        private long done;

        Run(
                ZooModel<RgbImage, Classifications> loaded,
                ImageNames names,
                ImageDecoder decoder,
                ResultWriter writer,
                PrintWriter err) {
            this.loaded = loaded;
            this.names = names;
            this.decoder = decoder;
            this.writer = writer;
            this.err = err;
        }

        void classify(Iterator<ImageNames.Entry> entries, Optional<ProgressBar> bar, BooleanSupplier stop)
                throws IOException {
            try (Stream<StreamResult<Item, Classifications>> results = results(entries)) {
                Iterator<StreamResult<Item, Classifications>> all = results.iterator();
                while (!stop.getAsBoolean() && all.hasNext()) {
                    StreamResult<Item, Classifications> each = all.next();
                    if (each instanceof StreamResult.Failure) {
                        bar.ifPresent(ProgressBar::clear);
                    }
                    take(each);
                    done++;
                    bar.ifPresent(shown -> shown.update(done));
                }
            } catch (UncheckedIOException e) {
                throw e.getCause();
            } finally {
                bar.ifPresent(ProgressBar::clear);
            }
        }

        private Stream<StreamResult<Item, Classifications>> results(Iterator<ImageNames.Entry> entries) {
            Iterator<Item> items = new Iterator<>() {
                @Override
                public boolean hasNext() {
                    return entries.hasNext();
                }

                @Override
                public Item next() {
                    return new Item(entries.next());
                }
            };
            return ConvZoo.stream(loaded, items, this::pixels, streaming.get());
        }

        private RgbImage pixels(Item item) throws IOException {
            RgbImage pixels = names.read(item.entry, decoder);
            if (grid != null) {
                item.pixels = pixels;
            }
            return pixels;
        }

        private void take(StreamResult<Item, Classifications> result) throws IOException {
            String name = result.item().entry.name();
            if (result instanceof StreamResult.Success<Item, Classifications> success) {
                ImageResult.Classified classified = new ImageResult.Classified(name, best(name, success.output()));
                writer.write(classified);
                RgbImage pixels = result.item().pixels;
                if (pixels != null) {
                    ImageGrid.checkCount(tiles.size() + 1);
                    tiles.add(entry(
                            pixels, classified, truth(name, success.output().getClassNames())));
                }
            } else if (result instanceof StreamResult.Failure<Item, Classifications> failure) {
                failures++;
                String message = Main.oneLine(failure.error().getMessage());
                err.println("convzoo: " + message);
                writer.write(new ImageResult.Failed(name, message));
            }
        }

        /**
         * The images without a result from an earlier run.
         *
         * @throws IllegalArgumentException if this run would give other results
         */
        Iterator<ImageNames.Entry> resumed(ResultLines lines, Iterator<ImageNames.Entry> all) throws IOException {
            failures = lines.failed();
            if (lines.finished() > 0) {
                requireSame(lines);
                err.println("convzoo: resuming after " + lines.finished() + " results in " + jsonl
                        + (failures > 0 ? ", " + failures + " of them errors" : ""));
            }
            return new Iterator<>() {
                private ImageNames.@Nullable Entry next;

                @Override
                public boolean hasNext() {
                    while (next == null && all.hasNext()) {
                        ImageNames.Entry each = all.next();
                        next = lines.takeFinished(each.name()) ? null : each;
                    }
                    return next != null;
                }

                @Override
                public ImageNames.Entry next() {
                    if (!hasNext()) {
                        throw new NoSuchElementException("there are no more images");
                    }
                    ImageNames.Entry taken = Objects.requireNonNull(next);
                    next = null;
                    return taken;
                }
            };
        }

        /** Classifies one image again, because a file does not say which model and options its results are of. */
        private void requireSame(ResultLines lines) throws IOException {
            if (lines.first().isEmpty()) {
                return;
            }
            ImageResult.Classified earlier = lines.first().get();
            ImageNames.Entry entry = new ImageNames.Entry(earlier.image(), Optional.empty());
            try (Stream<StreamResult<Item, Classifications>> results =
                    results(List.of(entry).iterator())) {
                StreamResult<Item, Classifications> now = results.iterator().next();
                if (now instanceof StreamResult.Success<Item, Classifications> success) {
                    List<Prediction> predictions = best(earlier.image(), success.output());
                    if (!areSame(earlier.predictions(), predictions)) {
                        throw new IllegalArgumentException("--resume: " + jsonl
                                + " was written with another model or other options, because its result for "
                                + earlier.image() + " differs now; pass the same ones, or choose another file");
                    }
                } else {
                    err.println("convzoo: cannot check that " + jsonl + " was written with the same model and options,"
                            + " because " + earlier.image() + " cannot be read anymore");
                }
            }
        }
    }

    /** Whether two results agree but for rounding, which may swap classes of nearly equal probability. */
    private static boolean areSame(List<Prediction> one, List<Prediction> other) {
        if (one.size() != other.size()) {
            return false;
        }
        if (one.isEmpty()) {
            return true;
        }
        double last = other.get(other.size() - 1).probability();
        return IntStream.range(0, one.size())
                .allMatch(i -> Math.abs(one.get(i).probability() - other.get(i).probability()) <= SAME
                        && (isIn(one.get(i), other) || Math.abs(one.get(i).probability() - last) <= SAME));
    }

    private static boolean isIn(Prediction wanted, List<Prediction> predictions) {
        return predictions.stream()
                .anyMatch(each -> each.classNumber() == wanted.classNumber()
                        && each.label().equals(wanted.label()));
    }

    private void checkGrid(Path file) throws IOException {
        OutputFile.requirePng("--grid", file);
        ImageGrid.checkCount(Math.max(1, images.size()));
        for (String image : images) {
            // A pattern such as *.png also matches the grid of an earlier run.
            if (Files.exists(file) && new File(image).exists() && Files.isSameFile(file, Path.of(image))) {
                throw new IllegalArgumentException(
                        "--grid: " + file + " is also one of the images; choose another file");
            }
        }
    }

    /** The name of the image's folder, if it is the name of a class. */
    private static Optional<String> truth(String image, List<String> classes) {
        Path folder;
        try {
            folder = Path.of(image).toAbsolutePath().getParent();
        } catch (InvalidPathException e) {
            // For example, a URL on Windows.
            return Optional.empty();
        }
        return Optional.ofNullable(folder)
                .filter(each -> each.getFileName() != null)
                .map(ImageFolder::className)
                .filter(classes::contains);
    }

    private static ImageGrid.Entry entry(RgbImage image, ImageResult.Classified result, Optional<String> truth) {
        Prediction best = result.predictions().get(0);
        ImageGrid.Verdict verdict = truth.map(
                        name -> name.equals(best.label()) ? ImageGrid.Verdict.RIGHT : ImageGrid.Verdict.WRONG)
                .orElse(ImageGrid.Verdict.UNKNOWN);
        // The percentage comes first, because long names are cut off.
        String prediction =
                String.format(Locale.ROOT, "%.2f %%  %s", 100 * best.probability(), Main.oneLine(best.label()));
        return new ImageGrid.Entry(
                image,
                prediction,
                truth.map(name -> "true: " + Main.oneLine(name)).orElse(""),
                verdict);
    }

    // Compare numbers, because two classes may have the same name.
    private List<Prediction> best(String image, Classifications classifications) throws IOException {
        List<String> names = classifications.getClassNames();
        List<Double> probabilities = classifications.getProbabilities();
        if (probabilities.stream().anyMatch(each -> each.isNaN())) {
            throw new IOException(image + ": " + model.givesNan());
        }
        return IntStream.range(0, names.size())
                .mapToObj(i -> new Prediction(i, names.get(i), probabilities.get(i)))
                .sorted(Comparator.comparingDouble(Prediction::probability).reversed())
                .limit(topK)
                .toList();
    }
}
