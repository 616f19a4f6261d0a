package io.github.convzoo.checkpoint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads safetensors, in the format of its README: 8 bytes for the length N of the header, little-endian; N bytes of
 * JSON, starting with a brace and padded with spaces; then the tensors' bytes, which must cover the rest of the file
 * without gaps and overlaps. The whole header is checked before the first tensor is created.
 */
final class SafetensorsReader {
    static final String METADATA = "__metadata__";

    private final MappedFile file;
    private final Limits limits;
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final Map<String, Info> infos = new LinkedHashMap<>();
    private boolean metadataSeen;

    /** A tensor's entry in the header; offsets are relative to the end of the header. */
    private static final class Info {
        final String name;
        final String type;
        final long[] shape;
        final long begin;
        final long end;
        /** The file offset of the entry. */
        final long at;

        Info(String name, String type, long[] shape, long begin, long end, long at) {
            this.name = name;
            this.type = type;
            this.shape = shape;
            this.begin = begin;
            this.end = end;
            this.at = at;
        }
    }

    private SafetensorsReader(MappedFile file, Limits limits) {
        this.file = file;
        this.limits = limits;
    }

    static Checkpoint read(MappedFile file, Limits limits) throws CheckpointException {
        return new SafetensorsReader(file, limits).read();
    }

    private Checkpoint read() throws CheckpointException {
        long headerBytes = new Cursor(file, 0, Math.min(8, file.size()), "the header's length").i64();
        // Negative: 2^63 or more.
        if (headerBytes < 0 || headerBytes > file.size() - 8) {
            throw file.corrupt(
                    0,
                    "the header has " + Long.toUnsignedString(headerBytes) + " bytes by its length, but the file has "
                            + (file.size() - 8) + " left; it is truncated or corrupt, so copy or download it again");
        }
        if (headerBytes > limits.of(Limit.HEADER_BYTES)) {
            throw file.overLimit(0, null, "the header has " + headerBytes + " bytes", Limit.HEADER_BYTES, limits);
        }
        readHeader(new Cursor(file, 8, headerBytes, "the header"));
        long dataStart = 8 + headerBytes;
        for (Info info : infos.values()) {
            checkSize(info);
        }
        checkCover(dataStart);

        Map<String, Value> tensors = new LinkedHashMap<>();
        Set<String> placeholders = new LinkedHashSet<>();
        for (Info info : infos.values()) {
            ElementType type = elementType(info.type);
            if (type == null) {
                placeholders.add("safetensors." + info.type);
                tensors.put(info.name, new Value.Placeholder("safetensors." + info.type));
            } else {
                tensors.put(
                        info.name,
                        Tensor.rowMajor(
                                info.name,
                                type,
                                info.shape,
                                Tensor.elements(info.shape),
                                file,
                                dataStart + info.begin,
                                info.end - info.begin));
            }
        }
        return new Checkpoint(
                file.path(),
                Format.SAFETENSORS,
                new Value.Mapping(tensors, List.of()),
                Collections.unmodifiableMap(metadata),
                List.copyOf(placeholders));
    }

    private void readHeader(Cursor in) throws CheckpointException {
        JsonReader json = new JsonReader(in);
        json.open('{');
        for (boolean first = true; json.more(first, '}'); first = false) {
            long at = json.offset();
            String name = json.name();
            if (name.length() > limits.of(Limit.NAME_LENGTH)) {
                throw file.overLimit(
                        at, name, "the name has " + name.length() + " characters", Limit.NAME_LENGTH, limits);
            }
            if (name.equals(METADATA)) {
                if (metadataSeen) {
                    throw file.corrupt(at, "the header has two entries " + METADATA);
                }
                metadataSeen = true;
                readMetadata(json);
            } else {
                if (infos.size() == limits.of(Limit.TENSORS)) {
                    throw file.overLimit(at, name, "the file has too many tensors", Limit.TENSORS, limits);
                }
                if (infos.put(name, readInfo(json, name, at)) != null) {
                    throw file.corrupt(at, name, "the header has two tensors of this name");
                }
            }
        }
        json.end();
    }

    private void readMetadata(JsonReader json) throws CheckpointException {
        json.open('{');
        for (boolean first = true; json.more(first, '}'); first = false) {
            long at = json.offset();
            if (metadata.size() == limits.of(Limit.TENSORS)) {
                throw file.overLimit(at, null, METADATA + " has too many entries", Limit.TENSORS, limits);
            }
            String key = json.name();
            if (metadata.put(key, json.string()) != null) {
                throw file.corrupt(at, METADATA + " has two entries " + CheckpointException.printable(key));
            }
        }
    }

