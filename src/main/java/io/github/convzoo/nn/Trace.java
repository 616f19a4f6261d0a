package io.github.convzoo.nn;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrayAdapter;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.internal.NDArrayEx;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.training.ParameterStore;
import io.github.convzoo.graph.Constant;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Node;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Type;
import io.github.convzoo.graph.Value;
import java.lang.StackWalker.StackFrame;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One run of a block on recorded arrays, for one batch size. Not thread-safe. */
final class Trace {

    static final String NO_OPERATION = "graphs have no such operation";

    static final String NO_VALUES = NO_OPERATION
            + ", and the values of an array that depends on the input cannot be read before the network runs";

    private final Block whole;

    /** The block that names are relative to; the traced block itself unless it is part of a network. */
    private final Block root;

    private final IdentityHashMap<Block, String> names;
    private final Map<String, Parameter> parameters;
    private final IdentityHashMap<Parameter, String> parameterNames = new IdentityHashMap<>();
    private final IdentityHashMap<NDArray, String> parameterArrays = new IdentityHashMap<>();
    private final Literals literals;
    private final long batch;
    private final NDManager manager;
    private final ParameterStore store;
    private final Graph.Builder graph = new Graph.Builder();
    private final Map<Recording.Leaf, Block> leaves = new HashMap<>();
    private String current = "";
    private String lastRead = "";
    private boolean roundsUp;
    private @Nullable RuntimeException refused;

    /**
     * What a run recorded.
     *
     * @param roundsUp whether a pool would round the size of another input up, which graphs cannot
     */
    record Run(Recording recording, boolean roundsUp) {
        Graph graph() {
            return recording.graph();
        }
    }

    /** The block does not run for this input, recorded or not: an operation does not fit, or the block refuses it. */
    static final class UnfitInputException extends IllegalArgumentException {

        private static final long serialVersionUID = 1L;

        UnfitInputException(String message, RuntimeException cause) {
            super(message, cause);
        }
    }

    private Trace(Block whole, long batch, Literals literals, NDManager manager) {
        this.whole = whole;
        this.batch = batch;
        this.literals = literals;
        this.manager = manager;
        root = whole instanceof GraphBlock block ? block.nameRoot() : whole;
        names = CanonicalNames.blocks(root);
        parameters = CanonicalNames.parameters(root);
        parameters.forEach((name, parameter) -> {
            parameterNames.putIfAbsent(parameter, name);
            if (parameter.isInitialized()) {
                parameterArrays.putIfAbsent(parameter.getArray(), name);
            }
        });
        store = new ParameterStore(manager, false) {
            @Override
            public @Nullable NDArray getValue(@Nullable Parameter parameter, Device device, boolean training) {
                // Optional parameters are null in DJL.
                return parameter == null ? null : read(parameter);
            }
        };
    }

