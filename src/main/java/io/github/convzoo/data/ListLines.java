package io.github.convzoo.data;

import io.github.convzoo.message.Reason;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The lines of a list of images, each a path and a label, with any supported separator.
 *
 * <p>A whole file is read in one way: with commas or semicolons if all lines have them, else with tabs and spaces. If
 * both are possible, the way in which all paths have image suffixes applies. A header determines the columns.
 */
final class ListLines {

    private static final int MAX_FILE_BYTES = 1 << 28;
    private static final int SHOWN = 80;

    private static final Set<String> PATH_COLUMNS = Set.of(
            "filename",
            "filenames",
            "file",
            "filepath",
            "path",
            "image",
            "images",
            "imagename",
            "imagepath",
            "imageid",
            "imagefile",
            "img",
            "imgpath",
            "imgname",
            "name",
            "id");

    private static final Set<String> LABEL_COLUMNS = Set.of(
            "label",
            "labels",
            "class",
            "classes",
            "classname",
            "classid",
            "target",
            "targets",
            "category",
            "categoryid",
            "labelid",
            "labelname",
            "species",
            "breed",
            "y");

    /** A path and a label, as written. */
    record Entry(int number, String path, String label) {}

    /**
     * The content of a file.
     *
     * @param notes guesses
     */
    record Content(List<Entry> entries, List<String> notes) {}

    private record Line(int number, String text) {}

    /** A way to read a line. */
    private enum Reading {
        COMMAS(','),
        SEMICOLONS(';'),
        /** The last tab ends the path, or the last space if there is no tab. */
        SPACES('\t');

        private final char separator;

        Reading(char separator) {
            this.separator = separator;
        }

        /** The line's columns; one if there is no separator. */
        List<String> columns(String line) {
            if (this != SPACES) {
                return separated(line, separator);
            }
            int end = line.lastIndexOf('\t');
            if (end < 0) {
                end = line.lastIndexOf(' ');
            }
            return end < 0
                    ? List.of(line)
                    : List.of(
                            unquoted(line.substring(0, end).strip()),
                            unquoted(line.substring(end + 1).strip()));
        }

        @Override
        public String toString() {
            return this == SPACES ? "tabs or spaces" : name().toLowerCase(Locale.ROOT);
        }
    }

    private ListLines() {}

    static Content read(Path list) throws IOException {
        List<Line> lines = lines(list);
        Reading reading = reading(list, lines);
        List<String> notes = new ArrayList<>();
        List<String> first = reading.columns(lines.get(0).text());
        int path = first.size() == 2 ? 0 : column(first, PATH_COLUMNS);
        int label = first.size() == 2 ? 1 : column(first, LABEL_COLUMNS);
        boolean header = isHeader(first);
        if (header) {
            path = column(first, PATH_COLUMNS);
            label = column(first, LABEL_COLUMNS);
            notes.add("%s: the first line, '%s', was read as a header"
                    .formatted(list, shortened(lines.get(0).text())));
        } else if (first.size() > 2) {
            throw new IOException(
                    ("%s:%d: '%s' has %d columns, so path and label are ambiguous; start the list with a header such"
                                    + " as filename,label")
                            .formatted(
                                    list,
                                    lines.get(0).number(),
                                    shortened(lines.get(0).text()),
                                    first.size()));
        }
        List<Entry> entries = new ArrayList<>();
        for (Line line : lines.subList(header ? 1 : 0, lines.size())) {
            List<String> columns = reading.columns(line.text());
            if (columns.size() == 1) {
                throw new IOException("%s:%d: '%s' has no label; write a path and a label per line"
                        .formatted(list, line.number(), shortened(line.text())));
            }
            if (columns.size() != first.size()) {
                throw new IOException(
                        "%s:%d: '%s' has %d columns, but the lines before it have %d; quote values that contain %s"
                                .formatted(
                                        list,
                                        line.number(),
                                        shortened(line.text()),
                                        columns.size(),
                                        first.size(),
                                        reading));
            }
            if (columns.get(path).isEmpty() || columns.get(label).isEmpty()) {
                throw new IOException("%s:%d: '%s' has no %s; write a path and a label per line"
                        .formatted(
                                list,
                                line.number(),
                                shortened(line.text()),
                                columns.get(path).isEmpty() ? "path" : "label"));
            }
            entries.add(new Entry(line.number(), columns.get(path), columns.get(label)));
        }
        if (entries.isEmpty()) {
            throw new IOException(list + ": no images listed; write a path and a label per line");
        }
        return new Content(entries, notes);
    }

