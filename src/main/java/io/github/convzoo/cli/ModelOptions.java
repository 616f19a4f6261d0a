package io.github.convzoo.cli;

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
            description = "The network; convzoo list shows them.")
    String model = "";

    @Option(
            names = "--weights",
            paramLabel = "FILE",
            required = true,
            description = "A checkpoint: safetensors, .pth, .pt, .pth.tar.")
    Path weights = Path.of("");

    @Option(
            names = "--num-classes",
            paramLabel = "N",
            description = "The number of classes; 0 for pooled features. Default: as many as the checkpoint has.")
    @Nullable Integer numClasses;

    /** The options so far; what loading did is told where the command is verbose. */
    LoadOptions options(CommonOptions common, PrintWriter err) {
        LoadOptions options = LoadOptions.of(weights).withOnLoaded(report -> {
            if (common.verbose) {
                report.lines().forEach(line -> err.println(Main.oneLine(line)));
            }
        });
        return numClasses == null ? options : options.withNumClasses(numClasses);
    }
}
