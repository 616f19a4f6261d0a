package io.github.convzoo.network;

import ai.djl.ndarray.types.Shape;
import io.github.convzoo.message.Spelling;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/** A network by name: a row of the table of one of the families. */
public sealed interface Variant permits DlaVariant, PeleeNetVariant, DpnVariant, DpnPostVariant, AlexNetVariant {

    /**
     * Returns the name, in lower case.
     *
     * @return for example, {@code dla34}
     */
    String modelName();

    /**
     * Returns the options of the published network: its number of classes, three input channels, the paper's dropout.
     *
     * @return the options
     */
    NetworkOptions options();

    /**
     * Returns the side of the square input that the published network was trained on.
     *
     * @return pixels
     */
    int inputSize();

    /**
     * Returns the side of the smallest square input that fits the weights.
     *
     * @param shapes the weights' shapes by canonical name
     * @return pixels; empty for most networks, whose weights fit inputs of any size
     */
    default OptionalInt inputSize(Map<String, Shape> shapes) {
        return OptionalInt.empty();
    }

    /**
     * Whether weights fit inputs of a size.
     *
     * @param shapes the weights' shapes by canonical name
     * @param height the input's height in pixels
     * @param width the input's width in pixels
     * @return true for most networks, whose weights fit inputs of any size
     */
    default boolean fitsInput(Map<String, Shape> shapes, int height, int width) {
        return true;
    }

    /**
     * Checks whether the network computes the same results as timm's network of the same name.
     *
     * @param options the network's options
     * @return empty if it does; else the reason, as a phrase
     */
    default Optional<String> differenceToTimm(NetworkOptions options) {
        return Optional.of("timm has no " + modelName());
    }

    /**
     * Builds the network, uninitialized.
     *
     * @param options the options that differ from the published network
     * @return the block
     * @throws IllegalArgumentException if the variant does not support the options
     */
    Network build(NetworkOptions options);

    /**
     * Builds the published network, uninitialized.
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
     * @throws IllegalArgumentException if none exists; the message lists the existing ones
     */
    static Variant of(String modelName) {
        Variant variant = all().get(modelName);
        if (variant == null) {
            throw new IllegalArgumentException(
                    "unknown network " + modelName + Spelling.advice(modelName, all().keySet()));
        }
        return variant;
    }

    /**
     * Returns all variants.
     *
     * @return the variants by name, family by family; unmodifiable
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
