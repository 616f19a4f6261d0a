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
 * Reads the zip archives of {@code numpy.savez}: one {@code NAME.npy} an array. Arrays that are stored are views on the file,
 * those that are deflated ({@code numpy.savez_compressed}) are inflated to the heap, within {@link Limits#inflatedBytes}.
 */
final class NpzReader {
    private static final String SUFFIX = ".npy";

    private final MappedFile file;
    private final Limits limits;
    /** What may still be inflated, in bytes. */
    private long allowance;

    private NpzReader(MappedFile file, Limits limits) {
        this.file = file;
        this.limits = limits;
        this.allowance = limits.inflatedBytes();
    }

    /** Whether an archive is one of {@code numpy.savez}: it holds arrays and nothing else. */
    static boolean recognises(Map<String, Entry> entries) {
        return !entries.isEmpty() && entries.keySet().stream().allMatch(name -> name.endsWith(SUFFIX));
    }

    static Checkpoint read(MappedFile file, Map<String, Entry> entries, Limits limits) throws CheckpointException {
        return new NpzReader(file, limits).read(entries);
    }

    private Checkpoint read(Map<String, Entry> entries) throws CheckpointException {
        if (entries.size() > limits.tensors()) {
            throw file.overLimit(
                    -1, null, "the archive has " + entries.size() + " arrays", "tensors", limits.tensors());
        }
        Map<String, Value> arrays = new LinkedHashMap<>();
        Set<String> placeholders = new LinkedHashSet<>();
        for (Entry entry : entries.values()) {
            String name = entry.name().substring(0, entry.name().length() - SUFFIX.length());
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

    private Value array(Entry entry, String name) throws CheckpointException {
        if (!entry.compressed()) {
            return Npy.read(file, entry.offset(), entry.length(), name, limits);
        }
        byte[] content = inflate(entry);
        return Npy.read(file.inflated(entry.header(), content), 0, content.length, name, limits);
    }

    private byte[] inflate(Entry entry) throws CheckpointException {
        // Trained weights hardly compress; what grows more than so was made to.
        allowance += 4 * entry.length();
        if (entry.inflated() > allowance) {
            throw file.overLimit(
                    entry.header(),
                    null,
                    "its " + entry.length() + " bytes inflate to " + entry.inflated(),
                    "inflatedBytes",
                    limits.inflatedBytes());
        }
        // A header of any array is shorter than that; what follows checks the array itself.
        if (entry.inflated() > Math.min(limits.tensorBytes() + (long) limits.headerBytes(), Integer.MAX_VALUE - 8)) {
            throw file.overLimit(
                    entry.header(),
                    null,
                    "it inflates to " + entry.inflated() + " bytes",
                    "tensorBytes",
                    limits.tensorBytes());
        }
        allowance -= entry.inflated();
        byte[] content = new byte[(int) entry.inflated()];
        Inflater inflater = new Inflater(true);
        try {
            inflater.setInput(file.view(entry.offset(), entry.length()));
            int length = 0;
            while (length < content.length) {
                int inflated = inflater.inflate(content, length, content.length - length);
                if (inflated == 0) {
                    throw corrupt(entry);
                }
                length += inflated;
            }
            // The end of the data may be a block of its own, without content.
            if (inflater.inflate(new byte[1]) != 0 || !inflater.finished() || inflater.getRemaining() != 0) {
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
            throw file.corrupt(entry.offset(), "its checksum is wrong: the file is corrupt, copy or download it again");
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
