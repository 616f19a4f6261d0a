package io.github.convzoo.data;

import io.github.convzoo.image.RgbImage;
import io.github.convzoo.message.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * CIFAR-10 and CIFAR-100 (Krizhevsky, 2009): 32 x 32 color images of 10 and 100 classes, 50,000 for training and 10,000
 * for testing.
 *
 * <p>Read from the published binary version: a record is the label (CIFAR-100: the coarse label of 20, then the fine
 * label of 100), then the red, green, and blue planes, row by row. The images are held in memory, 3 KiB each.
 */
public final class Cifar implements LabeledImages {

    private static final int SIDE = 32;
    private static final int PLANE = SIDE * SIDE;
    private static final int CHANNELS = 3;
    private static final int MAX_IMAGES = 500_000;

    private static final int MAX_NAMES_BYTES = 1 << 16;

    /** The differences between the two data sets. */
    private enum Kind {
        CIFAR_10("batches.meta.txt", 10, 0),
        CIFAR_100("fine_label_names.txt", 100, 1),
        CIFAR_100_COARSE("coarse_label_names.txt", 20, 0);

        private final String names;
        private final int classes;
        private final int labelByte;

        Kind(String names, int classes, int labelByte) {
            this.names = names;
            this.classes = classes;
            this.labelByte = labelByte;
        }

        int labelBytes() {
            return this == CIFAR_10 ? 1 : 2;
        }

        int recordBytes() {
            return labelBytes() + CHANNELS * PLANE;
        }
    }

    private final Kind kind;
    private final List<String> classes;
    private final List<Path> files;
    /** The records of each file. */
    private final List<byte[]> contents;
    /** The number of the first image of each file, then the total number of images. */
    private final int[] starts;

    private Cifar(Kind kind, List<String> classes, List<Path> files, List<byte[]> contents) {
        this.kind = kind;
        this.classes = classes;
        this.files = files;
        this.contents = contents;
        this.starts = new int[files.size() + 1];
        for (int i = 0; i < files.size(); i++) {
            starts[i + 1] = starts[i] + contents.get(i).length / kind.recordBytes();
        }
    }

    /**
     * Reads CIFAR-10's training set.
     *
     * @param folder a folder with data_batch_1.bin to data_batch_5.bin and batches.meta.txt
     * @return the images
     * @throws IOException if a file is missing or invalid; the message names the file and the problem
     */
    public static Cifar training10(Path folder) throws IOException {
        return of(
                folder,
                Kind.CIFAR_10,
                IntStream.rangeClosed(1, 5)
                        .mapToObj("data_batch_%d.bin"::formatted)
                        .toList());
    }

    /**
     * Reads CIFAR-10's test set.
     *
     * @param folder a folder with test_batch.bin and batches.meta.txt
     * @return the images
     * @throws IOException if a file is missing or invalid; the message names the file and the problem
     */
    public static Cifar test10(Path folder) throws IOException {
        return of(folder, Kind.CIFAR_10, List.of("test_batch.bin"));
    }

    /**
     * Reads CIFAR-100's training set, with its 100 fine labels.
     *
     * @param folder a folder with train.bin and fine_label_names.txt
     * @return the images
     * @throws IOException if a file is missing or invalid; the message names the file and the problem
     */
    public static Cifar training100(Path folder) throws IOException {
        return of(folder, Kind.CIFAR_100, List.of("train.bin"));
    }

    /**
     * Reads CIFAR-100's test set, with its 100 fine labels.
     *
     * @param folder a folder with test.bin and fine_label_names.txt
     * @return the images
     * @throws IOException if a file is missing or invalid; the message names the file and the problem
     */
    public static Cifar test100(Path folder) throws IOException {
        return of(folder, Kind.CIFAR_100, List.of("test.bin"));
    }

    /**
     * {@return the images of CIFAR-100 with its 20 coarse labels, named in coarse_label_names.txt next to the images}
     *
     * @throws IOException if the names cannot be read, or a label is not one of the 20
     * @throws IllegalStateException if this is CIFAR-10, which has one kind of labels
     */
    public Cifar withCoarseLabels() throws IOException {
        if (kind == Kind.CIFAR_10) {
            throw new IllegalStateException("CIFAR-10 has no coarse labels; only CIFAR-100 has");
        }
        Path folder = files.get(0).resolveSibling(".").normalize();
        Cifar coarse = new Cifar(Kind.CIFAR_100_COARSE, names(folder, Kind.CIFAR_100_COARSE), files, contents);
        coarse.checkLabels();
        return coarse;
    }