    private static boolean isHeader(List<String> columns) {
        return column(columns, PATH_COLUMNS) >= 0 && column(columns, LABEL_COLUMNS) >= 0;
    }

    /** The first column with one of the names; -1 if none exists. */
    private static int column(List<String> columns, Set<String> names) {
        for (int i = 0; i < columns.size(); i++) {
            if (names.contains(columns.get(i).toLowerCase(Locale.ROOT).replaceAll("[\\s_-]", ""))) {
                return i;
            }
        }
        return -1;
    }

    private static Reading reading(Path list, List<Line> lines) throws IOException {
        List<Reading> possible = new ArrayList<>();
        for (Reading each : Reading.values()) {
            if (lines.stream().allMatch(line -> each.columns(line.text()).size() > 1)) {
                possible.add(each);
            }
        }
        if (possible.isEmpty()) {
            return Reading.SPACES;
        }
        if (possible.size() > 1 && lines.stream().allMatch(line -> line.text().indexOf('\t') >= 0)) {
            return Reading.SPACES;
        }
        List<Reading> likely = possible.size() == 1
                ? possible
                : possible.stream().filter(each -> namesImages(each, lines)).toList();
        if (likely.size() != 1) {
            Line line = lines.get(0);
            throw new IOException(
                    ("%s:%d: '%s' can be read as separated by %s (label '%s') or by %s (label '%s'); separate path"
                                    + " and label by a tab")
                            .formatted(
                                    list,
                                    line.number(),
                                    shortened(line.text()),
                                    possible.get(0),
                                    last(possible.get(0), line),
                                    possible.get(1),
                                    last(possible.get(1), line)));
        }
        return likely.get(0);
    }

    private static String last(Reading reading, Line line) {
        List<String> columns = reading.columns(line.text());
        return columns.get(columns.size() - 1);
    }

    /** Whether each line, except a header, has one column with an image suffix. */
    private static boolean namesImages(Reading reading, List<Line> lines) {
        boolean header = isHeader(reading.columns(lines.get(0).text()));
        return lines.stream().skip(header ? 1 : 0).allMatch(line -> reading.columns(line.text()).stream()
                .anyMatch(ListLines::isImage));
    }

    private static boolean isImage(String path) {
        return ImageFolder.isImage(path.substring(path.lastIndexOf('/') + 1));
    }

    /** Splits a line as in RFC 4180: values with separators are quoted, and quotes in them doubled. */
    private static List<String> separated(String line, char separator) {
        List<String> columns = new ArrayList<>();
        StringBuilder column = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '"' && quoted && i + 1 < line.length() && line.charAt(i + 1) == '"') {
                column.append('"');
                i++;
            } else if (c == '"' && (quoted || column.toString().isBlank())) {
                quoted = !quoted;
            } else if (c == separator && !quoted) {
                columns.add(column.toString().strip());
                column.setLength(0);
            } else {
                column.append(c);
            }
        }
        columns.add(column.toString().strip());
        return columns;
    }

    private static String unquoted(String text) {
        return text.length() >= 2 && text.startsWith("\"") && text.endsWith("\"")
                ? text.substring(1, text.length() - 1).replace("\"\"", "\"")
                : text;
    }

    private static List<Line> lines(Path list) throws IOException {
        List<Line> lines = new ArrayList<>();
        int number = 0;
        if (Files.exists(list) && !Files.isRegularFile(list)) {
            // A pipe waits for its other end, and some devices are endless.
            throw new IOException(list + ": not a regular file; pass a list of images");
        }
        try {
            if (Files.size(list) > MAX_FILE_BYTES) {
                throw new IOException(list + ": more than 256 MiB; check that this is a list of images");
            }
            try (BufferedReader reader = Files.newBufferedReader(list, StandardCharsets.UTF_8)) {
                for (String text = reader.readLine(); text != null; text = reader.readLine()) {
                    number++;
                    // Some editors start a file with a byte order mark.
                    String line = number == 1 && text.startsWith("\ufeff") ? text.substring(1) : text;
                    if (!line.isBlank()) {
                        lines.add(new Line(number, line.strip()));
                    }
                }
            }
        } catch (CharacterCodingException e) {
            throw new IOException("%s: not UTF-8 after line %d; save the list as UTF-8".formatted(list, number), e);
        } catch (FileSystemException e) {
            throw new IOException(
                    list + ": cannot be read (" + Reason.of(e) + "); check the file and its permissions", e);
        }
        if (lines.isEmpty()) {
            throw new IOException(list + ": no images listed; write a path and a label per line");
        }
        return lines;
    }

    static String shortened(String text) {
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN - 3) + "...";
    }
}
