package io.github.convzoo.cli;

import ai.djl.util.Progress;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;

/** Shows a bar for each download. */
final class DownloadBar implements Progress {

    private final PrintWriter err;
    private @Nullable ProgressBar bar;
    private long done;

    DownloadBar(PrintWriter err) {
        this.err = err;
    }

    @Override
    public void reset(String message, long max, @Nullable String trailingMessage) {
        end();
        bar = new ProgressBar(err, max, ProgressBar.Unit.BYTES);
    }

    @Override
    public void start(long initialProgress) {
        done = initialProgress;
        if (bar != null) {
            bar.startAt(initialProgress);
        }
    }

    @Override
    public void end() {
        if (bar != null) {
            bar.clear();
            bar = null;
        }
    }

    @Override
    public void increment(long increment) {
        update(done + increment);
    }

    @Override
    public void update(long progress, @Nullable String message) {
        done = progress;
        if (bar != null) {
            bar.update(progress);
        }
    }
}
