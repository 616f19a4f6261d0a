package io.github.convzoo.train;

import java.time.Duration;
import java.util.OptionalInt;

/**
 * How a run goes. Start from {@link #usual} and change what differs.
 *
 * @param saveEvery how much time may be lost to a crash; after an epoch everything is saved in any case
 * @param bestBy which epoch's weights are the best
 * @param patience after how many epochs without a better one the run ends early; empty for never
 */
public record RunOptions(Duration saveEvery, BestBy bestBy, OptionalInt patience) {

    /**
     * Checks the patience.
     *
     * @param saveEvery how much time may be lost
     * @param bestBy which epoch is the best
     * @param patience at least 1, or empty
     */
    public RunOptions {
        if (patience.isPresent() && patience.getAsInt() < 1) {
            throw new IllegalArgumentException("the patience must be at least 1 epoch, not " + patience.getAsInt());
        }
    }

    /**
     * Saves every ten minutes, keeps the epoch of the highest validation accuracy, and never ends early.
     *
     * @return the options
     */
    public static RunOptions usual() {
        return new RunOptions(Duration.ofMinutes(10), BestBy.TOP1, OptionalInt.empty());
    }

    /**
     * With another time between two saves.
     *
     * @param value how much time may be lost to a crash
     * @return the changed options
     */
    public RunOptions withSaveEvery(Duration value) {
        return new RunOptions(value, bestBy, patience);
    }

    /**
     * With another criterion for the best weights.
     *
     * @param value which epoch's weights are the best
     * @return the changed options
     */
    public RunOptions withBestBy(BestBy value) {
        return new RunOptions(saveEvery, value, patience);
    }

    /**
     * With early stopping.
     *
     * @param epochs after how many epochs without a better one the run ends, at least 1
     * @return the changed options
     */
    public RunOptions withPatience(int epochs) {
        return new RunOptions(saveEvery, bestBy, OptionalInt.of(epochs));
    }

    long saveNanos() {
        return saveEvery.compareTo(Duration.ofNanos(Long.MAX_VALUE)) < 0 ? saveEvery.toNanos() : Long.MAX_VALUE;
    }
}
