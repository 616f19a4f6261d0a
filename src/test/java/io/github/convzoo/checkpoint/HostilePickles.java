package io.github.convzoo.checkpoint;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Pickles made to run code, or to take a reader's time and memory. */
final class HostilePickles {
    private static final String ATTACK = "only an attack";

    private final String command;
    private final boolean legacy;
    private final List<Pickle> pickles = new ArrayList<>();

    /**
     * A pickle.
     *
     * @param expected what the refusal says, or empty where the pickle is read and comes to nothing
     * @param atOnce whether it is refused while it runs, and not when values are made of what it built
     */
    @SuppressWarnings("ArrayRecordComponent") // neither compared nor changed
    record Pickle(String name, byte[] bytes, String expected, boolean atOnce) {}

    private HostilePickles(String command, boolean legacy) {
        this.command = command;
        this.legacy = legacy;
    }

    /**
     * All of them.
     *
     * @param command what they would have Python run
     * @param legacy whether storages are named as in legacy files, with a sixth item
     */
    static List<Pickle> all(String command, boolean legacy) {
        HostilePickles made = new HostilePickles(command, legacy);
        made.addCallsByProtocol();
        made.addCallsByName();
        made.addGadgets();
        made.addObjects();
        made.addGlobalTricks();
        made.addPersistentIds();
        made.addCycles();
        made.addDoublings();
        made.addNesting();
        made.addLengths();
        made.addMasses();
        return made.pickles;
    }

    private void add(String name, PickleAssembler pickle, String expected) {
        pickles.add(new Pickle(name, pickle.stop(), expected, true));
    }

    private void addLate(String name, PickleAssembler pickle, String expected) {
        pickles.add(new Pickle(name, pickle.stop(), expected, false));
    }

    private static PickleAssembler pickle() {
        return new PickleAssembler();
    }

    private static PickleAssembler shortText(PickleAssembler pickle, String text) {
        return pickle.op(0x8c, text.length()).ascii(text);
    }

    /** As each protocol writes os.system(command). */
    private void addCallsByProtocol() {
        String lines = "os\nsystem\n";
        add("os.system, protocol 0", call0(lines).op('R'), ATTACK);
        add(
                "os.system, protocol 1",
                new PickleAssembler('c').ascii(lines).op('(').text(command).op('t', 'R'),
                ATTACK);
        add(
                "os.system, protocol 2",
                pickle().global("os", "system").text(command).op(0x85, 'R'),
                ATTACK);
        PickleAssembler three = new PickleAssembler(0x80, 3).global("os", "system");
        add(
                "os.system, protocol 3",
                three.op('C', command.length()).ascii(command).op(0x85, 'R'),
                ATTACK);
        for (int protocol = 4; protocol <= 5; protocol++) {
            PickleAssembler framed = new PickleAssembler(0x80, protocol, 0x95, 7, 0, 0, 0, 0, 0, 0, 0);
            shortText(framed, "posix").op(0x94);
            shortText(framed, "system").op(0x94, 0x93, 0x94);
            add("posix.system, protocol " + protocol, shortText(framed, command).op(0x94, 0x85, 0x94, 'R'), ATTACK);
        }
    }

    private PickleAssembler call0(String lines) {
        return new PickleAssembler('c')
                .ascii(lines)
                .op('(')
                .ascii("V" + command + "\n")
                .op('t');
    }

    private void addCallsByName() {
        for (String global : PickleMachineTest.ATTACKS) {
            String[] names = global.split(", ", -1);
            add(
                    "a call of " + global,
                    pickle().global(names[0], names[1]).text(command).op(0x85, 'R'),
                    ATTACK);
        }
    }

