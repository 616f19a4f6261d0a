package io.github.convzoo.data;

import io.github.convzoo.image.ImageDecoder;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Images listed in a file, one per line: a path, a tab or spaces, and a label, like ImageNet's {@code val.txt}; or the
 * same as CSV.
 *
 * <p>A label is a class's number or name. The path may contain spaces; if a line has a tab, the last tab ends the path,
 * and the name may also contain spaces. CSV is separated by commas or semicolons, may have quotes, and may start with a
 * header such as {@code filename,label}. A list that can be read in two ways is refused. Blank lines are ignored.
 *
 * <p>Images are rotated upright by their EXIF orientation. Pass a decoder {@code withOrientation(false)} to keep them
 * as stored, as torchvision does.
 */
public final class ImageList extends ImageFiles {

    private static final int MAX_CLASSES = 1_000_000;

    private ImageList(ImageDecoder decoder, List<String> classes, List<Path> files, int[] labels, List<String> notes) {
        super(decoder, classes, files, labels, notes);
    }

    private record Line(int number, Path file, String label) {}

    private record Lines(List<Line> all, List<String> notes) {}

    /**
     * Reads a list whose labels define the classes: if the first label is a number, 0 to the highest number, named by
     * the number; else the names, numbered in sorted order. No image is read yet; they will be rotated upright.
     *
     * @param list the list file, UTF-8, at most 256 MiB
     * @param root the folder that the paths are relative to
     * @return the images, in the list's order
     * @throws IOException if the list cannot be read or is empty, or a line is invalid; the message names file and line
     */
    public static ImageList of(Path list, Path root) throws IOException {
        return of(list, root, new ImageDecoder());
    }

    /**
     * Reads a list like {@link #of(Path, Path)}, with a decoder.
     *
     * @param list the list file, UTF-8, at most 256 MiB
     * @param root the folder that the paths are relative to
     * @param decoder reads the images
     * @return the images, in the list's order
     * @throws IOException as in {@link #of(Path, Path)}
     */
    public static ImageList of(Path list, Path root, ImageDecoder decoder) throws IOException {
        Lines lines = read(list, root);
        if (!ClassIndex.isNumber(lines.all().get(0).label())) {
            List<String> names =
                    lines.all().stream().map(Line::label).distinct().toList();
            for (Line line : lines.all()) {
                if (ClassIndex.isNumber(line.label())) {
                    throw new IOException(
                            "%s:%d: label '%s' is a number, but the labels before it are names; use one kind"
                                    .formatted(list, line.number(), line.label()));
                }
            }
            return of(
                    list, lines, names.stream().sorted(ClassIndex.order(names)).toList(), decoder);
        }
        int classes = 0;
        for (Line line : lines.all()) {
            if (!ClassIndex.isNumber(line.label())) {
                throw new IOException("%s:%d: label '%s' is not a number, but the labels before it are; use one kind"
                        .formatted(list, line.number(), line.label()));
            }
            classes = Math.max(classes, number(list, line, MAX_CLASSES) + 1);
        }
        return of(
                list,
                lines,
                IntStream.range(0, classes).mapToObj(Integer::toString).toList(),
                decoder);
    }

    /**
     * Reads a list whose classes are known; the images will be rotated upright. A label is the name of a class, matched
     * like folder names in {@link ImageFolder#of(Path, List)}, or, if it is not a name, a number.
     *
     * @param list the list file, UTF-8, at most 256 MiB
     * @param root the folder that the paths are relative to
     * @param classes the classes' names in the order of their numbers; at least one
     * @return the images, in the list's order
     * @throws IOException as in {@link #of(Path, Path)}, or if a label matches no class, or several
     */
    public static ImageList of(Path list, Path root, List<String> classes) throws IOException {
        return of(list, root, classes, new ImageDecoder());
    }

    /**
     * Reads a list like {@link #of(Path, Path, List)}, with a decoder.
     *
     * @param list the list file, UTF-8, at most 256 MiB
     * @param root the folder that the paths are relative to
     * @param classes the classes' names in the order of their numbers; at least one
     * @param decoder reads the images
     * @return the images, in the list's order
     * @throws IOException as in {@link #of(Path, Path, List)}
     */
    public static ImageList of(Path list, Path root, List<String> classes, ImageDecoder decoder) throws IOException {
        if (classes.isEmpty()) {
            throw new IllegalArgumentException("at least one class name is required");
        }
        return of(list, read(list, root), List.copyOf(classes), decoder);
    }

    private static ImageList of(Path list, Lines lines, List<String> classes, ImageDecoder decoder) throws IOException {
        ClassIndex index = new ClassIndex(classes);
        int[] labels = new int[lines.all().size()];
        for (int i = 0; i < labels.length; i++) {
            Line line = lines.all().get(i);
            OptionalInt named = index.find(list + ":" + line.number(), line.label());
            if (named.isPresent()) {
                labels[i] = named.getAsInt();
            } else if (ClassIndex.isNumber(line.label())) {
                labels[i] = number(list, line, classes.size());
            } else {
                throw new IOException(
                        "%s:%d: label '%s' is not one of the %d classes; check that the list belongs to this data set"
                                .formatted(list, line.number(), line.label(), classes.size()));
            }
        }
        return new ImageList(
                decoder, classes, lines.all().stream().map(Line::file).toList(), labels, lines.notes());
    }

    private static int number(Path list, Line line, int classes) throws IOException {
        // Seven digits exceed any number of classes and fit into an int.
        String digits = ClassIndex.withoutZeros(line.label());
        if (digits.length() > 7 || Integer.parseInt(digits) >= classes) {
            throw new IOException(
                    "%s:%d: label %s is not one of 0 to %d".formatted(list, line.number(), line.label(), classes - 1));
        }
        return Integer.parseInt(digits);
    }

    private static Lines read(Path list, Path root) throws IOException {
        ListLines.Content content = ListLines.read(list);
        List<Line> lines = new ArrayList<>();
        for (ListLines.Entry entry : content.entries()) {
            try {
                lines.add(new Line(entry.number(), PathNames.resolve(root, entry.path()), entry.label()));
            } catch (InvalidPathException e) {
                throw new IOException(
                        "%s:%d: '%s' is not a path (%s)"
                                .formatted(list, entry.number(), ListLines.shortened(entry.path()), e.getReason()),
                        e);
            }
        }
        return new Lines(lines, content.notes());
    }
}
