package io.github.convzoo.cli;

import ai.djl.ndarray.types.Shape;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.network.NetworkOptions;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.ModelConfig;

/** How images of each kind of data set become a network's input, unless the model's configuration says so. */
final class DataOptions {

    /** Fashion-MNIST's images of 28 x 28 are padded by four pixels to an input of 32 x 32. */
    private static final double PADDED = 8.0 / 7;

    private DataOptions() {}

    /**
     * A network's default configuration, adapted to the images of a kind of data set.
     *
     * @param config the network's default configuration
     */
    static ModelConfig usual(DataKind kind, ModelConfig config) {
        if (!kind.isSmall()) {
            return config;
        }
        Preprocessing published = config.preprocessing();
        int size = fits(config.variant(), DataKind.SMALL_SIDE) ? DataKind.SMALL_SIDE : published.height();
        return config.withPreprocessing(
                kind == DataKind.FASHION_MNIST
                        ? Preprocessing.ofCropFraction(size, PADDED, Resampling.NEAREST, published.normalization())
                        : Preprocessing.ofCropFraction(size, 1, published.resampling(), published.normalization()));
    }

    private static boolean fits(Variant variant, int side) {
        NetworkOptions options = variant.options();
        try {
            variant.build().getOutputShapes(new Shape[] {new Shape(1, options.inChannels(), side, side)});
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
