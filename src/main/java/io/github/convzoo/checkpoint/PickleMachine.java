package io.github.convzoo.checkpoint;

import io.github.convzoo.checkpoint.PickleGlobals.Global;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Interprets a pickle (protocols 0 to 5, with the opcodes documented in {@code pickletools}) and builds only inert
 * objects: plain values, sequences, mappings, and descriptions of storages and tensors. A global is a name without
 * meaning to the JVM; calling one builds one of these objects or a placeholder. No code in the file runs, because
 * nothing here could run it.
 *
 * <p>Everything that a pickle can allocate counts against {@link Limits}; nothing here is recursive.
 */
final class PickleMachine {
    private static final int LONGEST_WHOLE = 255;
    private static final int LONGEST_LINE = 1024;
    /** The count of a mapping's entry in addition to its key and value, for hash tables and the key's name. */
    private static final int ENTRY_VALUES = 3;
    /** The count of bytes, which are views of buffers. */
    private static final int BYTES_VALUES = 4;

    /** The operations that Python allows on a sequence. */
    enum SequenceKind {
        /** A list or deque: may be appended to, and cannot be a key. */
        LIST,
        /** A set: may be added to, and cannot be a key. */
        SET,
        /** A tuple, which may be a key or the arguments of a call. */
        TUPLE,
        /** A frozen set, which may be a key. */
        FROZEN_SET
    }

    /** A list, tuple or set under construction. */
    static final class Items {
        final SequenceKind kind;
        final List<Object> items;
        /** Set when the value is finished; null before. */
        @Nullable Built built;

        boolean open;

        Items(SequenceKind kind, List<Object> items) {
            this.kind = kind;
            this.items = items;
        }
    }

    /** A mapping under construction: alternating keys and values. */
    static final class Pairs {
        final List<Object> pairs;
        /** Whether they are attributes, which an object gets after its creation. */
        final boolean attributes;
        /** Whether objects of the mapping's class may have attributes, which are dropped. */
        final boolean mayHaveAttributes;

        @Nullable Built built;

        boolean open;

        Pairs(List<Object> pairs, boolean attributes, boolean mayHaveAttributes) {
            this.pairs = pairs;
            this.attributes = attributes;
            this.mayHaveAttributes = mayHaveAttributes;
        }
    }

    /**
     * A finished value, with the quantities that limits apply to.
     *
     * @param height its nesting depth
     * @param values the number of values that it expands to
     * @param tensors the number of these values that are tensors
     * @param paths the total length of the paths from it to the tensors, in UTF-16 units
     */
    record Built(Value value, int height, int values, int tensors, long paths) {}

    /**
     * A storage: bytes elsewhere in the file.
     *
     * @param type its class
     * @param elements the number of its elements
     * @param view the part of it that is meant; null for all of it
     * @param inside the location of its bytes if they are in the pickle itself; null if they are elsewhere in the file
     * @param at the file offset of its name
     */
    record Storage(
            Global type,
            String key,
            long elements,
            @Nullable View view,
            PickleValues.@Nullable Region inside,
            long at) {

        /** The class without its module: the same on every device. */
        String shortName() {
            return type.shortName();
        }

        /** The same storage, with its bytes inside the pickle. */
        Storage inside(PickleValues.Region region) {
            return new Storage(type, key, elements, view, region, at);
        }
    }

    /** A part of a storage: its key, its offset and its length in elements. */
    record View(String key, long offset, long elements) {}

    /** Text too long for a name, in UTF-8 as in the file: usually arrays' bytes under protocol 2. */
    record LongText(PickleValues.Region utf8) {}

    /** Bytes at their location in the file. */
    static final class Data {
        final PickleValues.Region region;
        /** Set when the value is finished; null before. */
        @Nullable Value built;

        Data(PickleValues.Region region) {
            this.region = region;
        }
    }

    /** A tensor. The only checks so far are that shape and strides have the same length and are not negative. */
    static final class StridedTensor {
        final Storage storage;
        /** Its storage's class, or its element type. */
        final Global type;
        /** Its offset in the storage, in elements. */
        final long offset;

        final long[] shape;
        final long[] strides;
        /** The file offset of its description. */
        final long at;

