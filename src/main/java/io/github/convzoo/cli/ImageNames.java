package io.github.convzoo.cli;

import io.github.convzoo.data.ImageFolder;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.message.Reason;
import io.github.convzoo.zoo.ConvZoo;
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
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalLong;
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
            throw new IllegalArgumentException("no images given; pass files, folders, or URLs, or --list FILE");
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

    /**
     * An image, or a folder whose images cannot be listed.
     *
     * @param name its path or URL
     * @param problem the reason, for such a folder
     */
    record Entry(String name, Optional<IOException> problem) {}

    /**
     * Visits all images in order. A folder that cannot be listed is one entry.
     *
     * @return the entries; the iterator throws an {@link UncheckedIOException} if the list cannot be read
     */
    Iterator<Entry> iterator() {
        return new Entries();
    }

    /**
     * Reads an entry's image.
     *
     * @throws IOException if it cannot be read, or the entry is a folder that cannot be listed
     */
    RgbImage read(Entry entry, ImageDecoder decoder) throws IOException {
        if (entry.problem().isPresent()) {
            throw entry.problem().get();
        }
        return entry.name().equals(STANDARD_INPUT)
                ? decoder.decode(in, "standard input")
                : ConvZoo.readImage(entry.name(), decoder);
    }

    /** The number of entries, to show progress; empty if they can be read only once. */
    OptionalLong count() {
        if (list.isPresent() && !Files.isRegularFile(Path.of(list.get()))) {
            return OptionalLong.empty();
        }
        long count = 0;
        try {
            for (Iterator<Entry> all = iterator(); all.hasNext(); all.next()) {
                count++;
            }
        } catch (UncheckedIOException e) {
            // Reported when the entries are used.
            return OptionalLong.empty();
        }
        return OptionalLong.of(count);
    }

    private final class Entries implements Iterator<Entry> {

        private final Iterator<String> names = arguments.iterator();
        private @Nullable ListFile lines = list.map(ListFile::new).orElse(null);
        private Iterator<Entry> current = Collections.emptyIterator();

        @Override
        public boolean hasNext() {
            while (!current.hasNext()) {
                String name = names.hasNext() ? names.next() : lines == null ? null : lines.next();
                if (name == null) {
                    lines = null;
                    return false;
                }
                current = entries(name);
            }
            return true;
        }

        @Override
        public Entry next() {
            if (!hasNext()) {
                throw new NoSuchElementException("there are no more images");
            }
            return current.next();
        }
    }

    /** The lines of a list, from its file or standard input, which is opened when the first one is needed. */
    private final class ListFile {

        private final String file;
        private final String name;
        private @Nullable BufferedReader reader;
        private boolean empty = true;

        ListFile(String file) {
            this.file = file;
            name = file.equals(STANDARD_INPUT) ? "standard input" : file;
        }

        /** The next line that is not blank; null at the end, which closes the file. */
        @Nullable String next() {
            try {
                BufferedReader open = reader;
                boolean first = open == null;
                if (open == null) {
                    open = open();
                    reader = open;
                }
                String line = line(open, name);
                if (first && line != null && line.startsWith("\ufeff")) {
                    line = line.substring(1);
                }
                while (line != null && line.isBlank()) {
                    line = line(open, name);
                }
                if (line == null) {
                    open.close();
                    if (empty) {
                        // As from a command in front of a pipe that failed.
                        throw new IOException(name + ": no images listed; put one on each line");
                    }
                    return null;
                }
                empty = false;
                return line.strip();
            } catch (CharacterCodingException e) {
                throw new UncheckedIOException(new IOException(name + ": not UTF-8; save the list as UTF-8", e));
            } catch (FileSystemException e) {
                throw new UncheckedIOException(new IOException(
                        e instanceof NoSuchFileException
                                ? name + ": no such file; check the path"
                                : name + ": cannot be read (" + Reason.of(e) + "); check the path",
                        e));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private BufferedReader open() throws IOException {
            return file.equals(STANDARD_INPUT)
                    ? new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()))
                    : Files.newBufferedReader(Path.of(file));
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

    private Iterator<Entry> entries(String name) {
        if (!isFolder(name)) {
            return List.of(new Entry(name, Optional.empty())).iterator();
        }
        try {
            return images(Path.of(name)).stream()
                    .map(image -> new Entry(image.toString(), misnamed(image)))
                    .iterator();
        } catch (IOException e) {
            return List.of(new Entry(name, Optional.of(e))).iterator();
        }
    }

    /** On many systems, a file's name is a sequence of bytes. If it is not text, a string cannot name the file. */
    private static Optional<IOException> misnamed(Path image) {
        String name = image.toString();
        try {
            if (Path.of(name).equals(image)) {
                return Optional.empty();
            }
        } catch (InvalidPathException e) {
            // Neither is it one of any file.
        }
        return Optional.of(new IOException(name + ": the name of the file is not text in the encoding "
                + System.getProperty("native.encoding") + ", so results cannot refer to it; rename it"));
    }

    private List<Path> images(Path folder) throws IOException {
        List<Path> images = new ArrayList<>();
        try (Stream<Path> files = Files.walk(folder, recursive ? Integer.MAX_VALUE : 1)) {
            files.filter(each -> !Files.isDirectory(each) && ImageFolder.isImage(each))
                    .forEach(images::add);
        } catch (FileSystemException | UncheckedIOException e) {
            throw new IOException(
                    folder + ": cannot be listed (" + Reason.within(folder, e) + "); check its permissions", e);
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
