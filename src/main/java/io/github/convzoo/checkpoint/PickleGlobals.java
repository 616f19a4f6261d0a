package io.github.convzoo.checkpoint;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The meaning of a pickle's globals. A global is just a name: nothing is looked up, loaded or called.
 *
 * <p>A known name determines which inert value to build; some names occur only in attacks; any other name becomes a
 * placeholder.
 */
final class PickleGlobals {
    private PickleGlobals() {}

    /** The value built by calling a global with arguments. */
    enum Role {
        /** {@code ()}, pairs, or a mapping: a mapping. */
        MAPPING,
        /** {@code (factory)} and optionally the arguments of MAPPING: a mapping. */
        DEFAULT_MAPPING,
        /** {@code (items)}: a sequence of them. */
        SEQUENCE,
        /** {@code (text, encoding)}: bytes. The form in pickles of protocol 2. */
        ENCODED_BYTES,
        /** {@code (bytes)} or {@code (text, encoding)}: bytes. */
        BYTES,
        /** {@code (kind)} or {@code (kind, index)}: the text of both. */
        DEVICE,
        /** {@code (class, ...)}: a placeholder with the class's name. */
        RECONSTRUCTOR,
        /** {@code (storage, offset, shape, strides, ...)}: a tensor of the storage's element type. */
        TENSOR,
        /** The same with an element type as the seventh argument. */
        TYPED_TENSOR,
        /** {@code (tensor, ...)}: that tensor. */
        PARAMETER,
        /**
         * {@code (function, class, arguments, state)}: the result of the function, one of the three above, for the
         * arguments.
         */
        TENSOR_SUBCLASS,
        /** {@code (numpy.ndarray, ...)}: an array that its state will fill. */
        ARRAY,
        /** The class of arrays; an argument. */
        ARRAY_TYPE,
        /** {@code (code, ...)}: the element type of an array, whose byte order is its state. */
        ARRAY_ELEMENT_TYPE,
        /** A class of a TorchScript archive's own code: a mapping of the object's attributes. */
        SCRIPT_CLASS,
        /**
         * {@code (bytes)}: the storage in the bytes, a file of torch.save before 1.6. The form of storages in plain
         * pickles.
         */
        STORAGE_BYTES,
        /** The class of a storage; in a persistent id. */
        STORAGE,
        /** An element type; an argument. */
        ELEMENT_TYPE,
        /** Anything else: a placeholder. */
        UNKNOWN
    }

    /**
     * A global.
     *
     * @param name module and name, in Python 3's naming
     * @param elements the element type of a storage or element type; null if {@link ElementType} lacks it
     */
    record Global(String name, Role role, @Nullable ElementType elements) {

        /** The name without its module. */
        String shortName() {
            return name.substring(name.lastIndexOf('.') + 1);
        }
    }

    private static final Map<String, Global> KNOWN = new HashMap<>();

