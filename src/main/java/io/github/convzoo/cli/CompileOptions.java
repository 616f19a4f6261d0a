package io.github.convzoo.cli;

import io.github.convzoo.zoo.CompiledPrecision;
import io.github.convzoo.zoo.CompiledRuntime;
import io.github.convzoo.zoo.LoadOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options for compiling the network first. */
final class CompileOptions {

    @Option(
            names = "--compiled",
            description =
                    "Compile the network for prediction: faster, with the same results to within 1e-5. The compiled"
                            + " form is"
                            + " cached.")
    boolean compiled;

    @Option(
            names = "--runtime",
            paramLabel = "onnx|torchscript",
            description = "The runtime (--compiled only). Default: the fastest available.")
    @Nullable String runtime;

    @Option(
            names = "--precision",
            paramLabel = "fp32|fp16|bf16",
            description = "The compute precision (--compiled only); fp16 and bf16 need a GPU. Default: fp32.")
    @Nullable String precision;

    LoadOptions apply(LoadOptions options) {
        if (!compiled && runtime != null) {
            throw new IllegalArgumentException("--runtime needs --compiled");
        }
        if (!compiled && precision != null) {
            throw new IllegalArgumentException("--precision needs --compiled");
        }
        if (!compiled) {
            return options;
        }
        return (runtime == null ? options.compiled() : options.compiled(runtime(runtime)))
                .withPrecision(precision == null ? CompiledPrecision.FLOAT32 : precision(precision));
    }

    private static CompiledRuntime runtime(String name) {
        try {
            return CompiledRuntime.of(name);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("--runtime: " + e.getMessage(), e);
        }
    }

    /** Parses the value of a precision option. */
    static CompiledPrecision precision(String name) {
        try {
            return CompiledPrecision.of(name);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("--precision: " + e.getMessage(), e);
        }
    }
}
