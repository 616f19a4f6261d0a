package io.github.convzoo.cli;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.ImageException;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.plot.ImageGrid;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
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
            "An image that cannot be read is named, and the others are classified all the same.",
            "A grid has the true class too where an image's folder has a class's name:",
            "what was recognised is green, what was not is red.",
            "",
            "Examples:",
            "  convzoo predict photo.jpg",
            "  convzoo predict photo.jpg --model dla34",
            "  convzoo predict photo.jpg --model dpn68b.ra_in1k --input-size 288",
            "  convzoo predict *.png --model peleenet --weights mine.pth --labels names.txt --json",
            "  convzoo predict flowers/*/*.jpg --model dla34 --weights mine.pth --labels names.txt --grid grid.png"
        })
final class PredictCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec = CommandSpec.create();

    @ParentCommand
    Main main = Main.inProcess();

    @Parameters(arity = "1..*", paramLabel = "IMAGE", description = "JPEG, PNG, BMP or GIF files.")
    List<Path> images = new ArrayList<>();

    @Mixin
    ModelOptions model = new ModelOptions();

    @Option(
            names = "--labels",
            paramLabel = "FILE",
            description = "The classes' names, one a line. Default: ImageNet's where there are 1000, else numbers.")
    @Nullable Path labels;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            defaultValue = "5",
            description = "How many classes to name, at least 1. Default: 5.")
    int topK = 5;

    @Option(
            names = "--grid",
            paramLabel = "FILE",
            description = "Draw the images with what they were taken for into a picture (.png).")
    @Nullable Path grid;

    @Mixin
    InputOptions input = new InputOptions();

    @Option(names = "--json", description = "Print JSON; probabilities are fractions.")
    boolean json;

    @Mixin
    ComputeOptions compute = new ComputeOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    private record Prediction(int classNumber, String label, double probability) {}

    private record ImageResult(String image, List<Prediction> predictions) {}

    @Override
    public Integer call() throws Exception {
        Optional<Device> device = compute.apply();
        if (grid != null) {
            checkGrid(grid);
        }
        model.chooseModel(main, spec.commandLine().getErr());
        Preprocessing preprocessing = input.apply(model.model);
        LoadOptions options = model.options(main, common, spec.commandLine().getErr())
                .withTopK(topK)
                .withPreprocessing(preprocessing);
        if (labels != null) {
            options = options.withLabels(Labels.read(labels));
        }
        if (device.isPresent()) {
            options = options.withDevice(device.get());
        }
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        List<ImageResult> results = new ArrayList<>();
        List<ImageGrid.Entry> entries = new ArrayList<>();
        int status = Main.DONE;
        try (ZooModel<RgbImage, Classifications> loaded = ConvZoo.load(model.model, RgbImage.class, options);
                Predictor<RgbImage, Classifications> predictor = loaded.newPredictor()) {
            ImageDecoder decoder = new ImageDecoder();
            for (Path image : images) {
                RgbImage pixels;
                try {
                    pixels = decoder.decode(image);
                } catch (ImageException e) {
                    err.println("convzoo: " + Main.oneLine(e.getMessage()));
                    status = Main.FAILED;
                    continue;
                }
                Classifications classifications = predictor.predict(pixels);
                ImageResult result = new ImageResult(image.toString(), best(image, classifications));
                results.add(result);
                if (grid != null) {
                    entries.add(entry(pixels, result, truth(image, classifications.getClassNames())));
                }
                if (!json) {
                    print(result, out);
                }
            }
        }
        if (json) {
            out.println(Json.of(results));
        }
        if (grid != null && !entries.isEmpty()) {
            OutputFile.writePng(grid, () -> ImageGrid.draw(entries));
        }
        return status;
    }

    private void checkGrid(Path file) throws IOException {
        OutputFile.requirePng("--grid", file);
        ImageGrid.checkCount(images.size());
        for (Path image : images) {
            // A pattern such as *.png finds the grid of the last time.
            if (Files.exists(file) && Files.exists(image) && Files.isSameFile(file, image)) {
                throw new IllegalArgumentException(
                        "--grid: " + file + " is one of the images, and would be lost; name another file");
            }
        }
    }

    /** The name of the folder that holds the image, where a class has it. */
    private static Optional<String> truth(Path image, List<String> classes) {
        return Optional.ofNullable(image.toAbsolutePath().normalize().getParent())
                .map(Path::getFileName)
                .map(Path::toString)
                .filter(classes::contains);
    }

    private static ImageGrid.Entry entry(RgbImage image, ImageResult result, Optional<String> truth) {
        Prediction best = result.predictions.get(0);
        ImageGrid.Verdict verdict = truth.map(
                        name -> name.equals(best.label) ? ImageGrid.Verdict.RIGHT : ImageGrid.Verdict.WRONG)
                .orElse(ImageGrid.Verdict.UNKNOWN);
        // The percentage first: names may be cut off.
        String prediction = String.format(Locale.ROOT, "%.2f %%  %s", 100 * best.probability, Main.oneLine(best.label));
        return new ImageGrid.Entry(
                image,
                prediction,
                truth.map(name -> "true: " + Main.oneLine(name)).orElse(""),
                verdict);
    }

    // By number: two classes may have the same name.
    private List<Prediction> best(Path image, Classifications classifications) throws IOException {
        List<String> names = classifications.getClassNames();
        List<Double> probabilities = classifications.getProbabilities();
        if (probabilities.stream().anyMatch(each -> each.isNaN())) {
            throw new IOException(image + ": the network gives NaN; the weights "
                    + (model.weights == null ? "of " + model.model : "in " + model.weights)
                    + " are damaged, or were trained for another input");
        }
        return IntStream.range(0, names.size())
                .mapToObj(i -> new Prediction(i, names.get(i), probabilities.get(i)))
                .sorted(Comparator.comparingDouble(Prediction::probability).reversed())
                .limit(topK)
                .toList();
    }

    private void print(ImageResult result, PrintWriter out) {
        if (images.size() > 1) {
            out.println(result.image);
        }
        for (Prediction prediction : result.predictions) {
            out.printf(Locale.ROOT, "%6.2f %%  %s%n", 100 * prediction.probability, prediction.label);
        }
    }
}