    private void addGadgets() {
        add(
                "getattr(__import__('os'), 'system')(command)",
                pickle().global("builtins", "getattr")
                        .global("builtins", "__import__")
                        .text("os")
                        .op(0x85, 'R')
                        .text("system")
                        .op(0x86, 'R')
                        .text(command)
                        .op(0x85, 'R'),
                ATTACK);
        add(
                "types.FunctionType(types.CodeType(...), {})()",
                pickle().global("types", "FunctionType")
                        .global("types", "CodeType")
                        .mark()
                        .whole(0)
                        .op('C', 2, 'd', 0)
                        .tuple()
                        .reduce()
                        .dict()
                        .op(0x86, 'R', ')', 'R'),
                "");
        byte[] inner =
                pickle().global("os", "system").text(command).op(0x85, 'R').stop();
        PickleAssembler nested = pickle().global("pickle", "loads").op('C', inner.length);
        for (byte each : inner) {
            nested.op(each);
        }
        add("a pickle inside a pickle", nested.op(0x85, 'R'), "");
        add(
                "torch.load inside runpy",
                pickle().global("runpy", "_run_code")
                        .text("import torch; torch.load('x')")
                        .dict()
                        .op(0x86, 'R'),
                ATTACK);
        add(
                "functools.partial of os.system",
                pickle().global("functools", "partial")
                        .global("os", "system")
                        .text(command)
                        .op(0x86, 'R', ')', 'R'),
                ATTACK);
        add(
                "functools.partial of a harmless name, called",
                pickle().global("functools", "partial")
                        .global("builtins", "int")
                        .op(0x85, 'R', ')', 'R'),
                "");
        add(
                "map over a list of commands",
                pickle().global("builtins", "list")
                        .global("builtins", "map")
                        .global("os", "system")
                        .list()
                        .text(command)
                        .op('a', 0x86, 'R', 0x85, 'R'),
                ATTACK);
        add(
                "a dictionary's update through attrgetter",
                pickle().global("operator", "attrgetter")
                        .text("__class__.__base__.__subclasses__")
                        .op(0x85, 'R'),
                "");
        add(
                "an attack behind a harmless value",
                pickle().global("os", "system").text(command).op(0x85, 'R', '0').dict(),
                ATTACK);
        add(
                "a default factory",
                pickle().global("collections", "defaultdict")
                        .global("os", "getcwd")
                        .op(0x85, 'R'),
                "");
    }

    private void addObjects() {
        add("INST", pickle().mark().text(command).op('i').ascii("os\nsystem\n"), ATTACK);
        add("OBJ", pickle().mark().global("os", "system").text(command).op('o'), ATTACK);
        add("NEWOBJ", pickle().global("subprocess", "Popen").text(command).op(0x85, 0x81), ATTACK);
        add(
                "NEWOBJ_EX",
                pickle().global("subprocess", "Popen")
                        .text(command)
                        .op(0x85)
                        .dict()
                        .text("shell")
                        .op(0x88, 's', 0x92),
                ATTACK);
        add(
                "BUILD that gives an object os.system for __setstate__",
                pickle().global("someone", "Class")
                        .op(')', 0x81)
                        .dict()
                        .text("__setstate__")
                        .global("os", "system")
                        .op('s', 'b')
                        .text(command)
                        .op('b'),
                ATTACK);
        add(
                "BUILD that gives an object an unknown __setstate__",
                pickle().global("someone", "Class")
                        .op(')', 0x81)
                        .dict()
                        .text("__setstate__")
                        .global("someone", "function")
                        .op('s', 'b')
                        .text(command)
                        .op('b'),
                "");
        add("BUILD of a global", pickle().global("collections", "OrderedDict").op('}', 'b', ')', 'R'), "");
        for (int extension = 0x82; extension <= 0x84; extension++) {
            add("EXT " + extension, pickle().op(extension, 1, 0, 0, 0), "extension registry");
        }
    }

    private void addGlobalTricks() {
        PickleAssembler memo = pickle().text("system").put(0).text("os").put(1).op('0', '0');
        add(
                "STACK_GLOBAL of memorized texts",
                memo.get(1).get(0).op(0x93).text(command).op(0x85, 'R'),
                ATTACK);
        add("STACK_GLOBAL of numbers", pickle().op('K', 1, 'K', 2, 0x93), "a global's name is not text");
        add("STACK_GLOBAL of a dotted name", dotted("collections", "abc.sys.modules"), "");
        add("STACK_GLOBAL through __globals__", dotted("torch", "load.__globals__"), "");
        add("STACK_GLOBAL of letters that look like others", dotted("\uff4f\uff53", "system"), "");
        add("STACK_GLOBAL of a name behind a NUL", dotted("os\0", "x"), "");
        add("STACK_GLOBAL of a relative name", dotted("", "eval"), "");
        add(
                "GLOBAL of Python 2",
                pickle().global("__builtin__", "execfile").text("x").op(0x85, 'R'),
                ATTACK);
    }

