package io.github.convzoo.cli;

import io.github.convzoo.network.LastActivation;
import io.github.convzoo.weights.StoreSettings;
import io.github.convzoo.weights.WeightStore;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which network, with which weights. */
final class ModelOptions {

    @Option(
            names = "--model",
            paramLabel = "NAME",
            required = true,
            description =
                    "The network, or network.tag for one of its published sets of weights; convzoo list shows them.")
    String model = "";

    @Option(
            names = "--weights",
            paramLabel = "FILE",
            description = "A checkpoint, of any format that is read. Default: the published weights, downloaded once.")
    @Nullable Path weights;

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

    /** The options so far; what loading did is told where the command is verbose. */
    LoadOptions options(Main main, CommonOptions common, PrintWriter err) {
        if (weights == null && ConvZoo.listWeights(known(model)).isEmpty()) {
            throw new IllegalArgumentException(
                    "--weights: there are no published weights of " + model + "; name a checkpoint file");
        }
        LoadOptions options = weights == null ? LoadOptions.published() : LoadOptions.of(weights);
        if (weights == null) {
            options = options.withStore(new WeightStore(StoreSettings.fromEnvironment(main.environment)))
                    .withProgress(new DownloadBar(err));
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
