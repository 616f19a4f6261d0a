package io.github.convzoo.checkpoint;

import io.github.convzoo.checkpoint.PickleGlobals.Global;
import io.github.convzoo.checkpoint.PickleObjects.Data;
import io.github.convzoo.checkpoint.PickleObjects.Items;
import io.github.convzoo.checkpoint.PickleObjects.LongText;
import io.github.convzoo.checkpoint.PickleObjects.NumpyArray;
import io.github.convzoo.checkpoint.PickleObjects.NumpyType;
import io.github.convzoo.checkpoint.PickleObjects.Pairs;
import io.github.convzoo.checkpoint.PickleObjects.SequenceKind;
import io.github.convzoo.checkpoint.PickleObjects.Storage;
import io.github.convzoo.checkpoint.PickleObjects.StridedTensor;
import io.github.convzoo.checkpoint.PickleObjects.View;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Builds what the globals of a pickle stand for: the results of calls, the states of objects, and the storages of
 * persistent ids. A call builds an inert object or a placeholder; nothing is called.
 */
final class PickleCalls {

    /** Classes of mappings whose objects have attributes; those of dict and defaultdict have none. */
    private static final Set<String> OBJECTS = Set.of("collections.OrderedDict", "collections.Counter");

    /** The count of a storage inside the pickle: the maximum number of values in the pickles that describe it. */
    private static final int EMBEDDED_VALUES = 64;

    /** The version of an array's state, its first item; NumPy has no other. */
    private static final Value.Whole ARRAY_VERSION = wholeOf(1);

    /** The number of items in the state of an array's element type in version 3; version 4 has one more. */
    private static final int TYPE_STATE = 8;

    private static final Set<String> ORDERS = Set.of("<", ">", "|", "=");

    /** The state of a number's type after version and byte order. */
    private static final List<Object> PLAIN =
            List.of(new Value.None(), new Value.None(), new Value.None(), wholeOf(-1), wholeOf(-1), wholeOf(0));

    /** Attributes of a tensor that PyTorch computes, or that replace its numbers when they are set. */
    private static final Set<String> PROPERTIES =
            Set.of("data", "real", "imag", "shape", "dtype", "device", "layout", "names", "ndim", "T", "H", "mT", "mH");

    private final PickleBudget budget;
    private final Set<String> globals = new LinkedHashSet<>();
    private final Set<String> unknown = new LinkedHashSet<>();
    /** The storages that were named, by key. */
    private final Map<String, Storage> storages = new LinkedHashMap<>();
    /** The storages that were named with a view, by the view's key. */
    private final Map<String, Storage> views = new LinkedHashMap<>();
    /** Whether persistent ids are those of torch.save before PyTorch 1.6. */
    private final boolean legacy;
    /** Whether this pickle describes a storage inside another pickle, and so must not have one itself. */
    private final boolean embedded;

    PickleCalls(PickleBudget budget, boolean legacy, boolean embedded) {
        this.budget = budget;
        this.legacy = legacy;
        this.embedded = embedded;
    }

    /** Names of all globals. */
    Set<String> globals() {
        return globals;
    }

    /** Names of the globals that became placeholders, in the order of the file. */
    Set<String> unknownGlobals() {
        return unknown;
    }

    /** The storages that the pickle names, by key. */
    Map<String, Storage> storages() {
        return storages;
    }

    Global global(String module, String name) throws CheckpointException {
        // A name may be assembled repeatedly from texts that the pickle has only once.
        budget.count(4 + (module.length() + name.length()) / 16);
        if (!PickleGlobals.isName(module, name)) {
            throw budget.corrupt("the pickle names a global of " + (module.length() + 1 + name.length())
                    + " characters in more than " + PickleGlobals.PARTS + " parts, which no library uses");
        }
        Global global = PickleGlobals.resolve(module, name);
        if (global == null) {
            throw budget.corrupt("the pickle names " + CheckpointException.printable(module + "." + name)
                    + ", which only an attack would do; do not load this file anywhere");
        }
        globals.add(global.name());
        if (global.role() == PickleGlobals.Role.UNKNOWN && !isPlain(global.name())) {
            unknown.add(global.name());
        }
        return global;
    }

