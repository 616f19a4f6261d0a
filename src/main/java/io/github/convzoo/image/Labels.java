package io.github.convzoo.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The names of a network's classes, in the order of its outputs.
 *
 * @param names the names; at least one, none blank
 */
public record Labels(List<String> names) {

    private static final int MAX_FILE_BYTES = 1 << 24;

    /** Read when it is first asked for. */
    private static final class ImageNet {

        static final Labels LABELS = resource("imagenet-1k.txt");

        private static Labels resource(String name) {
            try (InputStream in = Labels.class.getResourceAsStream(name)) {
                if (in == null) {
                    throw new IllegalStateException("the library's jar lacks " + name);
                }
                return read(in, name);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /**
     * Checks and copies the names.
     *
     * @param names the names
     * @throws IllegalArgumentException if there are none, or one is blank
     */
    public Labels {
        names = List.copyOf(names);
        if (names.isEmpty()) {
            throw new IllegalArgumentException("at least one label is expected");
        }
        for (int i = 0; i < names.size(); i++) {
            if (names.get(i).isBlank()) {
                throw new IllegalArgumentException("label " + i + " is blank");
            }
        }
    }

    /**
     * The 1000 classes of ImageNet's challenge, ILSVRC 2012, in the order that networks are trained with: that of the
     * synsets' identifiers, from n01440764 to n15075141.
     *
     * <p>A name is the synset's words, such as {@code tench, Tinca tinca}, without its identifier. Two classes have the same
     * name: 134, the bird, and 517, the machine, are both {@code crane}. The list is that of DJL's {@code basicdataset}.
     *
     * @return the names, the same object each time
     */
    public static Labels imageNet() {
        return ImageNet.LABELS;
    }

    /**
     * Names for classes that come without.
     *
     * @param classes how many there are
     * @return ImageNet's if there are 1000, as in all that is published; else numbers from 0
     */
    public static Labels usual(int classes) {
        if (classes == imageNet().size()) {
            return imageNet();
        }
        return new Labels(
                IntStream.range(0, classes).mapToObj(Integer::toString).toList());
    }

    /**
     * Reads a file of one name per line, in UTF-8, as DJL's {@code synset.txt}. Blank lines at the end do not count.
     *
     * <p>Lines may have the classes' numbers, which must be all from 0 on: {@code 0,cat}, {@code 0 cat} or {@code cat,0}, also
     * below columns' names such as {@code index,name}. The file may also be JSON: a list of names, {@code {"0": "cat"}},
     * {@code {"0": ["n02123045", "tabby"]}}, {@code {"cat": 0}}, or a configuration with {@code id2label}, {@code label2id} or
     * {@code label_names}. A file that can be read in two ways is refused.
     *
     * @param file the file, at most 16 MiB
     * @return its labels
     * @throws IOException if the file cannot be read, is not UTF-8, holds no label, a blank line before the last one, or
     *     numbers that leave a class without a name; the message names the file
     */
    public static Labels read(Path file) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            // A pipe waits for its other end, and some devices have no end.
            throw new IOException(file + ": not a regular file; name a label file");
        }
        try (InputStream in = Files.newInputStream(file)) {
            return read(in, file.toString());
        } catch (NoSuchFileException e) {
            throw new IOException(file + ": no such label file; check the path", e);
        } catch (IOException e) {
            if (e.getMessage() != null && e.getMessage().startsWith(file + ": ")) {
                throw e;
            }
            throw new IOException(file + ": cannot be read as a label file; is it a text file that you may read?", e);
        }
    }

    /**
     * As {@link #read(Path)}, of a file that has to have a known number of labels.
     *
     * @param file the file, at most 16 MiB
     * @param expected the number of classes
     * @return its labels
     * @throws IOException as {@link #read(Path)}, or if the number is another one
     */
    public static Labels read(Path file, int expected) throws IOException {
        Labels labels = read(file);
        if (labels.size() != expected) {
            throw new IOException("%s: %d labels where the network has %d classes; give one name per class"
                    .formatted(file, labels.size(), expected));
        }
        return labels;
    }

    /**
     * As {@link #read(Path)}, from a stream, to its end. The stream is not closed.
     *
     * @param in the stream, at most 16 MiB
     * @param name what to call it in errors
     * @return the labels
     * @throws IOException as {@link #read(Path)}
     */
    public static Labels read(InputStream in, String name) throws IOException {
        byte[] bytes = in.readNBytes(MAX_FILE_BYTES + 1);
        if (bytes.length > MAX_FILE_BYTES) {
            throw new IOException(name + ": more than 16 MiB; this is not a label file");
        }
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IOException(name + ": not UTF-8; save the label file as UTF-8", e);
        }
        // Some editors begin a file with a byte order mark.
        List<String> lines = text.replaceFirst("^\ufeff", "")
                .stripTrailing()
                .lines()
                .map(String::strip)
                .toList();
        if (lines.isEmpty()) {
            throw new IOException(name + ": holds no label; give one name per line");
        }
        List<String> names = LabelText.names(name, lines);
        int blank = names.indexOf("");
        if (blank >= 0) {
            throw new IOException("%s: class %d has no name; give it one".formatted(name, blank));
        }
        return new Labels(names);
    }

    /**
     * The number of classes.
     *
     * @return the number of names
     */
    public int size() {
        return names.size();
    }

    /**
     * The name of a class.
     *
     * @param index the class, from 0
     * @return its name
     * @throws IndexOutOfBoundsException if there is no such class
     */
    public String name(int index) {
        return names.get(index);
    }
}
