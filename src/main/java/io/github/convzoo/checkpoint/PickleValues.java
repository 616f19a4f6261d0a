package io.github.convzoo.checkpoint;

import io.github.convzoo.checkpoint.PickleObjects.Built;
import io.github.convzoo.checkpoint.PickleObjects.Data;
import io.github.convzoo.checkpoint.PickleObjects.Items;
import io.github.convzoo.checkpoint.PickleObjects.LongText;
import io.github.convzoo.checkpoint.PickleObjects.NumpyArray;
import io.github.convzoo.checkpoint.PickleObjects.NumpyType;
import io.github.convzoo.checkpoint.PickleObjects.Pairs;
import io.github.convzoo.checkpoint.PickleObjects.Storage;
import io.github.convzoo.checkpoint.PickleObjects.StridedTensor;
import io.github.convzoo.checkpoint.PickleObjects.View;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Converts the output of a {@link PickleMachine} to values: finds each storage's bytes, checks each tensor against
 * them, and refuses structures that are too deep, cyclic, or shared so often that they expand without bound.
 */
final class PickleValues {
    /** The length that a key without a name adds to a path. */
    private static final int UNNAMED = "(unnamed 499999)".length();

    /** The maximum number of bytes or items of a key, and its maximum nesting, for comparison with others. */
    private static final int LONGEST_KEY = 16;

    private static final int DEEPEST_KEY = 2;

    private final MappedFile file;
    private final Limits limits;
    private final Storages storages;
    private final Set<String> placeholders;
    private final Deque<String> path = new ArrayDeque<>();
    private final Map<Value.Whole, String> wholeNames = new HashMap<>();
    /** Whether arrays of uint16 represent bfloat16 numbers, like Paddle's. */
    private final boolean uint16IsBfloat16;

    private int tensors;
    /** The total size of long texts so far, in bytes. */
    private long textBytes;

    /** The locations of a file's storages. */
    @FunctionalInterface
    interface Storages {
        /** The location of a storage's bytes, or null if the file has none for this key. */
        @Nullable Region find(String key);
    }

    /** A range of a file, or of a part of it. */
    record Region(MappedFile file, long offset, long length) {
        Cursor cursor() throws CheckpointException {
            return new Cursor(file, offset, length, "the text");
        }

        MappedFile part() throws CheckpointException {
            return file.part(offset, length);
        }

        ByteBuffer view() throws CheckpointException {
            return file.view(offset, length);
        }
    }

    PickleValues(MappedFile file, Limits limits, Storages storages, Set<String> placeholders) {
        this(file, limits, storages, placeholders, false);
    }

    PickleValues(
            MappedFile file, Limits limits, Storages storages, Set<String> placeholders, boolean uint16IsBfloat16) {
        this.uint16IsBfloat16 = uint16IsBfloat16;
        this.file = file;
        this.limits = limits;
        this.storages = storages;
        this.placeholders = placeholders;
    }

    Value value(Object root) throws CheckpointException {
        return build(root).value();
    }

    private Built build(Object object) throws CheckpointException {
        if (object instanceof Items items) {
            if (items.built == null) {
                enter(items.open);
                items.open = true;
                items.built = buildItems(items);
                items.open = false;
            }
            return items.built;
        }
        if (object instanceof Pairs pairs) {
            if (pairs.built == null) {
                enter(pairs.open);
                pairs.open = true;
                pairs.built = buildPairs(pairs);
                pairs.open = false;
            }
            return pairs.built;
        }
        Value leaf = leaf(object);
        return new Built(leaf, 0, 1, leaf instanceof Tensor ? 1 : 0, 0);
    }

    private void enter(boolean open) throws CheckpointException {
        if (open) {
            throw file.corrupt(-1, "the value at " + place() + " contains itself, which no checkpoint needs");
        }
        checkDepth(path.size() + 1);
    }

