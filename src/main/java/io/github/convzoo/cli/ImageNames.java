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
 * The images that a command is given: files, URLs, folders, and lists of these, one after the other, so that any number of
 * them takes no memory.
 */
final class ImageNames {

    /** Standard input: an image as an argument, names as a list. */
    static final String STANDARD_INPUT = "-";

    /** The longest line of a list, in UTF-16 units; a data URL takes some. */
    private static final int MAX_LINE = 4_000_000;

    private final List<String> arguments;
    private final Optional<String> list;
    private final boolean recursive;
    private final InputStream in;

    /**
     * @param arguments files, folders, URLs, and {@code -} for an image from standard input
     * @param list a file of the same, one per line; {@code -} for standard input
     * @param recursive whether folders inside folders are searched
     * @param in standard input
     */
    ImageNames(List<String> arguments, Optional<String> list, boolean recursive, InputStream in) {
        this.arguments = List.copyOf(arguments);
        this.list = list;
        this.recursive = recursive;
        this.in = in;
        if (arguments.isEmpty() && list.isEmpty()) {
            throw new IllegalArgumentException(
                    "name images, folders, or URLs, or a file of their names with --list; see convzoo predict --help");
        }
        if (arguments.contains(STANDARD_INPUT)
                && list.filter(STANDARD_INPUT::equals).isPresent()) {
            throw new IllegalArgumentException("standard input is either an image (-) or names (--list -), not both");
        }
    }

    /** Whether there is only one, so that its name need not be said. */
    boolean isOne() {
        return list.isEmpty() && arguments.size() == 1 && !isFolder(arguments.get(0));
    }

    /** A name that takes an image, or what is wrong with one. */
    interface Taker {
        void take(String name) throws Exception;

        void failed(String name, IOException problem) throws Exception;
    }

    /** Goes through all of them in order. A folder or list that cannot be read is a failure of its own. */
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
            throw new IOException(name + ": is not UTF-8; save the list as UTF-8", e);
        } catch (FileSystemException e) {
            throw new IOException(name + ": cannot be read (" + e + "); check the path", e);
        }
    }

    /** The next line; null at the end. A file that is not a list may be one endless line. */
    private static @Nullable String line(BufferedReader in, String list) throws IOException {
        int c = in.read();
        if (c < 0) {
            return null;
        }
        StringBuilder line = new StringBuilder();
        for (; c >= 0 && c != '\n' && c != '\r'; c = in.read()) {
            if (line.length() == MAX_LINE) {
                throw new IOException(list + ": has a line of more than 4 million characters; give one image per line");
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
                    folder + ": holds no image" + (recursive ? "" : "; --recursive searches the folders in it too"));
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
