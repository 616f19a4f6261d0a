package io.github.convzoo.export;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The report of an export.
 *
 * @param file the file
 * @param bytes its size
 * @param nodesBefore the number of nodes in the network's graph
 * @param nodesAfter the number of nodes written
 * @param checks the runtimes that ran the file
 * @param notes differences in other tools that use the folder, and files that were left unchanged
 */
public record ExportReport(
        Path file, long bytes, int nodesBefore, int nodesAfter, List<Check> checks, List<String> notes) {

    /**
     * A runtime's results compared with the network's, on random input.
     *
     * @param runtime the runtime's name
     * @param difference the largest difference, relative to the largest value of the output
     */
    public record Check(String runtime, double difference) {}

    /** Copies the lists. */
    public ExportReport {
        checks = List.copyOf(checks);
        notes = List.copyOf(notes);
    }

    ExportReport withMoreNotes(List<String> more) {
        List<String> all = new ArrayList<>(notes);
        all.addAll(more);
        return new ExportReport(file, bytes, nodesBefore, nodesAfter, checks, all);
    }

    /** {@return the report for people: one line for the file, one for each runtime, and one for each note} */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(
                Locale.ROOT,
                "%s: written, %.1f MB, %d nodes (%d before optimization)",
                file,
                bytes / 1e6,
                nodesAfter,
                nodesBefore));
        for (Check check : checks) {
            lines.add(String.format(
                    Locale.ROOT,
                    "%s: largest difference from the network: %.1e of the largest output",
                    check.runtime(),
                    check.difference()));
        }
        if (checks.isEmpty()) {
            lines.add("not run: no runtime for this format is on the class path");
        }
        lines.addAll(notes);
        return lines;
    }
}