    private void checkDepth(int depth) throws CheckpointException {
        if (depth > limits.of(Limit.NESTING_DEPTH)) {
            throw file.overLimit(
                    -1, null, "the value at " + place() + " is nested too deep", Limit.NESTING_DEPTH, limits);
        }
    }

    private String place() {
        return path.isEmpty() ? "the top" : CheckpointException.printable(String.join("/", path));
    }

    /** Totals the content of a container. */
    private final class Tally {
        private int height;
        private int values = 1;
        private int tensors;
        private long paths;

        void add(Built child, int nameLength) throws CheckpointException {
            height = Math.max(height, child.height());
            checkDepth(height + 1);
            if (child.values() > limits.of(Limit.VALUES) - values) {
                throw file.overLimit(
                        -1,
                        null,
                        "the value at " + place() + " shares its parts so often that it expands to too many values",
                        Limit.VALUES,
                        limits);
            }
            values += child.values();
            if (child.tensors() > limits.of(Limit.TENSORS) - tensors) {
                throw file.overLimit(
                        -1,
                        null,
                        "the value at " + place() + " shares its parts so often that it expands to too many tensors",
                        Limit.TENSORS,
                        limits);
            }
            tensors += child.tensors();
            // A path consists of the names that lead to a tensor, each followed by a dot.
            paths += child.paths() + (nameLength + 1L) * child.tensors();
            if (paths > limits.of(Limit.HEADER_BYTES)) {
                throw file.overLimit(
                        -1,
                        null,
                        "the paths of the tensors at " + place() + " have " + paths + " characters together",
                        Limit.HEADER_BYTES,
                        limits);
            }
        }

        Built of(Value value) {
            return new Built(value, height + 1, values, tensors, paths);
        }
    }

    private Built buildItems(Items items) throws CheckpointException {
        Tally tally = new Tally();
        List<Value> built = new ArrayList<>();
        for (Object item : items.items) {
            String index = Integer.toString(built.size());
            path.addLast(index);
            Built child = build(item);
            tally.add(child, index.length());
            built.add(named(child.value(), index));
            path.removeLast();
        }
        return tally.of(new Value.Sequence(built));
    }

    private Built buildPairs(Pairs pairs) throws CheckpointException {
        Tally tally = new Tally();
        Map<String, Value> entries = new LinkedHashMap<>();
        Set<Object> keys = new HashSet<>();
        List<Value> unnamed = new ArrayList<>(0);
        for (int i = 0; i < pairs.pairs.size(); i += 2) {
            Object key = pairs.pairs.get(i);
            String name = name(key);
            path.addLast(name == null ? "(unnamed)" : name);
            Object identity = identity(key, 0);
            if (identity == null) {
                throw file.corrupt(
                        -1,
                        "the mapping has a list, set, mapping, or array for a key at " + place()
                                + ", which Python does not allow; the file is corrupt");
            }
            if (pairs.pairs.size() > 2 && !keys.add(identity)) {
                throw file.corrupt(
                        -1,
                        "the mapping has two entries at " + place()
                                + ", or at keys that are equal in Python, such as 1 and True; the file is corrupt");
            }
            Built child = build(pairs.pairs.get(i + 1));
            tally.add(child, name == null ? UNNAMED : name.length());
            if (name == null || entries.containsKey(name)) {
                // A number next to equal text has no name of its own.
                unnamed.add(child.value());
            } else {
                entries.put(name, named(child.value(), name));
            }
            path.removeLast();
        }
        return tally.of(new Value.Mapping(entries, unnamed));
    }

    /** A tensor that occurs in two places gets a name for each. */
    private Value named(Value value, String name) throws CheckpointException {
        if (!(value instanceof Tensor tensor)) {
            return value;
        }
        if (tensors == limits.of(Limit.TENSORS)) {
            throw file.overLimit(-1, place(), "the file has too many tensors", Limit.TENSORS, limits);
        }
        tensors++;
        return tensor.withName(name);
    }

