package io.github.convzoo.cli;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.LongSupplier;

/** A progress line on standard error, if that is a terminal; otherwise a line per minute. */
final class ProgressBar {

    /** The unit of what is counted. */
    enum Unit {
        IMAGES(1, "%,.0f", "images"),
        LAYERS(1, "%,.0f", "layers"),
        BYTES(1e6, "%,.1f", "MB");

        private final double scale;
        private final String format;
        private final String label;

        Unit(double scale, String format, String label) {
            this.scale = scale;
            this.format = format;
            this.label = label;
        }

        private String of(long count) {
            return String.format(Locale.ROOT, format, count / scale);
        }
    }

    private static final int WIDTH = 40;
    private static final int NARROW = 10;
    private static final int LEAST = 4;
    private static final int COLUMNS = 200;
    private static final long BETWEEN_NANOS = 100_000_000L;
    private static final long BETWEEN_LINES_NANOS = 60_000_000_000L;

    private final PrintWriter err;
    private final long total;
    private final Unit unit;
    private final boolean shown;
    private final int columns;
    private final LongSupplier clock;
    private final long start;
    private long first;
    private long last;
    private long lastLine;
    private int printed;

    /** A total of less than 1 means that the total is unknown. */
    ProgressBar(PrintWriter err, long total, Unit unit) {
        this(err, total, unit, System::nanoTime);
    }

    /** A bar with its own clock, in nanoseconds. */
    ProgressBar(PrintWriter err, long total, Unit unit, LongSupplier clock) {
        this.err = HarmlessWriter.overwritable(err);
        this.total = total;
        this.unit = unit;
        // The launcher knows; System.console() would also check standard input.
        shown = Boolean.getBoolean("convzoo.terminal");
        columns = Math.max(2, Integer.getInteger("convzoo.columns", COLUMNS));
        this.clock = clock;
        start = clock.getAsLong();
        last = start - BETWEEN_NANOS;
        lastLine = start;
    }

    /** Sets how much was done before the start, which does not count toward the speed. */
    void startAt(long done) {
        first = done;
    }

    void update(long done) {
        update(done, "", "");
    }

    /** Updates the bar, with text before it, which makes it narrower, and text after it. */
    void update(long done, String before, String behind) {
        long now = clock.getAsLong();
        if (!shown && now - lastLine >= BETWEEN_LINES_NANOS) {
            lastLine = now;
            err.println("convzoo: "
                    + HarmlessWriter.harmless(before + line(done, (now - start) / 1e9, WIDTH, false) + behind));
        }
        if (!shown || (now - last < BETWEEN_NANOS && done != total)) {
            return;
        }
        last = now;
        int width = before.isEmpty() ? WIDTH : NARROW;
        double seconds = (now - start) / 1e9;
        String whole = before + line(done, seconds, width, !before.isEmpty()) + behind;
        if (whole.length() >= columns) {
            width = Math.max(LEAST, width - (whole.length() - columns + 1));
            whole = before + line(done, seconds, width, !before.isEmpty()) + behind;
        }
        // A line that the terminal wraps cannot be overwritten.
        String line = whole.substring(0, Math.min(whole.length(), columns - 1));
        err.print("\r" + HarmlessWriter.harmless(line) + " ".repeat(Math.max(0, printed - line.length())));
        err.flush();
        printed = line.length();
    }

    private String line(long done, double seconds, int width, boolean brief) {
        double rate = (done - first) / Math.max(1e-9, seconds);
        String speed = unit.of(Math.round(rate)) + " " + unit.label + "/s";
        String left = rate <= 0 ? "" : String.format(Locale.ROOT, ", %,.0f s left", (total - done) / rate);
        if (brief) {
            // There is more to say than how many.
            int narrow = (int) (width * Math.min(done, total) / Math.max(1, total));
            return "[" + "#".repeat(narrow) + ".".repeat(width - narrow) + "] " + speed + left;
        }
        if (total < 1) {
            return unit.of(done) + " " + unit.label + ", " + speed;
        }
        int filled = (int) (width * Math.min(done, total) / total);
        return "[" + "#".repeat(filled) + ".".repeat(width - filled) + "] " + unit.of(done) + " of " + unit.of(total)
                + " " + unit.label + ", " + speed + left;
    }

    void clear() {
        if (shown) {
            err.print("\r" + " ".repeat(printed) + "\r");
            err.flush();
        }
    }
}
