package io.github.convzoo.checkpoint;

import org.jspecify.annotations.Nullable;

/** What a pickle has used of its {@link Limits} so far, and where it is being read: the place that errors name. */
final class PickleBudget {

    /** The count of a mapping's entry in addition to its key and value, for hash tables and the key's name. */
    private static final int ENTRY_VALUES = 3;
    /** The count of bytes, which are views of buffers. */
    private static final int BYTES_VALUES = 4;

    private final MappedFile file;
    private final Limits limits;
    private int values;
    private int tensors;
    /** The number of the pickle's bytes that are data of arrays and storages. */
    private long dataBytes;
    /** The last text that may turn out to be an array's bytes, and its size in the file. */
    private @Nullable Object lastText;

    private long lastTextBytes;
    /** The total size of decoded long texts, in bytes. */
    private long decodedBytes;
    /** The offset of the current opcode. */
    private long at;

    PickleBudget(MappedFile file, Limits limits) {
        this.file = file;
        this.limits = limits;
    }

    MappedFile file() {
        return file;
    }

    Limits limits() {
        return limits;
    }

    /** The offset of the current opcode. */
    long at() {
        return at;
    }

    /** Moves to an opcode of the pickle that starts at an offset. */
    void moveTo(long opcode, long start) throws CheckpointException {
        at = opcode;
        if (at + 1 - start - dataBytes > limits.of(Limit.PICKLE_BYTES)) {
            throw file.overLimit(at, null, "the pickle has more bytes", Limit.PICKLE_BYTES, limits);
        }
    }

    CheckpointException corrupt(String problem) {
        return file.corrupt(at, problem);
    }

    void count(int weight) throws CheckpointException {
        if (weight > limits.of(Limit.VALUES) - values) {
            throw file.overLimit(at, null, "the pickle builds too many values", Limit.VALUES, limits);
        }
        values += weight;
    }

    /** Counts the entries of a mapping, which cost more than the key and value, which may come from the memo. */
    void countEntries(int keysAndValues) throws CheckpointException {
        for (int i = 0; i < ENTRY_VALUES; i++) {
            count(keysAndValues / 2);
        }
    }

    /** Counts an object that is a view of bytes. */
    void countBytes() throws CheckpointException {
        count(BYTES_VALUES);
    }

    void countTensor() throws CheckpointException {
        if (tensors == limits.of(Limit.TENSORS)) {
            throw file.overLimit(at, null, "the file has too many tensors", Limit.TENSORS, limits);
        }
        tensors++;
        count(2);
    }

    /** Bytes of the pickle that are data of arrays and storages, and so do not count as pickle. */
    void skipData(long bytes) {
        dataBytes += bytes;
    }

    /** A text that may turn out to be an array's bytes, and its size in the file. */
    void mayBeArray(Object text, long bytes) {
        lastText = text;
        lastTextBytes = bytes;
    }

    /** Whether a text turns out to be an array's bytes, for the first time, and so does not count as pickle. */
    boolean isArrayText(Object text) {
        boolean first = text == lastText;
        if (first) {
            dataBytes += lastTextBytes;
            lastText = null;
        }
        return first;
    }

    /**
     * Counts the bytes of a decoded text. Decoding each text once takes less than the file; a pickle could decode the
     * same text repeatedly.
     */
    void countDecoded(int bytes) throws CheckpointException {
        decodedBytes += bytes;
        if (decodedBytes > file.size()) {
            throw corrupt("the pickle decodes its texts to more bytes than the file has, which no library does");
        }
    }
}