        /** Set when the value is finished; null before. */
        @Nullable Value built;

        StridedTensor(Storage storage, Global type, long offset, long[] shape, long[] strides, long at) {
            this.storage = storage;
            this.type = type;
            this.offset = offset;
            this.shape = shape;
            this.strides = strides;
            this.at = at;
        }
    }

    /** The element type of a NumPy array: its kind and width, and its byte order. */
    static final class NumpyType {
        final String code;
        String order = "|";
        /** Whether it is a plain number, not a record or a number with special handling in NumPy. */
        boolean plain = true;

        NumpyType(String code) {
            this.code = code;
        }
    }

    /** A NumPy array. It has no type and data until its state is set, or if they are unsupported. */
    static final class NumpyArray {
        /** The file offset of its description. */
        final long at;

        @Nullable NumpyType type;

        long[] shape = {};
        boolean fortranOrder;

        PickleValues.@Nullable Region data;

        /** Set when the value is finished; null before. */
        @Nullable Value built;

        NumpyArray(long at) {
            this.at = at;
        }
    }

    /** The length from which Python 2's str counts as bytes rather than text. */
    private static final int OLD_STRING_BYTES = 1 << 16;
    /** The minimum length of text that may be an array's bytes; shorter ones are irrelevant to the limits. */
    private static final int SHORTEST_ARRAY_TEXT = 64;
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

    private enum Mark {
        MARK
    }

    private final Limits limits;
    private final MappedFile file;
    private final Cursor in;
    private final ArrayList<Object> stack = new ArrayList<>();
    private @Nullable Object[] memo = new Object[64];
    private int memorised;
    private int values;
    private int tensors;
    /** The maximum length of text that may be a name, in bytes. Longer ones are usually arrays' bytes. */
    private final long longestName;

    private final Set<String> unknown = new LinkedHashSet<>();
    /** The storages that were named, by key. */
    private final Map<String, Storage> storages = new LinkedHashMap<>();
    /** The storages that were named with a view, by the view's key. */
    private final Map<String, Storage> views = new LinkedHashMap<>();
    /** Whether persistent ids are those of torch.save before PyTorch 1.6. */
    private final boolean legacy;
    /** Whether this pickle describes a storage inside another pickle, and so must not have one itself. */
    private final boolean embedded;
    /** The number of the pickle's bytes that are data of arrays and storages. */
    private long dataBytes;
    /** The last text that may turn out to be an array's bytes, and its size in the file. */
    private @Nullable Object lastText;

    private long lastTextBytes;
    /** The total size of decoded long texts, in bytes. */
    private long decodedBytes;

    /** The offset of the current opcode. */
    private long at;

    /**
     * For a pickle of known length, in an archive. The bytes of arrays in it are views on the file, and do not count
     * against {@link Limits#pickleBytes}.
     */
    PickleMachine(MappedFile file, long offset, long length, Limits limits) throws CheckpointException {
        this(file, offset, length, limits, false, false);
    }

    /** For a pickle whose length only its STOP determines: in a legacy file, or a file of its own kind. */
    PickleMachine(MappedFile file, long offset, Limits limits) throws CheckpointException {
        this(file, offset, limits, false);
    }

    PickleMachine(MappedFile file, long offset, Limits limits, boolean embedded) throws CheckpointException {
        this(file, offset, Math.min(file.size() - offset, Integer.MAX_VALUE), limits, true, embedded);
    }

    private PickleMachine(MappedFile file, long offset, long length, Limits limits, boolean legacy, boolean embedded)
            throws CheckpointException {
        this.file = file;
        this.limits = limits;
        this.in = new Cursor(file, offset, length, "the pickle");
        this.legacy = legacy;
        this.embedded = embedded;
        this.longestName = Math.max(1 << 14, 4L * limits.nameLength());
    }

    /** Names of the globals that became placeholders, in the order of the file. */
    Set<String> unknownGlobals() {
        return unknown;
    }

    /** The storages that the pickle names, by key. */
    Map<String, Storage> storages() {
        return storages;
    }

    /** The end of the pickle, after it was run. */
    long end() {
        return in.offset();
    }

