package io.github.convzoo.data;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;

/** Makes test sets in Fashion-MNIST's form, good ones and bad ones. */
public final class IdxFiles {

    static final String IMAGES = "t10k-images-idx3-ubyte";
    static final String LABELS = "t10k-labels-idx1-ubyte";

    private IdxFiles() {}

    /** Writes both files, as published. */
    public static void write(Path folder, byte[][] images, int... labels) throws IOException {
        Files.write(folder.resolve(IMAGES), images(images));
        Files.write(folder.resolve(LABELS), labels(labels));
    }

    static byte[] images(byte[]... images) throws IOException {
        byte[] all = new byte[images.length * 28 * 28];
        for (int i = 0; i < images.length; i++) {
            System.arraycopy(images[i], 0, all, i * 28 * 28, 28 * 28);
        }
        return file(all, 0x0803, images.length, 28, 28);
    }

    static byte[] labels(int... labels) throws IOException {
        byte[] all = new byte[labels.length];
        for (int i = 0; i < labels.length; i++) {
            all[i] = (byte) labels[i];
        }
        return file(all, 0x0801, labels.length);
    }

    /** The header's numbers, big-endian, and what follows them. */
    static byte[] file(byte[] content, int... header) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        for (int number : header) {
            out.writeInt(number);
        }
        out.write(content);
        return bytes.toByteArray();
    }

    static byte[] gzipped(byte[] content) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(bytes)) {
            out.write(content);
        }
        return bytes.toByteArray();
    }
}
