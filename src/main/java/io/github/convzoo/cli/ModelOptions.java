package io.github.convzoo.cli;

import ai.djl.Device;
import io.github.convzoo.hub.FetchException;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.network.LastActivation;
import io.github.convzoo.weights.LoadReport;
import io.github.convzoo.weights.Manifest;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import io.github.convzoo.zoo.OpenModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The network and its weights. */
final class ModelOptions {

    /** The default model: the most accurate of the small ones. */
    private static final String USUAL = "dpn68b.ra_in1k";

    private static final String BUNDLED = "peleenet.fmnist";

    @Option(
            names = "--model",
            paramLabel = "MODEL",
            description =
                    "A network, or network.tag for one of its published sets of weights (convzoo list shows them);"
                            + " a model folder, such as a training run's; or hf-hub:owner/name[@revision].")
    String model = "";

    @Option(
            names = "--weights",
            paramLabel = "FILE",
            description = "A checkpoint in any supported format, a model folder, or hf-hub:owner/name[@revision]."
                    + " Default: the published weights, downloaded once.")
    @Nullable String weights;

    @Mixin
    ReadingOptions reading = new ReadingOptions();

    @Option(
            names = "--num-classes",
            paramLabel = "N",
            description = "The number of classes; 0 for pooled features. Default: that of the checkpoint.")
    @Nullable Integer numClasses;

    @Option(
            names = "--last-activation",
            paramLabel = "A",
            description =
                    "The last activation of DPN: relu or elu. Default: the model's, else relu; weights from timm 0.6"
                            + " and"
                            + " older need elu.")
    @Nullable String lastActivation;

    /** Uses {@code --weights} as the model if there is no {@code --model}; fails if both are missing. */
    void requireModel() {
        if (model.isEmpty() && weights != null) {
            model = weights;
            weights = null;
        }
        if (model.isEmpty()) {
            throw new IllegalArgumentException(
                    "--model is required: a network (convzoo list shows them), a model folder, or hf-hub:owner/name");
        }
    }

    /**
     * Chooses a network if none is given: an ImageNet network if its weights are cached or can be downloaded, else the
     * bundled one.
     */
    void chooseModel(Main main, PrintWriter err) throws IOException {
        if (!model.isEmpty() || weights != null) {
            requireModel();
            return;
        }
        DownloadBar bar = new DownloadBar(err);
        try {
            main.store().fetch(Manifest.find(USUAL), bar);
            model = USUAL;
        } catch (FetchException e) {
            model = BUNDLED;
            err.println("convzoo: no --model is given, and the default, " + USUAL + ", is unavailable; using "
                    + BUNDLED + ", which comes with ConvZoo and knows only ten kinds of clothing ("
                    + Main.oneLine(e.getMessage()) + ")");
        } finally {
            bar.end();
        }
    }

    /** The options so far. Prints guesses as they are made, and the whole report if the command is verbose. */
    LoadOptions options(Main main, CommonOptions common, PrintWriter err) {
        LoadOptions options = reading.apply(weights == null ? LoadOptions.published() : LoadOptions.of(weights))
                .withStore(main.store())
                .withProgress(new DownloadBar(err))
                .withOnLoaded(report -> tell(report, common, err));
        if (lastActivation != null) {
            options = options.withLastActivation(LastActivation.of(lastActivation));
        }
        return numClasses == null ? options : options.withNumClasses(numClasses);
    }

    private static void tell(LoadReport report, CommonOptions common, PrintWriter err) {
        if (common.verbose) {
            report.lines().forEach(line -> err.println(Main.oneLine(line)));
            return;
        }
        report.guesses().forEach(guess -> err.println("convzoo: " + Main.oneLine(guess)));
    }

    /**
     * The model's own configuration, else the default one, with the options' overrides.
     *
     * @param kind the data set that it is used on; null for single images
     */
    ModelConfig config(OpenModel open, LoadOptions options, InputOptions input, @Nullable DataKind kind) {
        Optional<ModelConfig> declared = open.declared(options);
        if (declared.isPresent()) {
            return input.apply(declared.get());
        }
        ModelConfig usual = open.config(options);
        return input.apply(kind == null ? usual : DataOptions.usual(kind, usual));
    }

    /**
     * An open model.
     *
     * @param config its configuration, with the command's overrides
     * @param options how to load it
     */
    record Opened(OpenModel model, ModelConfig config, LoadOptions options) {}

    /**
     * Opens the model, and completes the options with its configuration and the command's other options.
     *
     * @param options the options so far, from {@link #options}
     * @param kind the data set that it is used on; null for single images
     */
    Opened open(
            LoadOptions options,
            InputOptions input,
            @Nullable DataKind kind,
            CompileOptions compile,
            Optional<Device> device)
            throws IOException {
        // The runtime and the device decide which of a folder's exported files is opened.
        LoadOptions compiled = compile.apply(options);
        LoadOptions placed = device.isPresent() ? compiled.withDevice(device.get()) : compiled;
        OpenModel open = ConvZoo.open(model, placed);
        ModelConfig config = config(open, placed, input, kind);
        return new Opened(open, config, with(placed, config));
    }

    /** Decodes the images of an open model. */
    ImageDecoder decoder(Opened opened) {
        return reading.decoder().withOrientation(opened.config.upright());
    }

    /** The explanation for a network whose output is NaN. */
    String givesNan() {
        return "the network's output is NaN; the weights " + (weights == null ? "of " + model : "in " + weights)
                + " are damaged, or were trained for another input";
    }

    /** The options with a configuration applied. */
    static LoadOptions with(LoadOptions options, ModelConfig config) {
        return options.withPreprocessing(config.preprocessing()).withUpright(config.upright());
    }
}
