package io.github.convzoo.cli;

import io.github.convzoo.zoo.CompiledRuntime;
import io.github.convzoo.zoo.LoadOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Whether the network is compiled first. */
final class CompileOptions {

    @Option(
            names = "--compiled",
            description =
                    "Compile the network for prediction: faster, and the same results within 1e-5. The compiled form is"
                            + " cached.")
    boolean compiled;

    @Option(
            names = "--runtime",
            paramLabel = "onnx|torchscript",
            description = "With --compiled: what runs the network. Default: the fastest that is there.")
    @Nullable String runtime;

    LoadOptions apply(LoadOptions options) {
        if (!compiled && runtime != null) {
            throw new IllegalArgumentException("--runtime needs --compiled");
        }
        if (!compiled) {
            return options;
        }
        try {
            return runtime == null ? options.compiled() : options.compiled(CompiledRuntime.of(runtime));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("--runtime: " + e.getMessage(), e);
        }
    }
}
