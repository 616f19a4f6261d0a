package io.github.convzoo.cli;

import ai.djl.Device;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.image.CropMode;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.network.DpnOptions;
import io.github.convzoo.network.LastActivation;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.NetworkOptions;
import io.github.convzoo.network.Variant;
import io.github.convzoo.train.RunFolder;
import io.github.convzoo.weights.LoadReport;
import io.github.convzoo.weights.Manifest;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import io.github.convzoo.zoo.OpenModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The model that a run starts from: a network with random weights, or with the weights that the options name.
 *
 * @param name the model to load
 * @param config how the model is used; for a resumed run, the configuration in its folder
 * @param open the model with its weights; null for random ones
 * @param from how its weights are read
 * @param err receives guesses
 */
record TrainStart(
        String name, ModelConfig config, @Nullable OpenModel open, LoadOptions from, boolean verbose, PrintWriter err) {

    /** Whether a text is a network's name, which takes precedence over a folder of the same name. */
    static boolean isNetwork(String model) {
        return Variant.all().containsKey(model);
    }

    /**
     * Finds the model.
     *
     * @param begun the folder of a resumed run; null for a new run
     * @throws IOException if a configuration or weights cannot be read or fetched
     * @throws IllegalArgumentException if there is no such model, or the options contradict it
     */
    static TrainStart of(
            TrainOptions options, @Nullable RunFolder begun, Main main, CommonOptions common, PrintWriter err)
            throws IOException {
        ModelOptions model = new ModelOptions();
        model.model = options.model;
        model.weights = options.weights;
        model.lastActivation = options.lastActivation;
        model.reading = options.reading;
        LoadOptions load = model.options(main, common, err).withOnLoaded(report -> {});
        if (options.inChannels != null) {
            load = load.withInChannels(options.inChannels);
        }
        Optional<ModelConfig> kept = begun == null ? Optional.empty() : ModelFolder.config(begun.path());
        if (begun != null && kept.isPresent()) {
            String name = kept.get().variant().modelName();
            if (options.headOnly && Files.exists(begun.start())) {
                LoadOptions start = LoadOptions.of(begun.start()).withStore(main.store());
                return new TrainStart(name, kept.get(), ConvZoo.open(name, start), start, common.verbose, err);
            }
            if (Files.exists(begun.state())) {
                // The saved state has all weights.
                return new TrainStart(name, kept.get(), null, LoadOptions.published(), common.verbose, err);
            }
        }
        requireOneMeaning(options);
        if (isNetwork(options.model) && options.weights == null && !options.pretrained) {
            return new TrainStart(options.model, scratch(options), null, LoadOptions.published(), common.verbose, err);
        }
        OpenModel open = ConvZoo.open(options.model, load);
        ModelConfig config = model.config(open, load, options.input, options.dataset);
        if (begun == null) {
            unusual(config.preprocessing(), options.input)
                    .ifPresent(text -> err.println("convzoo: " + Main.oneLine(options.model) + ": " + text));
        }
        return new TrainStart(options.model, config, open, load, common.verbose, err);
    }

    /** What is unusual for photos about the preprocessing of weights, unless an option asked for it. */
    private static Optional<String> unusual(Preprocessing preprocessing, InputOptions given) {
        List<String> found = new ArrayList<>();
        boolean resized = preprocessing.cropMode() != CropMode.UNRESIZED;
        if (!resized && !given.noResize) {
            found.add("does not resize images (--crop-mode center does)");
        }
        if (resized && preprocessing.cropFraction() > 1 && given.resize == null) {
            found.add("pads images (--resize " + preprocessing.height() + " does not)");
        }
        if (resized && preprocessing.resampling() == Resampling.NEAREST && given.interpolation == null) {
            found.add("resizes with the nearest pixel (--interpolation bilinear is usual)");
        }
        return found.isEmpty()
                ? Optional.empty()
                : Optional.of("keeping the preprocessing of the weights, which " + String.join(" and ", found));
    }

    private static void requireOneMeaning(TrainOptions options) {
        boolean tagged = !isNetwork(options.model)
                && Manifest.rows().stream().anyMatch(row -> row.name().equals(options.model));
        if (tagged && !options.pretrained && options.weights == null) {
            throw new IllegalArgumentException(
                    "--model " + options.model + " names published weights; add --pretrained to"
                            + " start from them, or pass only the network's name to start from scratch");
        }
        if (options.pretrained && !tagged && !isNetwork(options.model)) {
            // An unknown name is refused with a list of the networks.
            throw new IllegalArgumentException(
                    Files.exists(Path.of(options.model)) || options.model.startsWith("hf-hub:")
                            ? "--pretrained: " + options.model + " has its own weights; omit --pretrained"
                            : "--model: " + unknown(options.model));
        }
    }

    private static String unknown(String model) {
        try {
            return Variant.of(model).modelName();
        } catch (IllegalArgumentException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /** The default configuration for the network and the data, with the options' overrides. */
    private static ModelConfig scratch(TrainOptions options) {
        ModelConfig usual = ModelConfig.usual(Variant.of(options.model));
        NetworkOptions network = usual.options();
        if (options.lastActivation != null) {
            network = network.withFamily(network.family()
                    .with(
                            DpnOptions.LAST_ACTIVATION,
                            LastActivation.of(options.lastActivation).toString()));
        }
        if (options.inChannels != null) {
            network = network.withInChannels(options.inChannels);
        }
        return options.input.apply(DataOptions.usual(options.dataset, usual.withOptions(network)));
    }

    /**
     * The network to train.
     *
     * @param classes the names of its classes
     */
    ZooModel<?, ?> network(List<String> classes, Optional<Device> device) throws IOException {
        if (open == null) {
            return ConvZoo.untrained(name, used(from, classes.size(), device));
        }
        Optional<List<String>> before = config.labels().map(Labels::names);
        if (before.isPresent()
                && before.get().size() == classes.size()
                && !before.get().equals(classes)) {
            err.println(Main.oneLine("the classifier starts from that of " + name + ", whose class names differ: "
                    + "class 0 was '" + before.get().get(0) + "' and is now '" + classes.get(0) + "'"));
        }
        return ConvZoo.loadLogits(
                open, used(from, classes.size(), device).withOnLoaded(report -> tell(report, classes.size())));
    }

    /** The network without its classifier, which computes the features to train a classifier on. */
    ZooModel<?, ?> backbone(Optional<Device> device) throws IOException {
        if (open == null) {
            throw new IllegalArgumentException("--head-only needs trained features");
        }
        return ConvZoo.loadLogits(open, used(from, 0, device));
    }

    private LoadOptions used(LoadOptions options, int classes, Optional<Device> device) {
        LoadOptions used = options.withNumClasses(classes)
                .withPreprocessing(config.preprocessing())
                .withUpright(config.upright())
                .forTraining();
        if (open == null) {
            used = used.withInChannels(config.options().inChannels());
            String activation = config.options().family().settings().get(DpnOptions.LAST_ACTIVATION);
            used = activation == null ? used : used.withLastActivation(LastActivation.of(activation));
        }
        return device.isPresent() ? used.withDevice(device.get()) : used;
    }

    /** Prints guesses, and parameters that do not start from the weights. */
    private void tell(LoadReport report, int classes) {
        if (verbose) {
            report.lines().forEach(line -> err.println(Main.oneLine(line)));
            return;
        }
        for (LoadReport.Note note : report.notes()) {
            if (note.rule() == LoadReport.Rule.CLASSIFIER_REPLACED) {
                // Weights without class names may have another number of classes than their network's configuration.
                err.println("convzoo: new classifier: the data has " + Count.of(classes, "class", "classes")
                        + config.labels()
                                .map(labels -> ", the weights have " + labels.size())
                                .orElse(", and the weights have another number"));
            } else if (note.rule() == LoadReport.Rule.CLASSIFIER_NEW) {
                err.println("convzoo: new classifier: the weights have none");
            } else if (note.rule() == LoadReport.Rule.INPUT_CHANNELS_ADAPTED) {
                err.println("convzoo: " + note.rule().text());
            }
        }
        report.guesses().forEach(guess -> err.println("convzoo: " + Main.oneLine(guess)));
    }

    /**
     * The configuration for using the trained network.
     *
     * @param network the network as built
     * @param classes the names of its classes
     * @param classes the names of its classes
     */
    ModelConfig config(Network network, List<String> classes) {
        ModelConfig own = open == null ? config : config.ofOtherWeights();
        return own.withOptions(network.options()).withLabels(new Labels(classes));
    }
}
