package io.github.convzoo.checkpoint;

import io.github.convzoo.checkpoint.ZipDirectory.Entry;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Reads the zip archives of {@code numpy.savez}: one {@code NAME.npy} per array. Stored arrays are views on the file;
 * deflated ones ({@code numpy.savez_compressed}) are inflated to the heap, within {@link Limit#INFLATED_BYTES}.
 */
final class NpzReader {
    private static final String SUFFIX = ".npy";

    private final MappedFile file;
    private final Limits limits;
    /** The remaining bytes that may be inflated to. */
    private long allowance;

    private NpzReader(MappedFile file, Limits limits) {
        this.file = file;
        this.limits = limits;
        this.allowance = limits.of(Limit.INFLATED_BYTES);
    }

    /** Whether an archive is from {@code numpy.savez}: it contains only arrays. */
    static boolean recognizes(Map<String, Entry> entries) {
        return !entries.isEmpty() && entries.keySet().stream().allMatch(name -> name.endsWith(SUFFIX));
    }

    static Checkpoint read(MappedFile file, Map<String, Entry> entries, Limits limits) throws CheckpointException {
        return new NpzReader(file, limits).read(entries);
    }

    private Checkpoint read(Map<String, Entry> entries) throws CheckpointException {
        if (entries.size() > limits.of(Limit.TENSORS)) {
            throw file.overLimit(-1, null, "the archive has " + entries.size() + " arrays", Limit.TENSORS, limits);
        }
        Map<String, Value> arrays = new LinkedHashMap<>();
        Set<String> placeholders = new LinkedHashSet<>();
        for (Entry entry : entries.values()) {
            String name = entry.name().substring(0, entry.name().length() - SUFFIX.length());
            checkName(entries, entry, name);
            Value array;
            try {
                array = array(entry, name);
            } catch (CheckpointException e) {
                throw new CheckpointException(file.path(), e.offset().orElse(-1), name, e.problem(), e);
            }
            if (array instanceof Value.Placeholder placeholder) {
                placeholders.add(placeholder.global());
            }
            arrays.put(name, array);
        }
        return new Checkpoint(
                file.path(),
                Format.NUMPY_ZIP,
                new Value.Mapping(arrays, List.of()),
                Map.of(),
                List.copyOf(placeholders));
    }

    /** NumPy resolves a key to an array's name or its entry's, and decodes an unmarked name as code page 437. */
    private void checkName(Map<String, Entry> entries, Entry entry, String name) throws CheckpointException {
        if (entries.containsKey(name)) {
            throw file.corrupt(
                    entry.header(),
                    name,
                    "the archive also has an entry with this name, which NumPy would read instead of the array;"
                            + " rename one");
        }
        if (!entry.unicode() && !name.chars().allMatch(c -> c < 0x80)) {
            throw file.corrupt(
                    entry.header(),
                    name,
                    "this name is not marked as UTF-8, so NumPy would read it as code page 437; save"
                            + " it again with numpy.savez");
        }
    }

    private Value array(Entry entry, String name) throws CheckpointException {
        if (!entry.compressed()) {
            if (file.crc(entry.offset(), entry.length()) != entry.crc()) {
                throw file.corrupt(
                        entry.offset(), "its checksum is wrong, so the file is corrupt; copy or download it again");
            }
            return Npy.read(file, entry.offset(), entry.length(), name, limits);
        }
        byte[] content = inflate(entry);
        return Npy.read(file.inflated(entry.header(), content), 0, content.length, name, limits);
    }

    private byte[] inflate(Entry entry) throws CheckpointException {
        // Trained weights hardly compress; a higher ratio is suspicious.
        allowance += 4 * entry.length();
        if (entry.inflated() > allowance) {
            throw file.overLimit(
                    entry.header(),
                    null,
                    "its " + entry.length() + " bytes inflate to " + entry.inflated(),
                    Limit.INFLATED_BYTES,
                    limits);
        }
        // Any array's header is shorter; the array itself is checked below.
        if (entry.inflated()
                > Math.min(
                        limits.of(Limit.TENSOR_BYTES) + (long) limits.of(Limit.HEADER_BYTES), Integer.MAX_VALUE - 8)) {
            throw file.overLimit(
                    entry.header(), null, "it inflates to " + entry.inflated() + " bytes", Limit.TENSOR_BYTES, limits);
        }
        allowance -= entry.inflated();
        byte[] content = new byte[(int) entry.inflated()];
        Inflater inflater = new Inflater(true);
        try {
            byte[] piece = new byte[(int) Math.min(entry.length(), MappedFile.PIECE_BYTES)];
            byte[] beyond = new byte[1];
            int length = 0;
            for (long done = 0; done < entry.length(); ) {
                int bytes = (int) Math.min(piece.length, entry.length() - done);
                file.copy(entry.offset() + done, piece, bytes);
                done += bytes;
                inflater.setInput(piece, 0, bytes);
                int inflated;
                do {
                    inflated = inflater.inflate(content, length, content.length - length);
                    length += inflated;
                } while (inflated > 0 && length < content.length);
                // The data may end with an empty block.
                if (length == content.length && inflater.inflate(beyond) != 0) {
                    throw corrupt(entry);
                }
                if (inflater.finished() && (inflater.getRemaining() != 0 || done < entry.length())) {
                    throw corrupt(entry);
                }
            }
            if (length < content.length || !inflater.finished()) {
                throw corrupt(entry);
            }
        } catch (DataFormatException e) {
            throw new CheckpointException(file.path(), entry.offset(), null, "its compressed data is corrupt", e);
        } finally {
            inflater.end();
        }
        CRC32 crc = new CRC32();
        crc.update(content);
        if (crc.getValue() != entry.crc()) {
            throw file.corrupt(
                    entry.offset(), "its checksum is wrong, so the file is corrupt; copy or download it again");
        }
        return content;
    }

    private CheckpointException corrupt(Entry entry) {
        return file.corrupt(
                entry.offset(),
                "its " + entry.length() + " compressed bytes do not inflate to " + entry.inflated() + "; the file is"
                        + " corrupt, copy or download it again");
    }
}