    /** Runs one pickle, up to its STOP. */
    Object run() throws CheckpointException {
        long start = in.offset();
        while (true) {
            at = in.offset();
            if (at + 1 - start - dataBytes > limits.pickleBytes()) {
                throw file.overLimit(at, null, "the pickle has more bytes", "pickleBytes", limits.pickleBytes());
            }
            int opcode = in.u8();
            if (opcode == '.') {
                Object result = pop();
                if (!stack.isEmpty()) {
                    throw corrupt("the pickle leaves more than one object");
                }
                checkKeys();
                return result;
            }
            step(opcode);
        }
    }

    private void step(int opcode) throws CheckpointException {
        switch (opcode) {
            case 0x80 -> protocol(in.u8());
            case 0x95 -> frame(in.i64());

            case 'N' -> value(new Value.None());
            case 0x88 -> value(new Value.Bool(true));
            case 0x89 -> value(new Value.Bool(false));
            case 'K' -> whole(in.u8());
            case 'M' -> whole(in.u16());
            case 'J' -> whole(in.i32());
            case 'I' -> intLine(in.asciiLine(LONGEST_LINE));
            case 'L' -> longLine(in.asciiLine(LONGEST_LINE));
            case 0x8a -> wholeBytes(in.u8());
            case 0x8b -> wholeBytes(in.i32());
            case 'G' -> value(new Value.Real(in.bigEndianDouble()));
            case 'F' -> value(real(in.asciiLine(LONGEST_LINE)));

            case 'X' -> text(in.u32());
            case 0x8c -> text(in.u8());
            case 0x8d -> text(in.i64());
            case 'V' -> value(new Value.Text(unicodeLine()));
            case 'U' -> oldString(in.u8());
            case 'T' -> oldString(in.i32());
            case 'B' -> data(in.u32());
            case 'C' -> data(in.u8());
            case 0x8e, 0x96 -> data(in.i64());

            case '(' -> push(Mark.MARK);
            case '0' -> drop();
            case '1' -> popToMark();
            case '2' -> push(top());
            case 'q' -> memorise(in.u8());
            case 'r' -> memorise(in.u32());
            case 'p' -> memorise(index(in.asciiLine(LONGEST_LINE)));
            case 0x94 -> memorise(memorised);
            case 'h' -> recall(in.u8());
            case 'j' -> recall(in.u32());
            case 'g' -> recall(index(in.asciiLine(LONGEST_LINE)));

            case ']' -> items(SequenceKind.LIST, new ArrayList<>(0));
            case 0x8f -> items(SequenceKind.SET, new ArrayList<>(0));
            case ')' -> items(SequenceKind.TUPLE, new ArrayList<>(0));
            case 'l' -> items(SequenceKind.LIST, popToMark());
            case 't' -> items(SequenceKind.TUPLE, popToMark());
            case 0x91 -> items(SequenceKind.FROZEN_SET, popToMark());
            case 0x85 -> items(SequenceKind.TUPLE, popLast(1));
            case 0x86 -> items(SequenceKind.TUPLE, popLast(2));
            case 0x87 -> items(SequenceKind.TUPLE, popLast(3));
            case '}' -> pairs(new ArrayList<>(0));
            case 'd' -> {
                List<Object> pairs = even(popToMark());
                countEntries(pairs.size());
                pairs(pairs);
            }
            case 'a' -> append(SequenceKind.LIST, popLast(1));
            case 'e' -> append(SequenceKind.LIST, popToMark());
            case 0x90 -> append(SequenceKind.SET, popToMark());
            case 's' -> setItems(popLast(2));
            case 'u' -> setItems(even(popToMark()));

            case 'c' -> push(global(in.asciiLine(limits.nameLength()), in.asciiLine(limits.nameLength())));
            case 0x93 -> stackGlobal();
            case 'i' -> {
                Global global = global(in.asciiLine(limits.nameLength()), in.asciiLine(limits.nameLength()));
                popToMark();
                placeholder(global.name());
            }
            case 'o' -> {
                List<Object> parts = popToMark();
                placeholder(nameOf(parts.isEmpty() ? Mark.MARK : parts.get(0)));
            }
            case 'R' -> {
                List<Object> call = popLast(2);
                push(call(call.get(0), arguments(call.get(1))));
            }
            case 0x81 -> {
                List<Object> call = popLast(2);
                push(construct(call.get(0), arguments(call.get(1))));
            }
            case 0x92 -> {
                List<Object> call = popLast(3);
                push(construct(call.get(0), arguments(call.get(1))));
            }
            case 'b' -> build();
            case 'Q' -> push(persistent(arguments(pop())));

            case 'P' -> throw corrupt("persistent ids in text are not supported; save with pickle protocol 2");
            case 0x82, 0x83, 0x84 -> throw corrupt("the pickle uses the extension registry, which no checkpoint needs");
            case 0x97, 0x98 -> throw corrupt("the pickle has buffers outside it, which no checkpoint file has");
            default -> throw corrupt(String.format("0x%02x is not a supported pickle opcode", opcode));
        }
    }