    private PickleAssembler dotted(String module, String name) {
        return pickle().text(module).text(name).op(0x93).text(command).op(0x85, 'R');
    }

    private void addPersistentIds() {
        String noStorage = "not a storage of torch.save";
        add("a persistent id in text", pickle().op('P').ascii("os.system\n"), "persistent ids in text");
        add("a persistent id that is a call", pickle().global("os", "system").op('Q'), ATTACK);
        add("a persistent id that is not a tuple", pickle().text(command).op('Q'), "arguments are not a tuple");
        add("a storage of class os.system", storage("os", "system"), ATTACK);
        add("a storage of an unknown class", storage("someone", "Storage"), noStorage);
        add("a storage of no class", ended(pickle().mark().text("storage").op('N', 'N', 'N', 'N')), noStorage);
        add("an empty persistent id", pickle().op(')', 'Q'), noStorage);
        add(
                "a call of a storage",
                storage("torch", "FloatStorage").op(')', 'R'),
                "calls something other than a global");
        add("a storage that is a module's source", source(), "");
    }

    private PickleAssembler storage(String module, String name) {
        PickleAssembler storage =
                pickle().mark().text("storage").global(module, name).text("0");
        return ended(storage.text("cpu").whole(6));
    }

    private PickleAssembler ended(PickleAssembler storage) {
        return (legacy ? storage.op('N') : storage).tuple().op('Q');
    }

    private PickleAssembler source() {
        PickleAssembler source =
                pickle().mark().text("module").global("someone", "Net").text("net.py");
        return source.text("import os; os.system('" + command + "')").tuple().op('Q', ')', 0x81);
    }

    private void addCycles() {
        String itself = "contains itself";
        addLate("a list that holds itself", pickle().list().put(0).get(0).op('a'), itself);
        addLate(
                "a list that holds itself in a tuple",
                pickle().list().put(0).get(0).op(0x85, 'a'),
                itself);
        addLate(
                "a set that holds itself",
                pickle().op(0x8f).put(0).op('(').get(0).op(0x90),
                itself);
        addLate(
                "a dict that holds itself",
                pickle().dict().put(0).text("k").get(0).op('s'),
                itself);
        PickleAssembler ordered = pickle().global("collections", "OrderedDict").op(')', 'R');
        addLate(
                "an OrderedDict that holds itself",
                ordered.put(0).text("k").get(0).op('s'),
                itself);
        PickleAssembler two =
                pickle().list().put(0).op('0').list().put(1).get(0).op('a', '0');
        addLate("two lists that hold each other", two.get(0).get(1).op('a'), itself);
        PickleAssembler object =
                pickle().global("__torch__.net", "Net").op(')', 0x81).put(0);
        addLate(
                "an object whose state is itself",
                object.op('}').text("self").get(0).op('s', 'b'),
                itself);
    }

