package io.github.convzoo.network;

import java.util.Locale;

/** What follows {@link Dpn}'s last normalisation. */
public enum LastActivation {
    /**
     * The default: in the authors' MXNet symbols and in timm since 0.9, whose published accuracies were measured with it,
     * whatever activation its source declares.
     */
    RELU,
    /** For weights that were trained with timm 0.6 or older. */
    ELU;

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