    private CheckpointException corrupt(String problem) {
        return file.corrupt(at, problem);
    }

    private void protocol(int protocol) throws CheckpointException {
        if (protocol > 5) {
            throw corrupt("pickle protocol " + protocol + " is not supported; save with protocol 2");
        }
    }

    private void frame(long length) throws CheckpointException {
        if (length < 0 || length > in.remaining()) {
            throw corrupt("the pickle is truncated: a frame extends beyond it");
        }
    }

    // The stack and the memo.

    private void push(Object object) throws CheckpointException {
        // Pushing a value takes a slot even if nothing is built.
        if (stack.size() == limits.values()) {
            throw file.overLimit(at, null, "the pickle pushes too many values", "values", limits.values());
        }
        stack.add(object);
    }

    private void count(int weight) throws CheckpointException {
        if (weight > limits.values() - values) {
            throw file.overLimit(at, null, "the pickle builds too many values", "values", limits.values());
        }
        values += weight;
    }

    /** Counts the entries of a mapping, which cost more than the key and value, which may come from the memo. */
    private void countEntries(int keysAndValues) throws CheckpointException {
        for (int i = 0; i < ENTRY_VALUES; i++) {
            count(keysAndValues / 2);
        }
    }

    private void value(Value value) throws CheckpointException {
        count(1);
        push(value);
    }

    private void items(SequenceKind kind, List<Object> items) throws CheckpointException {
        count(2);
        push(new Items(kind, items));
    }

    private void pairs(List<Object> pairs) throws CheckpointException {
        count(4);
        push(new Pairs(pairs, false, false));
    }

    private void placeholder(String global) throws CheckpointException {
        value(new Value.Placeholder(global));
        unknown.add(global);
    }

    private Object top() throws CheckpointException {
        if (stack.isEmpty() || stack.get(stack.size() - 1) == Mark.MARK) {
            throw corrupt("the pickle is corrupt: a value is missing from its stack");
        }
        return stack.get(stack.size() - 1);
    }

    private Object pop() throws CheckpointException {
        Object top = top();
        stack.remove(stack.size() - 1);
        return top;
    }

    /** POP, the only operation that can also remove a mark. */
    private void drop() throws CheckpointException {
        if (stack.isEmpty()) {
            throw corrupt("the pickle is corrupt: a value is missing from its stack");
        }
        stack.remove(stack.size() - 1);
    }

