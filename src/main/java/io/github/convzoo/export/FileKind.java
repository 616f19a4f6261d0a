package io.github.convzoo.export;

import io.github.convzoo.weights.ExportedFile;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.ZipFile;

/** The kind of network in a model file, by its metadata: replacing one kind by another is rarely intended. */
public enum FileKind {
    /** A network in floats, written by {@link Exporter}. */
    FLOATS("a network in floats"),
    /** A quantized network. */
    INTEGERS("a quantized network"),
    /** A file that was not written by ConvZoo, or is damaged. */
    UNKNOWN("a file that convzoo export did not write");

    private static final int VARINT = 0;
    private static final int FIXED_64 = 1;
    private static final int LENGTH_DELIMITED = 2;
    private static final int FIXED_32 = 5;

    /** Fields of ONNX's ModelProto. */
    private static final int PRODUCER = 2;

    private static final int METADATA = 14;

    /** Metadata also has the class names, but its entries start with their key. */
    private static final int START = 64;

    private final String text;

    FileKind(String text) {
        this.text = text;
    }

    /**
     * Finds the kind of a file.
     *
     * @param file an existing file
     * @return its kind
     * @throws IOException if it cannot be read
     */
    public static FileKind of(Path file) throws IOException {
        Optional<ExportedFile> exported = ExportedFile.of(file);
        if (exported.isEmpty()) {
            return UNKNOWN;
        }
        return switch (exported.get().format()) {
            case ONNX -> ofOnnx(file);
            case TORCHSCRIPT -> ofTorchScript(file);
        };
    }

    private static FileKind ofTorchScript(Path file) throws IOException {
        try (ZipFile zip = new ZipFile(file.toFile())) {
            return zip.stream().anyMatch(entry -> entry.getName().endsWith("/extra/" + NetworkFile.WEIGHT_BITS))
                    ? INTEGERS
                    : FLOATS;
        }
    }

    /** Reads the message's own fields and skips the graph. */
    private static FileKind ofOnnx(Path file) throws IOException {
        boolean ours = false;
        boolean quantized = false;
        byte[] bits = new ProtobufMessage().text(1, NetworkFile.WEIGHT_BITS).toBytes();
        byte[] producer = OnnxWriter.PRODUCER.getBytes(StandardCharsets.UTF_8);
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
            for (long tag = varint(in); tag >= 0; tag = varint(in)) {
                switch ((int) (tag & 7)) {
                    case VARINT -> varint(in);
                    case FIXED_64 -> in.skipNBytes(Long.BYTES);
                    case FIXED_32 -> in.skipNBytes(Integer.BYTES);
                    case LENGTH_DELIMITED -> {
                        long length = Math.max(0, varint(in));
                        byte[] start = in.readNBytes((int) Math.min(length, START));
                        ours |= tag >> 3 == PRODUCER && Arrays.equals(start, producer);
                        quantized |= tag >> 3 == METADATA
                                && start.length > bits.length
                                && Arrays.equals(start, 0, bits.length, bits, 0, bits.length);
                        in.skipNBytes(length - start.length);
                    }
                    default -> {
                        return UNKNOWN;
                    }
                }
            }
        } catch (EOFException e) {
            return UNKNOWN;
        }
        return !ours ? UNKNOWN : quantized ? INTEGERS : FLOATS;
    }

    /** A number of variable length; -1 at the end of the file. */
    private static long varint(InputStream in) throws IOException {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            int next = in.read();
            if (next < 0) {
                return -1;
            }
            value |= (long) (next & 0x7f) << shift;
            if (next < 0x80) {
                return value;
            }
        }
        return -1;
    }

    /** {@return a description, such as "a quantized network"} */
    @Override
    public String toString() {
        return text;
    }
}
