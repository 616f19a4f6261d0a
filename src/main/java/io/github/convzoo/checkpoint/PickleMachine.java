package io.github.convzoo.checkpoint;

import io.github.convzoo.checkpoint.PickleGlobals.Global;
import io.github.convzoo.checkpoint.PickleObjects.Data;
import io.github.convzoo.checkpoint.PickleObjects.Items;
import io.github.convzoo.checkpoint.PickleObjects.LongText;
import io.github.convzoo.checkpoint.PickleObjects.Pairs;
import io.github.convzoo.checkpoint.PickleObjects.SequenceKind;
import io.github.convzoo.checkpoint.PickleObjects.Storage;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Interprets a pickle (protocols 0 to 5, with the opcodes documented in {@code pickletools}) and builds only inert
 * objects: plain values and {@link PickleObjects}. A global is a name without meaning to the JVM; {@link PickleCalls}
 * builds one of these objects, or a placeholder, in place of calling it. No code in the file runs, because nothing here
 * could run it.
 *
 * <p>Everything that a pickle can allocate counts against {@link Limits}; nothing here is recursive.
 */
final class PickleMachine {

    private static final int LONGEST_WHOLE = 255;
    private static final int LONGEST_LINE = 1024;
    /** The length from which Python 2's str counts as bytes rather than text. */
    private static final int OLD_STRING_BYTES = 1 << 16;
    /** The minimum length of text that may be an array's bytes; shorter ones are irrelevant to the limits. */
    private static final int SHORTEST_ARRAY_TEXT = 64;

    private enum Mark {
        MARK
    }

    private final Limits limits;
    private final MappedFile file;
    private final Cursor in;
    private final PickleBudget budget;
    private final PickleCalls calls;
    private final ArrayList<Object> stack = new ArrayList<>();
    private @Nullable Object[] memo = new Object[64];
    private int memorized;
    /** The maximum length of text that may be a name, in bytes. Longer ones are usually arrays' bytes. */
    private final long longestName;

    /**
     * For a pickle of known length, in an archive. The bytes of arrays in it are views on the file, and do not count
     * against {@link Limit#PICKLE_BYTES}.
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
        this.budget = new PickleBudget(file, limits);
        this.calls = new PickleCalls(budget, legacy, embedded);
        this.longestName = Math.max(1 << 14, 4L * limits.of(Limit.NAME_LENGTH));
    }

    /** Names of all globals. */
    Set<String> globals() {
        return calls.globals();
    }

    /** Names of the globals that became placeholders, in the order of the file. */
    Set<String> unknownGlobals() {
        return calls.unknownGlobals();
    }

    /** The storages that the pickle names, by key. */
    Map<String, Storage> storages() {
        return calls.storages();
    }

    /** The end of the pickle, after it was run. */
    long end() {
        return in.offset();
    }

    /** Runs one pickle, up to its STOP. */
    Object run() throws CheckpointException {
        long start = in.offset();
        while (true) {
            budget.moveTo(in.offset(), start);
            int opcode = in.u8();
            if (opcode == '.') {
                Object result = pop();
                if (!stack.isEmpty()) {
                    throw budget.corrupt("the pickle leaves more than one object");
                }
                calls.checkKeys();
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
            case 'q' -> memorize(in.u8());
            case 'r' -> memorize(in.u32());
            case 'p' -> memorize(index(in.asciiLine(LONGEST_LINE)));
            case 0x94 -> memorize(memorized);
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
                budget.countEntries(pairs.size());
                pairs(pairs);
            }
            case 'a' -> append(SequenceKind.LIST, popLast(1));
            case 'e' -> append(SequenceKind.LIST, popToMark());
            case 0x90 -> append(SequenceKind.SET, popToMark());
            case 's' -> setItems(popLast(2));
            case 'u' -> setItems(even(popToMark()));

            case 'c' -> push(namedGlobal());
            case 0x93 -> stackGlobal();
            case 'i' -> {
                Global global = namedGlobal();
                popToMark();
                push(calls.unbuilt(global));
            }
            case 'o' -> {
                List<Object> parts = popToMark();
                push(calls.unbuilt(parts.isEmpty() ? null : parts.get(0)));
            }
            case 'R' -> {
                List<Object> call = popLast(2);
                push(calls.call(call.get(0), arguments(call.get(1))));
            }
            case 0x81 -> {
                List<Object> call = popLast(2);
                push(calls.construct(call.get(0), arguments(call.get(1))));
            }
            case 0x92 -> {
                List<Object> call = popLast(3);
                push(calls.construct(call.get(0), arguments(call.get(1))));
            }
            case 'b' -> {
                Object state = pop();
                calls.build(top(), state);
            }
            case 'Q' -> push(calls.persistent(arguments(pop())));

            case 'P' -> throw budget.corrupt("persistent ids in text are not supported; save with pickle protocol 2");
            case 0x82, 0x83, 0x84 ->
                throw budget.corrupt("the pickle uses the extension registry, which no checkpoint needs");
            case 0x97, 0x98 -> throw budget.corrupt("the pickle has buffers outside it, which no checkpoint file has");
            default -> throw budget.corrupt(String.format("0x%02x is not a supported pickle opcode", opcode));
        }
    }

