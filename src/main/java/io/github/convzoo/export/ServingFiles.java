package io.github.convzoo.export;

import io.github.convzoo.checkpoint.ReplacedFile;
import io.github.convzoo.checkpoint.TextFile;
import io.github.convzoo.image.CropMode;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The two files that let DJL and DJL Serving use an exported folder without ConvZoo: {@code serving.properties}, with
 * the keys of DJL's {@code ImageClassificationTranslatorFactory}, and the labels in {@code synset.txt}. If DJL cannot
 * express the preprocessing, the nearest equivalent is used and noted in a comment and in the report. A format that no
 * engine of DJL runs gets neither file.
 */
final class ServingFiles {

    static final String SYNSET = "synset.txt";

    private static final int GRAY = 1;
    private static final int RGB = 3;

    private final ModelConfig config;
    private final ExportOptions options;
    private final String engine;
    private final Map<String, String> properties = new LinkedHashMap<>();
    private final List<String> differences = new ArrayList<>();

    private ServingFiles(ModelConfig config, ExportOptions options, String engine) {
        this.config = config;
        this.options = options;
        this.engine = engine;
    }

    /**
     * Writes both files, unless they were written by something else or DJL cannot run the format.
     *
     * @return notes for the user
     */
    static List<String> write(Path folder, ModelConfig config, ExportOptions options) throws IOException {
        return write(folder, config, options, options.format().engine());
    }

    /** Writes both files for an engine, or nothing if DJL has none for the format. */
    static List<String> write(Path folder, ModelConfig config, ExportOptions options, Optional<String> engine)
            throws IOException {
        return engine.isPresent() ? new ServingFiles(config, options, engine.get()).write(folder) : List.of();
    }

    private List<String> write(Path folder) throws IOException {
        collect();
        List<String> notes = new ArrayList<>();
        Path file = folder.resolve(ModelFolder.SERVING);
        if (isSomebodyElses(file)) {
            notes.add(file + ": unchanged because it was not written by convzoo export; check that it fits "
                    + options.format().file());
        } else {
            List<String> lines = new ArrayList<>();
            lines.add(ModelFolder.SERVING_MARK + ", for DJL and DJL Serving; change this line to keep your changes.");
            differences.forEach(difference -> lines.add("# " + difference));
            properties.forEach((key, value) -> lines.add(key + "=" + value));
            replace(file, lines);
            differences.forEach(difference -> notes.add(file + ": " + difference));
        }
        if (config.options().numClasses() > 0) {
            writeSynset(folder.resolve(SYNSET)).forEach(notes::add);
        }
        return notes;
    }

    private Stream<String> writeSynset(Path file) throws IOException {
        Labels labels =
                config.labels().orElseGet(() -> Labels.usual(config.options().numClasses()));
        // One line per name: DJL numbers them by line.
        List<String> lines =
                labels.names().stream().map(name -> name.replaceAll("\\R", " ")).toList();
        if (!Files.exists(file)) {
            replace(file, lines);
        } else if (!(String.join("\n", lines) + "\n").equals(TextFile.read(file))) {
            return Stream.of(
                    file + ": unchanged, although it is not the list of the model's labels; remove it and export"
                            + " again to update it");
        }
        return Stream.empty();
    }

    private static boolean isSomebodyElses(Path file) throws IOException {
        return Files.exists(file) && !TextFile.read(file).startsWith(ModelFolder.SERVING_MARK);
    }