    static {
        know(Role.MAPPING, "collections.OrderedDict", "collections.Counter", "builtins.dict");
        know(Role.DEFAULT_MAPPING, "collections.defaultdict");
        know(
                Role.SEQUENCE,
                "builtins.list",
                "builtins.tuple",
                "builtins.set",
                "builtins.frozenset",
                "collections.deque",
                "torch.Size",
                "torch.jit._pickle.build_tensorlist");
        know(Role.ENCODED_BYTES, "_codecs.encode");
        know(Role.BYTES, "builtins.bytes", "builtins.bytearray");
        know(Role.DEVICE, "torch.device");
        know(Role.RECONSTRUCTOR, "copyreg._reconstructor", "copyreg.__newobj__", "copyreg.__newobj_ex__");
        know(Role.TENSOR, "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2");
        know(Role.TYPED_TENSOR, "torch._utils._rebuild_tensor_v3");
        know(Role.PARAMETER, "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state");
        know(Role.TENSOR_SUBCLASS, "torch._tensor._rebuild_from_type_v2");

        know(Role.STORAGE_BYTES, "torch.storage._load_from_bytes");

        know(Role.ARRAY, "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct");
        know(Role.ARRAY_TYPE, "numpy.ndarray");
        know(Role.ARRAY_ELEMENT_TYPE, "numpy.dtype");

        storage("Double", ElementType.F64);
        storage("Float", ElementType.F32);
        storage("Half", ElementType.F16);
        storage("BFloat16", ElementType.BF16);
        storage("Long", ElementType.I64);
        storage("Int", ElementType.I32);
        storage("Short", ElementType.I16);
        storage("Char", ElementType.I8);
        storage("Byte", ElementType.U8);
        storage("Bool", ElementType.BOOL);
        for (String name : words("ComplexDouble ComplexFloat QInt8 QInt32 QUInt8 QUInt4x2 QUInt2x4")) {
            storage(name, null);
        }
        // A storage without its own type counts bytes, so it is one of them.
        for (String name : new String[] {"torch.storage.UntypedStorage", "torch.UntypedStorage"}) {
            KNOWN.put(name, new Global(name, Role.STORAGE, ElementType.U8));
        }

        elementType(ElementType.F64, "float64", "double");
        elementType(ElementType.F32, "float32", "float");
        elementType(ElementType.F16, "float16", "half");
        elementType(ElementType.BF16, "bfloat16");
        elementType(ElementType.I64, "int64", "long");
        elementType(ElementType.I32, "int32", "int");
        elementType(ElementType.I16, "int16", "short");
        elementType(ElementType.I8, "int8");
        elementType(ElementType.U8, "uint8");
        elementType(ElementType.BOOL, "bool");
        elementType(
                null,
                words(
                        """
            uint16 uint32 uint64 complex32 complex64 complex128 cfloat cdouble qint8 qint32 quint8 quint4x2
            quint2x4 float8_e5m2 float8_e4m3fn float8_e5m2fnuz float8_e4m3fnuz float8_e8m0fnu float4_e2m1fn_x2
            bcomplex32 bits8 bits16 bits1x8 bits2x4 bits4x2"""));
    }

    private static String[] words(String text) {
        return text.split("\\s+", -1);
    }

    private static void know(Role role, String... names) {
        for (String name : names) {
            KNOWN.put(name, new Global(name, role, null));
        }
    }

    private static void storage(String kind, @Nullable ElementType elements) {
        for (String module : new String[] {"torch.", "torch.cuda."}) {
            String name = module + kind + "Storage";
            KNOWN.put(name, new Global(name, Role.STORAGE, elements));
        }
    }

    private static void elementType(@Nullable ElementType elements, String... names) {
        for (String name : names) {
            // The others are aliases, which PyTorch shows by the first name.
            String shown = "torch." + (elements == null ? name : names[0]);
            KNOWN.put("torch." + name, new Global(shown, Role.ELEMENT_TYPE, elements));
        }
    }

    /*
     * Names that only attacks use. They are not the defense: no name is ever run here, and such a list is never
     * complete. They serve to warn: a file with such a name was made to attack other readers, and its owner should
     * know. Only callables belong here that run a command or code, or delete files, and that no honest file pickles: a
     * bound method is pickled as getattr, a function of an enum as operator.attrgetter, a signature as
     * inspect.Parameter.
     */

    /** Callables that only attacks name. Their attributes, such as {@code eval.__call__}, also count. */
    private static final Set<String> ATTACKS = attacks();

