package io.github.convzoo.checkpoint;

import io.github.convzoo.checkpoint.PickleMachine.Pairs;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads what {@code paddle.save} of PaddlePaddle 2.0 and later writes: one pickle of a mapping, with NumPy arrays for tensors.
 * From protocol 3 on the arrays' bytes are views on the file; protocol 2 writes bytes as text, which is decoded to the heap.
 */
final class PaddleReader {
    private PaddleReader() {}

    static Checkpoint read(MappedFile file, Limits limits) throws CheckpointException {
        PickleMachine machine = new PickleMachine(file, 0, limits);
        Object built = machine.run();
        if (machine.end() != file.size()) {
            throw file.corrupt(machine.end(), "the file goes on after its pickle's end; it is corrupt");
        }
        if (!(built instanceof Pairs)) {
            throw file.corrupt(
                    0, "this is a bare pickle, and of no mapping as paddle.save writes it of a state_dict()");
        }
        Set<String> placeholders = new LinkedHashSet<>(machine.unknownGlobals());
        Value value = new PickleValues(file, limits, key -> null, placeholders).value(built);
        return new Checkpoint(file.path(), Format.PADDLE, value, Map.of(), List.copyOf(placeholders));
    }
}