    private static void replace(Path file, List<String> lines) throws IOException {
        ReplacedFile.write(file, (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private void collect() {
        properties.put("engine", engine);
        properties.put("option.modelName", "model");
        int channels = config.options().inChannels();
        if (options.features() || config.options().numClasses() == 0) {
            differences.add("no translator is set because the model outputs "
                    + (options.features() ? "more than classes" : "no classes")
                    + "; its inputs and outputs are arrays");
            return;
        }
        if (channels != RGB && channels != GRAY) {
            differences.add("no translator is set because images do not have " + channels
                    + " channels; the model's inputs and outputs are arrays");
            return;
        }
        properties.put("translatorFactory", "ai.djl.modality.cv.translator.ImageClassificationTranslatorFactory");
        if (channels == GRAY) {
            properties.put("flag", "GRAYSCALE");
        }
        resize(config.preprocessing());
        if (options.preprocess()) {
            // The file itself scales, normalizes, and applies softmax.
            properties.put("toTensor", "false");
            properties.put("normalize", "false");
            properties.put("applySoftmax", "false");
        } else {
            properties.put("normalize", normalize(config.preprocessing().normalization()));
            properties.put("applySoftmax", "true");
        }
        properties.put("topK", "5");
        if (options.format() == ExportOptions.Format.ONNX) {
            differences.add(
                    "DJL's OnnxRuntime engine cannot resize images; also put DJL's PyTorch engine on the class path");
        }
        differences.add("DJL resizes without antialiasing, so its probabilities differ from ConvZoo's, more for larger"
                + " images");
        if (config.upright()) {
            differences.add("DJL ignores EXIF orientation; rotate photos first");
        }
    }

    private void resize(Preprocessing preprocessing) {
        int width = preprocessing.width();
        int height = preprocessing.height();
        properties.put("width", Integer.toString(width));
        properties.put("height", Integer.toString(height));
        int resizedWidth = resized(width, preprocessing.cropFraction());
        int resizedHeight = resized(height, preprocessing.cropFraction());
        String filter = filter(preprocessing.resampling());
        switch (preprocessing.cropMode()) {
            case CENTER -> {
                int side = Math.max(resizedWidth, resizedHeight);
                properties.put("resizeShort", side + ",-1," + filter);
                if (resizedWidth != resizedHeight) {
                    differences.add("DJL cannot resize to cover " + resizedWidth + " x " + resizedHeight
                            + " pixels; it resizes the shorter side to " + side
                            + " and crops more of the image");
                }
            }
            case SQUASH -> properties.put("resize", resizedWidth + "," + resizedHeight + "," + filter);
            case BORDER -> {
                properties.put("pad", Long.toString(gray(preprocessing.normalization())));
                properties.put("resize", resizedWidth + "," + resizedHeight + "," + filter);
                differences.add("DJL fills the border with one gray level instead of the mean color, before resizing");
                if (resizedWidth != resizedHeight) {
                    differences.add("DJL fills the border to a square, so images are squashed to " + resizedWidth
                            + " x " + resizedHeight);
                }
            }
            case UNRESIZED ->
                differences.add(
                        "DJL does not pad images smaller than " + width + " x " + height + "; the model refuses them");
        }
        boolean padded =
                preprocessing.cropMode() != CropMode.UNRESIZED && (resizedWidth < width || resizedHeight < height);
        if (padded) {
            differences.add("DJL cannot pad for a crop fraction above 1; images are resized to the input instead");
            properties.remove("resizeShort");
            properties.put("resize", width + "," + height + "," + filter);
        }
        properties.put("centerCrop", "true");
    }

    private static int resized(int side, double cropFraction) {
        return (int) Math.floor(side / cropFraction);
    }

    private String filter(Resampling resampling) {
        return switch (resampling) {
            case NEAREST -> "NEAREST";
            case BILINEAR -> "BILINEAR";
            case BICUBIC -> {
                differences.add("DJL's BICUBIC overflows for values beyond 0 to 255, so BILINEAR is set");
                yield "BILINEAR";
            }
        };
    }

    private static long gray(Normalization normalization) {
        return Math.round(255
                * normalization.mean().stream()
                        .mapToDouble(Double::doubleValue)
                        .average()
                        .orElseThrow());
    }

    /** Three means and three deviations; DJL needs three, and uses the first ones for a grayscale image. */
    private static String normalize(Normalization normalization) {
        List<String> values = new ArrayList<>();
        for (List<Double> statistics : List.of(normalization.mean(), normalization.std())) {
            for (int channel = 0; channel < RGB; channel++) {
                values.add(Double.toString(statistics.get(Math.min(channel, statistics.size() - 1))));
            }
        }
        return String.join(",", values);
    }
}
