package io.github.convzoo.zoo;

import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.Manifest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a name stands for.
 *
 * @param variant the network
 * @param row the published weights: those of the tag, or the network's first; null where it has none
 */
record Name(Variant variant, Manifest.@Nullable Row row) {

    /**
     * Takes a name apart.
     *
     * @param name {@code model} or {@code model.tag}
     * @throws IllegalArgumentException if there is no such network, or it has no such weights
     */
    static Name of(String name) {
        int dot = name.indexOf('.');
        if (dot < 0) {
            return new Name(Variant.of(name), Manifest.first(name).orElse(null));
        }
        Variant variant = Variant.of(name.substring(0, dot));
        for (Manifest.Row row : rows(variant)) {
            if (row.name().equals(name)) {
                return new Name(variant, row);
            }
        }
        List<String> names = rows(variant).stream().map(Manifest.Row::name).toList();
        throw new IllegalArgumentException("there are no published weights " + name + "; there are "
                + (names.isEmpty() ? "none of " + variant.modelName() : String.join(", ", names)));
    }

    /** The published weights of a network, the first being those that its name alone stands for. */
    static List<Manifest.Row> rows(Variant variant) {
        return Manifest.rows().stream()
                .filter(row -> row.model().equals(variant.modelName()))
                .toList();
    }

    /** How an image becomes the network's input. */
    Preprocessing preprocessing() {
        return row == null ? usual(variant.inputSize()) : Preprocessing.published(row.preprocessing());
    }

    /** The same for a square input of some size: the published way where that is one of the published sizes. */
    Preprocessing preprocessing(int inputSize) {
        if (row == null) {
            return usual(inputSize);
        }
        Manifest.@Nullable Larger larger = row.larger();
        if (larger != null) {
            Preprocessing published = Preprocessing.published(larger.preprocessing());
            if (published.height() == inputSize) {
                return published;
            }
        }
        return Preprocessing.published(row.preprocessing(), inputSize);
    }

    /** Nothing is published: what tutorials do with these networks is what is usual. */
    private static Preprocessing usual(int inputSize) {
        return Preprocessing.ofCropFraction(inputSize, 0.875, Resampling.BILINEAR, Normalization.IMAGENET);
    }
}
