package io.github.convzoo.cli;

import io.github.convzoo.zoo.StreamOptions;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How to divide many images among the cores. */
final class StreamingOptions {

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            description = "The number of images to compute together. Default: 8 with ONNX Runtime, whose results do not"
                    + " depend on it; 1 with PyTorch on a CPU; 32 on a GPU.")
    @Nullable Integer batchSize;

    @Option(
            names = "--workers",
            paramLabel = "N",
            description = "The number of threads that decode images and compute batches. Default: one per core.")
    @Nullable Integer workers;

    StreamOptions get() {
        try {
            return new StreamOptions(optional(batchSize), optional(workers));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("--batch-size or --workers: " + e.getMessage(), e);
        }
    }

    private static OptionalInt optional(@Nullable Integer value) {
        return value == null ? OptionalInt.empty() : OptionalInt.of(value);
    }
}
