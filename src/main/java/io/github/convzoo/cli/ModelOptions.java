package io.github.convzoo.cli;

import io.github.convzoo.network.LastActivation;
import io.github.convzoo.weights.FetchException;
import io.github.convzoo.weights.Manifest;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which network, with which weights. */
final class ModelOptions {

    /** What classifies where nobody says what: the most accurate of the small ones. */
    private static final String USUAL = "dpn68b.ra_in1k";

    private static final String BUNDLED = "peleenet.fmnist";

    @Option(
            names = "--model",
            paramLabel = "NAME",
            description =
                    "The network, or network.tag for one of its published sets of weights; convzoo list shows them.")
    String model = "";

    @Option(
            names = "--weights",
            paramLabel = "FILE",
            description = "A checkpoint, of any format that is read. Default: the published weights, downloaded once.")
    @Nullable Path weights;

    @Mixin
    ReadingOptions reading = new ReadingOptions();

    @Option(
            names = "--num-classes",
            paramLabel = "N",
            description = "The number of classes; 0 for pooled features. Default: as many as the checkpoint has.")
    @Nullable Integer numClasses;

    @Option(
            names = "--last-activation",
            paramLabel = "A",
            description = "elu or relu: what DPN ends in. Default: elu; the authors' own files want relu.")
    @Nullable String lastActivation;

    /** Refuses to go on without a name. */
    void requireModel() {
        if (model.isEmpty()) {
            throw new IllegalArgumentException("--model is needed; convzoo list shows the networks");
        }
    }

    /**
     * Takes a network where none is named: of ImageNet's classes, if its weights are on this machine or can be fetched;
     * else the one that the library brings.
     */
    void chooseModel(Main main, PrintWriter err) throws IOException {
        if (!model.isEmpty()) {
            return;
        }
        if (weights != null) {
            throw new IllegalArgumentException("--weights: of which network? --model says it");
        }
        DownloadBar bar = new DownloadBar(err);
        try {
            main.store().fetch(Manifest.find(USUAL), bar);
            model = USUAL;
        } catch (FetchException e) {
            model = BUNDLED;
            err.println("convzoo: no --model is given, and the usual one, " + USUAL + ", cannot be had; taking "
                    + BUNDLED + ", which comes with ConvZoo and knows ten kinds of clothing alone ("
                    + Main.oneLine(e.getMessage()) + ")");
        } finally {
            bar.end();
        }
    }

    /** The options so far; what loading did is told where the command is verbose. */
    LoadOptions options(Main main, CommonOptions common, PrintWriter err) {
        if (weights == null && ConvZoo.listWeights(known(model)).isEmpty()) {
            throw new IllegalArgumentException(
                    "--weights: there are no published weights of " + model + "; name a checkpoint file");
        }
        LoadOptions options = weights == null ? LoadOptions.published() : LoadOptions.of(weights);
        options = reading.apply(options);
        if (weights == null) {
            options = options.withStore(main.store()).withProgress(new DownloadBar(err));
        }
        options = options.withOnLoaded(report -> {
            if (common.verbose) {
                report.lines().forEach(line -> err.println(Main.oneLine(line)));
            }
        });
        if (lastActivation != null) {
            options = options.withLastActivation(LastActivation.of(lastActivation));
        }
        return numClasses == null ? options : options.withNumClasses(numClasses);
    }

    /** The name, once it is found to be one. */
    private static String known(String name) {
        ConvZoo.preprocessing(name);
        return name;
    }
}
