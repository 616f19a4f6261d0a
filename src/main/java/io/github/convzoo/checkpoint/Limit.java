package io.github.convzoo.checkpoint;

/** A limit for reading a file. {@link Limits} has its value. */
public enum Limit {

    /**
     * The maximum size of a safetensors or {@code .npy} header, of a zip archive's directory, and of all names in
     * another file together, in bytes; of the paths of a pickle's tensors together, in UTF-16 units.
     */
    HEADER_BYTES("headerBytes", 8 << 20),

    /** The maximum size of a pickle, in bytes. The data of tensors and NumPy arrays does not count. */
    PICKLE_BYTES("pickleBytes", 8 << 20),

    /**
     * The maximum number of values that a pickle may build, or expand to if it shares them. A mapping and a global
     * count four and more by their length, bytes four, an entry of a mapping three in addition to its key and value, a
     * sequence two, any other value one.
     */
    VALUES("values", 500_000),

    /** The maximum number of values that a pickle may memoize. */
    MEMO_ENTRIES("memoEntries", 250_000),

    /** The maximum nesting depth of mappings and sequences, at most 256. */
    // Recursive methods build, compare and print values.
    NESTING_DEPTH("nestingDepth", 64, 256),

    /** The maximum number of tensors in a file, and of entries in its metadata. */
    TENSORS("tensors", 50_000),

    /** The maximum number of entries in a zip archive. */
    ZIP_ENTRIES("zipEntries", 50_000),

    /** The maximum length of the name of a tensor, mapping key, global or zip entry, in UTF-16 units. */
    NAME_LENGTH("nameLength", 4096),

    /** The maximum number of dimensions of a tensor. */
    DIMENSIONS("dimensions", 32),

    /** The maximum size of a tensor, in bytes. The default is the capacity of a buffer. */
    TENSOR_BYTES("tensorBytes", Integer.MAX_VALUE),

    /**
     * The maximum size of a tensor that is not row-major in its file, in bytes, because {@link Tensor#bytes} must copy
     * it to the heap.
     */
    COPIED_BYTES("copiedBytes", 256 << 20),

    /**
     * The maximum total size that a file's compressed entries may inflate to, in bytes, beyond four times their
     * compressed size.
     */
    INFLATED_BYTES("inflatedBytes", 16 << 20);

    private final String key;
    private final int usual;
    private final int most;

    Limit(String key, int usual) {
        this(key, usual, Integer.MAX_VALUE);
    }

    Limit(String key, int usual, int most) {
        this.key = key;
        this.usual = usual;
        this.most = most;
    }

    /** The default value. */
    int usual() {
        return usual;
    }

    /** The largest value that is possible. */
    int most() {
        return most;
    }

    /** Refuses a value that is not positive or too large. */
    int checked(int value) {
        if (value <= 0) {
            throw new IllegalArgumentException(this + " must be a positive number, not " + value);
        }
        if (value > most) {
            throw new IllegalArgumentException(this + " must be at most " + most + ", not " + value);
        }
        return value;
    }

    /** What to do if a file exceeds the limit, for the end of a message. */
    String remedy() {
        return "if you trust the file, raise the limit " + key + " (--limit " + key + "=N, or withLimits in Java)";
    }

    /** The name in settings, such as {@code pickleBytes}. */
    @Override
    public String toString() {
        return key;
    }
}
