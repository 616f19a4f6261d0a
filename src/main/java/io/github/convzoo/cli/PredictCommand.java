package io.github.convzoo.cli;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.data.ImageFolder;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.plot.ImageGrid;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import io.github.convzoo.zoo.OpenModel;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
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
            "  convzoo predict photos/ --recursive --model run --jsonl",
            "  convzoo predict photo.jpg --model dpn68b.ra_in1k --input-size 288",
            "  convzoo predict *.png --model peleenet --weights mine.pth --labels names.txt --json",
            "  convzoo predict --list names.txt --model hf-hub:timm/dla34.in1k",
            "  convzoo predict flowers/*/*.jpg --model run --grid grid.png"
        })
final class PredictCommand implements Callable<Integer> {

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
            description = "Draw the images with their predictions as a picture (.png).")
    @Nullable Path grid;

    @Mixin
    InputOptions input = new InputOptions();

    @Option(names = "--json", description = "Print one JSON array at the end; probabilities are fractions.")
    boolean json;

    @Option(
            names = "--jsonl",
            description =
                    "Print one JSON object per line and image, as soon as it is classified; an image that cannot be"
                            + " read"
                            + " has an error instead of predictions.")
    boolean jsonl;

    @Mixin
    CompileOptions compile = new CompileOptions();

    @Mixin
    ComputeOptions compute = new ComputeOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    private record Prediction(int classNumber, String label, double probability) {}

    private record ImageResult(String image, List<Prediction> predictions) {}

    private record Failure(String image, String error) {}

    @Override
    public Integer call() throws Exception {
        Optional<Device> device = compute.apply();
        if (json && jsonl) {
            throw new IllegalArgumentException("--json and --jsonl are mutually exclusive; choose one");
        }
        ImageNames names = new ImageNames(images, Optional.ofNullable(list), recursive, main.in);
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        if (grid != null) {
            checkGrid(grid);
        }
        model.chooseModel(main, err);
        LoadOptions options = model.options(main, common, err).withTopK(topK);
        OpenModel open = ConvZoo.open(model.model, options);
        ModelConfig config = model.config(open, options, input, null);
        options = compile.apply(ModelOptions.with(options, config));
        if (labels != null) {
            options = options.withLabels(Labels.read(labels));
        }
        if (device.isPresent()) {
            options = options.withDevice(device.get());
        }
        try (ZooModel<RgbImage, Classifications> loaded = ConvZoo.load(open, RgbImage.class, options);
                Predictor<RgbImage, Classifications> predictor = loaded.newPredictor()) {
            Run run = new Run(
                    predictor, model.reading.decoder().withOrientation(config.upright()), names.isOne(), out, err);
            names.forEach(run);
            if (json) {
                out.println(Json.of(run.results));
            }
            if (grid != null && !run.entries.isEmpty()) {
                OutputFile.writePng(grid, () -> ImageGrid.draw(run.entries));
            }
            return run.failed ? Main.FAILED : Main.DONE;
        }
    }

    /** Classifies the images one by one. */
    private final class Run implements ImageNames.Taker {

        private final Predictor<RgbImage, Classifications> predictor;
        private final ImageDecoder decoder;
        private final boolean one;
        private final PrintWriter out;
        private final PrintWriter err;
        private final List<ImageResult> results = new ArrayList<>();
        private final List<ImageGrid.Entry> entries = new ArrayList<>();
        private boolean failed;

        Run(
                Predictor<RgbImage, Classifications> predictor,
                ImageDecoder decoder,
                boolean one,
                PrintWriter out,
                PrintWriter err) {
            this.predictor = predictor;
            this.decoder = decoder;
            this.one = one;
            this.out = out;
            this.err = err;
        }

        @Override
        public void take(String name) throws Exception {
            RgbImage pixels;
            try {
                pixels = name.equals(ImageNames.STANDARD_INPUT)
                        ? decoder.decode(main.in, "standard input")
                        : ConvZoo.readImage(name, decoder);
            } catch (IOException e) {
                failed(name, e);
                return;
            }
            Classifications classifications = predictor.predict(pixels);
            ImageResult result = new ImageResult(name, best(name, classifications));
            if (json) {
                results.add(result);
            } else if (jsonl) {
                out.println(Json.line(result));
            } else {
                print(result);
            }
            if (grid != null) {
                ImageGrid.checkCount(entries.size() + 1);
                entries.add(entry(pixels, result, truth(name, classifications.getClassNames())));
            }
        }

        @Override
        public void failed(String name, IOException problem) {
            failed = true;
            String message = Main.oneLine(problem.getMessage());
            err.println("convzoo: " + message);
            if (jsonl) {
                out.println(Json.line(new Failure(name, message)));
            }
        }

        private void print(ImageResult result) {
            if (!one) {
                out.println(Main.oneLine(result.image));
            }
            for (Prediction prediction : result.predictions) {
                out.printf(Locale.ROOT, "%6.2f %%  %s%n", 100 * prediction.probability, Main.oneLine(prediction.label));
            }
        }
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

    private static ImageGrid.Entry entry(RgbImage image, ImageResult result, Optional<String> truth) {
        Prediction best = result.predictions.get(0);
        ImageGrid.Verdict verdict = truth.map(
                        name -> name.equals(best.label) ? ImageGrid.Verdict.RIGHT : ImageGrid.Verdict.WRONG)
                .orElse(ImageGrid.Verdict.UNKNOWN);
        // The percentage comes first, because long names are cut off.
        String prediction = String.format(Locale.ROOT, "%.2f %%  %s", 100 * best.probability, Main.oneLine(best.label));
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
