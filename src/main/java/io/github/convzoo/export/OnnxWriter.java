package io.github.convzoo.export;

import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.ReplacedFile;
import io.github.convzoo.graph.Constant;
import io.github.convzoo.graph.Grid;
import io.github.convzoo.graph.Node;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Type;
import io.github.convzoo.graph.Types;
import io.github.convzoo.graph.Value;
import io.github.convzoo.graph.Window;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes ONNX: operator set 13 in IR version 8, which ONNX Runtime optimizes fully; newer operator sets are not fused.
 *
 * <p>The batch is a named dimension. Everything except the weights is in memory while writing; the weights follow one
 * by one. Weights above 2 GB, the limit of a Protocol Buffers message, go into a file next to the model.
 *
 * <p>Source: https://github.com/onnx/onnx/blob/v1.15.0/onnx/onnx.in.proto and docs/Operators.md there.
 */
final class OnnxWriter {

    /** The producer's name in every file. */
    static final String PRODUCER = "convzoo";

    private static final int IR_VERSION = 8;
    private static final int OPSET = 13;
    private static final String BATCH = "batch";

    /** The maximum size of a message, minus some space for everything except the weights. */
    private static final long MOST_INSIDE = Integer.MAX_VALUE - (64L << 20);

    private static final int FLOAT = 1;
    private static final int UINT8 = 2;
    private static final int INT8 = 3;
    private static final int INT32 = 6;
    private static final int INT64 = 7;
    private static final int FLOAT16 = 10;

    private OnnxWriter() {}

    /** Writes a network; the file is replaced once the new one is complete. */
    static void write(NetworkFile network, Path file) throws CheckpointException {
        write(network, file, MOST_INSIDE);
    }

    static void write(NetworkFile network, Path file, long mostInside) throws CheckpointException {
        if (network.precision() == Precision.BFLOAT16) {
            throw new IllegalArgumentException(
                    "ONNX Runtime has no bfloat16 convolution; export float16 or TorchScript");
        }
        Nodes nodes = new Nodes(network);
        nodes.addAll();
        long weights = nodes.initializers.stream().mapToLong(Initializer::bytes).sum();
        @Nullable Path data = weights > mostInside ? file.resolveSibling(file.getFileName() + ".data") : null;
        if (data != null) {
            ReplacedFile.write(data, out -> {
                for (Initializer each : nodes.initializers) {
                    writeFully(out, each.content(network));
                }
            });
        }
        ReplacedFile.write(file, out -> writeModel(network, nodes, data, out));
    }

    private static void writeModel(NetworkFile network, Nodes nodes, @Nullable Path data, WritableByteChannel out)
            throws IOException {
        List<ProtobufMessage> headers = new ArrayList<>();
        long graphSize = nodes.graph.size();
        long offset = 0;
        for (Initializer each : nodes.initializers) {
            ProtobufMessage tensor = each.header(data, offset);
            long size = tensor.size() + (data == null ? each.bytes() : 0);
            ProtobufMessage header = new ProtobufMessage().start(5, size);
            graphSize += header.size() + size;
            headers.add(header);
            headers.add(tensor);
            offset += each.bytes();
        }
        ProtobufMessage model = new ProtobufMessage()
                .integer(1, IR_VERSION)
                .text(2, PRODUCER)
                .message(8, new ProtobufMessage().text(1, "").integer(2, OPSET));
        network.metadata()
                .forEach((key, value) ->
                        model.message(14, new ProtobufMessage().text(1, key).text(2, value)));
        model.start(7, graphSize);
        writeFully(out, ByteBuffer.wrap(model.toBytes()));
        writeFully(out, ByteBuffer.wrap(nodes.graph.toBytes()));
        for (int i = 0; i < nodes.initializers.size(); i++) {
            writeFully(out, ByteBuffer.wrap(headers.get(2 * i).toBytes()));
            writeFully(out, ByteBuffer.wrap(headers.get(2 * i + 1).toBytes()));
            if (data == null) {
                writeFully(out, nodes.initializers.get(i).content(network));
            }
        }
    }