    private void addDoublings() {
        // 2^40 leaves when spelled out.
        PickleAssembler tuples = pickle().op('N', 0x85).put(0);
        PickleAssembler lists = pickle().list().put(0);
        PickleAssembler dicts = pickle().dict().put(0);
        for (int i = 0; i < 40; i++) {
            tuples.op('0').get(i).get(i).op(0x86).put(i + 1);
            lists.op('0').list().put(i + 1).get(i).op('a').get(i).op('a');
            dicts.op('0')
                    .dict()
                    .put(i + 1)
                    .text("a")
                    .get(i)
                    .op('s')
                    .text("b")
                    .get(i)
                    .op('s');
        }
        addLate("tuples that double", tuples, "values");
        addLate("lists that double", lists, "values");
        addLate("dicts that double", dicts, "values");
        PickleAssembler copies = pickle().list().mark();
        copies.op(repeated(100_000, 'N')).op('e', 0x85).put(0).op('0');
        for (int i = 0; i < 1000; i++) {
            copies.global("builtins", "list").get(0).reduce().op('0');
        }
        add("copies of a long list", copies.op('N'), "--limit values=N");
        PickleAssembler pairs = pickle().dict().mark();
        for (int i = 0; i < 20_000; i++) {
            pairs.op('M', i & 0xff, i >> 8, 'N');
        }
        pairs.op('u', 0x85).put(0).op('0');
        for (int i = 0; i < 1000; i++) {
            pairs.global("builtins", "dict").get(0).reduce().op('0');
        }
        add("copies of a long dict", pairs.op('N'), "--limit values=N");
        PickleAssembler encoded =
                pickle().text("x".repeat(60_000)).text("latin1").op(0x86).put(0);
        for (int i = 0; i < 10_000; i++) {
            encoded.global("_codecs", "encode").get(0).reduce();
        }
        add("copies of a long text", encoded.mark().op('1'), "more bytes than the file has");
        PickleAssembler shorter =
                pickle().text("x".repeat(16_000)).text("latin1").op(0x86).put(0);
        for (int i = 0; i < 10_000; i++) {
            shorter.global("_codecs", "encode").get(0).reduce();
        }
        add("copies of a text as long as a name", shorter.mark().op('1'), "--limit values=N");
        PickleAssembler device =
                pickle().text("x".repeat(16_000)).op('K', 1, 0x86).put(0);
        for (int i = 0; i < 10_000; i++) {
            device.global("torch", "device").get(0).reduce();
        }
        add("devices of a long name", device.mark().op('1'), "--limit values=N");
        PickleAssembler names = pickle().text("m".repeat(4000))
                .put(0)
                .op('0')
                .text("n".repeat(4000))
                .put(1);
        for (int i = 0; i < 120_000; i++) {
            names.op('h', 0, 'h', 1, 0x93);
        }
        add("one global of a long name over and over", names, "--limit values=N");
    }

    private void addNesting() {
        add("a million marks", pickle().op(repeated(1_000_000, '(')), "--limit values=N");
        add("a million empty lists", pickle().op(repeated(1_000_000, ']')), "--limit values=N");
        add("a million empty dicts", pickle().op(repeated(1_000_000, '}')), "--limit values=N");
        add("a million duplicates", pickle().op('N').op(repeated(1_000_000, '2')), "--limit values=N");
        addLate("tuples in one another", pickle().op('N').op(repeated(200_000, 0x85)), "nestingDepth");
        addLate("lists in one another", pickle().op(repeated(200_000, ']')).op(repeated(199_999, 'a')), "nestingDepth");
        PickleAssembler dicts = pickle();
        for (int i = 0; i < 60_000; i++) {
            dicts.op('}', 'N');
        }
        addLate("dicts in one another", dicts.op('N').op(repeated(60_000, 's')), "nestingDepth");
    }

    private static int[] repeated(int times, int opcode) {
        int[] opcodes = new int[times];
        Arrays.fill(opcodes, opcode);
        return opcodes;
    }

