package io.github.convzoo.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Writes safetensors files. {@link Checkpoint#read(Path)} reads them. */
public final class Safetensors {
    private Safetensors() {}

    /**
     * Writes a file that is byte-identical to that of the Python library for the same tensors: wider elements first,
     * then by name. Metadata is sorted by key, so that equal input gives equal files; the library has no fixed order
     * for it.
     *
     * <p>The file is written atomically: under a temporary name next to its destination, synced, and then moved over
     * it.
     *
     * @param file the file, replaced if it exists
     * @param tensors the tensors, with unique names
     * @param metadata text for the header's {@code __metadata__}; omitted if empty
     * @throws CheckpointException if two tensors have the same name, a name is {@code __metadata__} or not valid
     *     Unicode, or writing fails
     */
    public static void write(Path file, Collection<Tensor> tensors, Map<String, String> metadata)
            throws CheckpointException {
        List<Tensor> ordered = new ArrayList<>(tensors);
        ordered.sort(Comparator.comparing(Tensor::type).thenComparing(Tensor::name, Safetensors::compareUtf8));
        checkNames(file, ordered);
        ByteBuffer header = header(file, ordered, metadata);
        ReplacedFile.write(file, out -> {
            while (header.hasRemaining()) {
                out.write(header);
            }
            for (Tensor tensor : ordered) {
                tensor.writeTo(out);
            }
        });
    }

    private static void checkNames(Path file, List<Tensor> tensors) throws CheckpointException {
        List<String> names = new ArrayList<>();
        for (Tensor tensor : tensors) {
            names.add(tensor.name());
        }
        names.sort(null);
        for (int i = 0; i < names.size(); i++) {
            if (i > 0 && names.get(i).equals(names.get(i - 1))) {
                throw new CheckpointException(file, -1, names.get(i), "two tensors have this name; rename one", null);
            }
            if (names.get(i).equals(SafetensorsReader.METADATA)) {
                throw new CheckpointException(
                        file, -1, names.get(i), "safetensors reserves this name; use another", null);
            }
        }
    }

    /** The order of UTF-8 bytes, which is that of code points; {@link String#compareTo} differs beyond U+FFFF. */
    private static int compareUtf8(String a, String b) {
        return Arrays.compareUnsigned(a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
    }

    private static ByteBuffer header(Path file, List<Tensor> tensors, Map<String, String> metadata)
            throws CheckpointException {
        StringBuilder json = new StringBuilder("{");
        String separator = "";
        if (!metadata.isEmpty()) {
            json.append('"').append(SafetensorsReader.METADATA).append("\":{");
            for (Map.Entry<String, String> entry : new TreeMap<>(metadata).entrySet()) {
                json.append(separator);
                appendString(json, entry.getKey(), file);
                json.append(':');
                appendString(json, entry.getValue(), file);
                separator = ",";
            }
            json.append('}');
            separator = ",";
        }
        long offset = 0;
        for (Tensor tensor : tensors) {
            json.append(separator);
            appendString(json, tensor.name(), file);
            long end = offset + tensor.size() * tensor.type().bytes();
            json.append(":{\"dtype\":\"").append(tensor.type()).append("\",\"shape\":[");
            String comma = "";
            for (long dimension : tensor.shape()) {
                json.append(comma).append(dimension);
                comma = ",";
            }
            json.append("],\"data_offsets\":[")
                    .append(offset)
                    .append(',')
                    .append(end)
                    .append("]}");
            offset = end;
            separator = ",";
        }
        byte[] text = json.append('}').toString().getBytes(StandardCharsets.UTF_8);
        // The first tensor starts at a multiple of 8 bytes.
        int padded = Math.addExact(text.length, 7) / 8 * 8;
        ByteBuffer header = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(padded).put(text);
        while (header.hasRemaining()) {
            header.put((byte) ' ');
        }
        return header.flip();
    }

    private static void appendString(StringBuilder json, String text, Path file) throws CheckpointException {
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            throw new CheckpointException(file, -1, text, "a name or metadata text is not valid Unicode", null);
        }
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> json.append("\\\"");
                case '\\' -> json.append("\\\\");
                case '\b' -> json.append("\\b");
                case '\f' -> json.append("\\f");
                case '\n' -> json.append("\\n");
                case '\r' -> json.append("\\r");
                case '\t' -> json.append("\\t");
                default -> {
                    if (c < 0x20) {
                        json.append(String.format("\\u%04x", (int) c));
                    } else {
                        json.append(c);
                    }
                }
            }
        }
        json.append('"');
    }
}