    private static void writeFully(WritableByteChannel out, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            out.write(bytes);
        }
    }

    /** Creates the elements of a tensor, little-endian. */
    @FunctionalInterface
    private interface Content {
        ByteBuffer of(NetworkFile network);
    }

    /**
     * A constant of the graph.
     *
     * @param name its name in the file
     * @param sizes its shape
     * @param type the type of its elements, in ONNX
     * @param elements creates its elements when they are written
     */
    private record Initializer(String name, List<Long> sizes, int type, Content elements) {

        long bytes() {
            return sizes.stream().reduce(1L, (a, b) -> a * b) * bytesOf(type);
        }

        private static int bytesOf(int type) {
            return switch (type) {
                case UINT8, INT8 -> Byte.BYTES;
                case FLOAT16 -> Short.BYTES;
                case INT64 -> Long.BYTES;
                default -> Float.BYTES;
            };
        }

        /** Everything of the tensor except its elements, which follow immediately unless they are in another file. */
        ProtobufMessage header(@Nullable Path data, long offset) {
            ProtobufMessage tensor = new ProtobufMessage();
            sizes.forEach(size -> tensor.integer(1, size));
            tensor.integer(2, type).text(8, name);
            if (data == null) {
                return tensor.start(9, bytes());
            }
            Map<String, String> place = Map.of(
                    "location", String.valueOf(data.getFileName()),
                    "offset", Long.toString(offset),
                    "length", Long.toString(bytes()));
            place.forEach((key, value) ->
                    tensor.message(13, new ProtobufMessage().text(1, key).text(2, value)));
            return tensor.integer(14, 1);
        }

        ByteBuffer content(NetworkFile network) {
            ByteBuffer buffer = elements.of(network);
            if (buffer.remaining() != bytes()) {
                throw new IllegalStateException(name + " has " + buffer.remaining() + " bytes, not " + bytes());
            }
            return buffer;
        }
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * A node of the file.
     *
     * @param type the operator
     * @param name its name
     * @param inputs its inputs
     * @param outputs its outputs
     * @param attributes its attributes, as messages
     */
    private record OnnxNode(
            String type, String name, List<String> inputs, List<String> outputs, List<ProtobufMessage> attributes) {

        ProtobufMessage message(Map<String, String> renamed) {
            ProtobufMessage message = new ProtobufMessage();
            inputs.forEach(input -> message.text(1, renamed.getOrDefault(input, input)));
            outputs.forEach(output -> message.text(2, renamed.getOrDefault(output, output)));
            message.text(3, name).text(4, type);
            attributes.forEach(attribute -> message.message(5, attribute));
            return message;
        }
    }

    /** The graph's message without the initializers, node by node. */
    private static final class Nodes implements Op.Cases<List<String>> {

        private final NetworkFile network;
        private final Types types;
        private final ProtobufMessage graph = new ProtobufMessage();
        private final List<OnnxNode> nodes = new ArrayList<>();
        private final List<Initializer> initializers = new ArrayList<>();
        private final Map<Value, String> names = new HashMap<>();

        /** Pooled vectors by name, as ONNX's maps of one pixel. */
        private final Map<String, String> pixels = new HashMap<>();

        private final Set<String> taken = new HashSet<>();
        private final Map<SizedConstant, String> shared = new HashMap<>();
        private final Map<Float, Constant> numbers = new HashMap<>();
        private Node node;

        Nodes(NetworkFile network) {
            this.network = network;
            types = network.types();
            node = network.graph().nodes().get(0);
        }

        void addAll() {
            boolean half = network.precision() == Precision.FLOAT16;
            taken.add(NetworkFile.INPUT);
            taken.addAll(network.outputs());
            Value input = network.graph().inputs().get(0);
            boolean bytes = network.input().element() == Type.Element.BYTE;
            names.put(input, NetworkFile.INPUT);
            if (half && !bytes) {
                names.put(input, add("Cast", "input_half", List.of(NetworkFile.INPUT), integer("to", FLOAT16)));
            }
            for (Node each : network.graph().nodes()) {
                node = each;
                List<String> results = each.op().accept(this);
                for (int i = 0; i < results.size(); i++) {
                    names.put(each.outputs().get(i), results.get(i));
                }
            }
            Map<String, String> renamed = new HashMap<>();
            for (int i = 0; i < network.outputs().size(); i++) {
                String wanted = network.outputs().get(i);
                String last = name(network.graph().outputs().get(i));
                if (half) {
                    nodes.add(new OnnxNode(
                            "Cast", wanted + ".Cast", List.of(last), List.of(wanted), List.of(integer("to", FLOAT))));
                } else if (last.equals(NetworkFile.INPUT) || renamed.putIfAbsent(last, wanted) != null) {
                    nodes.add(
                            new OnnxNode("Identity", wanted + ".Identity", List.of(last), List.of(wanted), List.of()));
                }
            }
            nodes.forEach(each -> graph.message(1, each.message(renamed)));
            graph.text(2, network.metadata().getOrDefault("model", "network"));
            graph.message(11, value(NetworkFile.INPUT, network.input()));
            for (int i = 0; i < network.outputs().size(); i++) {
                graph.message(
                        12,
                        value(
                                network.outputs().get(i),
                                types.of(network.graph().outputs().get(i))));
            }
        }

        private static ProtobufMessage value(String name, Type type) {
            ProtobufMessage shape = new ProtobufMessage();
            for (long size : type.sizes()) {
                shape.message(
                        1,
                        size == Type.ANY
                                ? new ProtobufMessage().text(2, BATCH)
                                : new ProtobufMessage().integer(1, size));
            }
            ProtobufMessage tensor = new ProtobufMessage()
                    .integer(1, type.element() == Type.Element.BYTE ? UINT8 : FLOAT)
                    .message(2, shape);
            return new ProtobufMessage().text(1, name).message(2, new ProtobufMessage().message(1, tensor));
        }

        @Override
        public List<String> convolution(Op.Convolution op) {
            Window window = op.window();
            List<Long> sizes = op.weightSizes(inputType());
            String name = unique("Conv");
            List<String> inputs = new ArrayList<>(inputs());
            inputs.add(weight(name, "weight", sizes, op.weight()));
            if (op.bias() != null) {
                inputs.add(weight(name, "bias", List.of((long) op.filters()), op.bias()));
            }
            return one(add(
                    "Conv",
                    name,
                    inputs,
                    integers("kernel_shape", pair(window.kernel())),
                    integers("strides", pair(window.stride())),
                    integers("pads", pads(window.padding())),
                    integers("dilations", pair(window.dilation())),
                    integer("group", op.groups())));
        }

        @Override
        public List<String> linear(Op.Linear op) {
            requireVector("Linear");
            String name = unique("Gemm");
            List<String> inputs = new ArrayList<>(inputs());
            inputs.add(weight(
                    name, "weight", List.of((long) op.units(), inputType().get(1)), op.weight()));
            if (op.bias() != null) {
                inputs.add(weight(name, "bias", List.of((long) op.units()), op.bias()));
            }
            return one(add("Gemm", name, inputs, integer("transB", 1)));
        }

        private void requireVector(String kind) {
            if (inputType().rank() != 2) {
                throw new IllegalArgumentException("a " + kind + " on " + inputType() + " (at " + node.name()
                        + ") cannot be exported; flatten its input to (N, features)");
            }
        }

        @Override
        public List<String> normalization(Op.Normalization op) {
            String name = unique("BatchNormalization");
            List<Long> sizes = List.of(inputType().get(1));
            List<String> inputs = new ArrayList<>(inputs());
            inputs.add(weight(name, "weight", sizes, op.gamma()));
            inputs.add(weight(name, "bias", sizes, op.beta()));
            inputs.add(weight(name, "running_mean", sizes, op.mean()));
            inputs.add(weight(name, "running_var", sizes, op.variance()));
            return one(add("BatchNormalization", name, inputs, number("epsilon", op.epsilon())));
        }

        @Override
        public List<String> affine(Op.Affine op) {
            long channels = inputType().get(1);
            List<Long> sizes = inputType().rank() == 2 ? List.of(channels) : List.of(channels, 1L, 1L);
            String result = input();
            if (op.multiplies()) {
                String name = unique("Mul");
                result = add("Mul", name, List.of(result, weight(name, "scale", sizes, op.scale())));
            }
            if (op.adds() || !op.multiplies()) {
                String name = unique("Add");
                result = add("Add", name, List.of(result, weight(name, "shift", sizes, op.shift())));
            }
            return one(result);
        }

        @Override
        public List<String> fusedConvolution(Op.FusedConvolution op) {
            throw network.unexpected(node);
        }

        @Override
        public List<String> dynamicConvolution(Op.DynamicConvolution op) {
            throw network.unexpected(node);
        }

        @Override
        public List<String> activation(Op.Activation op) {
            return switch (op) {
                case RELU -> simple("Relu");
                case SIGMOID -> simple("Sigmoid");
                case TANH -> simple("Tanh");
                case SILU -> {
                    String sigmoid = simple("Sigmoid").get(0);
                    yield one(add("Mul", unique("Mul"), List.of(input(), sigmoid)));
                }
                case SOFTPLUS -> simple("Softplus");
                case SELU -> simple("Selu");
                case GELU -> gelu();
            };
        }

        /** x * (erf(x / sqrt(2)) + 1) / 2, which ONNX Runtime fuses; the Gelu operator needs operator set 20. */
        private List<String> gelu() {
            String scaled = add("Div", unique("Div"), List.of(input(), number(Math.sqrt(2))));
            String erf = add("Erf", unique("Erf"), List.of(scaled));
            String sum = add("Add", unique("Add"), List.of(erf, number(1)));
            String product = add("Mul", unique("Mul"), List.of(input(), sum));
            return one(add("Mul", unique("Mul"), List.of(product, number(0.5))));
        }

        /** A number as an input, once per file. */
        private String number(double value) {
            Constant constant = numbers.computeIfAbsent((float) value, Constant.Literal::of);
            return weight("number_" + (float) value, "value", List.of(), constant);
        }

        @Override
        public List<String> leakyRelu(Op.LeakyRelu op) {
            return one(add("LeakyRelu", unique("LeakyRelu"), inputs(), number("alpha", op.alpha())));
        }

        @Override
        public List<String> clip(Op.Clip op) {
            // An empty name is an omitted input.
            String min = op.min() == Float.NEGATIVE_INFINITY ? "" : number(op.min());
            String max = op.max() == Float.POSITIVE_INFINITY ? "" : number(op.max());
            return one(add("Clip", unique("Clip"), List.of(input(), min, max)));
        }

        @Override
        public List<String> elu(Op.Elu op) {
            return one(add("Elu", unique("Elu"), inputs(), number("alpha", op.alpha())));
        }

        @Override
        public List<String> add(Op.Add op) {
            return simple("Add");
        }

        @Override
        public List<String> multiply(Op.Multiply op) {
            return simple("Mul");
        }

        @Override
        public List<String> scale(Op.Scale op) {
            Constant factor = Constant.Literal.of(op.factor());
            String name = unique("Mul");
            return one(add("Mul", name, List.of(input(), weight(name, "factor", List.of(), factor))));
        }

        @Override
        public List<String> fakeQuantize(Op.FakeQuantize op) {
            String name = unique("QuantizeLinear");
            Grid grid = op.grid();
            String scale = name + ".scale";
            String zeroPoint = name + ".zero_point";
            initializers.add(new Initializer(
                    scale, List.of(), FLOAT, file -> Precision.FLOAT32.encode(new float[] {grid.scale()})));
            initializers.add(new Initializer(
                    zeroPoint, List.of(), UINT8, file -> ByteBuffer.wrap(new byte[] {(byte) grid.zeroPoint()})));
            String levels = add("QuantizeLinear", name, List.of(input(), scale, zeroPoint));
            return one(add("DequantizeLinear", unique("DequantizeLinear"), List.of(levels, scale, zeroPoint)));
        }

        @Override
        public List<String> concat(Op.Concat op) {
            return one(add("Concat", unique("Concat"), inputs(), integer("axis", 1)));
        }

        @Override
        public List<String> split(Op.Split op) {
            String name = unique("Split");
            List<Long> sizes = new ArrayList<>();
            List<String> outputs = new ArrayList<>();
            for (Value output : node.outputs()) {
                sizes.add(types.of(output).get(1));
                outputs.add(name + "_" + outputs.size());
            }
            String lengths = constant(name + ".sizes", sizes);
            nodes.add(new OnnxNode("Split", name, List.of(input(), lengths), outputs, List.of(integer("axis", 1))));
            return outputs;
        }

        @Override
        public List<String> maxPool(Op.MaxPool op) {
            requirePlain(op.window(), "MaxPool2d");
            return one(add(
                    "MaxPool",
                    unique("MaxPool"),
                    inputs(),
                    integers("kernel_shape", pair(op.window().kernel())),
                    integers("strides", pair(op.window().stride())),
                    integers("pads", pads(op.window().padding()))));
        }

        @Override
        public List<String> averagePool(Op.AveragePool op) {
            requirePlain(op.window(), "AvgPool2d");
            return one(add(
                    "AveragePool",
                    unique("AveragePool"),
                    inputs(),
                    integers("kernel_shape", pair(op.window().kernel())),
                    integers("strides", pair(op.window().stride())),
                    integers("pads", pads(op.window().padding())),
                    integer("count_include_pad", 1)));
        }

        private static void requirePlain(Window window, String kind) {
            if (!window.dilation().equals(Window.Size.of(1))) {
                throw new IllegalArgumentException("a " + kind + " with dilation cannot be exported to ONNX");
            }
        }

        @Override
        public List<String> globalPool(Op.GlobalPool op) {
            String kind =
                    switch (op) {
                        case AVERAGE -> "GlobalAveragePool";
                        case MAX -> "GlobalMaxPool";
                    };
            String pixel = add(kind, unique(kind), inputs());
            boolean vectorIsRead = network.graph().outputs().contains(node.output())
                    || network.graph().nodes().stream()
                            .anyMatch(each -> each.inputs().contains(node.output())
                                    && !each.op().equals(Op.Reshape.TO_PIXEL));
            String vector =
                    vectorIsRead ? add("Flatten", unique("Flatten"), List.of(pixel), integer("axis", 1)) : pixel;
            pixels.put(vector, pixel);
            return one(vector);
        }

        @Override
        public List<String> reshape(Op.Reshape op) {
            if (op.equals(Op.Reshape.TO_PIXEL) && pixels.containsKey(input())) {
                return one(pixels.getOrDefault(input(), input()));
            }
            if (op.equals(Op.Reshape.FLATTEN)) {
                return one(add("Flatten", unique("Flatten"), inputs(), integer("axis", 1)));
            }
            String name = unique("Reshape");
            return one(add("Reshape", name, List.of(input(), constant(name + ".shape", op.sizes()))));
        }

        @Override
        public List<String> softmax(Op.Softmax op) {
            return one(add("Softmax", unique("Softmax"), inputs(), integer("axis", 1)));
        }

        @Override
        public List<String> dropout(Op.Dropout op) {
            throw network.unexpected(node);
        }

        @Override
        public List<String> pixels(Op.Pixels op) {
            int type = network.precision() == Precision.FLOAT16 ? FLOAT16 : FLOAT;
            String numbers = add("Cast", unique("Cast"), inputs(), integer("to", type));
            return one(add("Transpose", unique("Transpose"), List.of(numbers), integers("perm", 0, 3, 1, 2)));
        }

        @Override
        public List<String> call(Op.Call op) {
            throw network.unexpected(node);
        }

        private List<String> simple(String type) {
            return one(add(type, unique(type), inputs()));
        }

        private static List<String> one(String name) {
            return List.of(name);
        }

        private Type inputType() {
            return types.of(node.inputs().get(0));
        }

        private String input() {
            return name(node.inputs().get(0));
        }

        private List<String> inputs() {
            return node.inputs().stream().map(this::name).toList();
        }

        private String name(Value value) {
            String name = names.get(value);
            if (name == null) {
                throw new IllegalStateException(value + " has no name");
            }
            return name;
        }

        /** A unique name: that of the block, with the operation appended if the block has several nodes. */
        private String unique(String type) {
            String block = node.name().isEmpty() ? type : node.name();
            boolean own = !node.op().constants().isEmpty();
            String base = own || node.name().isEmpty() ? block : block + "." + type;
            String name = base;
            for (int number = 2; !taken.add(name); number++) {
                name = base + "_" + number;
            }
            return name;
        }

        private String weight(String layer, String leaf, List<Long> sizes, Constant constant) {
            SizedConstant key = new SizedConstant(constant, sizes);
            String known = shared.get(key);
            if (known != null) {
                return known;
            }
            String name = layer + "." + leaf;
            if (constant instanceof Constant.QuantizedWeight weight) {
                addLevels(name, sizes, weight);
                name = levels(name, sizes, INT8, file -> weight.scales(file.parameters()));
            } else if (constant instanceof Constant.QuantizedBias bias) {
                initializers.add(new Initializer(name, sizes, INT32, file -> integers(bias.levels(file.parameters()))));
                name = levels(name, sizes, INT32, file -> bias.scales(file.parameters()));
            } else {
                boolean half = network.precision() == Precision.FLOAT16;
                Precision precision = half ? Precision.FLOAT16 : Precision.FLOAT32;
                initializers.add(new Initializer(
                        name,
                        sizes,
                        half ? FLOAT16 : FLOAT,
                        file -> precision.encode(file.evaluate(constant).values())));
            }
            shared.put(key, name);
            return name;
        }

        /**
         * Adds the levels of weights. The file omits the zeros between merged groups: a product with an identity matrix
         * restores them, which runtimes compute once, at load time.
         */
        private void addLevels(String name, List<Long> sizes, Constant.QuantizedWeight weight) {
            Constant.@Nullable Blocks blocks = weight.blocks();
            if (blocks == null) {
                initializers.add(
                        new Initializer(name, sizes, INT8, file -> ByteBuffer.wrap(weight.levels(file.parameters()))));
                return;
            }
            long count = blocks.count();
            long pixels = sizes.get(2) * sizes.get(3);
            String narrow = name + ".narrow";
            initializers.add(new Initializer(
                    narrow,
                    List.of(
                            sizes.get(0) / (count * blocks.filters()),
                            count,
                            (long) blocks.filters(),
                            1L,
                            (long) blocks.channels(),
                            pixels),
                    INT8,
                    file -> ByteBuffer.wrap(weight.narrow().levels(file.parameters()))));
            String floats = add("Cast", narrow + ".Cast", List.of(narrow), integer("to", FLOAT));
            String spread = add("Mul", name + ".Mul", List.of(floats, identity(count)));
            String shaped = add("Reshape", name + ".Reshape", List.of(spread, constant(name + ".shape", sizes)));
            add("Cast", name, List.of(shaped), integer("to", INT8));
        }

        /** A vector of zeros, shared by all layers that pass the same prefix and count. */
        private String zeros(String prefix, long count, int type) {
            String name = prefix + ".zero_point_" + count;
            if (taken.add(name)) {
                int bytes = Math.toIntExact(count) * Initializer.bytesOf(type);
                initializers.add(new Initializer(name, List.of(count), type, file -> buffer(bytes)));
            }
            return name;
        }

        /** An identity matrix, (1, n, 1, n, 1, 1). */
        private String identity(long count) {
            String name = "identity_" + count;
            if (taken.add(name)) {
                initializers.add(new Initializer(name, List.of(1L, count, 1L, count, 1L, 1L), FLOAT, file -> {
                    float[] matrix = new float[Math.toIntExact(count * count)];
                    for (int i = 0; i < count; i++) {
                        matrix[Math.toIntExact(i * (count + 1))] = 1;
                    }
                    return Precision.FLOAT32.encode(matrix);
                }));
            }
            return name;
        }

        /** Dequantizes levels with one scale per filter. */
        private String levels(String name, List<Long> sizes, int type, Function<NetworkFile, float[]> scales) {
            String scale = name + ".scale";
            initializers.add(new Initializer(
                    scale, sizes.subList(0, 1), FLOAT, file -> Precision.FLOAT32.encode(scales.apply(file))));
            // All are 0, but must be written: ONNX Runtime's integer kernels need one per scale.
            // It derives names from those of int8, so layers cannot share them.
            String zeroPoint = zeros(type == INT32 ? "zeros" : name, sizes.get(0), type);
            String floats = name + ".DequantizeLinear";
            return add("DequantizeLinear", floats, List.of(name, scale, zeroPoint), integer("axis", 0));
        }

        private static ByteBuffer integers(int[] values) {
            ByteBuffer buffer = buffer(values.length * Integer.BYTES);
            buffer.asIntBuffer().put(values);
            return buffer;
        }

        private String constant(String name, List<Long> integers) {
            initializers.add(new Initializer(name, List.of((long) integers.size()), INT64, file -> {
                ByteBuffer buffer = buffer(integers.size() * Long.BYTES);
                integers.forEach(buffer::putLong);
                return buffer.flip();
            }));
            return name;
        }

        /** Adds a node with one output, which has the node's name. */
        private String add(String type, String name, List<String> inputs, ProtobufMessage... attributes) {
            nodes.add(new OnnxNode(type, name, inputs, List.of(name), List.of(attributes)));
            return name;
        }

        private static ProtobufMessage integer(String name, long value) {
            return new ProtobufMessage().text(1, name).integer(3, value).integer(20, 2);
        }

        private static ProtobufMessage number(String name, float value) {
            return new ProtobufMessage().text(1, name).number(2, value).integer(20, 1);
        }

        private static ProtobufMessage integers(String name, long... values) {
            ProtobufMessage attribute = new ProtobufMessage().text(1, name);
            for (long value : values) {
                attribute.integer(8, value);
            }
            return attribute.integer(20, 7);
        }

        private static long[] pair(Window.Size size) {
            return new long[] {size.height(), size.width()};
        }

        private static long[] pads(Window.Size size) {
            return new long[] {size.height(), size.width(), size.height(), size.width()};
        }
    }
}
