package io.github.convzoo.cli;

import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.zoo.ConvZoo;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How an image becomes the network's input, where it differs from the published way. */
final class InputOptions {

    @Option(
            names = "--input-size",
            paramLabel = "S",
            description = "The side of the network's square input. Default: the published one.")
    @Nullable Integer inputSize;

    @Option(
            names = "--no-resize",
            description = "Crop the image, or pad it with black, to the input size instead of resizing it first.")
    boolean noResize;

    Preprocessing apply(String name) {
        if (inputSize != null && inputSize < 1) {
            throw new IllegalArgumentException("--input-size must be at least 1, not " + inputSize);
        }
        Preprocessing preprocessing =
                inputSize == null ? ConvZoo.preprocessing(name) : ConvZoo.preprocessing(name, inputSize);
        return noResize ? preprocessing.withoutResize() : preprocessing;
    }
}
