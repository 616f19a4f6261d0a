package io.github.convzoo.checkpoint;

import static io.github.convzoo.checkpoint.Crafted.at;
import static io.github.convzoo.checkpoint.Crafted.readPickle;
import static io.github.convzoo.checkpoint.Crafted.refusedPickle;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

class PickleMachineTest {
    private final Path directory;

    PickleMachineTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    private static PickleAssembler pickle() {
        return new PickleAssembler();
    }

    private Value read(byte[] pickle) throws IOException {
        return readPickle(directory, pickle).root();
    }

    private static Value whole(long number) {
        return new Value.Whole(BigInteger.valueOf(number));
    }

    @Test
    void opcodes_ofPlainValues_buildThem() throws IOException {
        assertThat(read(pickle().op('N').stop())).isEqualTo(new Value.None());
        assertThat(read(pickle().op(0x88).stop())).isEqualTo(new Value.Bool(true));
        assertThat(read(pickle().op('K', 255).stop())).isEqualTo(whole(255));
        assertThat(read(pickle().op('M', 1, 1).stop())).isEqualTo(whole(257));
        assertThat(read(pickle().op('J').int32(-5).stop())).isEqualTo(whole(-5));
        assertThat(read(pickle().whole(Long.MIN_VALUE).stop())).isEqualTo(whole(Long.MIN_VALUE));
        assertThat(read(pickle().op(0x8a, 0).stop())).isEqualTo(whole(0));
        assertThat(read(pickle().op(0x8b).int32(1).op(0xff).stop())).isEqualTo(whole(-1));
        assertThat(read(pickle().op('I').ascii("01\n").stop())).isEqualTo(new Value.Bool(true));
        assertThat(read(pickle().op('I').ascii("-12\n").stop())).isEqualTo(whole(-12));
        assertThat(read(pickle().op('L').ascii("77L\n").stop())).isEqualTo(whole(77));
        assertThat(read(pickle().op('F').ascii("-1.5e3\n").stop())).isEqualTo(new Value.Real(-1500));
        assertThat(read(pickle().op('F').ascii("-inf\n").stop())).isEqualTo(new Value.Real(Double.NEGATIVE_INFINITY));
        assertThat(read(pickle().op('G', 0x3f, 0xf8, 0, 0, 0, 0, 0, 0).stop())).isEqualTo(new Value.Real(1.5));
        assertThat(read(pickle().op('V').ascii("text\n").stop())).isEqualTo(new Value.Text("text"));
        assertThat(read(pickle().op(0x8c, 1, 'x').stop())).isEqualTo(new Value.Text("x"));
        assertThat(read(pickle().op('U', 1, 'x').stop())).isEqualTo(new Value.Text("x"));
        assertThat(read(pickle().op('U', 1, 0xff).stop())).isEqualTo(new Value.Bytes(ByteBuffer.wrap(new byte[] {-1})));
        assertThat(read(pickle().op('C', 1, 7).stop())).isEqualTo(new Value.Bytes(ByteBuffer.wrap(new byte[] {7})));
    }

    @Test
    void text_withReplacementCharacters_isReadOnlyIfTheFileHasThem() throws IOException {
        assertThat(read(pickle().text("a\ufffdb\ufffd").stop())).isEqualTo(new Value.Text("a\ufffdb\ufffd"));
        int[][] invalid = {{0xff}, {0xef, 0xbf}, {0xf0, 0xef, 0xbf, 0xbd}, {0xef, 0xbf, 0xbd, 0xbd}, {0xed, 0xa0, 0x80}
        };
        for (int[] bytes : invalid) {
            PickleAssembler text = pickle().op('X').int32(bytes.length).op(bytes);
            assertThat(refusedPickle(directory, text.stop())).hasMessageContaining("not valid UTF-8");
        }
    }

