package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ProgressBarTest {

    private final StringWriter text = new StringWriter();
    private final PrintWriter err = new PrintWriter(text);

    @BeforeEach
    void onATerminal() {
        System.setProperty("convzoo.terminal", "true");
    }

    @AfterEach
    void clear() {
        System.clearProperty("convzoo.terminal");
    }

    @Test
    void bar_noTerminal_printsNothing() {
        System.clearProperty("convzoo.terminal");
        DownloadBar bar = new DownloadBar(err);
        bar.reset("Downloading", 10);
        bar.update(10);
        bar.end();
        assertThat(text.toString()).isEmpty();
    }

    /** Logs of long work show that it advances, without a line per image. */
    @Test
    void bar_noTerminal_printsALinePerMinute() {
        System.clearProperty("convzoo.terminal");
        AtomicLong seconds = new AtomicLong();
        ProgressBar bar =
                new ProgressBar(err, 300, ProgressBar.Unit.IMAGES, () -> TimeUnit.SECONDS.toNanos(seconds.get()));
        for (int done = 0; done < 150; done++) {
            seconds.incrementAndGet();
            bar.update(done);
        }
        bar.clear();
        assertThat(text.toString().lines())
                .hasSize(2)
                .first()
                .asString()
                .isEqualTo(
                        "convzoo: [" + "#".repeat(7) + ".".repeat(33) + "] 59 of 300 images, 1 images/s, 245 s left");
    }

    @Test
    void bar_bytes_areMegabytes() {
        DownloadBar bar = new DownloadBar(err);
        bar.reset("Downloading", 100_000_000);
        bar.start(25_000_000);
        bar.update(50_000_000);
        assertThat(text.toString())
                .startsWith("\r[####################....................] 50.0 of 100.0 MB, ")
                .endsWith(" s left");
    }

    @Test
    void bar_lengthNotKnown_countsOnly() {
        DownloadBar bar = new DownloadBar(err);
        bar.reset("Downloading", -1);
        bar.increment(3_000_000);
        assertThat(text.toString()).startsWith("\r3.0 MB, ").doesNotContain("[");
    }

    @Test
    void bar_images_areCounted() {
        ProgressBar bar = new ProgressBar(err, 2000, ProgressBar.Unit.IMAGES);
        bar.update(2000);
        assertThat(text.toString()).startsWith("\r[" + "#".repeat(40) + "] 2,000 of 2,000 images, ");
    }

    @Test
    void update_soonAfterAnother_isLeftOutUnlessItIsTheLast() {
        ProgressBar bar = new ProgressBar(err, 8, ProgressBar.Unit.IMAGES);
        bar.update(2);
        bar.update(3);
        bar.update(8);
        String[] drawn = text.toString().split("\r");
        assertThat(drawn).hasSize(3);
        assertThat(drawn[1]).startsWith("[" + "#".repeat(10) + ".".repeat(30) + "] 2 of 8 images, ");
        assertThat(drawn[2]).startsWith("[" + "#".repeat(40) + "] 8 of 8 images, ");
    }

    @Test
    void clear_afterALine_blanksAllOfIt() {
        ProgressBar bar = new ProgressBar(err, 10, ProgressBar.Unit.IMAGES);
        bar.update(10);
        int line = text.toString().length() - 1;
        bar.clear();
        assertThat(text.toString()).endsWith("\r" + " ".repeat(line) + "\r");
    }
}