    private void protocol(int protocol) throws CheckpointException {
        if (protocol > 5) {
            throw budget.corrupt("pickle protocol " + protocol + " is not supported; save with protocol 2");
        }
    }

    private void frame(long length) throws CheckpointException {
        if (length < 0 || length > in.remaining()) {
            throw budget.corrupt("the pickle is truncated: a frame extends beyond it");
        }
    }

    // The stack and the memo.

    /** The global that two lines name: its module and its name. */
    private Global namedGlobal() throws CheckpointException {
        int longest = limits.of(Limit.NAME_LENGTH);
        return calls.global(in.asciiLine(longest), in.asciiLine(longest));
    }

    private void push(Object object) throws CheckpointException {
        // Pushing a value takes a slot even if nothing is built.
        if (stack.size() == limits.of(Limit.VALUES)) {
            throw file.overLimit(budget.at(), null, "the pickle pushes too many values", Limit.VALUES, limits);
        }
        stack.add(object);
    }

    private void value(Value value) throws CheckpointException {
        budget.count(1);
        push(value);
    }

    private void items(SequenceKind kind, List<Object> items) throws CheckpointException {
        budget.count(2);
        push(new Items(kind, items));
    }

    private void pairs(List<Object> pairs) throws CheckpointException {
        budget.count(4);
        push(new Pairs(pairs, false, false));
    }

    private Object top() throws CheckpointException {
        if (stack.isEmpty() || stack.get(stack.size() - 1) == Mark.MARK) {
            throw budget.corrupt("the pickle is corrupt: a value is missing from its stack");
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
            throw budget.corrupt("the pickle is corrupt: a value is missing from its stack");
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
            throw budget.corrupt("the pickle is corrupt: a mark is missing from its stack");
        }
        List<Object> above = new ArrayList<>(stack.subList(mark + 1, stack.size()));
        stack.subList(mark, stack.size()).clear();
        return above;
    }

    private List<Object> even(List<Object> pairs) throws CheckpointException {
        if (pairs.size() % 2 != 0) {
            throw budget.corrupt("the pickle is corrupt: a mapping's key has no value");
        }
        return pairs;
    }

    private void memorize(long index) throws CheckpointException {
        if (index >= limits.of(Limit.MEMO_ENTRIES)) {
            throw file.overLimit(
                    budget.at(), null, "the pickle memoizes value number " + index, Limit.MEMO_ENTRIES, limits);
        }
        if (index >= memo.length) {
            // Indices are consecutive; an index that leaps ahead costs at most the limit's array.
            memo = Arrays.copyOf(
                    memo, (int) Math.min(limits.of(Limit.MEMO_ENTRIES), Math.max(index + 1, 2L * memo.length)));
        }
        if (memo[(int) index] == null) {
            memorized++;
        }
        memo[(int) index] = top();
    }

    private void recall(long index) throws CheckpointException {
        Object object = index < memo.length ? memo[(int) index] : null;
        if (object == null) {
            throw budget.corrupt(
                    "the pickle is corrupt: it recalls value number " + index + ", which it has not memoized");
        }
        push(object);
    }

