package io.github.convzoo.network;

import io.github.convzoo.graph.Value;
import io.github.convzoo.nn.Operations;
import java.util.Locale;

/** The activation after {@link Dpn}'s last normalization. */
public enum LastActivation {
    /**
     * The default: used in the authors' MXNet symbols and in timm since 0.9, whose published accuracies were measured
     * with it, regardless of the activation declared in its source.
     */
    RELU,
    /** For weights that were trained with timm 0.6 or older. */
    ELU,
    /** DPN-48b's, also in its stem. */
    SILU;

    /**
     * {@return an activation by name}
     *
     * @param name {@code relu}, {@code elu}, or {@code silu}, in any case
     * @throws IllegalArgumentException if it is none of these
     */
    public static LastActivation of(String name) {
        for (LastActivation each : values()) {
            if (each.name().equalsIgnoreCase(name)) {
                return each;
            }
        }
        throw new IllegalArgumentException("the last activation must be relu, elu, or silu, not " + name);
    }

    /** Applies the activation. */
    Value apply(Operations ops, Value x) {
        return switch (this) {
            case RELU -> ops.relu(x);
            case ELU -> ops.elu(x);
            case SILU -> ops.silu(x);
        };
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