    /** Types that accompany data (a default factory, an argument) and are not custom objects. */
    private static boolean isPlain(String name) {
        return switch (name) {
            case "builtins.int", "builtins.float", "builtins.str", "builtins.bool", "builtins.object" -> true;
            default -> false;
        };
    }

    private String nameOf(@Nullable Object callable) throws CheckpointException {
        if (callable instanceof Global global) {
            return global.name();
        }
        if (callable instanceof Value.Placeholder placeholder) {
            return placeholder.global();
        }
        throw budget.corrupt("the pickle is corrupt: it calls something other than a global");
    }

    Object unbuilt(@Nullable Object callable) throws CheckpointException {
        String name = nameOf(callable);
        unknown.add(name);
        budget.count(1);
        return new Value.Placeholder(name);
    }

    /** NEWOBJ: an object of a class. Subclasses of dict and list are built as such. */
    Object construct(Object type, List<Object> arguments) throws CheckpointException {
        if (type instanceof Global global) {
            switch (global.role()) {
                case MAPPING, DEFAULT_MAPPING, SEQUENCE -> {
                    return call(type, arguments);
                }
                case SCRIPT_CLASS -> {
                    budget.count(4);
                    return new Pairs(new ArrayList<>(0), true, true);
                }
                default -> {}
            }
        }
        return unbuilt(type);
    }

    Object call(Object callable, List<Object> arguments) throws CheckpointException {
        if (!(callable instanceof Global global)) {
            return unbuilt(callable);
        }
        return switch (global.role()) {
            case MAPPING -> mapping(global, arguments);
            case DEFAULT_MAPPING -> mapping(global, arguments.subList(Math.min(1, arguments.size()), arguments.size()));
            case SEQUENCE -> sequence(global, arguments);
            case ENCODED_BYTES, BYTES -> bytes(global, arguments);
            case STORAGE_BYTES -> embeddedStorage(global, arguments);
            case DEVICE -> device(global, arguments);
            case RECONSTRUCTOR -> unbuilt(arguments.isEmpty() ? global : arguments.get(0));
            case TENSOR -> tensor(global, arguments, global.name().endsWith("_v2") ? 6 : 4, false);
            case TYPED_TENSOR -> tensor(global, arguments, 7, true);
            case PARAMETER -> parameter(global, arguments);
            case TENSOR_SUBCLASS -> tensorSubclass(global, arguments);
            case ARRAY -> array(arguments);
            case ARRAY_ELEMENT_TYPE -> arrayType(global, arguments);
            // PyTorch substitutes something that cannot be called for the first, and Python cannot call the second.
            case STORAGE, ELEMENT_TYPE -> throw badArguments(global);
            case ARRAY_TYPE, SCRIPT_CLASS, UNKNOWN -> unbuilt(global);
        };
    }

    private CheckpointException badArguments(Global global) {
        return budget.corrupt(
                "the pickle calls " + global.name() + " with arguments that PyTorch and Python never use");
    }

    private Object mapping(Global global, List<Object> arguments) throws CheckpointException {
        List<Object> pairs = new ArrayList<>(0);
        if (arguments.size() == 1 && arguments.get(0) instanceof Pairs mapping) {
            pairs.addAll(mapping.pairs);
        } else if (arguments.size() == 1
                && arguments.get(0) instanceof Items items
                // A Counter of a list counts its items.
                && !global.name().equals("collections.Counter")) {
            // Python 2 wrote an OrderedDict as a list of pairs.
            for (Object item : items.items) {
                if (!(item instanceof Items pair) || pair.items.size() != 2) {
                    throw badArguments(global);
                }
                pairs.addAll(pair.items);
            }
        } else if (!arguments.isEmpty()) {
            throw badArguments(global);
        }
        // A copy counts as its content, or a short pickle could copy a long mapping repeatedly.
        budget.count(4);
        budget.count(pairs.size());
        budget.countEntries(pairs.size());
        return new Pairs(pairs, false, OBJECTS.contains(global.name()));
    }

