package io.github.convzoo.checkpoint;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the globals of a pickle stand for. A global is a name, and stays one: nothing is looked up, loaded or called.
 *
 * <p>A name is known, and then says which inert value is to be built; or it is refused; or it is anything else, and stands
 * for a placeholder.
 */
final class PickleGlobals {
    private PickleGlobals() {}

    /** What calling a global with arguments builds. */
    enum Role {
        /** {@code ()}, pairs, or a mapping: a mapping. */
        MAPPING,
        /** {@code (factory)} and perhaps what MAPPING takes: a mapping. */
        DEFAULT_MAPPING,
        /** {@code (items)}: a sequence of them. */
        SEQUENCE,
        /** {@code (text, encoding)}: bytes. Pickles of protocol 2 write them so. */
        ENCODED_BYTES,
        /** {@code (bytes)} or {@code (text, encoding)}: bytes. */
        BYTES,
        /** {@code (kind)} or {@code (kind, index)}: the text of both. */
        DEVICE,
        /** {@code (class, ...)}: a placeholder that bears the class's name. */
        RECONSTRUCTOR,
        /** {@code (storage, offset, shape, strides, ...)}: a tensor of the storage's element type. */
        TENSOR,
        /** The same with an element type as the seventh argument. */
        TYPED_TENSOR,
        /** {@code (tensor, ...)}: that tensor. */
        PARAMETER,
        /** {@code (function, class, arguments, state)}: what the function, one of the three above, makes of the arguments. */
        TENSOR_SUBCLASS,
        /** {@code (numpy.ndarray, ...)}: an array that its state is yet to make. */
        ARRAY,
        /** The class of arrays; an argument. */
        ARRAY_TYPE,
        /** {@code (code, ...)}: the element type of an array, whose byte order is its state. */
        ARRAY_ELEMENT_TYPE,
        /** A class of a TorchScript archive's own code: a mapping of the object's attributes. */
        SCRIPT_CLASS,
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
     * @param name module and name, as Python 3 calls them
     * @param elements for a storage or an element type: which, or null where {@link ElementType} has it not
     */
    record Global(String name, Role role, @Nullable ElementType elements) {}

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
        // Without a type of its own such a storage counts bytes, and so is one of them.
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
            KNOWN.put("torch." + name, new Global("torch." + name, Role.ELEMENT_TYPE, elements));
        }
    }

    /*
     * The refused names. They are no line of defence: a name runs nothing here, and a list of bad names is never complete.
     * They are here because a file that bears one was made to attack whoever loads it elsewhere, and its owner should hear
     * of that instead of getting its tensors.
     */

    /** Modules of which no checkpoint needs a name; modules inside them count as well. */
    private static final Set<String> REFUSED_MODULES = Set.of(
            words(
                    """
            os posix posixpath nt ntpath subprocess _posixsubprocess popen2 sys importlib imp zipimport pkgutil
            runpy shutil socket _socket ssl ctypes _ctypes cffi pty tty codeop webbrowser antigravity pdb bdb
            cProfile multiprocessing asyncio _thread urllib urllib2 http httplib ftplib smtplib poplib imaplib
            telnetlib xmlrpc requests aiohttp pickle _pickle cPickle marshal shelve pip ensurepip venv idlelib
            lib2to3 distutils pydoc doctest fileinput inspect linecache torch.hub torch.package
            torch.multiprocessing torch.distributed.rpc torch.utils.cpp_extension torch.utils.model_zoo
            torch.utils.collect_env torch.utils.bottleneck torch._inductor torch.fx.experimental
            torch.testing._internal numpy.testing numpy.f2py numpy.distutils numpy.ctypeslib numpy.lib.npyio"""));

    /** Names in modules that also have harmless ones, or whose names people give to modules of their own. */
    private static final Set<String> REFUSED_NAMES = Set.of(
            words(
                    """
            builtins.eval builtins.exec builtins.execfile builtins.compile builtins.getattr builtins.setattr
            builtins.delattr builtins.__import__ builtins.__build_class__ builtins.open builtins.file
            builtins.input builtins.raw_input builtins.globals builtins.locals builtins.vars builtins.dir
            builtins.apply builtins.breakpoint builtins.reload builtins.memoryview builtins.map builtins.filter
            builtins.reduce builtins.exit builtins.quit builtins.help io.open io.open_code io.FileIO _io.open
            _io.FileIO codecs.open operator.attrgetter operator.methodcaller _operator.attrgetter
            _operator.methodcaller functools.reduce _functools.reduce types.CodeType types.FunctionType
            types.LambdaType types.MethodType types.ModuleType copyreg.add_extension _codecs.decode
            codecs.decode code.InteractiveInterpreter code.InteractiveConsole code.interact
            code.compile_command commands.getoutput commands.getstatusoutput profile.run profile.runctx
            profile.Profile trace.Trace timeit.timeit timeit.repeat timeit.main timeit.Timer site.execsitecustomize
            site.addpackage atexit.register signal.signal threading.Thread threading.Timer
            test.support.script_helper.assert_python_ok unittest.mock._importer numpy.load numpy.loads
            numpy.memmap numpy.fromfile numpy.save numpy.savetxt torch.load torch.save torch.serialization.load
            torch.serialization.save torch.storage._load_from_bytes torch.jit.load
            torch.jit.unsupported_tensor_ops.execWrapper torch._dynamo.guards.GuardBuilder.get torch.ops
            torch.classes torch.compile torch.from_file pandas.read_pickle pandas.io.pickle.read_pickle
            joblib.load dill.loads dill.load cloudpickle.loads cloudpickle.load"""));

    /** Refused wherever they stand in a dotted name, through which protocol 4 reaches a module inside a harmless one. */
    private static final Set<String> REFUSED_ANYWHERE = Set.of(
            words(
                    """
            os posix nt subprocess sys ctypes importlib builtins __builtins__ __builtin__ __globals__ __import__
            __subclasses__ __class__ __bases__ __mro__ __code__ __closure__ __dict__ __getattribute__ __reduce__
            __reduce_ex__ __loader__ __spec__ eval exec system popen"""));

    /** The bytes that a storage of a class takes for an element, those beyond {@link ElementType} included. */
    static int elementBytes(Global storage) {
        ElementType elements = storage.elements();
        if (elements != null) {
            return elements.bytes();
        }
        return switch (storage.name().substring(storage.name().lastIndexOf('.') + 1)) {
            case "ComplexDoubleStorage" -> 16;
            case "ComplexFloatStorage" -> 8;
            case "QInt32Storage" -> 4;
            default -> 1;
        };
    }

    /** What a global is, or null if it is to be refused. */
    static @Nullable Global resolve(String module, String name) {
        // Python 3 maps the names of Python 2 so; protocols before 3 are written with the old ones.
        String module3 =
                switch (module) {
                    case "__builtin__" -> "builtins";
                    case "copy_reg" -> "copyreg";
                    default -> module;
                };
        String full = module3 + "." + name;
        return isRefused(name, full) ? null : known(full);
    }

    private static Global known(String full) {
        Global known = KNOWN.get(full);
        if (known != null) {
            return known;
        }
        return new Global(full, full.startsWith("__torch__.") ? Role.SCRIPT_CLASS : Role.UNKNOWN, null);
    }

    private static boolean isRefused(String name, String full) {
        if (REFUSED_NAMES.contains(full)) {
            return true;
        }
        for (int dot = full.indexOf('.'); dot >= 0; dot = full.indexOf('.', dot + 1)) {
            // What is inside a refused name, a class's method, is refused as well.
            if (REFUSED_MODULES.contains(full.substring(0, dot)) || REFUSED_NAMES.contains(full.substring(0, dot))) {
                return true;
            }
        }
        if (REFUSED_MODULES.contains(full)) {
            return true;
        }
        for (String part : name.split("\\.", -1)) {
            if (REFUSED_ANYWHERE.contains(part)) {
                return true;
            }
        }
        return false;
    }
}