    private void addLengths() {
        int[] most = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
        int[] beyond = {0, 0, 0, 0, 0, 0, 0, 0x80};
        for (int[] length : new int[][] {most, beyond}) {
            String shown = " of " + (length == most ? "2^63 - 1" : "2^63") + " bytes";
            add("text" + shown, pickle().op(0x8d).op(length), "truncated or corrupt");
            add("bytes" + shown, pickle().op(0x8e).op(length), "truncated or corrupt");
            add("a bytearray" + shown, pickle().op(0x96).op(length), "truncated or corrupt");
            add("a frame" + shown, pickle().op(0x95).op(length).op('N'), "a frame extends beyond it");
        }
        add("text of 2^32 - 1 bytes", pickle().op('X').int32(-1), "truncated or corrupt");
        add("a string of -1 bytes", pickle().op('T').int32(-1), "truncated or corrupt");
        add("a number of 2^31 - 1 bytes", pickle().op(0x8b).int32(Integer.MAX_VALUE), "only up to 255");
        add("a number of -2^31 bytes", pickle().op(0x8b).int32(Integer.MIN_VALUE), "only up to 255");
        add("a number of a million digits", pickle().op('L').ascii("9".repeat(1_000_000) + "L\n"), "1024 characters");
        add("a truth value of a million digits", pickle().op('I').ascii("0".repeat(1_000_000) + "\n"), "1024");
        add("a memo index of 2^32 - 1", pickle().op('N').put(-1), "memoEntries");
        add("a memo index in text", pickle().op('N', 'p').ascii("999999999\n"), "memoEntries");
        add("a memo index of a million digits", pickle().op('N', 'p').ascii("9".repeat(1_000_000) + "\n"), "1024");
        add("a global's name without end", pickle().op('c').ascii("x".repeat(1_000_000)), "4096 characters");
        add("a floating-point number of odd digits", pickle().op('F').ascii("1e".repeat(500) + "\n"), "malformed");
        add(
                "a tensor of 2^63 - 1 elements",
                pickle().tensor("FloatStorage", "0", 6, 0, new long[] {Long.MAX_VALUE}, new long[] {1}),
                "");
        add(
                "a storage of 2^63 - 1 elements",
                pickle().tensor("FloatStorage", "0", Long.MAX_VALUE, 0, new long[] {1}, new long[] {1}),
                "");
    }

    /** As many values as are allowed, of each kind that takes memory, and one too many. */
    private void addMasses() {
        int count = 499_990;
        mass("numbers", count, 'M', 0xff, 0xff);
        mass("floating-point numbers", count, 'G', 1, 2, 3, 4, 5, 6, 7, 8);
        mass("texts", count, 0x8c, 2, 'x', 'y');
        mass("texts of Python 2", count, 'U', 2, 'x', 'y');
        mass("empty bytes", count, 'C', 0);
        mass("empty tuples", count / 2, ')');
        mass("empty lists", count / 2, ']');
        mass("empty dicts", count / 4, '}');
        mass("objects", count / 4, 'h', 0, ')', 0x81);
        mass("dicts with a number of 614 digits for a key", count / 5, '}', 'h', 1, 'N', 's');
        mass("tuples of one", count / 2, 'h', 0, 0x85);
        mass("one value over and over", 2_500_000, 'h', 0);
        PickleAssembler appended = pickle().op('N').put(0).op('0').list();
        for (int i = 0; i < 2_500_000; i++) {
            appended.op('h', 0, 'a');
        }
        addLate("one value appended over and over", appended, "values");
        for (char c : new char[] {'x', '\u00e9', '\u4e2d', '\ufffd'}) {
            int bytes = String.valueOf(c).getBytes(StandardCharsets.UTF_8).length;
            String name = String.format(Locale.ROOT, "text of 8 MiB of U+%04x", (int) c);
            add(name, pickle().text(String.valueOf(c).repeat(((8 << 20) - 100) / bytes)), "");
        }
        PickleAssembler tensors = (legacy ? pickle().legacy() : pickle())
                .mark()
                .storage("FloatStorage", "0", 6)
                .op('K', 0);
        tensors.mark()
                .op(ones(32))
                .tuple()
                .mark()
                .op(ones(32))
                .tuple()
                .tuple()
                .put(0)
                .op('0');
        tensors.global("torch._utils", "_rebuild_tensor").put(1).op('0').list().mark();
        for (int i = 0; i < 49_000; i++) {
            tensors.op('h', 1, 'h', 0, 'R');
        }
        add("tensors of 32 dimensions", tensors.op('e'), "");
    }

    private static int[] ones(int count) {
        int[] opcodes = new int[2 * count];
        for (int i = 0; i < count; i++) {
            opcodes[2 * i] = 'K';
            opcodes[2 * i + 1] = 1;
        }
        return opcodes;
    }

    /** A list of values, each of which some opcodes build; they may recall a global (0) and a long number (1). */
    private void mass(String name, int count, int... opcodes) {
        PickleAssembler pickle = pickle().global("someone", "Class").put(0).op('0');
        pickle.op(0x8a, 255).op(repeated(255, 0x7f)).put(1).op('0').list().mark();
        for (int i = 0; i < count; i++) {
            pickle.op(opcodes);
        }
        add("a mass of " + name, pickle.op('e'), "");
    }
}
