package io.github.convzoo.export;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What an export has written.
 *
 * @param file the file
 * @param bytes its size
 * @param nodesBefore how many nodes the network's graph has
 * @param nodesAfter how many were left to write
 * @param checks the runtimes that ran the file
 */
public record ExportReport(Path file, long bytes, int nodesBefore, int nodesAfter, List<Check> checks) {

    /**
     * A runtime's results next to the network's, on random input.
     *
     * @param runtime the runtime's name
     * @param difference the largest difference, relative to the largest value of the output
     */
    public record Check(String runtime, double difference) {}

    /**
     * Copies the list.
     *
     * @param file the file
     * @param bytes its size
     * @param nodesBefore how many nodes the network's graph has
     * @param nodesAfter how many were left to write
     * @param checks the runtimes that ran the file
     */
    public ExportReport {
        checks = List.copyOf(checks);
    }

    /**
     * The report for people.
     *
     * @return one line for the file, one for each runtime
     */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(
                Locale.ROOT,
                "%s: written, %.1f MB, %d nodes (%d before rewriting)",
                file,
                bytes / 1e6,
                nodesAfter,
                nodesBefore));
        for (Check check : checks) {
            lines.add(String.format(
                    Locale.ROOT,
                    "%s: largest difference from the network %.1e of the largest output",
                    check.runtime(),
                    check.difference()));
        }
        if (checks.isEmpty()) {
            lines.add("not run: no runtime for this format is on the class path");
        }
        return lines;
    }
}