    /**
     * The identity of a key: equal for keys that are equal in Python's dict. Null for values that cannot be keys. Long
     * and deep keys are compared by identity, not by content; they have no name anyway.
     */
    private static @Nullable Object identity(Object key, int depth) throws CheckpointException {
        if (key instanceof Value.Text text) {
            return text.text();
        }
        if (key instanceof Value.Whole whole) {
            return whole.number();
        }
        if (key instanceof Value.Bool bool) {
            return bool.truth() ? BigInteger.ONE : BigInteger.ZERO;
        }
        if (key instanceof Value.Real real) {
            double number = real.number();
            boolean whole = Double.isFinite(number) && number == Math.rint(number);
            return whole ? new BigDecimal(number).toBigInteger() : (Object) number;
        }
        if (key instanceof Value.None) {
            return Value.None.class;
        }
        if (key instanceof PickleGlobals.Global global) {
            return global.elements() == null || global.role() != PickleGlobals.Role.ELEMENT_TYPE
                    ? global
                    : global.elements();
        }
        if (key instanceof Data bytes && bytes.region.length() <= LONGEST_KEY) {
            return ByteBuffer.wrap(bytes.region.file().copy(bytes.region.offset(), bytes.region.length()));
        }
        if (key instanceof Pairs pairs) {
            return pairs.attributes ? pairs : null;
        }
        if (key instanceof Items items) {
            return switch (items.kind) {
                case LIST, SET -> null;
                case FROZEN_SET -> items;
                case TUPLE -> tuple(items, depth);
            };
        }
        if (key instanceof NumpyArray) {
            return null;
        }
        // Placeholders with the same name are different objects of one class.
        return key instanceof Value.Placeholder ? new Same(key) : key;
    }

    private static @Nullable Object tuple(Items items, int depth) throws CheckpointException {
        if (items.items.size() > LONGEST_KEY || depth == DEEPEST_KEY) {
            return items;
        }
        List<Object> parts = new ArrayList<>(items.items.size());
        for (Object item : items.items) {
            Object part = identity(item, depth + 1);
            if (part == null) {
                return null;
            }
            parts.add(part);
        }
        return parts;
    }

    /** An object that is equal only to itself. */
    private static final class Same {
        private final Object object;

        Same(Object object) {
            this.object = object;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Same same && same.object == object;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(object);
        }
    }

    /** The name of a key; null if it has none. */
    private @Nullable String name(Object key) throws CheckpointException {
        String name = null;
        if (key instanceof LongText text) {
            throw file.overLimit(-1, null, "a name has " + text.utf8().length() + " bytes", Limit.NAME_LENGTH, limits);
        }
        if (key instanceof Value.Text text) {
            name = text.text();
        } else if (key instanceof Value.Whole whole) {
            // The same number may be a key in many mappings.
            name = wholeNames.computeIfAbsent(whole, each -> each.number().toString());
        } else if (key instanceof Value.Real real) {
            name = Double.toString(real.number());
        } else if (key instanceof Value.Bool bool) {
            name = bool.truth() ? "True" : "False";
        } else if (key instanceof Value.None) {
            name = "None";
        }
        if (name != null && name.length() > limits.of(Limit.NAME_LENGTH)) {
            throw file.overLimit(-1, name, "the name has " + name.length() + " characters", Limit.NAME_LENGTH, limits);
        }
        return name;
    }

