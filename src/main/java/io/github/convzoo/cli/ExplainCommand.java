package io.github.convzoo.cli;

import ai.djl.Device;
import io.github.convzoo.image.Area;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.plot.ExplanationPicture;
import io.github.convzoo.zoo.ActivationMap;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.Explainer;
import io.github.convzoo.zoo.Explanation;
import io.github.convzoo.zoo.LoadOptions;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "explain",
        description = "Show where images have evidence for a class.",
        footer = {
            "",
            "By default, this is the class activation map of the predicted class: the classifier applied to each"
                    + " position of the last feature map. It takes one forward pass and works with --compiled. With"
                    + " --layer, it is Grad-CAM, which needs weights.",
            "",
            "Examples:",
            "  convzoo explain photo.jpg --model dla34 --output photo-explained.png",
            "  convzoo explain photos/ --model run --output explained",
            "  convzoo explain photo.jpg --model dla34 --class 'tabby' --json",
            "  convzoo explain photo.jpg --model dla34 --layer level4 --output level4.png"
        })
final class ExplainCommand implements Callable<Integer> {

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

    @Option(names = "--recursive", description = "Also search subfolders.")
    boolean recursive;

    @Mixin
    ModelOptions model = new ModelOptions();

    @Option(
            names = "--labels",
            paramLabel = "FILE",
            description =
                    "The class names, one per line. Default: the model's, else ImageNet's if there are 1000 classes,"
                            + " else class numbers.")
    @Nullable Path labels;

    @Option(
            names = "--class",
            paramLabel = "C",
            description = "The class to explain: its number, its label, or one of the label's synonyms. Default: the"
                    + " predicted class.")
    @Nullable String explained;

    @Option(
            names = "--output",
            paramLabel = "OUT",
            description = "For one image, the picture (.png); otherwise a folder for NAME-explained.png of each image,"
                    + " created if missing. Existing pictures are replaced.")
    @Nullable Path output;

    @Option(
            names = "--layer",
            paramLabel = "NAME",
            description = "Explain by Grad-CAM on this layer (convzoo summary shows the layers) instead of the class"
                    + " activation map.")
    @Nullable String layer;

    @Mixin
    InputOptions input = new InputOptions();

    @Option(
            names = "--json",
            description = "Print one JSON array at the end, with the contribution of each position to the logit.")
    boolean json;

    @Mixin
    CompileOptions compile = new CompileOptions();

    @Mixin
    ComputeOptions compute = new ComputeOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    private record Explained(
            String image,
            int classNumber,
            String label,
            double probability,
            boolean predicted,
            @Nullable String layer,
            List<List<Float>> map,
            Area area,
            @Nullable String output) {}

    @Override
    public Integer call() throws Exception {
        Optional<Device> device = compute.apply();
        if (images.isEmpty()) {
            throw new IllegalArgumentException("no images given; pass files, folders, or URLs");
        }
        ImageNames names = new ImageNames(images, Optional.empty(), recursive, main.in);
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        if (output != null) {
            checkOutput(output, names.isOne());
        }
        if (layer != null && compile.compiled) {
            throw new IllegalArgumentException(
                    "--layer and --compiled are mutually exclusive, because a compiled network has no gradients; omit"
                            + " one");
        }
        model.chooseModel(main, err);
        ModelOptions.Opened opened = model.open(model.options(main, common, err), input, null, compile, device);
        LoadOptions options = opened.options();
        if (labels != null) {
            options = options.withLabels(Labels.read(labels));
        }
        try (Explainer explainer = ConvZoo.loadExplainer(opened.model(), options)) {
            Run run = new Run(explainer, model.decoder(opened), names.isOne(), out, err);
            run.takeAll(names);
            if (json) {
                out.println(Json.of(run.results));
            }
            return run.failed ? Main.FAILED : Main.DONE;
        }
    }

    private void checkOutput(Path place, boolean one) throws IOException {
        if (!OutputFile.isPng(place)) {
            OutputFile.requireFolder("--output", place);
            return;
        }
        if (!one) {
            throw new IllegalArgumentException("--output: " + place
                    + " is one picture, but there are several images; pass a folder, whose name does not end in .png");
        }
        OutputFile.requirePng("--output", place);
        String image = images.get(0);
        if (Files.exists(place) && new File(image).exists() && Files.isSameFile(place, Path.of(image))) {
            throw new IllegalArgumentException("--output: " + place + " is the image itself; choose another file");
        }
    }

    /** Explains the images one by one. */
    private final class Run {

        private final Explainer explainer;
        private final ImageDecoder decoder;
        private final boolean one;
        private final PrintWriter out;
        private final PrintWriter err;
        private final OptionalInt classNumber;
        private final List<Explained> results = new ArrayList<>();
        private final Set<String> used = new HashSet<>();
        private boolean failed;

        Run(Explainer explainer, ImageDecoder decoder, boolean one, PrintWriter out, PrintWriter err) {
            this.explainer = explainer;
            this.decoder = decoder;
            this.one = one;
            this.out = out;
            this.err = err;
            try {
                classNumber =
                        explained == null ? OptionalInt.empty() : OptionalInt.of(explainer.classNumber(explained));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("--class: " + e.getMessage(), e);
            }
        }