    private List<Object> popLast(int count) throws CheckpointException {
        List<Object> last = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            last.add(0, pop());
        }
        return last;
    }

    private List<Object> popToMark() throws CheckpointException {
        int mark = stack.size() - 1;
        while (mark >= 0 && stack.get(mark) != Mark.MARK) {
            mark--;
        }
        if (mark < 0) {
            throw corrupt("the pickle is corrupt: a mark is missing from its stack");
        }
        List<Object> above = new ArrayList<>(stack.subList(mark + 1, stack.size()));
        stack.subList(mark, stack.size()).clear();
        return above;
    }

    private List<Object> even(List<Object> pairs) throws CheckpointException {
        if (pairs.size() % 2 != 0) {
            throw corrupt("the pickle is corrupt: a mapping's key has no value");
        }
        return pairs;
    }

    private void memorise(long index) throws CheckpointException {
        if (index >= limits.memoEntries()) {
            throw file.overLimit(
                    at, null, "the pickle memoizes value number " + index, "memoEntries", limits.memoEntries());
        }
        if (index >= memo.length) {
            // Indices are consecutive; an index that leaps ahead costs at most the limit's array.
            memo = Arrays.copyOf(memo, (int) Math.min(limits.memoEntries(), Math.max(index + 1, 2L * memo.length)));
        }
        if (memo[(int) index] == null) {
            memorised++;
        }
        memo[(int) index] = top();
    }

    private void recall(long index) throws CheckpointException {
        Object object = index < memo.length ? memo[(int) index] : null;
        if (object == null) {
            throw corrupt("the pickle is corrupt: it recalls value number " + index + ", which it has not memoized");
        }
        push(object);
    }

    private long index(String line) throws CheckpointException {
        if (!line.matches("[0-9]{1,9}")) {
            throw corrupt("the pickle is corrupt: a memo index is not a number");
        }
        return Long.parseLong(line);
    }

    // Plain values.

    private void whole(long number) throws CheckpointException {
        value(new Value.Whole(BigInteger.valueOf(number)));
    }

    private void intLine(String line) throws CheckpointException {
        // Protocols 0 and 1 write booleans as these two numbers.
        switch (line) {
            case "00" -> value(new Value.Bool(false));
            case "01" -> value(new Value.Bool(true));
            default -> decimal(line);
        }
    }

    private void longLine(String line) throws CheckpointException {
        decimal(line.endsWith("L") ? line.substring(0, line.length() - 1) : line);
    }

    private void decimal(String digits) throws CheckpointException {
        // 2^(8 * 255) has 614 digits. After a leading zero, some of Python's readers expect octal digits.
        if (!digits.matches("0|-?[1-9][0-9]{0,613}")) {
            throw corrupt("the pickle is corrupt: a whole number is malformed or too long");
        }
        value(new Value.Whole(new BigInteger(digits)));
    }

    private void wholeBytes(int length) throws CheckpointException {
        if (length < 0 || length > LONGEST_WHOLE) {
            throw corrupt("a whole number of " + length + " bytes is not supported, only up to " + LONGEST_WHOLE);
        }
        byte[] littleEndian = in.take(length);
        byte[] bigEndian = new byte[length];
        for (int i = 0; i < length; i++) {
            bigEndian[length - 1 - i] = littleEndian[i];
        }
        value(new Value.Whole(length == 0 ? BigInteger.ZERO : new BigInteger(bigEndian)));
    }

    private Value.Real real(String line) throws CheckpointException {
        if (!line.matches("[-+0-9.eE]+|[-+]?(inf|nan)")) {
            throw corrupt("the pickle is corrupt: a floating-point number is malformed");
        }
        try {
            String spelled = line.replace("inf", "Infinity").replace("nan", "NaN");
            return new Value.Real(Double.parseDouble(spelled));
        } catch (NumberFormatException e) {
            throw new CheckpointException(
                    file.path(), at, null, "the pickle is corrupt: a floating-point number is malformed", e);
        }
    }

    private PickleValues.Region region(long length) throws CheckpointException {
        PickleValues.Region region = new PickleValues.Region(file, in.offset(), length);
        in.skip(length);
        return region;
    }

    private void data(long length) throws CheckpointException {
        PickleValues.Region region = region(length);
        dataBytes += length;
        count(BYTES_VALUES);
        push(new Data(region));
    }

    /** Bytes that are encoded in the file. */
    private Data decoded(byte[] bytes) throws CheckpointException {
        count(BYTES_VALUES);
        return new Data(new PickleValues.Region(file.inflated(at, bytes), 0, bytes.length));
    }

    private void text(long length) throws CheckpointException {
        if (length > longestName) {
            PickleValues.Region region = region(length);
            dataBytes += length;
            count(1);
            push(new LongText(region));
            return;
        }
        Value.Text text = new Value.Text(in.utf8(length));
        if (length >= SHORTEST_ARRAY_TEXT) {
            lastText = text;
            lastTextBytes = length;
        }
        value(text);
    }

    /** Whether a text turns out to be an array's bytes, for the first time, and so does not count as pickle. */
    private boolean isArrayText(Value.Text text) {
        boolean first = text == lastText;
        if (first) {
            dataBytes += lastTextBytes;
            lastText = null;
        }
        return first;
    }

    /** Text of protocol 0. Only plain ASCII is supported; anything else, such as arrays' bytes, has unusual escapes. */
    private String unicodeLine() throws CheckpointException {
        String line = "";
        boolean plain;
        try {
            line = in.asciiLine(LONGEST_LINE);
            plain = line.indexOf('\\') < 0;
        } catch (CheckpointException e) {
            plain = false;
        }
        if (!plain) {
            throw corrupt("a text of pickle protocol 0 that is long or not plain ASCII is not supported; save it again"
                    + " with torch.save(model.state_dict(), path), or with pickle protocol 2 or later");
        }
        return line;
    }

    /** Python 2's str, which is text or bytes. */
    private void oldString(int length) throws CheckpointException {
        PickleValues.Region region = new PickleValues.Region(file, in.offset(), length);
        String text = null;
        if (length < 0 || length >= OLD_STRING_BYTES) {
            in.skip(length);
        } else {
            text = Cursor.decode(in.take(length));
        }
        if (text == null) {
            dataBytes += length;
            count(BYTES_VALUES);
            push(new Data(region));
        } else {
            value(new Value.Text(text));
        }
    }

    // Containers.

    private void append(SequenceKind kind, List<Object> items) throws CheckpointException {
        Object target = top();
        if (target instanceof Items sequence && sequence.kind == kind) {
            sequence.items.addAll(items);
        } else if (!(target instanceof Value.Placeholder)) {
            throw corrupt("the pickle is corrupt: it appends to something other than a list or set");
        }
    }

    private void setItems(List<Object> pairs) throws CheckpointException {
        Object target = top();
        if (target instanceof Pairs mapping) {
            countEntries(pairs.size());
            mapping.pairs.addAll(pairs);
        } else if (!(target instanceof Value.Placeholder)) {
            throw corrupt("the pickle is corrupt: it sets an item of something other than a mapping");
        }
    }

    private List<Object> arguments(Object object) throws CheckpointException {
        if (object instanceof Items tuple && tuple.kind == SequenceKind.TUPLE) {
            return tuple.items;
        }
        throw corrupt("the pickle is corrupt: arguments are not a tuple");
    }

    // Globals and what calling them builds.

    private Global global(String module, String name) throws CheckpointException {
        // A name may be assembled repeatedly from texts that the pickle has only once.
        count(4 + (module.length() + name.length()) / 16);
        if (!PickleGlobals.isName(module, name)) {
            throw corrupt("the pickle names a global of " + (module.length() + 1 + name.length())
                    + " characters in more than " + PickleGlobals.PARTS + " parts, which no library uses");
        }
        Global global = PickleGlobals.resolve(module, name);
        if (global == null) {
            throw corrupt("the pickle names " + CheckpointException.printable(module + "." + name)
                    + ", which only an attack would do; do not load this file anywhere");
        }
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

    /**
     * STACK_GLOBAL. If this were in {@link #step} itself, with a pattern for each of the two texts, HotSpot 17's second
     * compiler would miscompile it after some thousand pickles, so that a text is not recognized.
     */
    private void stackGlobal() throws CheckpointException {
        String name = globalText(pop());
        String module = globalText(pop());
        push(global(module, name));
    }

    private String globalText(Object object) throws CheckpointException {
        String text = object.getClass() == Value.Text.class ? ((Value.Text) object).text() : null;
        if (text == null || text.length() > limits.nameLength()) {
            throw corrupt("the pickle is corrupt: a global's name is not text, or too long");
        }
        return text;
    }

    private String nameOf(Object callable) throws CheckpointException {
        if (callable instanceof Global global) {
            return global.name();
        }
        if (callable instanceof Value.Placeholder placeholder) {
            return placeholder.global();
        }
        throw corrupt("the pickle is corrupt: it calls something other than a global");
    }

    private Object unbuilt(Object callable) throws CheckpointException {
        String name = nameOf(callable);
        unknown.add(name);
        count(1);
        return new Value.Placeholder(name);
    }

    /** NEWOBJ: an object of a class. Subclasses of dict and list are built as such. */
    private Object construct(Object type, List<Object> arguments) throws CheckpointException {
        if (type instanceof Global global) {
            switch (global.role()) {
                case MAPPING, DEFAULT_MAPPING, SEQUENCE -> {
                    return call(type, arguments);
                }
                case SCRIPT_CLASS -> {
                    count(4);
                    return new Pairs(new ArrayList<>(0), true, true);
                }
                default -> {}
            }
        }
        return unbuilt(type);
    }

    private Object call(Object callable, List<Object> arguments) throws CheckpointException {
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
        return corrupt("the pickle calls " + global.name() + " with arguments that PyTorch and Python never use");
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
        count(4);
        count(pairs.size());
        countEntries(pairs.size());
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
        count(2);
        count(items.size());
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
            throw corrupt("the encoding " + CheckpointException.printable(encoding.text())
                    + " of bytes is not supported; Python uses latin1");
        }
        if (!text.text().chars().allMatch(c -> c <= 0xff)) {
            throw corrupt("the pickle is corrupt: bytes written as text are not Latin-1");
        }
        count(isArrayText(text) ? 0 : text.text().length() / 16);
        return decoded(text.text().getBytes(StandardCharsets.ISO_8859_1));
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
            throw corrupt("the pickle has a storage inside a storage, which PyTorch never writes");
        }
        if (arguments.size() != 1 || !(arguments.get(0) instanceof Data bytes)) {
            throw badArguments(global);
        }
        count(EMBEDDED_VALUES);
        return PyTorchLegacyReader.storage(bytes.region.part(), limits.withValues(EMBEDDED_VALUES));
    }

    /** The bytes of a text whose characters are all below 256, one each. */
    private byte[] latin1(PickleValues.Region utf8) throws CheckpointException {
        int length = 0;
        for (Cursor text = utf8.cursor(); text.remaining() > 0; ) {
            length += (text.u8() & 0xc0) == 0x80 ? 0 : 1;
        }
        // Decoding each text once takes less than the file; a pickle could decode the same text repeatedly.
        decodedBytes += length;
        if (decodedBytes > file.size()) {
            throw corrupt("the pickle decodes its texts to more bytes than the file has, which no library does");
        }
        byte[] decoded = new byte[length];
        Cursor text = utf8.cursor();
        for (int i = 0; i < length; i++) {
            int lead = text.u8();
            if (lead >= 0x80) {
                if ((lead != 0xc2 && lead != 0xc3) || (text.peek() & 0xc0) != 0x80) {
                    throw corrupt("the pickle is corrupt: bytes written as text are not Latin-1");
                }
                lead = ((lead & 3) << 6) | (text.u8() & 0x3f);
            }
            decoded[i] = (byte) lead;
        }
        if (text.remaining() > 0) {
            throw corrupt("the pickle is corrupt: bytes written as text are not Latin-1");
        }
        return decoded;
    }

    private Object array(List<Object> arguments) throws CheckpointException {
        if (arguments.isEmpty()
                || !(arguments.get(0) instanceof Global type)
                || type.role() != PickleGlobals.Role.ARRAY_TYPE) {
            return unbuilt(arguments.isEmpty() ? Mark.MARK : arguments.get(0));
        }
        // The shape and type of an array, which its state replaces.
        if (arguments.size() != 3
                || !(arguments.get(1) instanceof Items shape
                        && shape.kind == SequenceKind.TUPLE
                        && shape.items.equals(List.of(wholeOf(0))))
                || !isByteCode(arguments.get(2))) {
            throw badArguments(type);
        }
        countTensor();
        return new NumpyArray(at);
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
        count(2);
        return new NumpyType(code.text());
    }

    private void countTensor() throws CheckpointException {
        if (tensors == limits.tensors()) {
            throw file.overLimit(at, null, "the file has more tensors than are allowed", "tensors", limits.tensors());
        }
        tensors++;
        count(2);
    }

    /** An array's state: (version, shape, element type, whether column-major, bytes or a list of objects). */
    private void buildArray(NumpyArray array, Object state) throws CheckpointException {
        if (!(state instanceof Items items)
                || items.items.size() != 5
                || !items.items.get(0).equals(ARRAY_VERSION)
                || !(items.items.get(1) instanceof Items shape)
                || !(items.items.get(3) instanceof Value.Bool fortranOrder)) {
            throw corrupt("the pickle is corrupt: the state of an array is not what NumPy writes");
        }
        if (shape.items.size() > limits.dimensions()) {
            throw file.overLimit(at, null, "an array has too many dimensions", "dimensions", limits.dimensions());
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
            throw corrupt("the pickle is corrupt: the state of an array's element type is not what NumPy writes");
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
        count(1 + kind.text().length() / 16);
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
        if (shape.items.size() > limits.dimensions()) {
            throw file.overLimit(at, null, "a tensor has too many dimensions", "dimensions", limits.dimensions());
        }
        countTensor();
        return new StridedTensor(
                storage,
                type,
                wholeNumber(arguments.get(1), global),
                wholeNumbers(shape, global),
                wholeNumbers(strides, global),
                at);
    }

    private Object parameter(Global global, List<Object> arguments) throws CheckpointException {
        // The tensor, whether it requires gradients, hooks; then its own attributes.
        if (arguments.size() != (global.name().endsWith("_with_state") ? 4 : 3)) {
            throw badArguments(global);
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
                    return call(function, inner.items);
                }
                default -> {}
            }
        }
        return unbuilt(arguments.size() > 1 && arguments.get(1) instanceof Global type ? type : global);
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

    /** BUILD: sets an object's attributes. Those of an OrderedDict (its _metadata) are dropped. */
    private void build() throws CheckpointException {
        Object state = pop();
        Object target = top();
        if (target instanceof Pairs object && object.attributes && state instanceof Pairs attributes) {
            // A copy counts as its content, like that of a mapping.
            count(attributes.pairs.size());
            countEntries(attributes.pairs.size());
            object.pairs.addAll(attributes.pairs);
        } else if (target instanceof Pairs object && object.attributes) {
            // The argument of the class's __setstate__, which has no names of its own.
            count(1);
            countEntries(2);
            object.pairs.add(new Value.Text("state"));
            object.pairs.add(state);
        } else if (target instanceof NumpyArray array) {
            buildArray(array, state);
        } else if (target instanceof NumpyType type) {
            buildArrayType(type, state);
        } else if (!(target instanceof Value.Placeholder)
                && !(target instanceof Pairs mapping && mapping.mayHaveAttributes)) {
            throw corrupt("the pickle is corrupt: it sets attributes of something that has none");
        }
    }

    /**
     * torch.save's persistent id: ('storage', class, key, location, number of elements), in the legacy format followed
     * by a view of the storage or None; or, also in the legacy format, ('module', class, its source's file, its
     * source).
     */
    private Object persistent(List<Object> id) throws CheckpointException {
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
            count(1);
            View view = legacy ? view(id.get(5), type) : null;
            Storage storage = new Storage(type, key.text(), wholeNumber(id.get(4), type), view, null, at);
            Storage first = storages.putIfAbsent(storage.key(), storage);
            if (first != null && !isSameStorage(first, storage)) {
                throw corrupt("the pickle names storage " + CheckpointException.printable(storage.key()) + " as "
                        + shown(first) + " and as " + shown(storage)
                        + ", of which PyTorch uses the first; save it again with torch.save");
            }
            if (view != null) {
                checkView(storage, view);
            }
            return storage;
        }
        throw corrupt("the pickle refers to something outside it that is not a storage of torch.save");
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
            throw corrupt("the pickle has two views of the key " + CheckpointException.printable(view.key())
                    + " on different parts of storages, of which PyTorch uses the first; save it again with"
                    + " torch.save");
        }
    }

    /** Refuses keys that refer to both a storage and a view. */
    private void checkKeys() throws CheckpointException {
        for (String key : views.keySet()) {
            if (storages.containsKey(key)) {
                throw corrupt("the pickle has a storage and a view of the key " + CheckpointException.printable(key)
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