    private static Set<String> attacks() {
        Set<String> names = new HashSet<>();
        for (String module : words("os posix nt")) {
            for (String name : words(
                    """
                system popen popen2 popen3 popen4 startfile fork forkpty execl execle execlp execlpe execv execve execvp
                execvpe spawnl spawnle spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe posix_spawn posix_spawnp remove
                unlink rmdir removedirs kill killpg""")) {
                names.add(module + "." + name);
            }
        }
        names.addAll(
                List.of(
                        words(
                                """
            subprocess.Popen subprocess.run subprocess.call subprocess.check_call subprocess.check_output
            subprocess.getoutput subprocess.getstatusoutput subprocess.os _posixsubprocess.fork_exec
            commands.getoutput commands.getstatusoutput popen2.popen2 popen2.popen3 popen2.Popen3 platform.popen
            builtins.eval builtins.exec builtins.execfile builtins.compile builtins.__import__
            pty.spawn runpy.run_module runpy.run_path runpy._run_code runpy._run_module_code runpy._run_module_as_main
            code.interact code.InteractiveInterpreter code.InteractiveConsole codeop.compile_command
            timeit.timeit timeit.repeat timeit.main timeit.Timer cProfile.run cProfile.runctx profile.run
            profile.runctx profile.Profile.run pdb.run pdb.runeval pdb.runcall bdb.Bdb.run trace.Trace.run
            shutil.rmtree shutil.move webbrowser.open pip.main ensurepip._run_pip distutils.spawn.spawn
            multiprocessing.popen_spawn_posix.Popen multiprocessing.popen_fork.Popen
            multiprocessing.util.spawnv_passfds asyncio.create_subprocess_shell asyncio.create_subprocess_exec
            ctypes.CDLL ctypes.PyDLL ctypes.cdll.LoadLibrary socket.create_connection urllib.request.urlopen
            urllib.request.urlretrieve urllib.urlopen urllib.urlretrieve doctest.debug_script
            idlelib.pyshell.ModifiedInterpreter.runcode
            numpy.testing._private.utils.runstring numpy.testing.utils.runstring
            torch.jit.unsupported_tensor_ops.execWrapper torch.utils.cpp_extension.load_inline
            numpy.f2py.crackfortran.getlincoef numpy.f2py.crackfortran.myeval torch.hub.load
            torch.utils.cpp_extension.load torch.utils.collect_env.run torch.utils.bottleneck.__main__.run_cprofile
            torch._inductor.codecache.compile_file""")));
        return Set.copyOf(names);
    }

    /** The maximum number of parts of a dotted name; PyTorch's deepest method has eleven. */
    static final int PARTS = 24;

    private static final int LONGEST_ATTACK =
            ATTACKS.stream().mapToInt(String::length).max().orElse(0);

    /** The bytes per element of a storage class, including classes that {@link ElementType} lacks. */
    static int elementBytes(Global storage) {
        ElementType elements = storage.elements();
        if (elements != null) {
            return elements.bytes();
        }
        return switch (storage.shortName()) {
            case "ComplexDoubleStorage" -> 16;
            case "ComplexFloatStorage" -> 8;
            case "QInt32Storage" -> 4;
            default -> 1;
        };
    }

    /** Resolves a global; null if only attacks name it. */
    static @Nullable Global resolve(String module, String name) {
        // Python 3 maps Python 2's names like this; protocols before 3 use the old names.
        String module3 =
                switch (module) {
                    case "__builtin__" -> "builtins";
                    case "copy_reg" -> "copyreg";
                    default -> module;
                };
        String full = module3 + "." + name;
        return isAttack(full) ? null : known(full);
    }

    private static Global known(String full) {
        Global known = KNOWN.get(full);
        if (known != null) {
            return known;
        }
        return new Global(full, full.startsWith("__torch__.") ? Role.SCRIPT_CLASS : Role.UNKNOWN, null);
    }

    /** Whether a name has an acceptable number of parts. */
    static boolean isName(String module, String name) {
        return 2 + dots(module) + dots(name) <= PARTS;
    }

    private static int dots(String text) {
        int dots = 0;
        for (int at = text.indexOf('.'); at >= 0; at = text.indexOf('.', at + 1)) {
            dots++;
        }
        return dots;
    }

    private static boolean isAttack(String full) {
        for (int first = 0; first >= 0; first = full.indexOf('.', first) + 1) {
            // Protocol 4 can reach a module inside a harmless one: torch.serialization.os.system.
            for (int end = first; end < full.length() && end - first <= LONGEST_ATTACK; ) {
                int dot = full.indexOf('.', end);
                end = dot < 0 ? full.length() : dot;
                if (end - first <= LONGEST_ATTACK && ATTACKS.contains(full.substring(first, end))) {
                    return true;
                }
                end++;
            }
            if (full.indexOf('.', first) < 0) {
                return false;
            }
        }
        return false;
    }
}