        void takeAll(ImageNames names) throws Exception {
            for (Iterator<ImageNames.Entry> all = names.iterator(); all.hasNext(); ) {
                ImageNames.Entry next = all.next();
                RgbImage pixels;
                try {
                    pixels = names.read(next, decoder);
                } catch (IOException e) {
                    failed(e);
                    continue;
                }
                take(next.name(), pixels);
            }
        }

        private void take(String name, RgbImage pixels) throws Exception {
            Explanation explanation;
            try {
                explanation = explain(pixels);
            } catch (IllegalStateException e) {
                // The network's output is NaN.
                throw new IOException(name + ": " + e.getMessage(), e);
            }
            warn(name, explanation.map());
            Path picture = null;
            if (output != null) {
                picture = OutputFile.isPng(output)
                        ? output
                        : Files.createDirectories(output).resolve(pictureName(name));
                OutputFile.Existing existing = OutputFile.Existing.among(picture);
                OutputFile.writePng(picture, () -> ExplanationPicture.draw(pixels, explanation));
                existing.sayReplaced(err);
            }
            if (json) {
                results.add(result(name, explanation, picture));
            } else {
                print(name, explanation, picture);
            }
        }

        private Explanation explain(RgbImage pixels) {
            if (layer == null) {
                return classNumber.isPresent()
                        ? explainer.explain(pixels, classNumber.getAsInt())
                        : explainer.explain(pixels);
            }
            return classNumber.isPresent()
                    ? explainer.explainLayer(pixels, layer, classNumber.getAsInt())
                    : explainer.explainLayer(pixels, layer);
        }

        /** Says if the map cannot show anything. */
        private void warn(String name, ActivationMap map) {
            if (map.height() * map.width() == 1) {
                err.println("convzoo: " + Main.oneLine(name) + ": the map has a single position, so it does not show"
                        + " where; choose an earlier layer with --layer, or a larger --input-size");
            } else if (!(map.max() > 0)) {
                err.println("convzoo: " + Main.oneLine(name) + ": no place in the image is evidence for this class");
            }
        }

        private void failed(IOException problem) {
            failed = true;
            err.println("convzoo: " + Main.oneLine(problem.getMessage()));
        }

        /** An unused name for the picture of an image. */
        private String pictureName(String image) {
            String last = image.equals(ImageNames.STANDARD_INPUT)
                    ? "standard-input"
                    : image.replaceFirst("[?#].*", "").replaceFirst(".*[/\\\\]", "");
            // A URL may have any character.
            String base = last.replaceFirst("\\.[A-Za-z0-9]{1,5}$", "").replaceAll("[\\p{Cntrl}<>:\"|?*]", "_");
            String stem = base.isEmpty() || base.length() > 100 ? "image" : base;
            String name = stem + "-explained.png";
            for (int i = 2; !used.add(name.toLowerCase(Locale.ROOT)); i++) {
                name = stem + "-" + i + "-explained.png";
            }
            return name;
        }

        private Explained result(String name, Explanation explanation, @Nullable Path picture) {
            ActivationMap map = explanation.map();
            List<List<Float>> rows = new ArrayList<>();
            for (int row = 0; row < map.height(); row++) {
                List<Float> values = new ArrayList<>();
                for (int column = 0; column < map.width(); column++) {
                    values.add(map.value(row, column));
                }
                rows.add(values);
            }
            return new Explained(
                    name,
                    explanation.classNumber(),
                    explanation.className(),
                    explanation.probability(),
                    explanation.predicted(),
                    explanation.layer().orElse(null),
                    rows,
                    explanation.area(),
                    picture == null ? null : picture.toString());
        }

        private void print(String name, Explanation explanation, @Nullable Path picture) {
            if (!one) {
                out.println(Main.oneLine(name));
            }
            out.printf(
                    Locale.ROOT,
                    "%6.2f %%  %s%s%n",
                    100 * explanation.probability(),
                    Main.oneLine(explanation.className()),
                    explanation.predicted() ? " (predicted)" : " (not the predicted class)");
            if (picture != null) {
                out.println("written: " + Main.oneLine(picture.toString()));
            } else {
                out.println(strongest(explanation));
            }
        }

        private String strongest(Explanation explanation) {
            ActivationMap map = explanation.map();
            int best = 0;
            float[] values = map.values();
            for (int i = 1; i < values.length; i++) {
                best = values[i] > values[best] ? i : best;
            }
            int column = best % map.width();
            int row = best / map.width();
            Area area = explanation.area();
            double left = area.left() + (double) column * area.width() / map.width();
            double top = area.top() + (double) row * area.height() / map.height();
            return String.format(
                    Locale.ROOT,
                    "most evidence: column %d of %d, row %d of %d (pixels %.0f to %.0f across, %.0f to %.0f down);"
                            + " --output draws it",
                    column + 1,
                    map.width(),
                    row + 1,
                    map.height(),
                    Math.max(0, left),
                    Math.min(explanation.imageWidth(), left + area.width() / map.width()),
                    Math.max(0, top),
                    Math.min(explanation.imageHeight(), top + area.height() / map.height()));
        }
    }
}
