package io.github.convzoo.hub;

import java.time.Duration;
import java.util.Locale;

/** The time by which work has to be done. It passes while the process sleeps, too. */
public final class Deadline {

    /** About a hundred years: more would overflow. */
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private final Duration whole;
    private final long end;

    private Deadline(Duration whole) {
        this.whole = whole;
        end = System.nanoTime() + whole.toNanos();
    }

    /**
     * A deadline some time from now.
     *
     * @param time how long; no more than a hundred years count
     * @return the deadline
     */
    public static Deadline in(Duration time) {
        return new Deadline(shorter(time, LONGEST));
    }

    /**
     * The time that there was at first.
     *
     * @return how long
     */
    public Duration whole() {
        return whole;
    }

    /**
     * Whether no time is left.
     *
     * @return whether it has passed
     */
    public boolean hasPassed() {
        return end - System.nanoTime() <= 0;
    }

    /**
     * The time that work may take.
     *
     * @param time the longest
     * @return that, or what is left if it is shorter; never negative
     */
    public Duration atMost(Duration time) {
        return shorter(time, Duration.ofNanos(Math.max(0, end - System.nanoTime())));
    }

    /** The time that there was at first, in seconds, as messages give times. */
    @Override
    public String toString() {
        return seconds(whole);
    }

    static String seconds(Duration time) {
        return String.format(Locale.ROOT, "%.3g s", time.toMillis() / 1000.0);
    }

    private static Duration shorter(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }
}
