package io.github.convzoo.cli;

import io.github.convzoo.weights.LoadReport;
import java.util.List;
import java.util.Locale;

/** Load reports, as they appear in JSON. */
final class Reports {

    private Reports() {}

    record Note(String rule, List<String> names) {}

    record Report(
            String file, String path, String model, List<String> loaded, List<Note> notes, List<String> placeholders) {}

    static Report json(LoadReport report) {
        return new Report(
                report.file().toString(),
                report.path(),
                report.modelName(),
                report.loaded(),
                notes(report.notes()),
                report.placeholders());
    }

    static List<Note> notes(List<LoadReport.Note> notes) {
        return notes.stream()
                .map(note -> new Note(note.rule().name().toLowerCase(Locale.ROOT), note.names()))
                .toList();
    }
}
