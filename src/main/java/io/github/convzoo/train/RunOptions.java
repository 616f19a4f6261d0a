package io.github.convzoo.train;

import java.time.Duration;
import java.util.OptionalInt;

/**
 * The options of a run. Start from {@link #usual} and change what differs.
 *
 * @param saveEvery the maximum time lost to a crash; everything is also saved after each epoch
 * @param bestBy the metric that selects the best epoch
 * @param patience the number of epochs without improvement after which the run stops early; empty for never
 */
public record RunOptions(Duration saveEvery, BestBy bestBy, OptionalInt patience) {

    /**
     * Validates the patience.
     *
     * @param saveEvery the maximum time lost to a crash
     * @param bestBy the metric that selects the best epoch
     * @param patience at least 1, or empty
     */
    public RunOptions {
        if (patience.isPresent() && patience.getAsInt() < 1) {
            throw new IllegalArgumentException("the patience must be at least 1 epoch, not " + patience.getAsInt());
        }
    }

    /**
     * Returns the defaults: save every ten minutes, keep the epoch with the highest validation accuracy, never stop
     * early.
     *
     * @return the options
     */
    public static RunOptions usual() {
        return new RunOptions(Duration.ofMinutes(10), BestBy.TOP1, OptionalInt.empty());
    }

    /**
     * Returns the options with another interval between saves.
     *
     * @param value the maximum time lost to a crash
     * @return the changed options
     */
    public RunOptions withSaveEvery(Duration value) {
        return new RunOptions(value, bestBy, patience);
    }

    /**
     * Returns the options with another metric for the best weights.
     *
     * @param value the metric that selects the best epoch
     * @return the changed options
     */
    public RunOptions withBestBy(BestBy value) {
        return new RunOptions(saveEvery, value, patience);
    }

    /**
     * Returns the options with early stopping.
     *
     * @param epochs the number of epochs without improvement after which the run stops, at least 1
     * @return the changed options
     */
    public RunOptions withPatience(int epochs) {
        return new RunOptions(saveEvery, bestBy, OptionalInt.of(epochs));
    }

    long saveNanos() {
        return saveEvery.compareTo(Duration.ofNanos(Long.MAX_VALUE)) < 0 ? saveEvery.toNanos() : Long.MAX_VALUE;
    }
}