    private long index(String line) throws CheckpointException {
        if (!line.matches("[0-9]{1,9}")) {
            throw budget.corrupt("the pickle is corrupt: a memo index is not a number");
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
            throw budget.corrupt("the pickle is corrupt: a whole number is malformed or too long");
        }
        value(new Value.Whole(new BigInteger(digits)));
    }

    private void wholeBytes(int length) throws CheckpointException {
        if (length < 0 || length > LONGEST_WHOLE) {
            throw budget.corrupt(
                    "a whole number of " + length + " bytes is not supported, only up to " + LONGEST_WHOLE);
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
            throw budget.corrupt("the pickle is corrupt: a floating-point number is malformed");
        }
        try {
            String spelled = line.replace("inf", "Infinity").replace("nan", "NaN");
            return new Value.Real(Double.parseDouble(spelled));
        } catch (NumberFormatException e) {
            throw new CheckpointException(
                    file.path(), budget.at(), null, "the pickle is corrupt: a floating-point number is malformed", e);
        }
    }

    private PickleValues.Region region(long length) throws CheckpointException {
        PickleValues.Region region = new PickleValues.Region(file, in.offset(), length);
        in.skip(length);
        return region;
    }

    private void data(long length) throws CheckpointException {
        PickleValues.Region region = region(length);
        budget.skipData(length);
        budget.countBytes();
        push(new Data(region));
    }

    private void text(long length) throws CheckpointException {
        if (length > longestName) {
            PickleValues.Region region = region(length);
            budget.skipData(length);
            budget.count(1);
            push(new LongText(region));
            return;
        }
        Value.Text text = new Value.Text(in.utf8(length));
        if (length >= SHORTEST_ARRAY_TEXT) {
            budget.mayBeArray(text, length);
        }
        value(text);
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
            throw budget.corrupt(
                    "a text of pickle protocol 0 that is long or not plain ASCII is not supported; save it again"
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
            budget.skipData(length);
            budget.countBytes();
            push(new Data(region));
        } else {
            value(new Value.Text(text));
        }
    }

    // Containers.

    private void append(SequenceKind kind, List<Object> items) throws CheckpointException {
        Object target = top();
        Items sequence = items(target, kind);
        if (sequence != null) {
            sequence.items.addAll(items);
        } else if (!(target instanceof Value.Placeholder)) {
            throw budget.corrupt("the pickle is corrupt: it appends to something other than a list or set");
        }
    }

    private void setItems(List<Object> pairs) throws CheckpointException {
        Object target = top();
        if (target.getClass() == Pairs.class) {
            budget.countEntries(pairs.size());
            ((Pairs) target).pairs.addAll(pairs);
        } else if (!(target instanceof Value.Placeholder)) {
            throw budget.corrupt("the pickle is corrupt: it sets an item of something other than a mapping");
        }
    }

    private List<Object> arguments(Object object) throws CheckpointException {
        Items tuple = items(object, SequenceKind.TUPLE);
        if (tuple == null) {
            throw budget.corrupt("the pickle is corrupt: arguments are not a tuple");
        }
        return tuple.items;
    }

    /**
     * An object as a sequence of some kind; null if it is something else. With a pattern ({@code instanceof Items}),
     * HotSpot 17's second compiler may miscompile {@link #step}, into which it inlines this: see {@link #stackGlobal}.
     */
    private static @Nullable Items items(Object object, SequenceKind kind) {
        Items items = object.getClass() == Items.class ? (Items) object : null;
        return items == null || items.kind != kind ? null : items;
    }

    // Globals.

    /**
     * STACK_GLOBAL. If this were in {@link #step} itself, with a pattern for each of the two texts, HotSpot 17's second
     * compiler would miscompile it after some thousand pickles, so that a text is not recognized.
     */
    private void stackGlobal() throws CheckpointException {
        String name = globalText(pop());
        String module = globalText(pop());
        push(calls.global(module, name));
    }

    private String globalText(Object object) throws CheckpointException {
        String text = object.getClass() == Value.Text.class ? ((Value.Text) object).text() : null;
        if (text == null || text.length() > limits.of(Limit.NAME_LENGTH)) {
            throw budget.corrupt("the pickle is corrupt: a global's name is not text, or too long");
        }
        return text;
    }
}
