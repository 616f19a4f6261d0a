package io.github.convzoo.weights;

import io.github.convzoo.checkpoint.Limits;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How to read weights from a checkpoint. Start from {@link #DEFAULT} and change what differs.
 *
 * @param limits what the file may ask for
 * @param key where the weights are: a dotted path, such as {@code checkpoint.model}, that may end in the prefix that their
 *     names have, such as {@code state_dict.student}; null to look for the only ones that fit the network
 * @param ignored what to leave out: names of entries, as the file has them, in which {@code *} stands for any text and
 *     {@code ?} for any character
 */
public record ReadOptions(Limits limits, @Nullable String key, List<String> ignored) {

    /** The default limits; the weights are looked for, and nothing is left out. */
    public static final ReadOptions DEFAULT = new ReadOptions(Limits.DEFAULT, null, List.of());

    /**
     * Creates options with a copy of the given list.
     *
     * @param limits what the file may ask for
     * @param key where the weights are, or null
     * @param ignored what to leave out
     */
    public ReadOptions {
        ignored = List.copyOf(ignored);
    }

    /**
     * With other limits.
     *
     * @param value what the file may ask for
     * @return the changed options
     */
    public ReadOptions withLimits(Limits value) {
        return new ReadOptions(value, key, ignored);
    }

    /**
     * With a place for the weights.
     *
     * @param value a dotted path, such as {@code checkpoint.model}; null to look for them
     * @return the changed options
     */
    public ReadOptions withKey(@Nullable String value) {
        return new ReadOptions(limits, value, ignored);
    }

    /**
     * With entries to leave out.
     *
     * @param value patterns of names, such as {@code loss.*}
     * @return the changed options
     */
    public ReadOptions withIgnored(List<String> value) {
        return new ReadOptions(limits, key, value);
    }
}
