package io.github.convzoo.weights;

import io.github.convzoo.checkpoint.Limits;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How to read weights from a checkpoint. Start from {@link #DEFAULT} and change what differs.
 *
 * @param limits limits for reading the file
 * @param key the location of the weights: a dotted path, such as {@code checkpoint.model}, which may end with the
 *     prefix of the tensors' names, such as {@code state_dict.student}; null to find the only ones that fit the network
 * @param ignored entries to ignore: names as in the file, in which {@code *} matches any text and {@code ?} any
 *     character
 */
public record ReadOptions(Limits limits, @Nullable String key, List<String> ignored) {

    /** The default limits, automatic search for the weights, and no ignored entries. */
    public static final ReadOptions DEFAULT = new ReadOptions(Limits.DEFAULT, null, List.of());

    /** Copies the list. */
    public ReadOptions {
        ignored = List.copyOf(ignored);
    }

    /**
     * {@return the options with other limits}
     *
     * @param value limits for reading the file
     */
    public ReadOptions withLimits(Limits value) {
        return new ReadOptions(value, key, ignored);
    }

    /**
     * {@return the options with the location of the weights}
     *
     * @param value a dotted path, such as {@code checkpoint.model}; null to search for them
     */
    public ReadOptions withKey(@Nullable String value) {
        return new ReadOptions(limits, value, ignored);
    }

    /**
     * {@return the options with entries to ignore}
     *
     * @param value name patterns, such as {@code loss.*}
     */
    public ReadOptions withIgnored(List<String> value) {
        return new ReadOptions(limits, key, value);
    }
}
