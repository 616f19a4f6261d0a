package io.github.convzoo.image;

import com.google.gson.GsonBuilder;
import java.io.ByteArrayInputStream;
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

    /** Loaded on first use. */
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
     * Validates and copies the names.
     *
     * @throws IllegalArgumentException if there are none, or one is blank
     */
    public Labels {
        names = List.copyOf(names);
        if (names.isEmpty()) {
            throw new IllegalArgumentException("at least one label is required");
        }
        for (int i = 0; i < names.size(); i++) {
            if (names.get(i).isBlank()) {
                throw new IllegalArgumentException("label " + i + " is blank");
            }
        }
    }

    /**
     * {@return the 1000 classes of ImageNet's challenge, ILSVRC 2012, in the order that networks are trained with: by
     * synset identifier, from n01440764 to n15075141; the same object each time}
     *
     * <p>A name is the synset's words, such as {@code tench, Tinca tinca}, without its identifier. Two classes have the
     * same name: 134, the bird, and 517, the machine, are both {@code crane}. The list is that of DJL's {@code
     * basicdataset}.
     */
    public static Labels imageNet() {
        return ImageNet.LABELS;
    }

    /**
     * {@return default names for classes without names: ImageNet's if there are 1000 classes, as in all published
     * weights; else numbers from 0}
     *
     * @param classes the number of classes
     */
    public static Labels usual(int classes) {
        if (classes == imageNet().size()) {
            return imageNet();
        }
        return new Labels(
                IntStream.range(0, classes).mapToObj(Integer::toString).toList());
    }

    /**
     * Reads a UTF-8 file with one name per line, such as DJL's {@code synset.txt}. Blank lines at the end are ignored.
     *
     * <p>Lines may have class numbers, which must start at 0 without gaps: {@code 0,cat}, {@code 0 cat} or {@code
     * cat,0}, optionally below a header such as {@code index,name}. Numbers that only a space separates must be in the
     * order of the lines, because they may be part of the names. The file may also be JSON: a list of names, {@code
     * {"0": "cat"}}, {@code {"0": ["n02123045", "tabby"]}}, {@code {"cat": 0}}, or a configuration with {@code
     * id2label}, {@code label2id} or {@code label_names}. A file that can be read in two ways is refused.
     *
     * @param file the file, at most 16 MiB
     * @return its labels
     * @throws IOException if the file cannot be read, is not UTF-8, has no labels, has a blank line before the last
     *     name, has numbers that leave a class without a name, or can be read in two ways; the message names the file
     */
    public static Labels read(Path file) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            // A pipe waits for its other end, and some devices are endless.
            throw new IOException(file + ": not a regular file; pass a label file");
        }
        try (InputStream in = Files.newInputStream(file)) {
            return read(in, file.toString());
        } catch (NoSuchFileException e) {
            throw new IOException(file + ": no such label file; check the path", e);
        } catch (IOException e) {
            if (e.getMessage() != null && e.getMessage().startsWith(file + ": ")) {
                throw e;
            }
            throw new IOException(
                    file + ": cannot be read as a label file; check that it is a text file and readable", e);
        }
    }

    /**
     * Reads a file like {@link #read(Path)}, and checks the number of labels.
     *
     * @param file the file, at most 16 MiB
     * @param expected the number of classes
     * @return its labels
     * @throws IOException as in {@link #read(Path)}, or if the number differs
     */
    public static Labels read(Path file, int expected) throws IOException {
        Labels labels = read(file);
        if (labels.size() != expected) {
            throw new IOException("%s: %d labels, but the network has %d classes; write one name per class"
                    .formatted(file, labels.size(), expected));
        }
        return labels;
    }

    /**
     * Reads a stream to its end, like {@link #read(Path)}. The stream is not closed.
     *
     * @param in the stream, at most 16 MiB
     * @param name its name in errors
     * @return the labels
     * @throws IOException as in {@link #read(Path)}
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
        // Some editors start a file with a byte order mark.
        List<String> lines = text.replaceFirst("^\ufeff", "")
                .stripTrailing()
                .lines()
                .map(String::strip)
                .toList();
        if (lines.isEmpty()) {
            throw new IOException(name + ": no labels found; write one name per line");
        }
        List<String> names = LabelText.names(name, lines);
        int blank = names.indexOf("");
        if (blank >= 0) {
            throw new IOException("%s: class %d has no name; add one".formatted(name, blank));
        }
        return new Labels(names);
    }

    /**
     * {@return the text of a label file that is read as these names: one name per line, or JSON if lines could be read
     * as something else, such as numbered names}
     */
    public String toText() {
        String lines = String.join("\n", names) + "\n";
        try {
            InputStream in = new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8));
            if (read(in, "labels").equals(this)) {
                return lines;
            }
        } catch (IOException e) {
            // They can be read in two ways, or not at all.
        }
        return new GsonBuilder()
                        .setPrettyPrinting()
                        .disableHtmlEscaping()
                        .create()
                        .toJson(names) + "\n";
    }

    /** {@return the number of classes} */
    public int size() {
        return names.size();
    }

    /**
     * {@return the name of a class}
     *
     * @param index the class, from 0
     * @throws IndexOutOfBoundsException if there is no such class
     */
    public String name(int index) {
        return names.get(index);
    }
}