    private Info readInfo(JsonReader json, String name, long at) throws CheckpointException {
        String type = null;
        long[] shape = null;
        long[] offsets = null;
        json.open('{');
        for (boolean first = true; json.more(first, '}'); first = false) {
            long keyAt = json.offset();
            String key = json.name();
            boolean repeated = true;
            switch (key) {
                case "dtype" -> {
                    repeated = type != null;
                    type = json.string();
                }
                case "shape" -> {
                    repeated = shape != null;
                    shape = readNumbers(json, name, "dimensions");
                }
                case "data_offsets" -> {
                    repeated = offsets != null;
                    offsets = readNumbers(json, name, "data_offsets");
                }
                default ->
                    throw file.corrupt(
                            keyAt,
                            name,
                            "the header has an unknown field " + CheckpointException.printable(key)
                                    + "; expected dtype, shape and data_offsets");
            }
            if (repeated) {
                throw file.corrupt(keyAt, name, "the header has the field " + key + " twice");
            }
        }
        if (type == null || shape == null || offsets == null) {
            throw file.corrupt(at, name, "the header lacks one of dtype, shape and data_offsets");
        }
        if (offsets.length != 2 || offsets[0] > offsets[1]) {
            throw file.corrupt(at, name, "data_offsets are " + Arrays.toString(offsets) + ", not a start and an end");
        }
        return new Info(name, type, shape, offsets[0], offsets[1], at);
    }

    private long[] readNumbers(JsonReader json, String tensor, String what) throws CheckpointException {
        long[] numbers = new long[4];
        int count = 0;
        json.open('[');
        for (boolean first = true; json.more(first, ']'); first = false) {
            if (count == limits.of(Limit.DIMENSIONS)) {
                throw file.overLimit(json.offset(), tensor, "it has too many " + what, Limit.DIMENSIONS, limits);
            }
            if (count == numbers.length) {
                numbers = Arrays.copyOf(numbers, 2 * count);
            }
            numbers[count++] = json.whole();
        }
        return Arrays.copyOf(numbers, count);
    }

    private void checkSize(Info info) throws CheckpointException {
        long bytes;
        try {
            long bits = Math.multiplyExact(Tensor.elements(info.shape), (long) bits(info));
            if (bits % 8 != 0) {
                throw file.corrupt(info.at, info.name, "its " + bits + " bits are not a whole number of bytes");
            }
            bytes = bits / 8;
        } catch (ArithmeticException e) {
            throw file.corrupt(
                    info.at, info.name, "the shape " + Arrays.toString(info.shape) + " is larger than any file");
        }
        if (bytes != info.end - info.begin) {
            throw file.corrupt(
                    info.at,
                    info.name,
                    info.type + " of shape " + Arrays.toString(info.shape) + " takes " + bytes
                            + " bytes, but data_offsets give it " + (info.end - info.begin));
        }
        if (bytes > limits.of(Limit.TENSOR_BYTES)) {
            throw file.overLimit(info.at, info.name, "it has " + bytes + " bytes", Limit.TENSOR_BYTES, limits);
        }
    }

    private void checkCover(long dataStart) throws CheckpointException {
        List<Info> ordered = new ArrayList<>(infos.values());
        ordered.sort(Comparator.comparingLong((Info info) -> info.begin).thenComparingLong(info -> info.end));
        long covered = 0;
        long dataBytes = file.size() - dataStart;
        for (Info info : ordered) {
            if (info.begin != covered) {
                throw file.corrupt(
                        info.at,
                        info.name,
                        "its data starts at " + info.begin + " instead of " + covered + ": "
                                + (info.begin < covered ? "it overlaps another tensor" : "a gap comes before it"));
            }
            if (info.end > dataBytes) {
                throw file.corrupt(
                        info.at,
                        info.name,
                        "its data ends at " + info.end + ", but the file's ends at " + dataBytes
                                + "; the file is truncated, so copy or download it again");
            }
            covered = info.end;
        }
        if (covered != dataBytes) {
            throw file.corrupt(
                    dataStart + covered, "the file has " + (dataBytes - covered) + " bytes that belong to no tensor");
        }
    }

    private static @Nullable ElementType elementType(String type) {
        for (ElementType candidate : ElementType.values()) {
            if (candidate.name().equals(type)) {
                return candidate;
            }
        }
        return null;
    }

    /** The bits of an element, for all types of the format. */
    private int bits(Info info) throws CheckpointException {
        ElementType type = elementType(info.type);
        if (type != null) {
            return 8 * type.bytes();
        }
        return switch (info.type) {
            case "U64", "C64" -> 64;
            case "U32" -> 32;
            case "U16" -> 16;
            case "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ" -> 8;
            case "F6_E2M3", "F6_E3M2" -> 6;
            case "F4" -> 4;
            default ->
                throw file.corrupt(
                        info.at,
                        info.name,
                        "the element type " + CheckpointException.printable(info.type) + " is unknown");
        };
    }
}
