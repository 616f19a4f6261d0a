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

    /** {@return the name, in lower case, for example {@code dla34}} */
    String modelName();

    /**
     * {@return the options of the published network: its number of classes, three input channels, the paper's dropout}
     */
    NetworkOptions options();

    /** {@return the side, in pixels, of the square input that the published network was trained on} */
    int inputSize();

    /**
     * {@return the side, in pixels, of the smallest square input that fits the weights; empty for most networks, whose
     * weights fit inputs of any size}
     *
     * @param shapes the weights' shapes by canonical name
     */
    default OptionalInt inputSize(Map<String, Shape> shapes) {
        return OptionalInt.empty();
    }

    /**
     * {@return whether weights fit inputs of a size: true for most networks, whose weights fit inputs of any size}
     *
     * @param shapes the weights' shapes by canonical name
     * @param height the input's height in pixels
     * @param width the input's width in pixels
     */
    default boolean fitsInput(Map<String, Shape> shapes, int height, int width) {
        return true;
    }

    /**
     * {@return the reason, as a phrase, why the network does not compute the same results as timm's network of the same
     * name; empty if it does}
     *
     * @param options the network's options
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
     * {@return a variant by name}
     *
     * @param modelName its name, in lower case
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

    /** {@return all variants by name, family by family; unmodifiable} */
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
