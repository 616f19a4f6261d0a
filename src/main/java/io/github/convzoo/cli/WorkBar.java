package io.github.convzoo.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** A progress bar for consecutive parts of a task, and lines about images that are skipped meanwhile. */
final class WorkBar implements AutoCloseable {

    private final PrintWriter err;
    private @Nullable ProgressBar bar;

    WorkBar(PrintWriter err) {
        this.err = err;
    }

    /** Starts the next part; call the result with the amount done. */
    IntConsumer next(long total, ProgressBar.Unit unit) {
        clear();
        ProgressBar next = new ProgressBar(err, total, unit);
        bar = next;
        return next::update;
    }

    void skipped(IOException bad) {
        clear();
        err.println("convzoo: skipped: " + Main.oneLine(bad.getMessage()));
    }

    /** Clears the bar; it comes back with more progress. */
    void clear() {
        if (bar != null) {
            bar.clear();
        }
    }

    @Override
    public void close() {
        clear();
    }
}
