package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ProgressBarTest {

    private final StringWriter err = new StringWriter();

    @AfterEach
    void forgetTerminal() {
        System.clearProperty("convzoo.terminal");
    }

    @Test
    void update_onATerminal_drawsOneLineThatClearRemoves() {
        System.setProperty("convzoo.terminal", "true");
        ProgressBar bar = new ProgressBar(new PrintWriter(err), 8);
        bar.update(2);
        bar.update(3);
        bar.update(8);

        // The second comes too soon after the first; the last is always shown.
        String[] drawn = err.toString().split("\r");
        assertThat(drawn).hasSize(3);
        assertThat(drawn[1]).startsWith("[" + "#".repeat(10) + ".".repeat(30) + "] 2 of 8, ");
        assertThat(drawn[2]).startsWith("[" + "#".repeat(40) + "] 8 of 8, ").endsWith(" 0 s left ");
        err.getBuffer().setLength(0);
        bar.clear();
        assertThat(err.toString()).isBlank().startsWith("\r").endsWith("\r");
        assertThat(err.toString().length()).isGreaterThan(drawn[2].length());
    }

    @Test
    void update_elsewhere_printsNothing() {
        ProgressBar bar = new ProgressBar(new PrintWriter(err), 8);
        bar.update(2);
        bar.update(8);
        bar.clear();

        assertThat(err.toString()).isEmpty();
    }
}
