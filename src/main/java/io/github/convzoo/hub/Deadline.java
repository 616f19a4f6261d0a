package io.github.convzoo.hub;

import java.time.Duration;

/** The time by which work has to be done. It passes while the process sleeps, too. */
final class Deadline {

    /** About a hundred years: more would overflow. */
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private final Duration whole;
    private final long end;

    private Deadline(Duration whole) {
        this.whole = whole;
        end = System.nanoTime() + whole.toNanos();
    }

    /** A deadline some time from now. */
    static Deadline in(Duration time) {
        return new Deadline(shorter(time, LONGEST));
    }

    /** The time that there was at first. */
    Duration whole() {
        return whole;
    }

    boolean hasPassed() {
        return end - System.nanoTime() <= 0;
    }

    /** A time, or what is left if that is shorter. */
    Duration atMost(Duration time) {
        return shorter(time, Duration.ofNanos(Math.max(0, end - System.nanoTime())));
    }

    private static Duration shorter(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }
}
