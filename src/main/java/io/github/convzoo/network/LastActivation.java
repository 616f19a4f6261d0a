package io.github.convzoo.network;

import java.util.Locale;

/** What follows {@link Dpn}'s last normalisation. */
public enum LastActivation {
    /** As in the published conversions of the authors' weights, and the default. */
    ELU,
    /** As in the authors' own MXNet symbols, and so with their own files. */
    RELU;

    /**
     * Finds an activation.
     *
     * @param name {@code elu} or {@code relu}, in any case
     * @return the activation
     * @throws IllegalArgumentException if it is neither
     */
    public static LastActivation of(String name) {
        for (LastActivation each : values()) {
            if (each.name().equalsIgnoreCase(name)) {
                return each;
            }
        }
        throw new IllegalArgumentException("the last activation must be elu or relu, not " + name);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
