package io.github.convzoo.checkpoint;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The tensors of a TorchScript module, by the path of attributes to each, as in a state dict. Other attributes, numbers
 * and text, are omitted.
 */
final class ScriptTensors {
    private final MappedFile file;
    private final Limits limits;
    private final Map<String, Value> tensors = new LinkedHashMap<>();
    /** The total length of the names, because a short pickle could repeat a long name in many places. */
    private long nameLengths;

    ScriptTensors(MappedFile file, Limits limits) {
        this.file = file;
        this.limits = limits;
    }

    /** Adds the content of a value, whose depth is at most {@link Limit#NESTING_DEPTH}. */
    void add(String path, Value value) throws CheckpointException {
        if (value instanceof Value.Mapping mapping) {
            for (Map.Entry<String, Value> entry : mapping.entries().entrySet()) {
                add(join(path, entry.getKey()), entry.getValue());
            }
        } else if (value instanceof Value.Sequence sequence) {
            for (int i = 0; i < sequence.items().size(); i++) {
                add(join(path, Integer.toString(i)), sequence.items().get(i));
            }
        } else if (value instanceof Tensor tensor) {
            nameLengths += path.length();
            if (nameLengths > limits.of(Limit.HEADER_BYTES)) {
                throw file.overLimit(-1, path, "the names are too long together", Limit.HEADER_BYTES, limits);
            }
            if (tensors.put(path, tensor.withName(path)) != null) {
                throw file.corrupt(-1, path, "two tensors have this path; the file is corrupt");
            }
        }
    }

    /** Adds the code's constants, under their names in the code. */
    void addConstants(Value value) throws CheckpointException {
        if (!(value instanceof Value.Sequence constants)) {
            throw file.corrupt(-1, "the constants of the code are not a sequence; the file is corrupt");
        }
        for (int i = 0; i < constants.items().size(); i++) {
            add("CONSTANTS.c" + i, constants.items().get(i));
        }
    }

    private String join(String path, String name) throws CheckpointException {
        String joined = path.isEmpty() ? name : path + "." + name;
        if (joined.length() > limits.of(Limit.NAME_LENGTH)) {
            throw file.overLimit(
                    -1, joined, "the path has " + joined.length() + " characters", Limit.NAME_LENGTH, limits);
        }
        return joined;
    }

    Value mapping() {
        return new Value.Mapping(tensors, List.of());
    }
}
