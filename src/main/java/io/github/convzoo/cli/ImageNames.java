package io.github.convzoo.cli;

import io.github.convzoo.data.ImageFolder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The images given to a command: files, URLs, folders, and lists of these. They are visited one at a time, so memory
 * use does not depend on their number.
 */
final class ImageNames {

    /** Standard input: an image if an argument, a list of names if a list. */
    static final String STANDARD_INPUT = "-";

    /** The maximum length of a line in a list, in UTF-16 units; data URLs are long. */
    private static final int MAX_LINE = 4_000_000;

    private final List<String> arguments;
    private final Optional<String> list;
    private final boolean recursive;
    private final InputStream in;

    /**
     * @param arguments files, folders, URLs, and {@code -} for an image from standard input
     * @param list a file with one of these per line; {@code -} for standard input
     * @param recursive whether to search subfolders
     * @param in standard input
     */
    ImageNames(List<String> arguments, Optional<String> list, boolean recursive, InputStream in) {
        this.arguments = List.copyOf(arguments);
        this.list = list;
        this.recursive = recursive;
        this.in = in;
        if (arguments.isEmpty() && list.isEmpty()) {
            throw new IllegalArgumentException(
                    "give images, folders, or URLs, or pass a file of names with --list; see convzoo predict --help");
        }
        if (arguments.contains(STANDARD_INPUT)
                && list.filter(STANDARD_INPUT::equals).isPresent()) {
            throw new IllegalArgumentException(
                    "standard input can be an image (-) or a list of names (--list -), not both");
        }
    }

    /** Whether there is only one image, so that its name need not be printed. */
    boolean isOne() {
        return list.isEmpty() && arguments.size() == 1 && !isFolder(arguments.get(0));
    }

    /** Receives the name of each image, or the reason for its absence. */
    interface Taker {
        void take(String name) throws Exception;

        void failed(String name, IOException problem) throws Exception;
    }

    /** Visits all images in order. A folder or list that cannot be read counts as one failure. */
    void forEach(Taker taker) throws Exception {
        for (String each : arguments) {
            take(each, taker);
        }
        if (list.isPresent()) {
            takeList(list.get(), taker);
        }
    }

    private void takeList(String file, Taker taker) throws Exception {
        boolean standard = file.equals(STANDARD_INPUT);
        String name = standard ? "standard input" : file;
        try (BufferedReader lines = standard
                ? new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()))
                : Files.newBufferedReader(Path.of(file))) {
            String line = line(lines, name);
            if (line != null && line.startsWith("\ufeff")) {
                line = line.substring(1);
            }
            for (; line != null; line = line(lines, name)) {
                if (!line.isBlank()) {
                    take(line.strip(), taker);
                }
            }
        } catch (CharacterCodingException e) {
            throw new IOException(name + ": not UTF-8; save the list as UTF-8", e);
        } catch (FileSystemException e) {
            throw new IOException(name + ": cannot be read (" + e + "); check the path", e);
        }
    }

    /** The next line; null at the end. Limited, because a file that is not a list may be one endless line. */
    private static @Nullable String line(BufferedReader in, String list) throws IOException {
        int c = in.read();
        if (c < 0) {
            return null;
        }
        StringBuilder line = new StringBuilder();
        for (; c >= 0 && c != '\n' && c != '\r'; c = in.read()) {
            if (line.length() == MAX_LINE) {
                throw new IOException(list + ": a line has more than 4 million characters; put one image on each line");
            }
            line.append((char) c);
        }
        return line.toString();
    }

    private void take(String name, Taker taker) throws Exception {
        if (!isFolder(name)) {
            taker.take(name);
            return;
        }
        List<Path> images;
        try {
            images = images(Path.of(name));
        } catch (IOException e) {
            taker.failed(name, e);
            return;
        }
        for (Path each : images) {
            taker.take(each.toString());
        }
    }

    private List<Path> images(Path folder) throws IOException {
        List<Path> images = new ArrayList<>();
        try (Stream<Path> files = Files.walk(folder, recursive ? Integer.MAX_VALUE : 1)) {
            files.filter(each -> !Files.isDirectory(each) && ImageFolder.isImage(each))
                    .forEach(images::add);
        } catch (FileSystemException | UncheckedIOException e) {
            throw new IOException(folder + ": cannot be listed (" + e + "); check its permissions", e);
        }
        if (images.isEmpty()) {
            throw new IOException(
                    folder + ": no images found" + (recursive ? "" : "; pass --recursive to search subfolders"));
        }
        images.sort(Comparator.naturalOrder());
        return images;
    }

    private static boolean isFolder(String name) {
        try {
            return Files.isDirectory(Path.of(name));
        } catch (InvalidPathException e) {
            return false;
        }
    }
}
