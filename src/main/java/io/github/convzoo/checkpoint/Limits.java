package io.github.convzoo.checkpoint;

import java.lang.reflect.RecordComponent;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Limits for reading a file. A file that exceeds one is refused with a {@link CheckpointException} that names the
 * limit, before anything is allocated for it.
 *
 * <p>{@link #DEFAULT} allows every published image classifier and its training checkpoint, and restricts a hostile file
 * to some tens of megabytes of heap. Each limit is changed by the method of its name: {@code
 * Limits.DEFAULT.withTensors(200_000)}.
 *
 * @param headerBytes the maximum size of a safetensors or {@code .npy} header, of a zip archive's directory, and of all
 *     names in another file together, in bytes; of the paths of a pickle's tensors together, in UTF-16 units
 * @param pickleBytes the maximum size of a pickle, in bytes; the data of tensors and NumPy arrays does not count
 * @param values the maximum number of values that a pickle may build, or expand to if it shares them; a mapping and a
 *     global count four and more by their length, bytes four, an entry of a mapping three in addition to its key and
 *     value, a sequence two, any other value one
 * @param memoEntries the maximum number of values that a pickle may memoize
 * @param nestingDepth the maximum nesting depth of mappings and sequences, at most 256
 * @param tensors the maximum number of tensors in a file, and of entries in its metadata
 * @param zipEntries the maximum number of entries in a zip archive
 * @param nameLength the maximum length of the name of a tensor, mapping key, global or zip entry, in UTF-16 units
 * @param dimensions the maximum number of dimensions of a tensor
 * @param tensorBytes the maximum size of a tensor, in bytes; at most {@link Integer#MAX_VALUE}, the capacity of a
 *     buffer
 * @param copiedBytes the maximum size of a tensor that is not row-major in its file, in bytes, because {@link
 *     Tensor#bytes} must copy it to the heap
 * @param inflatedBytes the maximum total size that a file's compressed entries may inflate to, in bytes, beyond four
 *     times their compressed size
 */
public record Limits(
        int headerBytes,
        int pickleBytes,
        int values,
        int memoEntries,
        int nestingDepth,
        int tensors,
        int zipEntries,
        int nameLength,
        int dimensions,
        int tensorBytes,
        int copiedBytes,
        int inflatedBytes) {

    private static final Pattern SETTING = Pattern.compile("([A-Za-z]+) *= *([0-9]{1,10}) *([KMGkmg]?)");

    /** The names, in the record's order. */
    private static final List<String> NAMES = Arrays.stream(Limits.class.getRecordComponents())
            .map(RecordComponent::getName)
            .toList();

    /** The default limits. */
    public static final Limits DEFAULT = new Limits(
            8 << 20, 8 << 20, 500_000, 250_000, 64, 50_000, 50_000, 4096, 32, Integer.MAX_VALUE, 256 << 20, 16 << 20);

    /**
     * Creates limits.
     *
     * @throws IllegalArgumentException if a limit is not positive
     */
    public Limits {
        positive("headerBytes", headerBytes);
        positive("pickleBytes", pickleBytes);
        positive("values", values);
        positive("memoEntries", memoEntries);
        positive("nestingDepth", nestingDepth);
        positive("tensors", tensors);
        positive("zipEntries", zipEntries);
        positive("nameLength", nameLength);
        positive("dimensions", dimensions);
        positive("tensorBytes", tensorBytes);
        positive("copiedBytes", copiedBytes);
        positive("inflatedBytes", inflatedBytes);
        // Recursive methods build, compare and print values.
        if (nestingDepth > 256) {
            throw new IllegalArgumentException("nestingDepth must be at most 256, not " + nestingDepth + "");
        }
    }

    /**
     * {@return these limits with another one, given as text}
     *
     * @param setting the limit's name and value, such as {@code pickleBytes=64M}; K, M and G multiply by powers of 1024
     * @throws IllegalArgumentException if the text is invalid, there is no limit of this name, or the value is out of
     *     range
     */
    public Limits with(String setting) {
        Matcher parts = SETTING.matcher(setting.strip());
        if (!parts.matches()) {
            throw new IllegalArgumentException("write a limit as NAME=NUMBER, such as pickleBytes=64M, not " + setting);
        }
        int shift = 10 * "KMG".indexOf(parts.group(3).toUpperCase(Locale.ROOT))
                + (parts.group(3).isEmpty() ? 0 : 10);
        BigInteger value = new BigInteger(parts.group(2)).shiftLeft(shift);
        if (value.bitLength() >= Integer.SIZE) {
            throw new IllegalArgumentException(
                    setting + " exceeds the maximum, " + parts.group(1) + "=" + Integer.MAX_VALUE);
        }
        return with(parts.group(1), value.intValue());
    }

    private Limits with(String name, int limit) {
        int place = NAMES.indexOf(name);
        if (place < 0) {
            throw new IllegalArgumentException("unknown limit " + name + "; choose from " + String.join(", ", NAMES));
        }
        int[] all = {
            headerBytes,
            pickleBytes,
            values,
            memoEntries,
            nestingDepth,
            tensors,
            zipEntries,
            nameLength,
            dimensions,
            tensorBytes,
            copiedBytes,
            inflatedBytes
        };
        all[place] = limit;
        return new Limits(
                all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7], all[8], all[9], all[10], all[11]);
    }

    private static void positive(String name, int limit) {
        if (limit <= 0) {
            throw new IllegalArgumentException(name + " must be a positive number, not " + limit);
        }
    }

    /**
     * {@return these limits with another {@link #headerBytes}}
     *
     * @param limit the longest header, in bytes
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withHeaderBytes(int limit) {
        return with("headerBytes", limit);
    }

    /**
     * {@return these limits with another {@link #pickleBytes}}
     *
     * @param limit the longest pickle, in bytes
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withPickleBytes(int limit) {
        return with("pickleBytes", limit);
    }

    /**
     * {@return these limits with another {@link #values}}
     *
     * @param limit the most values of a pickle
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withValues(int limit) {
        return with("values", limit);
    }

    /**
     * {@return these limits with another {@link #memoEntries}}
     *
     * @param limit the most memorized values
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withMemoEntries(int limit) {
        return with("memoEntries", limit);
    }

    /**
     * {@return these limits with another {@link #nestingDepth}}
     *
     * @param limit the deepest nesting, at most 256
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withNestingDepth(int limit) {
        return with("nestingDepth", limit);
    }

    /**
     * {@return these limits with another {@link #tensors}}
     *
     * @param limit the most tensors
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withTensors(int limit) {
        return with("tensors", limit);
    }

    /**
     * {@return these limits with another {@link #zipEntries}}
     *
     * @param limit the most zip entries
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withZipEntries(int limit) {
        return with("zipEntries", limit);
    }

    /**
     * {@return these limits with another {@link #nameLength}}
     *
     * @param limit the longest name, in UTF-16 units
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withNameLength(int limit) {
        return with("nameLength", limit);
    }

    /**
     * {@return these limits with another {@link #dimensions}}
     *
     * @param limit the most dimensions
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withDimensions(int limit) {
        return with("dimensions", limit);
    }

    /**
     * {@return these limits with another {@link #tensorBytes}}
     *
     * @param limit the largest tensor, in bytes
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withTensorBytes(int limit) {
        return with("tensorBytes", limit);
    }

    /**
     * {@return these limits with another {@link #copiedBytes}}
     *
     * @param limit the largest tensor to copy, in bytes
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withCopiedBytes(int limit) {
        return with("copiedBytes", limit);
    }

    /**
     * {@return these limits with another {@link #inflatedBytes}}
     *
     * @param limit the most bytes to inflate to, beyond four times those in the file
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withInflatedBytes(int limit) {
        return with("inflatedBytes", limit);
    }
}
