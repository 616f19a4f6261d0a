package io.github.convzoo.cli;

import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.weights.Manifest;
import io.github.convzoo.zoo.ConvZoo;
import org.jspecify.annotations.Nullable;

/** How the images of each kind of data set become a network's input. */
final class DataOptions {

    private DataOptions() {}

    /**
     * From an image to the input, without chance.
     *
     * @param inputSize the side of the square input; null for the usual one: 32 for sets of small images, else the published
     */
    static Preprocessing preprocessing(DataKind kind, String model, @Nullable Integer inputSize) {
        if (inputSize != null && inputSize < 1) {
            throw new IllegalArgumentException("--input-size must be at least 1, not " + inputSize);
        }
        if (!kind.isSmall()) {
            return inputSize == null ? ConvZoo.preprocessing(model) : ConvZoo.preprocessing(model, inputSize);
        }
        Preprocessing published = ConvZoo.preprocessing(model);
        int size = inputSize != null ? inputSize : isBundled(model) ? published.height() : DataKind.SMALL_SIDE;
        Preprocessing whole = Preprocessing.ofCropFraction(size, 1, published.resampling(), published.normalization());
        // Fashion-MNIST gives images of any size that is asked for.
        return kind == DataKind.FASHION_MNIST || size == DataKind.SMALL_SIDE ? whole.withoutResize() : whole;
    }

    /** Whether a name is that of weights that the library brings, which are for small images. */
    private static boolean isBundled(String name) {
        return Manifest.rows().stream()
                .anyMatch(row -> row.bundled() != null && row.name().equals(name));
    }
}