    private Value leaf(Object object) throws CheckpointException {
        if (object instanceof Value value) {
            return value;
        }
        if (object instanceof StridedTensor tensor) {
            if (tensor.built == null) {
                tensor.built = tensor(tensor);
            }
            return tensor.built;
        }
        if (object instanceof NumpyArray array) {
            if (array.built == null) {
                array.built = array(array);
            }
            return array.built;
        }
        if (object instanceof Data bytes) {
            if (bytes.built == null) {
                bytes.built = new Value.Bytes(bytes.region.view());
            }
            return bytes.built;
        }
        if (object instanceof NumpyType) {
            return placeholder("numpy.dtype");
        }
        if (object instanceof PickleGlobals.Global global) {
            return global.role() == PickleGlobals.Role.ELEMENT_TYPE
                    ? new Value.Text(global.name())
                    : placeholder(global.name());
        }
        if (object instanceof Storage storage) {
            return placeholder(storage.type().name());
        }
        if (object instanceof LongText text) {
            return longText(text);
        }
        throw file.corrupt(-1, "the pickle is corrupt: it has a mark instead of a value");
    }

    private Value longText(LongText text) throws CheckpointException {
        textBytes += text.utf8().length();
        if (textBytes > limits.of(Limit.PICKLE_BYTES)) {
            throw file.overLimit(
                    -1,
                    null,
                    "up to the text at " + place() + ", the long texts have " + textBytes + " bytes",
                    Limit.PICKLE_BYTES,
                    limits);
        }
        String decoded = Cursor.decode(text.utf8().cursor().take(text.utf8().length()));
        if (decoded == null) {
            throw file.corrupt(-1, "the text at " + place() + " is not valid UTF-8; the file is corrupt");
        }
        return new Value.Text(decoded);
    }

    private Value placeholder(String name) {
        placeholders.add(name);
        return new Value.Placeholder(name);
    }

    private Value tensor(StridedTensor tensor) throws CheckpointException {
        ElementType type = tensor.type.elements();
        if (type == null) {
            return placeholder(tensor.type.name());
        }
        long bytes = type.bytes();
        Region region = region(tensor);
        long size;
        long span = 0;
        try {
            size = Tensor.elements(tensor.shape);
            for (int i = 0; i < tensor.shape.length && size > 0; i++) {
                span = Math.addExact(span, Math.multiplyExact(tensor.shape[i] - 1, tensor.strides[i]));
            }
            span = size == 0 ? 0 : Math.multiplyExact(Math.addExact(span, 1), bytes);
            Math.multiplyExact(size, bytes);
            if (Math.addExact(Math.multiplyExact(tensor.offset, bytes), span) > region.length) {
                throw corrupt(
                        tensor,
                        "shape " + Arrays.toString(tensor.shape) + ", strides " + Arrays.toString(tensor.strides)
                                + " and offset " + tensor.offset + " exceed its storage "
                                + CheckpointException.printable(tensor.storage.key()) + " of " + region.length
                                + " bytes");
            }
        } catch (ArithmeticException e) {
            throw corrupt(
                    tensor,
                    "shape " + Arrays.toString(tensor.shape) + " and strides " + Arrays.toString(tensor.strides)
                            + " are larger than any file");
        }
        checkLimits(tensor, size * bytes, span);
        return Tensor.strided(
                tensorName(),
                type,
                tensor.shape,
                size,
                tensor.strides,
                region.file,
                region.offset + tensor.offset * bytes,
                span);
    }

    private Value array(NumpyArray array) throws CheckpointException {
        ElementType type = array.type == null ? null : elementType(array.type);
        Region data = array.data;
        if (type == null || data == null) {
            return placeholder("numpy.ndarray");
        }
        long size;
        long bytes;
        try {
            size = Tensor.elements(array.shape);
            bytes = Math.multiplyExact(size, (long) type.bytes());
        } catch (ArithmeticException e) {
            throw file.corrupt(
                    array.at, place(), "the shape " + Arrays.toString(array.shape) + " is larger than any file");
        }
        if (bytes != data.length()) {
            throw file.corrupt(
                    array.at,
                    place(),
                    type + " of shape " + Arrays.toString(array.shape) + " takes " + bytes + " bytes, not "
                            + data.length());
        }
        if (bytes > limits.of(Limit.TENSOR_BYTES)) {
            throw file.overLimit(array.at, place(), "it has " + bytes + " bytes", Limit.TENSOR_BYTES, limits);
        }
        long[] strides = new long[array.shape.length];
        long stride = 1;
        for (int i = 0; i < strides.length; i++) {
            int axis = array.fortranOrder ? i : strides.length - 1 - i;
            strides[axis] = stride;
            // An array without elements may have dimensions whose product overflows; its strides are never used.
            stride *= array.shape[axis];
        }
        if (size > 0 && !Tensor.isRowMajor(array.shape, strides) && bytes > limits.of(Limit.COPIED_BYTES)) {
            throw file.overLimit(
                    array.at, place(), "it has " + bytes + " bytes that are not row-major", Limit.COPIED_BYTES, limits);
        }
        return Tensor.strided(
                tensorName(), type, array.shape, size, strides, data.file(), data.offset(), data.length());
    }