    @Test
    void global_ofALongName_countsByItsLength() throws IOException {
        byte[] pickle = pickle().global("x".repeat(1000), "y".repeat(1000)).stop();
        int count = 4 + 2000 / 16;
        assertThat(readPickle(directory, pickle, Limits.DEFAULT.with(Limit.VALUES, count))
                        .placeholders())
                .hasSize(1);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> readPickle(directory, pickle, Limits.DEFAULT.with(Limit.VALUES, count - 1)))
                .withMessageContaining("--limit values=N");
    }

    @Test
    void opcodes_ofContainers_buildThem() throws IOException {
        Value list = new Value.Sequence(List.of(whole(1), whole(2)));
        assertThat(read(pickle().mark().op('K', 1, 'K', 2, 'l').stop())).isEqualTo(list);
        assertThat(read(pickle().list().mark().op('K', 1, 'K', 2, 'e').stop())).isEqualTo(list);
        assertThat(read(pickle().list().op('K', 1, 'a', 'K', 2, 'a').stop())).isEqualTo(list);
        assertThat(read(pickle().op('K', 1, 'K', 2, 0x86).stop())).isEqualTo(list);
        assertThat(read(pickle().op(0x8f, '(', 'K', 1, 'K', 2, 0x90).stop())).isEqualTo(list);
        assertThat(read(pickle().op('(', 'K', 1, 'K', 2, 0x91).stop())).isEqualTo(list);
        Value mapping = new Value.Mapping(Map.of("1", whole(2)), List.of());
        assertThat(read(pickle().dict().op('K', 1, 'K', 2, 's').stop())).isEqualTo(mapping);
        assertThat(read(pickle().dict().op('(', 'K', 1, 'K', 2, 'u').stop())).isEqualTo(mapping);
        assertThat(read(pickle().op('(', 'K', 1, 'K', 2, 'd').stop())).isEqualTo(mapping);
    }

    @Test
    void orderedDict_asPython2WroteIt_isAMapping() throws IOException {
        byte[] pickle = pickle().global("collections", "OrderedDict")
                .list()
                .text("a")
                .op('K', 1, 0x86, 'a', 0x85)
                .reduce()
                .stop();
        assertThat(read(pickle)).isEqualTo(new Value.Mapping(Map.of("a", whole(1)), List.of()));
    }

    @Test
    void orderedDict_withAttributes_leavesThemOut() throws IOException {
        byte[] pickle = pickle().global("collections", "OrderedDict")
                .op(')')
                .reduce()
                .text("a")
                .op('K', 1, 's')
                .dict()
                .text("_metadata")
                .op('N', 's', 'b')
                .stop();
        assertThat(read(pickle)).isEqualTo(new Value.Mapping(Map.of("a", whole(1)), List.of()));
    }

    @ParameterizedTest
    @CsvSource({"someone.config, Config", "argparse, Namespace", "numpy.core.multiarray, scalar", "my.os.code, Sys"})
    void global_thatIsUnknown_isAnInertPlaceholder(String module, String name) throws IOException {
        String global = module + "." + name;
        Value placeholder = new Value.Placeholder(global);
        PickleAssembler object = pickle().global(module, name).op(')', 0x81);
        Checkpoint built = readPickle(
                directory,
                object.dict()
                        .text("k")
                        .op('N', 's', 'b')
                        .text("k")
                        .op('N', 's', 'N', 'a')
                        .stop());
        assertThat(built.root()).isEqualTo(placeholder);
        assertThat(built.placeholders()).containsExactly(global);
        assertThat(read(pickle().global(module, name)
                        .op(')')
                        .reduce()
                        .op(')')
                        .reduce()
                        .stop()))
                .isEqualTo(placeholder);
        assertThat(read(pickle().global(module, name).op(')', '}', 0x92).stop()))
                .isEqualTo(placeholder);
        assertThat(read(pickle().op('(', 'i').ascii(module + "\n" + name + "\n").stop()))
                .isEqualTo(placeholder);
        assertThat(read(pickle().mark().global(module, name).op('o').stop())).isEqualTo(placeholder);
        assertThat(read(pickle().text(module).text(name).op(0x93).stop())).isEqualTo(placeholder);
        assertThat(read(pickle().global("copy_reg", "_reconstructor")
                        .mark()
                        .global(module, name)
                        .global("__builtin__", "object")
                        .op('N', 't')
                        .reduce()
                        .stop()))
                .isEqualTo(placeholder);
    }

    /** Modules and names that honest files bear, or that at least say nothing of their intent. */
    static final String[] INERT = {
        "sys, exit",
        "sys, modules",
        "builtins, getattr",
        "builtins, setattr",
        "builtins, open",
        "importlib, import_module",
        "importlib.machinery, SourceFileLoader",
        "operator, attrgetter",
        "operator, methodcaller",
        "functools, reduce",
        "pickle, loads",
        "_pickle, loads",
        "marshal, loads",
        "types, CodeType",
        "torch, load",
        "torch.serialization, load",
        "torch.jit, load",
        "collections, OrderedDict.__init__.__globals__",
        "collections, abc.sys.modules",
        "numpy, load",
        "bdb, Bdb",
        "shutil, copyfileobj",
        "http.client, HTTPSConnection",
        "requests.api, get",
        "torch.hub, load_state_dict_from_url",
        "io, open",
        "builtins, input",
        "builtins, globals",
        "torch.package, PackageImporter",
        "threading, Thread",
        "unittest.mock, _importer",
        "os, getcwd",
        "os, _Environ",
        "os, stat_result",
        "posix, stat_result",
        "subprocess, CompletedProcess",
        "functools, partial",
        "pathlib, PosixPath",
        "types, SimpleNamespace",
        "inspect, Parameter",
        "urllib.parse, ParseResult",
        "signal, Signals",
        "multiprocessing.context, SpawnContext",
        "distutils.version, LooseVersion",
        "builtins, map",
        "my.package, Eval.exec_",
        "myos, system"
    };

    @ParameterizedTest
    @FieldSource("INERT")
    void global_thatHonestFilesBear_isAPlaceholderByEveryOpcode(String global) throws IOException {
        String module = global.split(", ", -1)[0];
        String name = global.split(", ", -1)[1];
        String lines = module + "\n" + name + "\n";
        Value placeholder = new Value.Placeholder(module + "." + name);
        byte[][] pickles = {
            pickle().global(module, name).text("id").op(0x85).reduce().stop(),
            pickle().global(module, name).stop(),
            pickle().text(module)
                    .text(name)
                    .op(0x93)
                    .text("id")
                    .op(0x85)
                    .reduce()
                    .stop(),
            pickle().mark().text("id").op('i').ascii(lines).stop(),
            pickle().mark().global(module, name).text("id").op('o').stop(),
            pickle().global(module, name).text("id").op(0x85, 0x81).stop()
        };
        for (byte[] pickle : pickles) {
            Checkpoint checkpoint = readPickle(directory, pickle);
            assertThat(checkpoint.root()).isEqualTo(placeholder);
            assertThat(checkpoint.placeholders()).containsExactly(module + "." + name);
        }
    }

    /** Modules and names that files made to attack bear. */
    static final String[] ATTACKS = {
        "os, system",
        "posix, system",
        "nt, system",
        "subprocess, Popen",
        "subprocess, check_output",
        "builtins, eval",
        "builtins, exec",
        "builtins, compile",
        "builtins, __import__",
        "__builtin__, eval",
        "__builtin__, execfile",
        "runpy, run_path",
        "shutil, rmtree",
        "socket, create_connection",
        "ctypes, CDLL",
        "pty, spawn",
        "code, InteractiveConsole",
        "webbrowser, open",
        "pip, main",
        "pdb, run",
        "cProfile, run",
        "timeit, timeit",
        "asyncio, create_subprocess_shell",
        "multiprocessing.util, spawnv_passfds",
        "urllib.request, urlopen",
        "torch.hub, load",
        "torch.utils.cpp_extension, load_inline",
        "torch.utils.bottleneck.__main__, run_cprofile",
        "torch.serialization, os.system",
        "torch, serialization.os.system",
        "numpy.testing._private.utils, runstring",
        "posix, popen",
        "os, popen",
        "os, execv",
        "os, spawnlp",
        "commands, getoutput",
        "subprocess, call",
        "subprocess, run",
        "numpy.f2py.crackfortran, getlincoef",
        "torch._inductor.codecache, compile_file",
        "torch.utils.collect_env, run",
        "idlelib.pyshell, ModifiedInterpreter.runcode",
        "ensurepip, _run_pip",
        "doctest, debug_script",
        "profile, Profile.run"
    };

    @ParameterizedTest
    @FieldSource("ATTACKS")
    void global_thatOnlyAnAttackWouldName_isRefusedByEveryOpcode(String global) throws IOException {
        String module = global.split(", ", -1)[0];
        String name = global.split(", ", -1)[1];
        String lines = module + "\n" + name + "\n";
        byte[][] pickles = {
            pickle().global(module, name).text("id").op(0x85).reduce().stop(),
            pickle().global(module, name).stop(),
            pickle().text(module)
                    .text(name)
                    .op(0x93)
                    .text("id")
                    .op(0x85)
                    .reduce()
                    .stop(),
            pickle().mark().text("id").op('i').ascii(lines).stop(),
            pickle().mark().global(module, name).text("id").op('o').stop(),
            pickle().global(module, name).text("id").op(0x85, 0x81).stop()
        };
        for (byte[] pickle : pickles) {
            CheckpointException refusal = refusedPickle(directory, pickle);
            assertThat(refusal).hasMessageContaining(module + "." + name).hasMessageContaining("attack");
            assertThat(refusal.offset()).isPresent();
        }
    }

    @Test
    void attack_behindAHarmlessValue_isRefused() throws IOException {
        byte[] pickle = pickle().global("os", "system")
                .text("id")
                .op(0x85)
                .reduce()
                .op('0')
                .dict()
                .stop();
        assertThat(refusedPickle(directory, pickle)).hasMessageContaining("os.system");
    }

    @Test
    void list_thatHoldsItself_isRefused() throws IOException {
        assertThat(refusedPickle(
                        directory, pickle().list().put(0).get(0).op('a').stop()))
                .hasMessageContaining("contains itself");
    }

    @Test
    void mapping_thatHoldsItselfThroughATuple_isRefused() throws IOException {
        byte[] pickle = pickle().dict().put(0).text("k").get(0).op(0x85, 's').stop();
        assertThat(refusedPickle(directory, pickle)).hasMessageContaining("contains itself");
    }

    @Test
    void mapping_thatIsItsOwnKey_isRefused() throws IOException {
        byte[] pickle = pickle().dict().put(0).get(0).op('N', 's').stop();
        assertThat(refusedPickle(directory, pickle)).hasMessageContaining("which Python does not allow");
    }

    @Test
    void sharedParts_thatDoubleAtEachLevel_areRefused() throws IOException {
        // Each list holds the one before twice: 2^40 leaves when spelled out.
        PickleAssembler pickle = pickle().list().put(0);
        for (int i = 0; i < 40; i++) {
            pickle.op('0').list().put(i + 1).get(i).op('a').get(i).op('a');
        }
        assertThat(refusedPickle(directory, pickle.stop())).hasMessageContaining("values");
    }

    @Test
    void copies_ofALongList_areCounted() throws IOException {
        PickleAssembler pickle = pickle().list().mark();
        for (int i = 0; i < 100_000; i++) {
            pickle.op('N');
        }
        pickle.op('e', 0x85).put(0).op('0');
        for (int i = 0; i < 1000; i++) {
            pickle.global("builtins", "list").get(0).reduce().op('0');
        }
        assertThat(refusedPickle(directory, pickle.op('N').stop())).hasMessageContaining("--limit values=N");
    }

    @Test
    void copies_ofALongText_areCounted() throws IOException {
        PickleAssembler pickle =
                pickle().text("x".repeat(1_000_000)).text("latin1").op(0x86).put(0);
        for (int i = 0; i < 1000; i++) {
            pickle.global("_codecs", "encode").get(0).reduce();
        }
        assertThat(refusedPickle(directory, pickle.mark().op('1').stop()))
                .hasMessageContaining("more bytes than the file has");
    }

    @ParameterizedTest
    @ValueSource(ints = {']', ')', '}', '(', 'N', 0x88})
    void values_withoutEnd_areRefused(int opcode) throws IOException {
        PickleAssembler pickle = pickle();
        for (int i = 0; i < 1_000_000; i++) {
            pickle.op(opcode);
        }
        assertThat(refusedPickle(directory, pickle.stop())).hasMessageContaining("--limit values=N");
    }

    @Test
    void memoIndex_beyondTheLimit_isRefusedWithoutAllocating() throws IOException {
        assertThat(refusedPickle(directory, pickle().op('N').put(-1).stop())).hasMessageContaining("memoEntries");
        assertThat(refusedPickle(
                        directory, pickle().op('N', 'p').ascii("999999999\n").stop()))
                .hasMessageContaining("memoEntries");
    }

    @Test
    void nesting_ofAMillionLists_isRefused() throws IOException {
        PickleAssembler pickle = pickle();
        for (int i = 0; i < 200_000; i++) {
            pickle.op(']');
        }
        for (int i = 0; i < 199_999; i++) {
            pickle.op('a');
        }
        assertThat(refusedPickle(directory, pickle.stop())).hasMessageContaining("nestingDepth");
    }

    @Test
    void mapping_withOneKeyTwice_isRefused() throws IOException {
        byte[] pickle =
                pickle().dict().text("a").op('N', 's').text("a").op('N', 's').stop();
        assertThat(refusedPickle(directory, pickle)).hasMessageContaining("two entries at a");
    }

    @Test
    void pickle_truncatedAnywhere_isRefused() throws IOException {
        byte[] whole = pickle().dict()
                .text("w")
                .tensor("FloatStorage", "0", 6, 0, new long[] {2, 3}, new long[] {3, 1})
                .setItem()
                .stop();
        assertThat(at(read(whole), "w")).isInstanceOf(Tensor.class);
        for (int length = 0; length < whole.length; length++) {
            refusedPickle(directory, Arrays.copyOf(whole, length));
        }
    }

    @Test
    void pickle_withBytesAfterItsEnd_isRefused() throws IOException {
        assertThat(refusedPickle(directory, pickle().op('N', '.', 'N').stop())).hasMessageContaining("continues");
    }

    @Test
    void pickle_thatIsMalformed_isRefused() throws IOException {
        byte[][] malformed = {
            pickle().stop(),
            pickle().op('N', 'N').stop(),
            pickle().mark().stop(),
            pickle().op('0').stop(),
            pickle().op('1').stop(),
            pickle().op('2').stop(),
            pickle().op('t').stop(),
            pickle().op('N', 0x87).stop(),
            pickle().op('N', 'R').stop(),
            pickle().op('N', 'N', 'R').stop(),
            pickle().op('N', ')', 'R').stop(),
            pickle().op('N', ')', 0x81).stop(),
            pickle().op('N', 'N', 'a').stop(),
            pickle().op('N', 'N', 'N', 's').stop(),
            pickle().op('}', '(', 'N', 'u').stop(),
            pickle().op('(', 'N', 'd').stop(),
            pickle().op('(', 'o').stop(),
            pickle().op('N', 'N', 'b').stop(),
            pickle().global("torch._utils", "_rebuild_tensor_v2").op('}', 'b').stop(),
            pickle().op('}', '}', 'b').stop(),
            pickle().global("torch", "Size").op('K', 1, 0x89, 0x86, 0x85, 'R').stop(),
            pickle().op(']', '}', 'b').stop(),
            pickle().op(')', '}', 'b').stop(),
            pickle().global("collections", "defaultdict").op(')', 'R', '}', 'b').stop(),
            pickle().op('N', 'Q').stop(),
            pickle().op(')', 'Q').stop(),
            pickle().op('h', 0).stop(),
            pickle().op('j').int32(-1).stop(),
            pickle().op('g').ascii("x\n").stop(),
            pickle().op('q', 0).stop(),
            pickle().op('N', 'N', 0x93).stop(),
            pickle().op('P').ascii("1\n").stop(),
            pickle().op(0x82, 1).stop(),
            pickle().op(0x97).stop(),
            pickle().op(0x98).stop(),
            pickle().op(0xff).stop(),
            pickle().op(0x80, 6).stop(),
            pickle().op(0x95).int32(0).int32(-1).stop(),
            pickle().op('X').int32(-1).stop(),
            pickle().op('X').int32(1).op(0xff).stop(),
            pickle().op(0x8d).int32(-1).int32(-1).stop(),
            pickle().op(0x8e).int32(0).int32(0x7fffffff).stop(),
            pickle().op('T').int32(-1).stop(),
            pickle().op(0x8b).int32(-1).stop(),
            pickle().op(0x8b).int32(256).stop(),
            pickle().op('I').ascii("1e3\n").stop(),
            pickle().op('L').ascii("9".repeat(700) + "\n").stop(),
            pickle().op('F').ascii("1.2.3\n").stop(),
            pickle().op('F').ascii("0x1p3\n").stop(),
            pickle().op('V').ascii("x".repeat(2000) + "\n").stop(),
            pickle().op('c').ascii("no line feed").stop()
        };
        for (byte[] pickle : malformed) {
            assertThat(refusedPickle(directory, pickle).offset()).isPresent();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "collections, OrderedDict",
        "collections, Counter",
        "builtins, set",
        "builtins, bytearray",
        "_codecs, encode",
        "torch, Size",
        "torch, device",
        "torch._utils, _rebuild_tensor",
        "torch._utils, _rebuild_tensor_v2",
        "torch._utils, _rebuild_tensor_v3",
        "torch._utils, _rebuild_parameter"
    })
    void knownGlobal_calledWithOddArguments_isRefused(String module, String name) throws IOException {
        assertThat(refusedPickle(
                        directory,
                        pickle().global(module, name)
                                .op('N', 'N', 0x86)
                                .reduce()
                                .stop()))
                .hasMessageContaining(module + "." + name);
    }
}
