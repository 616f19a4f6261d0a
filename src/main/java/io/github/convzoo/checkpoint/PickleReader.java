package io.github.convzoo.checkpoint;

import io.github.convzoo.checkpoint.PickleObjects.Items;
import io.github.convzoo.checkpoint.PickleObjects.NumpyArray;
import io.github.convzoo.checkpoint.PickleObjects.Pairs;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads a bare pickle of a mapping: the output of {@code paddle.save} of PaddlePaddle 2.0 and later, with NumPy arrays
 * for tensors, or of {@code pickle.dump} for a dictionary of NumPy arrays or a PyTorch {@code state_dict()}. From
 * protocol 3 on, the arrays' bytes are views on the file; protocol 2 writes bytes as text, which is decoded to the
 * heap.
 *
 * <p>A pickle counts as Paddle's only if it has Paddle's markers, because Paddle stores the weights of linear layers
 * transposed: its table of names, its pairs of a name and an array, or its names for BatchNorm's statistics.
 */
final class PickleReader {
    private PickleReader() {}

    static Checkpoint read(MappedFile file, Limits limits) throws CheckpointException {
        PickleMachine machine = new PickleMachine(file, 0, limits);
        Object built = machine.run();
        if (machine.end() != file.size()) {
            throw file.corrupt(machine.end(), "the file continues after the end of its pickle; it is corrupt");
        }
        if (!(built instanceof Pairs)) {
            throw file.corrupt(
                    0,
                    "this is a bare pickle without a dictionary of tensors; save it again with"
                            + " torch.save(model.state_dict(), path)");
        }
        boolean paddle = isPaddle(built);
        Set<String> placeholders = new LinkedHashSet<>(machine.unknownGlobals());
        Value value = new PickleValues(file, limits, key -> null, placeholders, paddle).value(built);
        return new Checkpoint(
                file.path(), paddle ? Format.PADDLE : Format.PICKLE, value, Map.of(), List.copyOf(placeholders));
    }

    /** Whether any mapping has a marker of Paddle. Each container is visited once. */
    private static boolean isPaddle(Object root) {
        Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<Object> left = new ArrayDeque<>(List.of(root));
        while (!left.isEmpty()) {
            Object next = left.removeLast();
            if (next instanceof Pairs pairs && seen.add(pairs)) {
                if (isPaddle(pairs)) {
                    return true;
                }
                for (int i = 1; i < pairs.pairs.size(); i += 2) {
                    addContainer(left, pairs.pairs.get(i));
                }
            } else if (next instanceof Items items && seen.add(items)) {
                items.items.forEach(item -> addContainer(left, item));
            }
        }
        return false;
    }

    private static void addContainer(Deque<Object> containers, Object object) {
        if (object instanceof Pairs || object instanceof Items) {
            containers.addLast(object);
        }
    }

    private static boolean isPaddle(Pairs mapping) {
        boolean mean = false;
        boolean variance = false;
        boolean pytorch = false;
        for (int i = 0; i < mapping.pairs.size(); i += 2) {
            if (!(mapping.pairs.get(i) instanceof Value.Text key)) {
                continue;
            }
            String name = key.text();
            Object value = mapping.pairs.get(i + 1);
            if (name.equals(PaddleDialect.NAME_TABLE) || isNamedArray(value)) {
                return true;
            }
            boolean array = value instanceof NumpyArray;
            mean |= array && PaddleDialect.MEAN.matcher(name).find();
            variance |= array && PaddleDialect.VARIANCE.matcher(name).find();
            pytorch |= array && name.endsWith("running_mean");
        }
        return mean && variance && !pytorch;
    }

    /** Paddle saves a nested tensor as a pair of its own name and the array. */
    private static boolean isNamedArray(Object value) {
        return value instanceof Items pair
                && pair.items.size() == 2
                && pair.items.get(0) instanceof Value.Text
                && pair.items.get(1) instanceof NumpyArray;
    }
}
