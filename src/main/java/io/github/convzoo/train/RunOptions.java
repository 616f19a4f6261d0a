package io.github.convzoo.train;

import java.time.Duration;
import java.util.OptionalInt;

/**
 * The options of a run. Start from {@link #usual} and change what differs.
 *
 * @param saveEvery the maximum time lost to a crash; everything is also saved after each epoch
 * @param bestBy the metric that selects the best epoch
 * @param patience the number of epochs without improvement, at least 1, after which the run stops early; empty for
 *     never
 */
public record RunOptions(Duration saveEvery, BestBy bestBy, OptionalInt patience) {

    /**
     * Validates the patience.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    public RunOptions {
        if (patience.isPresent() && patience.getAsInt() < 1) {
            throw new IllegalArgumentException("the patience must be at least 1 epoch, not " + patience.getAsInt());
        }
    }

    /**
     * {@return the defaults: save every ten minutes, keep the epoch with the highest validation accuracy, never stop
     * early}
     */
    public static RunOptions usual() {
        return new RunOptions(Duration.ofMinutes(10), BestBy.TOP1, OptionalInt.empty());
    }

    /**
     * {@return the options with another interval between saves}
     *
     * @param value the maximum time lost to a crash
     */
    public RunOptions withSaveEvery(Duration value) {
        return new RunOptions(value, bestBy, patience);
    }

    /**
     * {@return the options with another metric for the best weights}
     *
     * @param value the metric that selects the best epoch
     */
    public RunOptions withBestBy(BestBy value) {
        return new RunOptions(saveEvery, value, patience);
    }

    /**
     * {@return the options with early stopping}
     *
     * @param epochs the number of epochs without improvement after which the run stops, at least 1
     */
    public RunOptions withPatience(int epochs) {
        return new RunOptions(saveEvery, bestBy, OptionalInt.of(epochs));
    }

    long saveNanos() {
        return saveEvery.compareTo(Duration.ofNanos(Long.MAX_VALUE)) < 0 ? saveEvery.toNanos() : Long.MAX_VALUE;
    }
}
