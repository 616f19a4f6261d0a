package io.github.convzoo.data;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Images named by a list file, one a line: a path, a tab or spaces, and a label, as ImageNet's {@code val.txt} has them.
 *
 * <p>A label is the number of a class or its name. The path may hold spaces; where a line has a tab, the last one ends the
 * path, and then the name may hold spaces too. Lines that are blank do not count. An image is taken as it is stored: EXIF
 * orientation is not applied.
 */
public final class ImageList extends ImageFiles {

    private static final int MAX_FILE_BYTES = 1 << 28;
    private static final int MAX_CLASSES = 1_000_000;

    private ImageList(List<String> classes, List<Path> files, int[] labels) {
        super(classes, files, labels);
    }

    private record Line(int number, Path file, String label) {}

    /**
     * Reads a list whose labels say what classes there are: if the first one is a number, 0 to the highest number, named
     * by it; else the names, numbered in their order. No image is read yet.
     *
     * @param list the list file, UTF-8, at most 256 MiB
     * @param root what the paths are relative to
     * @return the images, in the list's order
     * @throws IOException if the list cannot be read or holds nothing, or a line is not what it should be; the message
     *     names file and line
     */
    public static ImageList of(Path list, Path root) throws IOException {
        List<Line> lines = read(list, root);
        if (!isNumber(lines.get(0).label())) {
            Comparator<String> order = Comparator.naturalOrder();
            List<String> names =
                    lines.stream().map(Line::label).distinct().sorted(order).toList();
            for (Line line : lines) {
                if (isNumber(line.label())) {
                    throw new IOException(
                            "%s:%d: label '%s' is a number, and the ones before it are names; use one kind"
                                    .formatted(list, line.number(), line.label()));
                }
            }
            return of(list, lines, names);
        }
        int classes = 0;
        for (Line line : lines) {
            if (!isNumber(line.label())) {
                throw new IOException("%s:%d: label '%s' is no number, as the ones before it are; use one kind"
                        .formatted(list, line.number(), line.label()));
            }
            classes = Math.max(classes, number(list, line, MAX_CLASSES) + 1);
        }
        return of(
                list,
                lines,
                IntStream.range(0, classes).mapToObj(Integer::toString).toList());
    }

    /**
     * Reads a list whose classes are known. A label is the name of one of them or, if it is none's name, a number.
     *
     * @param list the list file, UTF-8, at most 256 MiB
     * @param root what the paths are relative to
     * @param classes the classes' names in the order of their numbers; at least one, no two the same
     * @return the images, in the list's order
     * @throws IOException as {@link #of(Path, Path)}, or if a label is no class
     */
    public static ImageList of(Path list, Path root, List<String> classes) throws IOException {
        requireDifferent(classes);
        return of(list, read(list, root), List.copyOf(classes));
    }

    private static ImageList of(Path list, List<Line> lines, List<String> classes) throws IOException {
        Map<String, Integer> numbers = new HashMap<>();
        for (String name : classes) {
            numbers.put(name, numbers.size());
        }
        int[] labels = new int[lines.size()];
        for (int i = 0; i < labels.length; i++) {
            Line line = lines.get(i);
            Integer named = numbers.get(line.label());
            if (named != null) {
                labels[i] = named;
            } else if (isNumber(line.label())) {
                labels[i] = number(list, line, classes.size());
            } else {
                throw new IOException("%s:%d: label '%s' is none of the %d classes; is the list of another data set?"
                        .formatted(list, line.number(), line.label(), classes.size()));
            }
        }
        return new ImageList(classes, lines.stream().map(Line::file).toList(), labels);
    }

    private static boolean isNumber(String label) {
        return label.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private static int number(Path list, Line line, int classes) throws IOException {
        // Seven digits are more than any number of classes and fit into an int.
        String digits = line.label().replaceFirst("^0+(?=.)", "");
        if (digits.length() > 7 || Integer.parseInt(digits) >= classes) {
            throw new IOException(
                    "%s:%d: label %s is not one of 0 to %d".formatted(list, line.number(), line.label(), classes - 1));
        }
        return Integer.parseInt(digits);
    }

    private static List<Line> read(Path list, Path root) throws IOException {
        List<Line> lines = new ArrayList<>();
        int number = 0;
        try {
            if (Files.size(list) > MAX_FILE_BYTES) {
                throw new IOException(list + ": has more than 256 MiB; is this a list of images?");
            }
            try (BufferedReader reader = Files.newBufferedReader(list, StandardCharsets.UTF_8)) {
                for (String text = reader.readLine(); text != null; text = reader.readLine()) {
                    number++;
                    // Some editors begin a file with a byte order mark.
                    String line = number == 1 && text.startsWith("\ufeff") ? text.substring(1) : text;
                    if (!line.isBlank()) {
                        lines.add(parse(list, root, number, line.strip()));
                    }
                }
            }
        } catch (CharacterCodingException e) {
            throw new IOException("%s: is not UTF-8 after line %d; save the list as UTF-8".formatted(list, number), e);
        } catch (FileSystemException e) {
            throw new IOException(list + ": cannot be read (" + e + "); check the file and its permissions", e);
        }
        if (lines.isEmpty()) {
            throw new IOException(list + ": names no image; give a path and a label a line");
        }
        return lines;
    }

    private static Line parse(Path list, Path root, int number, String line) throws IOException {
        int end = line.lastIndexOf('\t');
        if (end < 0) {
            end = line.lastIndexOf(' ');
        }
        if (end < 0) {
            throw new IOException("%s:%d: '%s' has no label; give a path and a label a line"
                    .formatted(list, number, shortened(line)));
        }
        String path = line.substring(0, end).strip();
        try {
            return new Line(number, root.resolve(path), line.substring(end + 1).strip());
        } catch (InvalidPathException e) {
            throw new IOException(
                    "%s:%d: '%s' is no path (%s)".formatted(list, number, shortened(path), e.getReason()), e);
        }
    }

    private static String shortened(String text) {
        return text.length() <= 80 ? text : text.substring(0, 77) + "...";
    }
}
