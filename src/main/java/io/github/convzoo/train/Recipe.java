package io.github.convzoo.train;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;

/**
 * A training recipe. Start from {@link #of} and change what differs.
 *
 * @param optimizer the optimizer
 * @param schedule the learning rate by step
 * @param loss the loss
 * @param clipNorm the maximum norm of all gradients together, above 0; larger ones are scaled down to it; empty for no
 *     limit
 * @param accumulation the number of micro-batches per batch, at least 1, whose gradients are accumulated; reduces
 *     memory by this factor
 * @param averaging an average of the weights (EMA), or empty
 * @param annealing the temperature of dynamic convolutions by epoch; unchanged if empty
 * @param stepsPerEpoch the number of steps per epoch, at least 1, for the annealing
 * @param frozen the parameters to freeze: canonical names, with {@code *} as a wildcard
 * @param rateFactors learning rate factors, positive and finite, by parameter names, with {@code *} as a wildcard; if
 *     several match, the last one applies
 * @param precision the number format of the network's computation
 * @param seed seeds the engine's random numbers, such as dropout's, separately for each step
 */
public record Recipe(
        Optimizer optimizer,
        Schedule schedule,
        CrossEntropy loss,
        OptionalDouble clipNorm,
        int accumulation,
        Optional<Averaging> averaging,
        Optional<Annealing> annealing,
        long stepsPerEpoch,
        List<String> frozen,
        Map<String, Double> rateFactors,
        Precision precision,
        long seed) {

    /**
     * Validates the values, and copies the list and the map.
     *
     * @throws IllegalArgumentException if a value is out of range
     */
    public Recipe {
        if (clipNorm.isPresent() && !(clipNorm.getAsDouble() > 0)) {
            throw new IllegalArgumentException(
                    "the gradient clipping norm must be positive, not " + clipNorm.getAsDouble());
        }
        if (accumulation < 1) {
            throw new IllegalArgumentException("the number of micro-batches must be at least 1, not " + accumulation);
        }
        if (stepsPerEpoch < 1) {
            throw new IllegalArgumentException("an epoch must have at least 1 step, not " + stepsPerEpoch);
        }
        frozen = List.copyOf(frozen);
        rateFactors = Collections.unmodifiableMap(new LinkedHashMap<>(rateFactors));
        rateFactors.forEach((pattern, factor) -> {
            if (!(factor > 0) || Double.isInfinite(factor)) {
                throw new IllegalArgumentException("the learning rate factor for " + pattern
                        + " must be positive and finite, not"
                        + " " + factor + "; to exclude parameters from training, freeze them");
            }
        });
    }

    /**
     * {@return a recipe with an optimizer and a schedule, plain cross-entropy, and nothing else}
     *
     * @param optimizer the optimizer
     * @param schedule the learning rate by step
     */
    public static Recipe of(Optimizer optimizer, Schedule schedule) {
        return new Recipe(
                optimizer,
                schedule,
                new CrossEntropy(0),
                OptionalDouble.empty(),
                1,
                Optional.empty(),
                Optional.empty(),
                1,
                List.of(),
                Map.of(),
                Precision.FP32,
                0);
    }

    /**
     * {@return the recipe with another loss}
     *
     * @param value the loss
     */
    public Recipe withLoss(CrossEntropy value) {
        return with(parts -> parts.loss = value);
    }

    /**
     * {@return the recipe with gradient clipping}
     *
     * @param value the maximum norm of all gradients together
     */
    public Recipe withClipNorm(double value) {
        return with(parts -> parts.clipNorm = OptionalDouble.of(value));
    }

    /**
     * {@return the recipe with gradient accumulation}
     *
     * @param value the number of micro-batches per batch
     */
    public Recipe withAccumulation(int value) {
        return with(parts -> parts.accumulation = value);
    }

    /**
     * {@return the recipe with an average of the weights}
     *
     * @param value the averaging
     */
    public Recipe withAveraging(Averaging value) {
        return with(parts -> parts.averaging = Optional.of(value));
    }

    /**
     * {@return the recipe with annealing of dynamic convolutions' temperature}
     *
     * @param value the temperature by epoch; unchanged if empty
     * @param steps the number of steps per epoch
     */
    public Recipe withAnnealing(Optional<Annealing> value, long steps) {
        return with(parts -> {
            parts.annealing = value;
            parts.stepsPerEpoch = steps;
        });
    }

    /**
     * {@return the recipe with frozen parameters}
     *
     * @param value canonical names, with {@code *} as a wildcard
     */
    public Recipe withFrozen(List<String> value) {
        return with(parts -> parts.frozen = value);
    }

    /**
     * {@return the recipe with separate learning rates for some parameters, such as the head}
     *
     * @param value the factors by canonical names, with {@code *} as a wildcard
     */
    public Recipe withRateFactors(Map<String, Double> value) {
        return with(parts -> parts.rateFactors = value);
    }

    /**
     * {@return the recipe with another precision} A GPU computes faster in float16; a CPU does not, but gives similar
     * results.
     *
     * @param value the number format of the network's computation
     */
    public Recipe withPrecision(Precision value) {
        return with(parts -> parts.precision = value);
    }

    /**
     * {@return the recipe with another seed}
     *
     * @param value any number
     */
    public Recipe withSeed(long value) {
        return with(parts -> parts.seed = value);
    }

    private Recipe with(Consumer<Parts> change) {
        Parts parts = new Parts(this);
        change.accept(parts);
        return parts.recipe();
    }

    /** A recipe that is being changed; the optimizer and the schedule stay. */
    private static final class Parts {
        private final Recipe from;
        private CrossEntropy loss;
        private OptionalDouble clipNorm;
        private int accumulation;
        private Optional<Averaging> averaging;
        private Optional<Annealing> annealing;
        private long stepsPerEpoch;
        private List<String> frozen;
        private Map<String, Double> rateFactors;
        private Precision precision;
        private long seed;

        Parts(Recipe from) {
            this.from = from;
            loss = from.loss;
            clipNorm = from.clipNorm;
            accumulation = from.accumulation;
            averaging = from.averaging;
            annealing = from.annealing;
            stepsPerEpoch = from.stepsPerEpoch;
            frozen = from.frozen;
            rateFactors = from.rateFactors;
            precision = from.precision;
            seed = from.seed;
        }

        Recipe recipe() {
            return new Recipe(
                    from.optimizer,
                    from.schedule,
                    loss,
                    clipNorm,
                    accumulation,
                    averaging,
                    annealing,
                    stepsPerEpoch,
                    frozen,
                    rateFactors,
                    precision,
                    seed);
        }
    }
}