    /** Records a block for an input with a batch of known size. */
    static Run run(Block block, Type input, Literals literals) {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            Trace trace = new Trace(block, input.get(0), literals, manager);
            RecordedArray array = new RecordedArray(trace, input, trace.graph.input());
            List<Value> outputs = trace.outputs(new NDList(array)).stream()
                    .map(RecordedArray::value)
                    .toList();
            Recording recording = new Recording(trace.graph.build(outputs), trace.leaves, List.of(), trace.parameters);
            return new Run(recording, trace.roundsUp);
        }
    }

    private List<RecordedArray> outputs(NDList input) {
        try {
            List<RecordedArray> outputs =
                    forward(whole, input).stream().map(this::recorded).toList();
            if (refused != null) {
                // The block caught it.
                throw refused;
            }
            return outputs;
        } catch (RuntimeException e) {
            if (e == refused) {
                throw e;
            }
            String message = "%s cannot be traced (in %s): %s"
                    .formatted(
                            operation(Arrays.stream(e.getStackTrace())
                                    .map(StackTraceElement::getMethodName)
                                    .filter(method -> !method.equals("<init>"))
                                    .findFirst()),
                            where(),
                            e);
            // Thrown by DJL's adapter for operations that it lacks, or by the block itself.
            throw e instanceof UnsupportedOperationException
                    ? new IllegalArgumentException(message, e)
                    : new UnfitInputException(message, e);
        }
    }

    NDManager manager() {
        return manager;
    }

    // Blocks

    /** Runs a block. A sequence's children are run one by one, so that the running block is known. */
    private NDList forward(Block block, NDList inputs) {
        String outer = current;
        String name = names.get(block);
        if (name != null) {
            current = name;
        }
        NDList outputs = inputs;
        if (isPlainSequence(block)) {
            for (Block child : block.getChildren().values()) {
                outputs = forward(child, outputs);
            }
        } else {
            outputs = block.forward(store, inputs, false);
        }
        if (name != null && !name.isEmpty() && outputs.size() == 1 && outputs.get(0) instanceof RecordedArray output) {
            graph.name(name, output.value());
        }
        current = outer;
        return outputs;
    }

    private static boolean isPlainSequence(Block block) {
        if (!(block instanceof SequentialBlock sequence) || sequence.isReturnIntermediate()) {
            return false;
        }
        for (Class<?> type = block.getClass(); type != SequentialBlock.class; type = type.getSuperclass()) {
            if (Arrays.stream(type.getDeclaredMethods())
                    .anyMatch(method -> method.getName().startsWith("forward"))) {
                return false;
            }
        }
        return true;
    }

    /** Inserts the recorded graph of a ConvZoo block; unknown blocks inside it are traced. */
    NDList splice(GraphBlock block, NDList inputs) {
        String name = nameOf(block);
        String outer = current;
        current = name;
        List<RecordedArray> arrays = inputs.stream().map(this::recorded).toList();
        Recording recording = block.record(inputs.size(), root);
        Map<Value, RecordedArray> known = new HashMap<>();
        for (int i = 0; i < arrays.size(); i++) {
            known.put(recording.graph().inputs().get(i), arrays.get(i));
        }
        for (Node node : recording.graph().nodes()) {
            List<RecordedArray> operands =
                    node.inputs().stream().map(known::get).toList();
            List<RecordedArray> results = results(recording.block(node), node, operands);
            for (int i = 0; i < results.size(); i++) {
                known.put(node.outputs().get(i), results.get(i));
            }
        }
        recording
                .graph()
                .names()
                .forEach((each, value) -> graph.name(
                        each, Objects.requireNonNull(known.get(value)).value()));
        current = outer;
        return new NDList(recording.graph().outputs().stream().map(known::get).toArray(NDArray[]::new));
    }

    private List<RecordedArray> results(@Nullable Block leaf, Node node, List<RecordedArray> operands) {
        if (leaf != null && node.op() instanceof Op.Call) {
            NDList results = forward(leaf, new NDList(operands.toArray(NDArray[]::new)));
            if (results.size() != node.outputs().size()) {
                throw refusal("it has " + results.size() + " outputs, not "
                        + node.outputs().size());
            }
            return results.stream().map(this::recorded).toList();
        }
        if (leaf != null) {
            leaves.put(new Recording.Leaf(node.name(), node.op()), leaf);
        }
        return add(node.name(), node.op(), operands);
    }

    /** Records a block that is a single operation. */
    NDList leaf(Block block, RecordedArray input) {
        String name = nameOf(block);
        Op op = Operations.op(block, name);
        leaves.put(new Recording.Leaf(name, op), block);
        return new NDList(add(name, op, List.of(input)).get(0));
    }

    private String nameOf(Block block) {
        String name = block == whole ? names.getOrDefault(block, "") : names.get(block);
        if (name == null) {
            throw refusal("a " + CanonicalNames.kind(block) + " is run but is not a child of the traced block");
        }
        return name;
    }

    // Operations

    /** Records an operation, named by the block that owns its parameters, or else by the block that runs. */
    List<RecordedArray> add(Op op, List<RecordedArray> operands) {
        String name = op.constants().stream()
                .filter(Constant.Parameter.class::isInstance)
                .map(constant -> owner(((Constant.Parameter) constant).name()))
                .findFirst()
                .orElse(current);
        return add(name, op, operands);
    }

    private List<RecordedArray> add(String name, Op op, List<RecordedArray> operands) {
        operands.forEach(this::requireOwn);
        List<Type> types;
        try {
            types = op.types(operands.stream().map(RecordedArray::type).toList());
        } catch (IllegalArgumentException e) {
            throw refusal(new UnfitInputException(message(String.valueOf(e.getMessage())), e));
        }
        List<Value> outputs = graph.add(
                        name, op, operands.stream().map(RecordedArray::value).toList())
                .outputs();
        List<RecordedArray> results = new ArrayList<>();
        for (int i = 0; i < outputs.size(); i++) {
            results.add(
                    op.sharesMemory()
                            ? operands.get(0).view(types.get(i), outputs.get(i))
                            : new RecordedArray(this, types.get(i), outputs.get(i)));
        }
        return results;
    }

    /** Notes that a pool rounds sizes up, although it need not at the traced one. */
    void roundsUp() {
        roundsUp = true;
    }

    private void requireOwn(RecordedArray array) {
        if (array.trace != this) {
            throw refusal("an array from another run is used");
        }
    }

    /** An array that depends on the input. */
    RecordedArray recorded(NDArray array) {
        if (array instanceof RecordedArray recorded) {
            requireOwn(recorded);
            return recorded;
        }
        throw refusal("an array that does not depend on the input is used like one that does");
    }

    RecordedArray reshaped(RecordedArray x, long... wanted) {
        Type type = x.type();
        long[] sizes = wanted.clone();
        long known = Arrays.stream(sizes).filter(size -> size != -1).reduce(1, (a, b) -> a * b);
        long all = batch * type.elementsPerSample();
        for (int axis = 0; axis < sizes.length; axis++) {
            if (sizes[axis] == -1 && known > 0) {
                sizes[axis] = all / known;
            }
        }
        if (sizes.length == 0 || sizes[0] != batch) {
            throw refusal("a reshape of %s to %s does not keep the batch, which is %d here, as the first axis"
                    .formatted(type, new Shape(wanted), batch));
        }
        Type result = Type.of(sizes);
        if (result.equals(type)) {
            return x.view();
        }
        return add(Op.Reshape.of(type, result), List.of(x)).get(0);
    }

    RecordedArray shifted(RecordedArray x, float by) {
        if (!Float.isFinite(by)) {
            throw refusal("an offset must be finite in float32, not " + by);
        }
        int channels = channels(x);
        Constant shift = new Constant.Repeated(literals.number(by), channels);
        return add(new Op.Affine(repeated(1, channels), shift), List.of(x)).get(0);
    }

    /** Adds a constant, or subtracts it. */
    RecordedArray shifted(RecordedArray x, NDArray other, boolean negated) {
        Constant constant = constant(other);
        if (negated) {
            constant = negated(constant, other.getShape());
        }
        Constant shift = perChannel(x, constant, other.getShape());
        return add(new Op.Affine(repeated(1, channels(x)), shift), List.of(x)).get(0);
    }

    private Constant negated(Constant constant, Shape shape) {
        if (constant instanceof Constant.Literal literal) {
            float[] values = literal.tensor().values().clone();
            for (int i = 0; i < values.length; i++) {
                values[i] = -values[i];
            }
            return literals.of(literal.tensor().sizes(), values);
        }
        float[] factors = new float[shape.dimension() == 0 ? 1 : Math.toIntExact(shape.get(0))];
        Arrays.fill(factors, -1);
        return new Constant.Scaled(constant, literals.of(List.of((long) factors.length), factors));
    }

    /** Multiplies by a constant, or divides by it. */
    RecordedArray scaled(RecordedArray x, NDArray other, boolean inverted) {
        Constant constant = constant(other);
        if (inverted) {
            if (!(constant instanceof Constant.Literal literal)) {
                throw refusal("graphs have no quotient by a parameter");
            }
            float[] values = literal.tensor().values().clone();
            for (int i = 0; i < values.length; i++) {
                values[i] = 1 / values[i];
            }
            constant = literals.of(literal.tensor().sizes(), values);
        }
        if (constant instanceof Constant.Literal literal
                && literal.tensor().values().length == 1
                && other.getShape().dimension() <= x.type().rank()) {
            return add(new Op.Scale(literal.tensor().values()[0]), List.of(x)).get(0);
        }
        Constant scale = perChannel(x, constant, other.getShape());
        return add(new Op.Affine(scale, repeated(0, channels(x))), List.of(x)).get(0);
    }

    /** A constant as a vector with one number per channel of the value that it is combined with. */
    private Constant perChannel(RecordedArray x, Constant constant, Shape shape) {
        int rank = x.type().rank();
        int missing = rank - shape.dimension();
        boolean fits = missing >= 0;
        for (int axis = 0; fits && axis < shape.dimension(); axis++) {
            fits = shape.get(axis) == 1 || (axis + missing == 1 && shape.get(axis) == channels(x));
        }
        if (!fits) {
            throw refusal(
                    ("an array of %s that does not depend on the input is combined with one of %s; graphs support one"
                                    + " number, or one per channel")
                            .formatted(shape, x.type()));
        }
        return shape.size() == 1 ? new Constant.Repeated(constant, channels(x)) : constant;
    }

    private Constant repeated(float value, int times) {
        return new Constant.Repeated(literals.number(value), times);
    }

    private int channels(RecordedArray x) {
        return Math.toIntExact(x.type().get(1));
    }

    // Constants

    /** An array that does not depend on the input, as a parameter if it is one. */
    Constant constant(NDArray array) {
        if (array instanceof ParameterArray parameter) {
            return parameter.constant();
        }
        if (array instanceof RecordedArray) {
            throw refusal("an array that depends on the input is used as a weight");
        }
        String name = parameterArrays.get(array);
        if (name != null) {
            return new Constant.Parameter(name);
        }
        requireFloat(array, "an array");
        return literals.of(Arrays.stream(array.getShape().getShape()).boxed().toList(), array.toFloatArray());
    }

    private void requireFloat(NDArray array, String what) {
        if (array.getDataType() != DataType.FLOAT32) {
            throw refusal(what + " has the type " + array.getDataType() + "; graphs compute in float32 only");
        }
    }

    private NDArray read(Parameter parameter) {
        String name = parameterNames.get(parameter);
        if (name == null) {
            throw refusal(
                    "the parameter " + parameter.getName() + " does not belong to the traced block or its children");
        }
        lastRead = owner(name);
        if (!parameter.isInitialized()) {
            throw refusal("the parameter " + name + " has no values yet; initialize or load the block");
        }
        requireFloat(parameter.getArray(), "the parameter " + name);
        return new ParameterArray(this, parameter.getArray(), new Constant.Parameter(name));
    }

    private static String owner(String parameter) {
        int end = parameter.lastIndexOf('.');
        return end < 0 ? "" : parameter.substring(0, end);
    }

    // Refusals

    /**
     * The exception for something that cannot be recorded: the operation that the block called, the block, and the
     * reason.
     */
    IllegalArgumentException refusal(String why) {
        return refusal(new IllegalArgumentException(message(why)));
    }

    private IllegalArgumentException refusal(IllegalArgumentException refusal) {
        if (refused == null) {
            refused = refusal;
        }
        return refusal;
    }

    private String message(String why) {
        List<StackFrame> calls = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE)
                .walk(frames -> frames.takeWhile(frame -> isInside(frame.getDeclaringClass()))
                        .filter(frame -> isArray(frame.getDeclaringClass()))
                        .toList());
        Optional<StackFrame> last = calls.isEmpty() ? Optional.empty() : Optional.of(calls.get(calls.size() - 1));
        boolean onConstant = last.map(StackFrame::getDeclaringClass)
                .filter(type -> type.getPackageName().startsWith("ai.djl.pytorch"))
                .isPresent();
        return "%s cannot be traced (in %s): %s%s"
                .formatted(
                        operation(last.map(StackFrame::getMethodName)),
                        where(),
                        why,
                        onConstant
                                ? "; call it on the array that depends on the input, with the other one as argument"
                                : "");
    }

    private String operation(Optional<String> called) {
        return called.orElse("a " + CanonicalNames.kind(whole));
    }

    private String where() {
        String block = current.isEmpty() ? CanonicalNames.kind(whole) : current;
        boolean deeper = !lastRead.equals(current) && (current.isEmpty() || lastRead.startsWith(current + "."));
        return deeper ? block + ", after " + lastRead : block;
    }

    /** Whether a class is between the block's call and the refusal. */
    private static boolean isInside(Class<?> type) {
        return Stream.of("ai.djl.ndarray", "ai.djl.pytorch", "java.", "jdk.", "com.sun.")
                        .anyMatch(type.getName()::startsWith)
                || Stream.of(Trace.class, RecordedFunctions.class).anyMatch(type::equals)
                || StandInArray.class.isAssignableFrom(type)
                || Proxy.isProxyClass(type);
    }

    private static boolean isArray(Class<?> type) {
        return NDArray.class.isAssignableFrom(type)
                || NDArrayEx.class.isAssignableFrom(type)
                || type == NDArrayAdapter.class
                || type == NDArrays.class
                || type == RecordedFunctions.class;
    }
}
