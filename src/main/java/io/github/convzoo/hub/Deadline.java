package io.github.convzoo.hub;

import java.time.Duration;
import java.util.Locale;

/** A deadline for work. Time also passes while the process is suspended. */
public final class Deadline {

    /** About a hundred years; more would overflow. */
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private final Duration whole;
    private final long end;

    private Deadline(Duration whole) {
        this.whole = whole;
        end = System.nanoTime() + whole.toNanos();
    }

    /**
     * {@return a deadline some time from now}
     *
     * @param time the time limit; at most a hundred years
     */
    public static Deadline in(Duration time) {
        return new Deadline(shorter(time, LONGEST));
    }

    /** {@return the original time limit} */
    public Duration whole() {
        return whole;
    }

    /** {@return whether the deadline has passed} */
    public boolean hasPassed() {
        return end - System.nanoTime() <= 0;
    }

    /**
     * Limits a time to the time left.
     *
     * @param time the maximum
     * @return the maximum, or the time left if it is shorter; never negative
     */
    public Duration atMost(Duration time) {
        return shorter(time, Duration.ofNanos(Math.max(0, end - System.nanoTime())));
    }

    /** The original time limit in seconds, formatted for messages. */
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