    private static Cifar of(Path folder, Kind kind, List<String> names) throws IOException {
        List<byte[]> contents = new ArrayList<>();
        for (String name : names) {
            contents.add(read(folder, name, kind));
        }
        List<Path> files = names.stream().map(folder::resolve).toList();
        Cifar images = new Cifar(kind, names(folder, kind), files, List.copyOf(contents));
        images.checkLabels();
        return images;
    }

    private static byte[] read(Path folder, String name, Kind kind) throws IOException {
        Path file = folder.resolve(name);
        requireFile(folder, name, kind);
        try (InputStream in = Files.newInputStream(file)) {
            long size = Files.size(file);
            int record = kind.recordBytes();
            if (size == 0 || size % record != 0 || size / record > MAX_IMAGES) {
                throw new IOException(
                        "%s: has %,d bytes, not 1 to %,d records of %,d; the file is damaged, so download it again"
                                .formatted(file, size, MAX_IMAGES, record));
            }
            byte[] records = in.readNBytes((int) size);
            if (records.length < size) {
                throw new IOException(file + ": the file was truncated while being read; try again");
            }
            return records;
        } catch (FileSystemException e) {
            throw new IOException(
                    file + ": cannot be read (" + Reason.of(e) + "); check the file and its permissions", e);
        }
    }

    private static List<String> names(Path folder, Kind kind) throws IOException {
        Path file = folder.resolve(kind.names);
        requireFile(folder, kind.names, kind);
        List<String> names;
        try {
            if (Files.size(file) > MAX_NAMES_BYTES) {
                throw new IOException(file
                        + ": %,d bytes is too long for a list of names; use the published file"
                                .formatted(Files.size(file)));
            }
            names = Files.readAllLines(file).stream()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .toList();
        } catch (CharacterCodingException e) {
            throw new IOException(file + ": not UTF-8; use the published file", e);
        } catch (FileSystemException e) {
            throw new IOException(
                    file + ": cannot be read (" + Reason.of(e) + "); check the file and its permissions", e);
        }
        if (names.size() != kind.classes) {
            throw new IOException(
                    "%s: lists %d classes, not %d; use the published file".formatted(file, names.size(), kind.classes));
        }
        return names;
    }

    private static void requireFile(Path folder, String name, Kind kind) throws IOException {
        if (!Files.isRegularFile(folder.resolve(name))) {
            throw new IOException("%s: %s not found; pass the folder of %s's binary version"
                    .formatted(folder, name, kind == Kind.CIFAR_10 ? "CIFAR-10" : "CIFAR-100"));
        }
    }

    private void checkLabels() throws IOException {
        for (int i = 0; i < size(); i++) {
            if (label(i) >= kind.classes) {
                throw new IOException(
                        "%s: label %d is not one of 0 to %d; the file is damaged, or belongs to another data set"
                                .formatted(name(i), label(i), kind.classes - 1));
            }
        }
    }

    @Override
    public int size() {
        return starts[starts.length - 1];
    }

    @Override
    public List<String> classes() {
        return classes;
    }

    @Override
    public RgbImage image(int index) {
        int file = file(index);
        byte[] records = contents.get(file);
        int from = record(file, index) + kind.labelBytes();
        byte[] samples = new byte[CHANNELS * PLANE];
        for (int i = 0; i < PLANE; i++) {
            samples[CHANNELS * i] = records[from + i];
            samples[CHANNELS * i + 1] = records[from + PLANE + i];
            samples[CHANNELS * i + 2] = records[from + 2 * PLANE + i];
        }
        return RgbImage.of(SIDE, SIDE, samples);
    }

    @Override
    public int label(int index) {
        int file = file(index);
        return contents.get(file)[record(file, index) + kind.labelByte] & 0xff;
    }

    @Override
    public String name(int index) {
        int file = file(index);
        return files.get(file) + " image " + (index - starts[file]);
    }

    private int file(int index) {
        int file = 0;
        while (index >= starts[file + 1]) {
            file++;
        }
        return file;
    }

    /** The offset of the image's record in its file. */
    private int record(int file, int index) {
        return (index - starts[file]) * kind.recordBytes();
    }
}
