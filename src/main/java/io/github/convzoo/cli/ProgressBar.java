package io.github.convzoo.cli;

import java.io.PrintWriter;
import java.util.Locale;

/** One line that grows, where standard error is a terminal; elsewhere nothing. */
final class ProgressBar {

    private static final int WIDTH = 40;
    private static final long BETWEEN_NANOS = 100_000_000L;

    private final PrintWriter err;
    private final int total;
    private final boolean shown;
    private final long start = System.nanoTime();
    private long last;

    ProgressBar(PrintWriter err, int total) {
        this.err = err;
        this.total = total;
        // The launcher knows; System.console() would ask about standard input as well.
        shown = Boolean.getBoolean("convzoo.terminal");
        last = start - BETWEEN_NANOS;
    }

    void update(int done) {
        long now = System.nanoTime();
        if (!shown || (now - last < BETWEEN_NANOS && done < total)) {
            return;
        }
        last = now;
        int filled = (int) ((long) WIDTH * done / total);
        double rate = done / Math.max(1e-9, (now - start) / 1e9);
        err.printf(
                Locale.ROOT,
                "\r[%s%s] %,d of %,d, %,.0f images/s, %,.0f s left ",
                "#".repeat(filled),
                ".".repeat(WIDTH - filled),
                done,
                total,
                rate,
                (total - done) / rate);
        err.flush();
    }

    void clear() {
        if (shown) {
            err.print("\r" + " ".repeat(WIDTH + 50) + "\r");
            err.flush();
        }
    }
}
