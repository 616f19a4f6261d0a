package io.github.convzoo.cli;

import io.github.convzoo.image.Preprocessing;
import java.util.OptionalInt;
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

    Preprocessing apply(Preprocessing published) {
        int size = inputSize == null ? published.height() : inputSize;
        if (size < 1) {
            throw new IllegalArgumentException("--input-size must be at least 1, not " + size);
        }
        OptionalInt shorterSide = OptionalInt.empty();
        if (!noResize && published.shorterSide().isPresent()) {
            // The crop stays the share of the resized image that it is in the published way.
            long scaled = (long) size * published.shorterSide().getAsInt() / published.height();
            // A size beyond an int is refused with the input's own.
            shorterSide = OptionalInt.of((int) Math.min(Integer.MAX_VALUE, scaled));
        }
        return new Preprocessing(size, size, shorterSide, published.resampling(), published.normalization());
    }
}
