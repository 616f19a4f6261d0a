package io.github.convzoo.data;

import io.github.convzoo.image.RgbImage;
import io.github.convzoo.message.Reason;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017): 28 x 28 grayscale images of ten kinds of clothing, 60,000 for
 * training and 10,000 for testing.
 *
 * <p>Read from the published IDX files, gzipped or not. An image is padded with black to 32 x 32, and enlarged by
 * nearest neighbor for larger input sizes.
 */
public final class FashionMnist implements LabeledImages {

    private static final List<String> CLASSES = List.of(
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot");

    /** The side of the published images, in pixels. */
    public static final int SIDE = 28;

    private static final int PADDED = 32;
    private static final int MAX_INPUT_SIZE = 8192;
    private static final int MAX_IMAGES = 1_000_000;

    /** IDX: two zero bytes, the type unsigned byte, the number of dimensions. */
    private static final int IMAGES_MAGIC = 0x0803;

    private static final int LABELS_MAGIC = 0x0801;

    private final Path file;
    private final int inputSize;
    private final byte[] pixels;
    private final byte[] labels;

    private FashionMnist(Path file, int inputSize, byte[] pixels, byte[] labels) {
        this.file = file;
        this.inputSize = inputSize;
        this.pixels = pixels;
        this.labels = labels;
    }

    /**
     * Reads the training set.
     *
     * @param folder a folder with train-images-idx3-ubyte and train-labels-idx1-ubyte, or both with .gz
     * @param inputSize the side of the returned square images, 32 to 8192; or 28 for the published images
     * @return the images
     * @throws IOException if a file is missing or invalid; the message names the file and the problem
     */
    public static FashionMnist training(Path folder, int inputSize) throws IOException {
        return of(folder, "train", inputSize);
    }

    /**
     * Reads the test set.
     *
     * @param folder a folder with t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, or both with .gz
     * @param inputSize the side of the returned square images, 32 to 8192; or 28 for the published images
     * @return the images
     * @throws IOException if a file is missing or invalid; the message names the file and the problem
     */
    public static FashionMnist test(Path folder, int inputSize) throws IOException {
        return of(folder, "t10k", inputSize);
    }

    private static FashionMnist of(Path folder, String part, int inputSize) throws IOException {
        if (inputSize != SIDE && (inputSize < PADDED || inputSize > MAX_INPUT_SIZE)) {
            throw new IllegalArgumentException("Fashion-MNIST is padded to 32 x 32, so the input size must be " + PADDED
                    + " to " + MAX_INPUT_SIZE + ", or " + SIDE + " for unpadded images, not " + inputSize);
        }
        Path images = find(folder, part + "-images-idx3-ubyte");
        byte[] pixels = read(images, IMAGES_MAGIC, SIDE * SIDE);
        Path labelFile = find(folder, part + "-labels-idx1-ubyte");
        byte[] labels = read(labelFile, LABELS_MAGIC, 1);
        if (pixels.length / (SIDE * SIDE) != labels.length) {
            throw new IOException(images + ": has " + pixels.length / (SIDE * SIDE) + " images, but " + labelFile
                    + " has " + labels.length + " labels; use files of the same data set");
        }
        for (int i = 0; i < labels.length; i++) {
            if (labels[i] < 0 || labels[i] >= CLASSES.size()) {
                throw new IOException(labelFile + ": label " + (labels[i] & 0xff) + " of image " + i
                        + " is not one of 0 to 9; the file is damaged, or belongs to another data set");
            }
        }
        return new FashionMnist(images, inputSize, pixels, labels);
    }

    private static Path find(Path folder, String name) throws IOException {
        for (String candidate : List.of(name, name + ".gz")) {
            Path file = folder.resolve(candidate);
            if (Files.isRegularFile(file)) {
                return file;
            }
        }
        throw new IOException(folder + ": found neither " + name + " nor " + name + ".gz; pass the folder with"
                + " Fashion-MNIST's published files");
    }

    private static byte[] read(Path file, int magic, int itemSize) throws IOException {
        try (InputStream raw = new BufferedInputStream(Files.newInputStream(file));
                DataInputStream in =
                        new DataInputStream(file.toString().endsWith(".gz") ? new GZIPInputStream(raw) : raw)) {
            int found = in.readInt();
            if (found != magic) {
                throw new IOException("%s: starts with 0x%08x instead of 0x%08x, as IDX files of this kind do"
                        .formatted(file, found, magic));
            }
            int count = in.readInt();
            if (count < 1 || count > MAX_IMAGES) {
                throw new IOException(
                        file + ": has " + count + " entries according to its header; expected 1 to " + MAX_IMAGES);
            }
            if (magic == IMAGES_MAGIC) {
                int rows = in.readInt();
                int columns = in.readInt();
                if (rows != SIDE || columns != SIDE) {
                    throw new IOException(file + ": has images of " + columns + " x " + rows + ", not 28 x 28");
                }
            }
            byte[] content = in.readNBytes(count * itemSize);
            if (content.length < count * itemSize) {
                throw new EOFException();
            }
            if (in.read() >= 0) {
                throw new IOException(file + ": has data after its " + count + " entries; the file is damaged");
            }
            return content;
        } catch (EOFException e) {
            throw new IOException(file + ": the file is truncated; download it again", e);
        } catch (ZipException e) {
            throw new IOException(file + ": damaged gzip file (" + e.getMessage() + "); download it again", e);
        } catch (FileSystemException e) {
            throw new IOException(
                    file + ": cannot be read (" + Reason.of(e) + "); check the file and its permissions", e);
        }
    }

    @Override
    public int size() {
        return labels.length;
    }

    @Override
    public List<String> classes() {
        return CLASSES;
    }

    @Override
    public RgbImage image(int index) {
        int padded = inputSize == SIDE ? SIDE : PADDED;
        int margin = (padded - SIDE) / 2;
        byte[] samples = new byte[inputSize * inputSize * 3];
        for (int y = 0; y < inputSize; y++) {
            int row = y * padded / inputSize - margin;
            for (int x = 0; x < inputSize; x++) {
                int column = x * padded / inputSize - margin;
                if (row >= 0 && row < SIDE && column >= 0 && column < SIDE) {
                    byte gray = pixels[(index * SIDE + row) * SIDE + column];
                    int at = (y * inputSize + x) * 3;
                    samples[at] = gray;
                    samples[at + 1] = gray;
                    samples[at + 2] = gray;
                }
            }
        }
        return RgbImage.of(inputSize, inputSize, samples);
    }

    @Override
    public int label(int index) {
        return labels[index];
    }

    @Override
    public String name(int index) {
        return file + " image " + index;
    }
}
