package io.github.convzoo.network;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/** A network by name: a row of the table of one of the families. */
public sealed interface Variant permits DlaVariant, PeleeNetVariant, DpnVariant, DpnPostVariant, AlexNetVariant {

    /**
     * The name, in lower case.
     *
     * @return such as {@code dla34}
     */
    String modelName();

    /**
     * What the published network has: its number of classes, three input channels, the paper's dropout.
     *
     * @return the options
     */
    NetworkOptions options();

    /**
     * The side of the square input that the published network was trained on.
     *
     * @return pixels
     */
    int inputSize();

    /**
     * Builds the network, not initialised.
     *
     * @param options what differs from the published network
     * @return the block
     * @throws IllegalArgumentException if the variant does not have what the options ask for
     */
    Network build(NetworkOptions options);

    /**
     * Builds the published network, not initialised.
     *
     * @return the block
     */
    default Network build() {
        return build(options());
    }

    /**
     * Finds a variant.
     *
     * @param modelName its name, in lower case
     * @return the variant
     * @throws IllegalArgumentException if there is none; the message names those that are
     */
    static Variant of(String modelName) {
        Variant variant = all().get(modelName);
        if (variant == null) {
            throw new IllegalArgumentException(
                    "there is no network " + modelName + "; there are " + String.join(", ", all().keySet()));
        }
        return variant;
    }

    /**
     * Every variant.
     *
     * @return the variants by name, family by family; not modifiable
     */
    static Map<String, Variant> all() {
        Map<String, Variant> all = new LinkedHashMap<>();
        Stream.<Variant[]>of(
                        DlaVariant.values(),
                        PeleeNetVariant.values(),
                        DpnVariant.values(),
                        DpnPostVariant.values(),
                        AlexNetVariant.values())
                .flatMap(Stream::of)
                .forEach(variant -> all.put(variant.modelName(), variant));
        return Collections.unmodifiableMap(all);
    }
}