    private Object sequence(Global global, List<Object> arguments) throws CheckpointException {
        List<Object> items = new ArrayList<>(0);
        // A deque may have its maximum length as a second argument.
        int most = global.name().equals("collections.deque") ? 2 : 1;
        if (!arguments.isEmpty() && arguments.size() <= most && arguments.get(0) instanceof Items given) {
            items.addAll(given.items);
        } else if (!arguments.isEmpty()) {
            throw badArguments(global);
        }
        if (global.name().equals("torch.Size") && !items.stream().allMatch(Value.Whole.class::isInstance)) {
            throw badArguments(global);
        }
        budget.count(2);
        budget.count(items.size());
        SequenceKind kind =
                switch (global.name()) {
                    case "builtins.tuple", "torch.Size" -> SequenceKind.TUPLE;
                    case "builtins.set" -> SequenceKind.SET;
                    case "builtins.frozenset" -> SequenceKind.FROZEN_SET;
                    default -> SequenceKind.LIST;
                };
        return new Items(kind, items);
    }

    private Object bytes(Global global, List<Object> arguments) throws CheckpointException {
        if (arguments.isEmpty()) {
            return decoded(new byte[0]);
        }
        if (arguments.get(0) instanceof Data bytes
                && arguments.size() == 1
                && global.role() == PickleGlobals.Role.BYTES) {
            return bytes;
        }
        if (arguments.size() == 2 && arguments.get(0) instanceof LongText text && isLatin1(arguments.get(1))) {
            return decoded(latin1(text.utf8()));
        }
        if (arguments.size() != 2
                || !(arguments.get(0) instanceof Value.Text text)
                || !(arguments.get(1) instanceof Value.Text encoding)) {
            throw badArguments(global);
        }
        if (!isLatin1(encoding)) {
            throw budget.corrupt("the encoding " + CheckpointException.printable(encoding.text())
                    + " of bytes is not supported; Python uses latin1");
        }
        if (!text.text().chars().allMatch(c -> c <= 0xff)) {
            throw budget.corrupt("the pickle is corrupt: bytes written as text are not Latin-1");
        }
        budget.count(budget.isArrayText(text) ? 0 : text.text().length() / 16);
        return decoded(text.text().getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Bytes that are encoded in the file. */
    private Data decoded(byte[] bytes) throws CheckpointException {
        budget.countBytes();
        return new Data(new PickleValues.Region(budget.file().inflated(budget.at(), bytes), 0, bytes.length));
    }

    private static boolean isLatin1(Object encoding) {
        return encoding.equals(new Value.Text("latin1")) || encoding.equals(new Value.Text("latin-1"));
    }

    /**
     * A storage as written by pickle.dump: a file of torch.save inside the pickle. It is parsed as such, in place;
     * PyTorch would load it, which may run code.
     */
    private Object embeddedStorage(Global global, List<Object> arguments) throws CheckpointException {
        if (embedded) {
            throw budget.corrupt("the pickle has a storage inside a storage, which PyTorch never writes");
        }
        if (arguments.size() != 1 || !(arguments.get(0) instanceof Data bytes)) {
            throw badArguments(global);
        }
        budget.count(EMBEDDED_VALUES);
        return PyTorchLegacyReader.storage(bytes.region.part(), budget.limits().with(Limit.VALUES, EMBEDDED_VALUES));
    }

    /** The bytes of a text whose characters are all below 256, one each. */
    private byte[] latin1(PickleValues.Region utf8) throws CheckpointException {
        int length = 0;
        for (Cursor text = utf8.cursor(); text.remaining() > 0; ) {
            length += (text.u8() & 0xc0) == 0x80 ? 0 : 1;
        }
        budget.countDecoded(length);
        byte[] decoded = new byte[length];
        Cursor text = utf8.cursor();
        for (int i = 0; i < length; i++) {
            int lead = text.u8();
            if (lead >= 0x80) {
                if ((lead != 0xc2 && lead != 0xc3) || (text.peek() & 0xc0) != 0x80) {
                    throw budget.corrupt("the pickle is corrupt: bytes written as text are not Latin-1");
                }
                lead = ((lead & 3) << 6) | (text.u8() & 0x3f);
            }
            decoded[i] = (byte) lead;
        }
        if (text.remaining() > 0) {
            throw budget.corrupt("the pickle is corrupt: bytes written as text are not Latin-1");
        }
        return decoded;
    }

    private Object array(List<Object> arguments) throws CheckpointException {
        if (arguments.isEmpty()
                || !(arguments.get(0) instanceof Global type)
                || type.role() != PickleGlobals.Role.ARRAY_TYPE) {
            return unbuilt(arguments.isEmpty() ? null : arguments.get(0));
        }
        // The shape and type of an array, which its state replaces.
        if (arguments.size() != 3
                || !(arguments.get(1) instanceof Items shape
                        && shape.kind == SequenceKind.TUPLE
                        && shape.items.equals(List.of(wholeOf(0))))
                || !isByteCode(arguments.get(2))) {
            throw badArguments(type);
        }
        budget.countTensor();
        return new NumpyArray(budget.at());
    }

    /** Whether an object is {@code b}, NumPy's code for bytes, as bytes or text. */
    private static boolean isByteCode(Object object) throws CheckpointException {
        return object instanceof Data data
                ? data.region.length() == 1 && data.region.cursor().u8() == 'b'
                : object.equals(new Value.Text("b"));
    }

    private Object arrayType(Global global, List<Object> arguments) throws CheckpointException {
        if (arguments.isEmpty() || !(arguments.get(0) instanceof Value.Text code)) {
            return unbuilt(global);
        }
        // NumPy writes a code and two flags, and does not take all values as a fourth argument.
        if (arguments.size() > 3) {
            throw badArguments(global);
        }
        budget.count(2);
        return new NumpyType(code.text());
    }

    /** An array's state: (version, shape, element type, whether column-major, bytes or a list of objects). */
    private void buildArray(NumpyArray array, Object state) throws CheckpointException {
        if (!(state instanceof Items items)
                || items.items.size() != 5
                || !items.items.get(0).equals(ARRAY_VERSION)
                || !(items.items.get(1) instanceof Items shape)
                || !(items.items.get(3) instanceof Value.Bool fortranOrder)) {
            throw budget.corrupt("the pickle is corrupt: the state of an array is not what NumPy writes");
        }
        if (shape.items.size() > budget.limits().of(Limit.DIMENSIONS)) {
            throw budget.file()
                    .overLimit(
                            budget.at(), null, "an array has too many dimensions", Limit.DIMENSIONS, budget.limits());
        }
        array.shape = wholeNumbers(shape, new Global("numpy.ndarray", PickleGlobals.Role.ARRAY_TYPE, null));
        array.fortranOrder = fortranOrder.truth();
        array.type = items.items.get(2) instanceof NumpyType type ? type : null;
        array.data = items.items.get(4) instanceof Data bytes ? bytes.region : null;
    }

    /**
     * An element type's state: (version, byte order, three times None except for records, width and alignment, which
     * are -1 if implied by the code, flags: 0), and since version 4, metadata.
     */
    private void buildArrayType(NumpyType type, Object state) throws CheckpointException {
        if (!(state instanceof Items items)
                || items.items.size() < TYPE_STATE
                || items.items.size() > TYPE_STATE + 1
                || !items.items.get(0).equals(wholeOf(items.items.size() - TYPE_STATE + 3))
                || !(items.items.get(1) instanceof Value.Text order)
                || !ORDERS.contains(order.text())) {
            throw budget.corrupt(
                    "the pickle is corrupt: the state of an array's element type is not what NumPy writes");
        }
        type.order = order.text();
        type.plain = items.items.subList(2, TYPE_STATE).equals(PLAIN);
    }

    private static Value.Whole wholeOf(long number) {
        return new Value.Whole(BigInteger.valueOf(number));
    }

    private Object device(Global global, List<Object> arguments) throws CheckpointException {
        if (arguments.isEmpty() || arguments.size() > 2 || !(arguments.get(0) instanceof Value.Text kind)) {
            throw badArguments(global);
        }
        budget.count(1 + kind.text().length() / 16);
        return arguments.size() == 1 ? kind : new Value.Text(kind.text() + ":" + wholeNumber(arguments.get(1), global));
    }

    private Object tensor(Global global, List<Object> arguments, int needed, boolean typed) throws CheckpointException {
        // An optional last argument marks conjugated or negated views; the oldest function has none.
        if (arguments.size() < needed
                || arguments.size() > (needed == 4 ? needed : needed + 1)
                || !(arguments.get(0) instanceof Storage storage)
                || !(arguments.get(2) instanceof Items shape)
                || !(arguments.get(3) instanceof Items strides)
                || shape.items.size() != strides.items.size()) {
            throw badArguments(global);
        }
        Object views = arguments.size() > needed ? arguments.get(needed) : new Value.None();
        if (!(views instanceof Pairs) && !(views instanceof Value.None)) {
            throw badArguments(global);
        }
        if (views instanceof Pairs view && !view.pairs.isEmpty()) {
            // {"neg": True}, {"conj": True} or both.
            boolean negated = view.pairs.contains(new Value.Text("neg"));
            return unbuilt(new Global(negated ? "torch._neg_view" : "torch._conj", PickleGlobals.Role.UNKNOWN, null));
        }
        Global type = storage.type();
        if (typed) {
            if (!(arguments.get(6) instanceof Global given) || given.role() != PickleGlobals.Role.ELEMENT_TYPE) {
                throw badArguments(global);
            }
            type = given;
        }
        if (shape.items.size() > budget.limits().of(Limit.DIMENSIONS)) {
            throw budget.file()
                    .overLimit(
                            budget.at(), null, "a tensor has too many dimensions", Limit.DIMENSIONS, budget.limits());
        }
        budget.countTensor();
        return new StridedTensor(
                storage,
                type,
                wholeNumber(arguments.get(1), global),
                wholeNumbers(shape, global),
                wholeNumbers(strides, global),
                budget.at());
    }

    private Object parameter(Global global, List<Object> arguments) throws CheckpointException {
        // The tensor, whether it requires gradients, hooks; then its own attributes.
        if (arguments.size() != (global.name().endsWith("_with_state") ? 4 : 3)) {
            throw badArguments(global);
        }
        if (arguments.size() > 3) {
            checkAttributes(global, arguments.get(3));
        }
        Object data = arguments.get(0);
        if (data instanceof StridedTensor || data instanceof Value.Placeholder) {
            return data;
        }
        throw badArguments(global);
    }

    private Object tensorSubclass(Global global, List<Object> arguments) throws CheckpointException {
        if (arguments.size() == 4
                && arguments.get(0) instanceof Global function
                && arguments.get(2) instanceof Items inner) {
            switch (function.role()) {
                case TENSOR, TYPED_TENSOR, PARAMETER -> {
                    checkAttributes(global, arguments.get(3));
                    return call(function, inner.items);
                }
                default -> {}
            }
        }
        return unbuilt(arguments.size() > 1 && arguments.get(1) instanceof Global type ? type : global);
    }

    /**
     * Checks the attributes that PyTorch sets on a tensor: a mapping or None, or a tuple of two of these. They are
     * dropped, but some would replace the tensor's numbers.
     */
    private void checkAttributes(Global global, Object state) throws CheckpointException {
        List<Object> parts = List.of(state);
        if (state instanceof Items tuple && tuple.kind == SequenceKind.TUPLE) {
            parts = tuple.items;
            if (parts.size() != 2) {
                throw badArguments(global);
            }
        }
        for (Object part : parts) {
            if (part instanceof Pairs attributes) {
                for (int i = 0; i < attributes.pairs.size(); i += 2) {
                    if (!(attributes.pairs.get(i) instanceof Value.Text name) || PROPERTIES.contains(name.text())) {
                        throw badArguments(global);
                    }
                }
            } else if (!(part instanceof Value.None)) {
                throw badArguments(global);
            }
        }
    }

    private long wholeNumber(Object object, Global global) throws CheckpointException {
        if (object instanceof Value.Whole whole
                && whole.number().signum() >= 0
                && whole.number().bitLength() < Long.SIZE) {
            return whole.number().longValueExact();
        }
        throw badArguments(global);
    }

    private long[] wholeNumbers(Items items, Global global) throws CheckpointException {
        long[] numbers = new long[items.items.size()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = wholeNumber(items.items.get(i), global);
        }
        return numbers;
    }

    /** BUILD: sets the object's attributes. Those of an OrderedDict (its _metadata) are dropped. */
    void build(Object target, Object state) throws CheckpointException {
        if (target instanceof Pairs object && object.attributes && state instanceof Pairs attributes) {
            // A copy counts as its content, like that of a mapping.
            budget.count(attributes.pairs.size());
            budget.countEntries(attributes.pairs.size());
            object.pairs.addAll(attributes.pairs);
        } else if (target instanceof Pairs object && object.attributes) {
            // The argument of the class's __setstate__, which has no names of its own.
            budget.count(1);
            budget.countEntries(2);
            object.pairs.add(new Value.Text("state"));
            object.pairs.add(state);
        } else if (target instanceof NumpyArray array) {
            buildArray(array, state);
        } else if (target instanceof NumpyType type) {
            buildArrayType(type, state);
        } else if (!(target instanceof Value.Placeholder)
                && !(target instanceof Pairs mapping && mapping.mayHaveAttributes)) {
            throw budget.corrupt("the pickle is corrupt: it sets attributes of something that has none");
        }
    }

    /**
     * torch.save's persistent id: ('storage', class, key, location, number of elements), in the legacy format followed
     * by a view of the storage or None; or, also in the legacy format, ('module', class, its source's file, its
     * source).
     */
    Object persistent(List<Object> id) throws CheckpointException {
        if (legacy
                && id.size() == 4
                && id.get(1) instanceof Global type
                && id.get(0).equals(new Value.Text("module"))) {
            return type;
        }
        if (id.size() == (legacy ? 6 : 5)
                && id.get(0) instanceof Value.Text kind
                && kind.text().equals("storage")
                && id.get(1) instanceof Global type
                && type.role() == PickleGlobals.Role.STORAGE
                && id.get(2) instanceof Value.Text key
                && id.get(4) instanceof Value.Whole) {
            budget.count(1);
            View view = legacy ? view(id.get(5), type) : null;
            Storage storage = new Storage(type, key.text(), wholeNumber(id.get(4), type), view, null, budget.at());
            Storage first = storages.putIfAbsent(storage.key(), storage);
            if (first != null && !isSameStorage(first, storage)) {
                throw budget.corrupt("the pickle names storage " + CheckpointException.printable(storage.key()) + " as "
                        + shown(first) + " and as " + shown(storage)
                        + ", of which PyTorch uses the first; save it again with torch.save");
            }
            if (view != null) {
                checkView(storage, view);
            }
            return storage;
        }
        throw budget.corrupt("the pickle refers to something outside it that is not a storage of torch.save");
    }

    /** Whether two references to a storage mean the same bytes. An empty one may have several types. */
    private static boolean isSameStorage(Storage first, Storage second) {
        return first.elements() == second.elements()
                && (first.elements() == 0 || first.shortName().equals(second.shortName()));
    }

    private static String shown(Storage storage) {
        return storage.elements() + " elements of " + storage.shortName();
    }

    /** PyTorch creates one view per key, and looks keys up among those of storages too. */
    private void checkView(Storage storage, View view) throws CheckpointException {
        Storage first = views.putIfAbsent(view.key(), storage);
        if (first != null
                && !(first.key().equals(storage.key())
                        && view.equals(first.view())
                        && first.shortName().equals(storage.shortName()))) {
            throw budget.corrupt("the pickle has two views of the key " + CheckpointException.printable(view.key())
                    + " on different parts of storages, of which PyTorch uses the first; save it again with"
                    + " torch.save");
        }
    }

    /** Refuses keys that refer to both a storage and a view. */
    void checkKeys() throws CheckpointException {
        for (String key : views.keySet()) {
            if (storages.containsKey(key)) {
                throw budget.corrupt(
                        "the pickle has a storage and a view of the key " + CheckpointException.printable(key)
                                + ", of which PyTorch uses the first; save it again with torch.save");
            }
        }
    }

    /** A view's (key, offset, number of elements); the key identifies equal views. */
    private @Nullable View view(Object object, Global type) throws CheckpointException {
        if (object instanceof Value.None) {
            return null;
        }
        if (object instanceof Items view && view.items.size() == 3 && view.items.get(0) instanceof Value.Text key) {
            return new View(key.text(), wholeNumber(view.items.get(1), type), wholeNumber(view.items.get(2), type));
        }
        throw badArguments(type);
    }
}
