package io.github.convzoo.checkpoint;

import java.lang.reflect.RecordComponent;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a file may ask of its reader. A file beyond any of these is refused with a {@link CheckpointException} that names
 * the limit, before anything is allocated for it.
 *
 * <p>{@link #DEFAULT} lets every published image classifier and its training checkpoint through, and holds a hostile file
 * to some tens of megabytes of heap. A limit is changed by the method of its name:
 * {@code Limits.DEFAULT.withTensors(200_000)}.
 *
 * @param headerBytes the longest header of a safetensors or {@code .npy} file, directory of a zip archive, and all names of another
 *     file together, in bytes; the paths of a pickle's tensors together, in UTF-16 units
 * @param pickleBytes the longest pickle, in bytes; the data of tensors and of NumPy arrays does not count
 * @param values the most values a pickle may build, or spell out where it shares them; a mapping and a global
 *     count four and more by their length, bytes four, an entry of a mapping three besides its key and value, a sequence
 *     two, any other value one
 * @param memoEntries the most values a pickle may memorise
 * @param nestingDepth the most mappings and sequences inside one another, 256 or less
 * @param tensors the most tensors in a file, and the most entries of its metadata
 * @param zipEntries the most entries in a zip archive
 * @param nameLength the longest name of a tensor, mapping key, global or zip entry, in UTF-16 units
 * @param dimensions the most dimensions of a tensor
 * @param tensorBytes the largest tensor, in bytes; at most {@link Integer#MAX_VALUE}, what one buffer holds
 * @param copiedBytes the largest tensor that does not lie row-major in its file, in bytes: what {@link Tensor#bytes} has to
 *     copy to the heap
 * @param inflatedBytes the most bytes that a file's compressed entries may inflate to, all together, beyond four times what
 *     they take in the file
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

    /** The names, as the record orders them. */
    private static final List<String> NAMES = Arrays.stream(Limits.class.getRecordComponents())
            .map(RecordComponent::getName)
            .toList();

    /** The limits that hold where none are given. */
    public static final Limits DEFAULT = new Limits(
            8 << 20, 8 << 20, 500_000, 250_000, 64, 50_000, 50_000, 4096, 32, Integer.MAX_VALUE, 256 << 20, 16 << 20);

    /**
     * Creates limits.
     *
     * @param headerBytes the longest header of a safetensors or {@code .npy} file, directory of a zip archive, and all names of
     *     another file together, in bytes
     * @param pickleBytes the longest pickle, in bytes; the data of tensors and of NumPy arrays does not count
     * @param values the most values a pickle may build, or spell out where it shares them; a mapping counts four, a sequence
     *     two, any other value one
     * @param memoEntries the most values a pickle may memorise
     * @param nestingDepth the most mappings and sequences inside one another, 256 or less
     * @param tensors the most tensors in a file, and the most entries of its metadata
     * @param zipEntries the most entries in a zip archive
     * @param nameLength the longest name of a tensor, mapping key, global or zip entry, in UTF-16 units
     * @param dimensions the most dimensions of a tensor
     * @param tensorBytes the largest tensor, in bytes; at most {@link Integer#MAX_VALUE}, what one buffer holds
     * @param copiedBytes the largest tensor that does not lie row-major in its file, in bytes: what {@link Tensor#bytes} has to
     *     copy to the heap
     * @param inflatedBytes the most bytes that a file's compressed entries may inflate to, all together, beyond four times what
     *     they take in the file
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
        // Values are built, compared and printed by methods that call themselves at each level.
        if (nestingDepth > 256) {
            throw new IllegalArgumentException("nestingDepth is " + nestingDepth + ", at most 256 is possible");
        }
    }

    /**
     * These limits with another one, as text.
     *
     * @param setting the limit's name and its value, such as {@code pickleBytes=64M}; K, M and G multiply by powers of 1024
     * @return the changed limits
     * @throws IllegalArgumentException if the text is not such a setting, there is no limit of this name, or the value is out
     *     of its range
     */
    public Limits with(String setting) {
        Matcher parts = SETTING.matcher(setting.strip());
        if (!parts.matches()) {
            throw new IllegalArgumentException("a limit is NAME=NUMBER, such as pickleBytes=64M, not " + setting);
        }
        int shift = 10 * "KMG".indexOf(parts.group(3).toUpperCase(Locale.ROOT))
                + (parts.group(3).isEmpty() ? 0 : 10);
        BigInteger value = new BigInteger(parts.group(2)).shiftLeft(shift);
        if (value.bitLength() >= Integer.SIZE) {
            throw new IllegalArgumentException(
                    setting + " is more than the largest limit, " + parts.group(1) + "=" + Integer.MAX_VALUE);
        }
        return with(parts.group(1), value.intValue());
    }

    private Limits with(String name, int limit) {
        int place = NAMES.indexOf(name);
        if (place < 0) {
            throw new IllegalArgumentException(
                    "there is no limit " + name + "; the limits are " + String.join(", ", NAMES));
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
            throw new IllegalArgumentException(name + " is " + limit + ", a positive number is expected");
        }
    }

    /**
     * These limits with another {@link #headerBytes}.
     *
     * @param limit the longest header, in bytes
     * @return the changed limits
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withHeaderBytes(int limit) {
        return with("headerBytes", limit);
    }

    /**
     * These limits with another {@link #pickleBytes}.
     *
     * @param limit the longest pickle, in bytes
     * @return the changed limits
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withPickleBytes(int limit) {
        return with("pickleBytes", limit);
    }

    /**
     * These limits with another {@link #values}.
     *
     * @param limit the most values of a pickle
     * @return the changed limits
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withValues(int limit) {
        return with("values", limit);
    }

    /**
     * These limits with another {@link #memoEntries}.
     *
     * @param limit the most memorised values
     * @return the changed limits
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withMemoEntries(int limit) {
        return with("memoEntries", limit);
    }

    /**
     * These limits with another {@link #nestingDepth}.
     *
     * @param limit the deepest nesting, at most 256
     * @return the changed limits
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withNestingDepth(int limit) {
        return with("nestingDepth", limit);
    }

    /**
     * These limits with another {@link #tensors}.
     *
     * @param limit the most tensors
     * @return the changed limits
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withTensors(int limit) {
        return with("tensors", limit);
    }

    /**
     * These limits with another {@link #zipEntries}.
     *
     * @param limit the most zip entries
     * @return the changed limits
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withZipEntries(int limit) {
        return with("zipEntries", limit);
    }

    /**
     * These limits with another {@link #nameLength}.
     *
     * @param limit the longest name, in UTF-16 units
     * @return the changed limits
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withNameLength(int limit) {
        return with("nameLength", limit);
    }

    /**
     * These limits with another {@link #dimensions}.
     *
     * @param limit the most dimensions
     * @return the changed limits
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withDimensions(int limit) {
        return with("dimensions", limit);
    }

    /**
     * These limits with another {@link #tensorBytes}.
     *
     * @param limit the largest tensor, in bytes
     * @return the changed limits
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withTensorBytes(int limit) {
        return with("tensorBytes", limit);
    }

    /**
     * These limits with another {@link #copiedBytes}.
     *
     * @param limit the largest tensor to copy, in bytes
     * @return the changed limits
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withCopiedBytes(int limit) {
        return with("copiedBytes", limit);
    }

    /**
     * These limits with another {@link #inflatedBytes}.
     *
     * @param limit the most bytes to inflate to, beyond four times those in the file
     * @return the changed limits
     * @throws IllegalArgumentException if the limit is out of its range
     */
    public Limits withInflatedBytes(int limit) {
        return with("inflatedBytes", limit);
    }
}
