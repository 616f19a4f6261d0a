package io.github.convzoo.cli;

import io.github.convzoo.zoo.CompiledPrecision;
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

    @Option(
            names = "--precision",
            paramLabel = "fp32|fp16|bf16",
            description = "With --compiled: what the network computes in; fp16 and bf16 on a GPU only. Default: fp32.")
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

    /** A precision of an option. */
    static CompiledPrecision precision(String name) {
        try {
            return CompiledPrecision.of(name);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("--precision: " + e.getMessage(), e);
        }
    }
}