    /** Null if the type is another one, big-endian, or not a plain number. */
    private @Nullable ElementType elementType(NumpyType type) {
        if (!type.plain) {
            return null;
        }
        if (uint16IsBfloat16 && type.code.equals("u2") && type.order.equals("<")) {
            return ElementType.BF16;
        }
        for (ElementType candidate : ElementType.values()) {
            if (candidate.numpy().isPresent()
                    && candidate.numpy().get().equals(type.code)
                    && (candidate.bytes() == 1 || type.order.equals("<"))) {
                return candidate;
            }
        }
        return null;
    }

    private void checkLimits(StridedTensor tensor, long bytes, long span) throws CheckpointException {
        // A view with gaps may span more than it contains; one buffer holds the span.
        if (Math.max(bytes, span) > limits.of(Limit.TENSOR_BYTES)) {
            throw file.overLimit(
                    tensor.at, place(), "it has " + bytes + " bytes and spans " + span, Limit.TENSOR_BYTES, limits);
        }
        if (bytes > limits.of(Limit.COPIED_BYTES) && !Tensor.isRowMajor(tensor.shape, tensor.strides)) {
            throw file.overLimit(
                    tensor.at,
                    place(),
                    "it has " + bytes + " bytes that are not row-major",
                    Limit.COPIED_BYTES,
                    limits);
        }
    }

    /** Whether a number of bytes is exactly a number of elements. */
    static boolean isLength(long bytes, long elements, int width) {
        return elements <= Long.MAX_VALUE / width && bytes == elements * width;
    }

    private String tensorName() {
        return path.isEmpty() ? "" : path.getLast();
    }

    private CheckpointException corrupt(StridedTensor tensor, String problem) {
        return file.corrupt(tensor.at, place(), problem);
    }

    private Region region(StridedTensor tensor) throws CheckpointException {
        Storage storage = tensor.storage;
        String shown = "storage " + CheckpointException.printable(storage.key());
        Region region = storage.inside() == null ? storages.find(storage.key()) : storage.inside();
        if (region == null && storage.elements() == 0) {
            return new Region(file, 0, 0);
        }
        if (region == null) {
            throw corrupt(tensor, "the file has no " + shown + "; it is incomplete, copy or download it again");
        }
        ElementType type = storage.type().elements();
        if (type != null && !isLength(region.length, storage.elements(), type.bytes())) {
            throw corrupt(
                    tensor,
                    shown + " must have " + storage.elements() + " elements of " + type.bytes() + " bytes, but has "
                            + region.length + " bytes");
        }
        View view = storage.view();
        if (view == null || type == null) {
            return region;
        }
        if (view.offset() > storage.elements() || view.elements() > storage.elements() - view.offset()) {
            throw corrupt(
                    tensor,
                    "a view of " + view.elements() + " elements at " + view.offset() + " exceeds its " + shown + " of "
                            + storage.elements() + " elements");
        }
        return new Region(region.file, region.offset + view.offset() * type.bytes(), view.elements() * type.bytes());
    }
}
