package io.github.convzoo.train;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;

/**
 * How to learn. Start from {@link #of} and change what differs.
 *
 * @param optimizer how gradients become updates
 * @param schedule the learning rate by step
 * @param loss what is made small
 * @param clipNorm the largest norm of all gradients together; longer ones are scaled down to it
 * @param accumulation into how many parts a batch is cut, whose gradients are added up: it takes that much less memory
 * @param averaging an average of the weights beside them
 * @param annealing the temperature of dynamic convolutions by epoch; left as it is where empty
 * @param stepsPerEpoch how many steps make an epoch, for the annealing
 * @param frozen which parameters do not learn: canonical names, with {@code *} for any characters
 * @param rateFactors what the learning rate of some parameters is multiplied by, by such names; where several match, the
 *     last counts
 * @param precision the format of the numbers that the network computes in
 * @param seed what the engine's random numbers, such as dropout's, are drawn from, anew for each step
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
     * Checks every value.
     *
     * @param optimizer any
     * @param schedule any
     * @param loss any
     * @param clipNorm empty, or positive
     * @param accumulation at least 1
     * @param averaging any
     * @param annealing any
     * @param stepsPerEpoch at least 1
     * @param frozen any
     * @param rateFactors positive and finite
     * @param precision any
     * @param seed any
     */
    public Recipe {
        if (clipNorm.isPresent() && !(clipNorm.getAsDouble() > 0)) {
            throw new IllegalArgumentException(
                    "the norm to clip gradients to must be positive, not " + clipNorm.getAsDouble());
        }
        if (accumulation < 1) {
            throw new IllegalArgumentException("a batch is cut into at least 1 part, not " + accumulation);
        }
        if (stepsPerEpoch < 1) {
            throw new IllegalArgumentException("an epoch has at least 1 step, not " + stepsPerEpoch);
        }
        frozen = List.copyOf(frozen);
        rateFactors = Collections.unmodifiableMap(new LinkedHashMap<>(rateFactors));
        rateFactors.forEach((pattern, factor) -> {
            if (!(factor > 0) || Double.isInfinite(factor)) {
                throw new IllegalArgumentException("the learning rate's factor for " + pattern
                        + " must be positive and finite, not " + factor + "; freeze what shall not learn");
            }
        });
    }

    /**
     * An optimiser and a schedule, plain cross-entropy, and nothing else.
     *
     * @param optimizer how gradients become updates
     * @param schedule the learning rate by step
     * @return the recipe
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
     * With another loss.
     *
     * @param value what is made small
     * @return the changed recipe
     */
    public Recipe withLoss(CrossEntropy value) {
        return with(parts -> parts.loss = value);
    }

    /**
     * With gradients clipped.
     *
     * @param value the largest norm of all gradients together
     * @return the changed recipe
     */
    public Recipe withClipNorm(double value) {
        return with(parts -> parts.clipNorm = OptionalDouble.of(value));
    }

    /**
     * With batches cut into parts.
     *
     * @param value into how many parts a batch is cut
     * @return the changed recipe
     */
    public Recipe withAccumulation(int value) {
        return with(parts -> parts.accumulation = value);
    }

    /**
     * With an average of the weights.
     *
     * @param value how to average
     * @return the changed recipe
     */
    public Recipe withAveraging(Averaging value) {
        return with(parts -> parts.averaging = Optional.of(value));
    }

    /**
     * With the temperature of dynamic convolutions annealed.
     *
     * @param value the temperature by epoch; left as it is where empty
     * @param steps how many steps make an epoch
     * @return the changed recipe
     */
    public Recipe withAnnealing(Optional<Annealing> value, long steps) {
        return with(parts -> {
            parts.annealing = value;
            parts.stepsPerEpoch = steps;
        });
    }

    /**
     * With parameters that do not learn.
     *
     * @param value canonical names, with {@code *} for any characters
     * @return the changed recipe
     */
    public Recipe withFrozen(List<String> value) {
        return with(parts -> parts.frozen = value);
    }

    /**
     * With learning rates of their own for some parameters, such as the head.
     *
     * @param value the factors by canonical names, with {@code *} for any characters
     * @return the changed recipe
     */
    public Recipe withRateFactors(Map<String, Double> value) {
        return with(parts -> parts.rateFactors = value);
    }

    /**
     * In another precision. A GPU computes faster in float16; a CPU does not, but gives about the same numbers.
     *
     * @param value the format of the numbers that the network computes in
     * @return the changed recipe
     */
    public Recipe withPrecision(Precision value) {
        return with(parts -> parts.precision = value);
    }

    /**
     * With another seed.
     *
     * @param value any number
     * @return the changed recipe
     */
    public Recipe withSeed(long value) {
        return with(parts -> parts.seed = value);
    }

    private Recipe with(Consumer<Parts> change) {
        Parts parts = new Parts(this);
        change.accept(parts);
        return parts.recipe();
    }

    /** A recipe that is being changed; the optimiser and the schedule stay. */
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
