package io.github.convzoo.export;

import io.github.convzoo.graph.Constant;
import io.github.convzoo.graph.Grid;
import io.github.convzoo.graph.Lifetimes;
import io.github.convzoo.graph.Node;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Type;
import io.github.convzoo.graph.Types;
import io.github.convzoo.graph.Value;
import io.github.convzoo.graph.Window;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A network as the TorchScript class of a module, and the module's buffers. */
final class TorchScriptCode implements Op.Cases<String> {

    /** {@code torch.channels_last}, in TorchScript's numbering of memory formats. */
    private static final int CHANNELS_LAST = 2;

    private static final String FLOATS = "FloatStorage";
    private static final String BYTES = "CharStorage";
    private static final String INTEGERS = "IntStorage";

    // Types in TorchScript's numbering.
    private static final int UINT8 = 0;
    private static final int FLOAT = 6;
    private static final int QUINT8 = 13;

    private static final String ONE_IMAGE = "one_image";

    private static final String SELF = TorchScriptWriter.MODULE + "." + TorchScriptWriter.CLASS;

    /** How the code computes. */
    enum Flavor {
        /** With operators that every device has. */
        PLAIN,
        /** With oneDNN's fused convolutions, which x86 has, and kernels in its layout for a single image. */
        ONE_DNN,
        /** The same with AVX-512, where batches have a layout that is faster than the original one. */
        ONE_DNN_BATCH,
        /** With oneDNN's convolutions of bytes. */
        INTEGERS;

        /** The flavor of a network: quantized ones compute with integers, others as the target allows. */
        static Flavor of(NetworkFile network, Target target) {
            if (network.graph().nodes().stream().anyMatch(node -> node.op() instanceof Op.FakeQuantize)) {
                return INTEGERS;
            }
            return switch (target) {
                case ANY -> PLAIN;
                case AVX2 -> ONE_DNN;
                case AVX512 -> ONE_DNN_BATCH;
            };
        }

        /** Whether convolutions of floats are oneDNN's. */
        boolean isOneDnn() {
            return this == ONE_DNN || this == ONE_DNN_BATCH;
        }

        /** Whether the module prepares its kernels on loading, so that its state is a list of tensors. */
        boolean prepares() {
            return this != PLAIN;
        }
    }

    /** Creates the elements of a tensor, little-endian. */
    @FunctionalInterface
    interface Content {
        byte[] of(NetworkFile network);
    }

    /**
     * A tensor of the module.
     *
     * @param name its name, an identifier
     * @param sizes its shape
     * @param channelsLast whether axis 1 varies fastest in memory
     * @param storage its type, in PyTorch's naming of storages
     * @param content creates its elements when they are written
     */
    record Buffer(String name, List<Long> sizes, boolean channelsLast, String storage, Content content) {

        List<Long> strides() {
            if (channelsLast) {
                long channels = sizes.get(1);
                long width = sizes.get(3);
                return List.of(channels * sizes.get(2) * width, 1L, channels * width, channels);
            }
            List<Long> strides = new ArrayList<>();
            long stride = 1;
            for (int axis = sizes.size() - 1; axis >= 0; axis--) {
                strides.add(0, stride);
                stride *= sizes.get(axis);
            }
            return strides;
        }

        /** Numbers in the network's precision. */
        static Buffer of(String name, List<Long> sizes, boolean channelsLast, Constant constant, Precision precision) {
            String storage =
                    switch (precision) {
                        case FLOAT32 -> FLOATS;
                        case FLOAT16 -> "HalfStorage";
                        case BFLOAT16 -> "BFloat16Storage";
                    };
            return new Buffer(name, sizes, channelsLast, storage, network -> {
                float[] values = network.evaluate(constant).values();
                float[] ordered = channelsLast ? channelsLast(values, sizes) : values;
                return precision.encode(ordered).array();
            });
        }

        byte[] bytes(NetworkFile network) {
            byte[] bytes = content.of(network);
            long elements = sizes.stream().reduce(1L, (a, b) -> a * b);
            int each =
                    switch (storage) {
                        case BYTES -> Byte.BYTES;
                        case FLOATS, INTEGERS -> Float.BYTES;
                        default -> Short.BYTES;
                    };
            if (bytes.length != elements * each) {
                throw new IllegalStateException(
                        name + " has " + bytes.length + " bytes, not " + elements * each + " for " + sizes);
            }
            return bytes;
        }

        private static float[] channelsLast(float[] values, List<Long> sizes) {
            int filters = Math.toIntExact(sizes.get(0));
            int channels = Math.toIntExact(sizes.get(1));
            int places = values.length / filters / channels;
            float[] moved = new float[values.length];
            for (int filter = 0; filter < filters; filter++) {
                for (int channel = 0; channel < channels; channel++) {
                    for (int place = 0; place < places; place++) {
                        moved[(filter * places + place) * channels + channel] =
                                values[(filter * channels + channel) * places + place];
                    }
                }
            }
            return moved;
        }
    }

    /**
     * A kernel that is converted to oneDNN's layout on loading.
     *
     * @param weight the buffer in the file
     * @param call the conversion, with %s for the buffer
     */
    private record Prepared(String weight, String call) {}

    /** The batch whose layout every batch uses; oneDNN prefers it for nearly all kernels and batches from 2 to 32. */
    private static final int BATCH = 8;

    private final NetworkFile network;
    private final Flavor flavor;
    private final Types types;
    private final Lifetimes lifetimes;
    private final IntegerPlan plan;
    private final List<Buffer> buffers = new ArrayList<>();
    private final Map<SizedConstant, String> known = new HashMap<>();

    /** The converted kernels by attribute. */
    private final Map<String, Prepared> prepared = new LinkedHashMap<>();

    private final Set<String> taken = new HashSet<>();
    private final StringBuilder body = new StringBuilder();
    private int index;
    private Node node;

    TorchScriptCode(NetworkFile network, Flavor flavor) {
        this.network = network;
        this.flavor = flavor;
        plan = new IntegerPlan(network.graph());
        types = network.types();
        lifetimes = new Lifetimes(network.graph());
        node = network.graph().nodes().get(0);
    }

    List<Buffer> buffers() {
        return buffers;
    }

    /** The source of the class; the buffers are complete afterwards. */
    String source() {
        boolean bytes = network.input().element() == Type.Element.BYTE;
        String entry = network.forAnySize() ? NetworkFile.INPUT : ofItsSize();
        if (!bytes) {
            if (network.precision() != Precision.FLOAT32) {
                entry = cast(entry, dtype());
            }
            if (network.input().rank() == 4) {
                entry = "torch.contiguous(%s, memory_format=%d)".formatted(entry, CHANNELS_LAST);
            }
        }
        statement(name(network.graph().inputs().get(0)), entry);
        if (flavor.isOneDnn()) {
            statement(ONE_IMAGE, "torch.eq(torch.size(" + NetworkFile.INPUT + ", 0), 1)");
        }
        List<Node> nodes = network.graph().nodes();
        for (index = 0; index < nodes.size(); index++) {
            node = nodes.get(index);
            if (plan.isInside(node)) {
                continue;
            }
            String expression = node.op().accept(this);
            if (node.op() instanceof Op.Split) {
                statement("parts" + index, expression);
                for (int i = 0; i < node.outputs().size(); i++) {
                    statement(name(node.outputs().get(i)), "parts%d[%d]".formatted(index, i));
                }
            } else {
                statement(variable(node.output()), expression);
            }
        }
        List<String> results = network.graph().outputs().stream()
                .map(output -> network.precision() == Precision.FLOAT32 ? name(output) : cast(name(output), FLOAT))
                .map(result -> "torch.contiguous(" + result + ")")
                .toList();
        boolean single = results.size() == 1;
        String type = single
                ? "Tensor"
                : results.stream().map(each -> "Tensor").collect(Collectors.joining(", ", "Tuple[", "]"));
        String result = single ? results.get(0) : "(" + String.join(", ", results) + ")";
        return "class " + TorchScriptWriter.CLASS + "(Module):\n"
                + "  __parameters__ = []\n"
                + "  __buffers__ = [" + (flavor.prepares() ? "" : joined("\"%s\", ")) + "]\n"
                + "  training : bool\n"
                + buffers.stream()
                        .map(Buffer::name)
                        .filter(name -> !isReplaced(name))
                        .map("  %s : Tensor\n"::formatted)
                        .collect(Collectors.joining())
                + prepared.keySet().stream().map("  %s : Tensor\n"::formatted).collect(Collectors.joining())
                + (flavor.prepares() ? state() : "")
                + "  def forward(self: " + SELF + ",\n"
                + "    " + NetworkFile.INPUT + ": Tensor) -> " + type + ":\n"
                + body
                + "    return " + result + "\n";
    }

    /** A text for each buffer's name. */
    private String joined(String format) {
        return buffers.stream().map(buffer -> format.formatted(buffer.name())).collect(Collectors.joining());
    }

    /** Whether a buffer is not needed after it was converted. */
    private boolean isReplaced(String buffer) {
        return flavor == Flavor.ONE_DNN_BATCH && prepared.containsKey(ordered(buffer));
    }

    /** The attribute with a buffer in oneDNN's layout. */
    private static String ordered(String name) {
        return name + "_ordered";
    }

    /** The module's state in the file, and its conversion on loading. */
    private String state() {
        StringBuilder set = new StringBuilder();
        StringBuilder get = new StringBuilder();
        Map<String, String> values = new HashMap<>();
        for (int i = 0; i < buffers.size(); i++) {
            String name = buffers.get(i).name();
            if (isReplaced(name)) {
                values.put(name, "state[%d]".formatted(i));
                get.append("torch.to_dense(self.%s), ".formatted(ordered(name)));
            } else {
                values.put(name, "self." + name);
                set.append("    self.%s = state[%d]\n".formatted(name, i));
                get.append("self.%s, ".formatted(name));
            }
        }
        prepared.forEach((attribute, each) -> set.append(
                "    self.%s = %s\n".formatted(attribute, each.call().formatted(values.get(each.weight())))));
        return "  def __getstate__(self: " + SELF + ") -> List[Tensor]:\n"
                + "    return [" + get + "]\n"
                + "  def __setstate__(self: " + SELF + ",\n"
                + "    state: List[Tensor]) -> NoneType:\n"
                + "    self.training = False\n"
                + set
                + "    return None\n";
    }

    private int dtype() {
        return switch (network.precision()) {
            case FLOAT32 -> FLOAT;
            case FLOAT16 -> 5;
            case BFLOAT16 -> 15;
        };
    }

    private static String cast(String expression, int dtype) {
        return "torch.to(" + expression + ", " + dtype + ")";
    }

    /** The input; for another size than the traced one, PyTorch reports that it does not have this shape. */
    private String ofItsSize() {
        List<Long> sizes = network.input().sizes();
        String same = IntStream.range(1, sizes.size())
                .mapToObj(
                        axis -> "torch.eq(torch.size(%s, %d), %d)".formatted(NetworkFile.INPUT, axis, sizes.get(axis)))
                .collect(Collectors.joining(" and "));
        String shape = sizes.stream().skip(1).map(size -> ", " + size).collect(Collectors.joining("", "[0", "]"));
        return "(%s if %s else torch.reshape(%s, %s))".formatted(NetworkFile.INPUT, same, NetworkFile.INPUT, shape);
    }

    private void statement(String name, String expression) {
        body.append("    ").append(name).append(" = ").append(expression).append('\n');
    }

    @Override
    public String convolution(Op.Convolution op) {
        if (flavor.isOneDnn()) {
            return pointwise(op, false, false);
        }
        if (IntegerPlan.isLayer(node)) {
            return integers(node, null);
        }
        Window window = op.window();
        List<Long> sizes = op.weightSizes(types.of(node.inputs().get(0)));
        String weight = buffer("weight", sizes, true, op.weight());
        String bias = op.bias() == null ? "None" : buffer("bias", List.of((long) op.filters()), false, op.bias());
        return "torch.conv2d(%s, %s, %s, %s, %s, %s, %d)"
                .formatted(
                        input(),
                        weight,
                        bias,
                        pair(window.stride()),
                        pair(window.padding()),
                        pair(window.dilation()),
                        op.groups());
    }

    @Override
    public String fusedConvolution(Op.FusedConvolution op) {
        if (!flavor.isOneDnn()) {
            throw network.unexpected(node);
        }
        return pointwise(op.convolution(), op.adds(), op.rectifies());
    }

    /** A oneDNN convolution, fused with the operations after it. */
    private String pointwise(Op.Convolution op, boolean adds, boolean rectifies) {
        Type map = types.of(node.inputs().get(0));
        String weight = buffer("weight", op.weightSizes(map), true, op.weight());
        String bias = op.bias() == null ? "None" : buffer("bias", List.of((long) op.filters()), false, op.bias());
        Window window = op.window();
        String shape = "%s, %s, %s, %d"
                .formatted(pair(window.padding()), pair(window.stride()), pair(window.dilation()), op.groups());
        String name = weight.substring("self.".length());
        String reorder = "ops.mkldnn._reorder_convolution_weight(%%s, %s, [%%d, %d, %d, %d])"
                .formatted(shape, map.get(1), map.get(2), map.get(3));
        prepared.put(ordered(name), new Prepared(name, reorder.formatted("%s", 1)));
        // oneDNN prefers other layouts for more images. Converting kernels takes time, and so do kernels in the wrong
        // layout.
        String batch = name;
        if (flavor == Flavor.ONE_DNN_BATCH) {
            batch = name + "_batch";
            prepared.put(batch, new Prepared(name, reorder.formatted("%s", BATCH)));
        }
        String kernels = "(self.%s if %s else self.%s)".formatted(ordered(name), ONE_IMAGE, batch);
        String after = rectifies ? "\"relu\"" : "None";
        if (!adds) {
            return "ops.mkldnn._convolution_pointwise(%s, %s, %s, %s, %s, [], None)"
                    .formatted(input(), kernels, bias, shape, rectifies ? after : "\"none\"");
        }
        Value added = node.inputs().get(1);
        boolean inPlace = lifetimes.mayOverwrite(index, added)
                && !added.equals(node.inputs().get(0));
        return "ops.mkldnn._convolution_pointwise%s(%s, %s, %s, %s, \"add\", None, %s, [], None)"
                .formatted(
                        inPlace ? "_" : "",
                        inPlace ? name(added) + ", " + input() : input() + ", " + name(added),
                        kernels,
                        bias,
                        shape,
                        after);
    }

    @Override
    public String linear(Op.Linear op) {
        if (IntegerPlan.isLayer(node)) {
            return integers(node, null);
        }
        Type type = types.of(node.inputs().get(0));
        String weight = buffer("weight", List.of((long) op.units(), type.get(type.rank() - 1)), false, op.weight());
        String bias = op.bias() == null ? "None" : buffer("bias", List.of((long) op.units()), false, op.bias());
        return "torch.linear(%s, %s, %s)".formatted(input(), weight, bias);
    }

    @Override
    public String normalization(Op.Normalization op) {
        List<Long> sizes = List.of(types.of(node.output()).get(1));
        return "torch.batch_norm(%s, %s, %s, %s, %s, False, 0.10000000000000001, %s, True)"
                .formatted(
                        input(),
                        buffer("weight", sizes, false, op.gamma()),
                        buffer("bias", sizes, false, op.beta()),
                        buffer("running_mean", sizes, false, op.mean()),
                        buffer("running_var", sizes, false, op.variance()),
                        number(op.epsilon()));
    }

    @Override
    public String affine(Op.Affine op) {
        long channels = types.of(node.output()).get(1);
        List<Long> sizes = types.of(node.output()).rank() == 2 ? List.of(1L, channels) : List.of(1L, channels, 1L, 1L);
        return "torch.addcmul(%s, %s, %s)"
                .formatted(
                        buffer("shift", sizes, false, op.shift()), input(), buffer("scale", sizes, false, op.scale()));
    }

    @Override
    public String dynamicConvolution(Op.DynamicConvolution op) {
        throw network.unexpected(node);
    }

    @Override
    public String activation(Op.Activation op) {
        return switch (op) {
            case RELU -> elementwise("relu");
            case SIGMOID -> elementwise("sigmoid");
            case TANH -> elementwise("tanh");
            case SILU -> elementwise("silu");
            case SELU -> elementwise("selu");
            // These have no in-place variant.
            case SOFTPLUS -> "torch.softplus(" + input() + ")";
            case GELU -> "torch.gelu(" + input() + ")";
        };
    }

    private String elementwise(String function) {
        return "torch." + function + inPlace(0) + "(" + input() + ")";
    }

    @Override
    public String elu(Op.Elu op) {
        return "torch.elu%s(%s, %s)".formatted(inPlace(0), input(), number(op.alpha()));
    }

    @Override
    public String leakyRelu(Op.LeakyRelu op) {
        return "torch.leaky_relu%s(%s, %s)".formatted(inPlace(0), input(), number(op.alpha()));
    }

    @Override
    public String clip(Op.Clip op) {
        String min = op.min() == Float.NEGATIVE_INFINITY ? "None" : number(op.min());
        String max = op.max() == Float.POSITIVE_INFINITY ? "None" : number(op.max());
        return "torch.clamp%s(%s, %s, %s)".formatted(inPlace(0), input(), min, max);
    }

    @Override
    public String add(Op.Add op) {
        String first = name(node.inputs().get(0));
        String second = name(node.inputs().get(1));
        return inPlace(0).isEmpty() && !inPlace(1).isEmpty()
                ? "torch.add_(%s, %s)".formatted(second, first)
                : "torch.add%s(%s, %s)".formatted(inPlace(0), first, second);
    }

    @Override
    public String multiply(Op.Multiply op) {
        return "torch.mul(%s, %s)".formatted(input(), name(node.inputs().get(1)));
    }

    @Override
    public String scale(Op.Scale op) {
        return "torch.mul(%s, %s)".formatted(input(), number(op.factor()));
    }

    @Override
    public String fakeQuantize(Op.FakeQuantize op) {
        Grid grid = op.grid();
        @Nullable Node source = plan.source(node);
        if (source == null) {
            return "torch.int_repr(torch.quantize_per_tensor(%s, %s, %d, %d))"
                    .formatted(input(), number(grid.scale()), grid.zeroPoint(), QUINT8);
        }
        if (IntegerPlan.isLayer(source)) {
            return integers(source, grid);
        }
        Value first = source.inputs().get(0);
        if (source.op() instanceof Op.Add) {
            return sum(source, grid);
        } else if (source.op() instanceof Op.Concat) {
            boolean same = source.inputs().stream().allMatch(part -> grid.equals(plan.grid(part)));
            String parts = source.inputs().stream()
                    .map(part -> same ? variable(part) : quantized(part))
                    .collect(Collectors.joining(", "));
            return same
                    ? "torch.cat([" + parts + "], 1)"
                    : "torch.int_repr(ops.quantized.cat([%s], 1, %s, %d))"
                            .formatted(parts, number(grid.scale()), grid.zeroPoint());
        } else if (source.op() instanceof Op.MaxPool pool) {
            return "torch.int_repr(" + maxPool(pool, quantized(first)) + ")";
        } else if (source.op() instanceof Op.Reshape reshape) {
            return reshape(reshape, variable(first));
        }
        throw network.unexpected(source);
    }

    /** A rounded sum, fused with the convolution of one of its operands if it absorbs that. */
    private String sum(Node source, Grid grid) {
        @Nullable Node convolution = plan.convolutionOf(node);
        if (convolution == null) {
            return "torch.int_repr(ops.quantized.add(%s, %s, %s, %d))"
                    .formatted(
                            quantized(source.inputs().get(0)),
                            quantized(source.inputs().get(1)),
                            number(grid.scale()),
                            grid.zeroPoint());
        }
        Value added = plan.addedOf(node);
        Grid addedGrid = Objects.requireNonNull(plan.grid(added));
        // It overwrites its other operand.
        String accumulator = plan.mayOverwriteAdded(node) ? variable(added) : "torch.clone(" + variable(added) + ")";
        Layer layer = layer(convolution);
        return "ops.onednn.qconv2d_pointwise(%s, %s, %s, %s, %s, %s, %d, \"sum\", 1.0, \"none\", [], \"\")"
                .formatted(
                        layer.operands,
                        accumulator,
                        layer.bias,
                        layer.shape,
                        rounding(grid),
                        number(addedGrid.scale()),
                        addedGrid.zeroPoint());
    }

    @Override
    public String concat(Op.Concat op) {
        return "torch.cat([%s], 1)"
                .formatted(node.inputs().stream().map(this::name).collect(Collectors.joining(", ")));
    }

    @Override
    public String split(Op.Split op) {
        List<Long> sizes =
                node.outputs().stream().map(output -> types.of(output).get(1)).toList();
        return "torch.split_with_sizes(%s, %s, 1)".formatted(input(), sizes);
    }

    @Override
    public String maxPool(Op.MaxPool op) {
        return maxPool(op, input());
    }

    private static String maxPool(Op.MaxPool op, String input) {
        Window window = op.window();
        return "torch.max_pool2d(%s, %s, %s, %s, %s, False)"
                .formatted(
                        input,
                        pair(window.kernel()),
                        pair(window.stride()),
                        pair(window.padding()),
                        pair(window.dilation()));
    }

    @Override
    public String averagePool(Op.AveragePool op) {
        Window window = op.window();
        return "torch.avg_pool2d(%s, %s, %s, %s, False, True, None)"
                .formatted(input(), pair(window.kernel()), pair(window.stride()), pair(window.padding()));
    }

    @Override
    public String globalPool(Op.GlobalPool op) {
        return switch (op) {
            case AVERAGE -> "torch.mean(%s, [2, 3], False)".formatted(input());
            case MAX -> "torch.amax(%s, [2, 3], False)".formatted(input());
        };
    }

    @Override
    public String reshape(Op.Reshape op) {
        return reshape(op, input());
    }

    private static String reshape(Op.Reshape op, String input) {
        List<String> sizes = new ArrayList<>();
        for (int axis = 0; axis < op.sizes().size(); axis++) {
            long size = op.sizes().get(axis);
            sizes.add(size == Op.Reshape.KEEP ? "torch.size(%s, %d)".formatted(input, axis) : Long.toString(size));
        }
        return "torch.reshape(%s, %s)".formatted(input, sizes);
    }

    @Override
    public String softmax(Op.Softmax op) {
        return "torch.softmax(" + input() + ", 1)";
    }

    @Override
    public String dropout(Op.Dropout op) {
        throw network.unexpected(node);
    }

    @Override
    public String pixels(Op.Pixels op) {
        // The pixels of images are in channels-last order already.
        return "torch.permute(" + cast(input(), dtype()) + ", [0, 3, 1, 2])";
    }

    @Override
    public String call(Op.Call op) {
        throw network.unexpected(node);
    }

    /**
     * A layer of bytes for oneDNN.
     *
     * @param operands the input and the kernels, with their scales and zero points
     * @param bias the bias
     * @param shape stride, padding, dilation and groups of a convolution
     */
    private record Layer(String operands, String bias, String shape) {}

    /** A layer of bytes, rounded to a grid, or as floats if none exists. */
    private String integers(Node layer, @Nullable Grid grid) {
        Layer code = layer(layer);
        return layer.op() instanceof Op.Linear
                ? "ops.onednn.qlinear_pointwise(%s, %s, %s, \"none\", [], \"\")"
                        .formatted(code.operands, code.bias, rounding(grid))
                : "ops.onednn.qconv2d_pointwise(%s, %s, %s, %s, \"none\", [], \"\")"
                        .formatted(code.operands, code.bias, code.shape, rounding(grid));
    }

    private static String rounding(@Nullable Grid grid) {
        return grid == null
                ? "1.0, 0, " + FLOAT
                : "%s, %d, %d".formatted(number(grid.scale()), grid.zeroPoint(), UINT8);
    }

    private Layer layer(Node layer) {
        Value input = layer.inputs().get(0);
        Grid grid = Objects.requireNonNull(plan.grid(input));
        Type type = types.of(input);
        if (layer.op() instanceof Op.Linear linear) {
            String weight = kernels(layer, List.of((long) linear.units(), type.get(1)), linear.weight());
            prepared.put(
                    ordered(weight), new Prepared(weight, "ops.onednn.qlinear_prepack(%s, [1, " + type.get(1) + "])"));
            return new Layer(operands(input, grid, weight), bias(layer, linear.units(), linear.bias()), "");
        }
        Op.Convolution conv = (Op.Convolution) layer.op();
        Window window = conv.window();
        String shape = "%s, %s, %s, %d"
                .formatted(pair(window.stride()), pair(window.padding()), pair(window.dilation()), conv.groups());
        String weight = kernels(layer, conv.weightSizes(type), conv.weight());
        String prepack = "ops.onednn.qconv_prepack(%%s, self.%s, %s, %d, %s, [1, %d, %d, %d])"
                .formatted(
                        scale(weight),
                        number(grid.scale()),
                        grid.zeroPoint(),
                        shape,
                        type.get(1),
                        type.get(2),
                        type.get(3));
        prepared.put(ordered(weight), new Prepared(weight, prepack));
        return new Layer(operands(input, grid, weight), bias(layer, conv.filters(), conv.bias()), shape);
    }

    private static String operands(Value input, Grid grid, String weight) {
        return "%s, %s, %d, self.%s, self.%s, self.%s"
                .formatted(
                        variable(input),
                        number(grid.scale()),
                        grid.zeroPoint(),
                        ordered(weight),
                        scale(weight),
                        zeroPoint(weight));
    }

    private static String scale(String weight) {
        return weight + "_scale";
    }

    private static String zeroPoint(String weight) {
        return weight + "_zero_point";
    }

    /** Adds the levels of a layer's weights, their scales, and their zero points; returns the name of the levels. */
    private String kernels(Node layer, List<Long> sizes, Constant constant) {
        Constant.QuantizedWeight weight = (Constant.QuantizedWeight) constant;
        String name = unique(layer.name() + ".weight");
        List<Long> filters = sizes.subList(0, 1);
        buffers.add(new Buffer(name, sizes, false, BYTES, file -> weight.levels(file.parameters())));
        buffers.add(new Buffer(scale(name), filters, false, FLOATS, file -> Precision.FLOAT32
                .encode(weight.scales(file.parameters()))
                .array()));
        int zeros = Math.toIntExact(filters.get(0)) * Integer.BYTES;
        buffers.add(new Buffer(zeroPoint(name), filters, false, INTEGERS, file -> new byte[zeros]));
        return name;
    }

    /** oneDNN adds floats, so the bias is not rounded. */
    private String bias(Node layer, int filters, @Nullable Constant bias) {
        if (bias == null) {
            return "None";
        }
        String name = unique(layer.name() + ".bias");
        Constant floats = ((Constant.QuantizedBias) bias).bias();
        buffers.add(Buffer.of(name, List.of((long) filters), false, floats, Precision.FLOAT32));
        return "self." + name;
    }

    private String quantized(Value value) {
        return quantized(value, Objects.requireNonNull(plan.grid(value)));
    }

    /** A value's bytes as a quantized tensor of PyTorch. */
    private static String quantized(Value value, Grid grid) {
        return "torch._make_per_tensor_quantized_tensor(%s, %s, %d)"
                .formatted(variable(value), number(grid.scale()), grid.zeroPoint());
    }

    /** Whether an operand may be overwritten, as a suffix of the function's name. */
    private String inPlace(int operand) {
        return lifetimes.mayOverwrite(index, node.inputs().get(operand)) ? "_" : "";
    }

    private String input() {
        return name(node.inputs().get(0));
    }

    /** A value's floats. */
    private String name(Value value) {
        Grid grid = plan.grid(value);
        return grid == null ? variable(value) : "torch.dequantize(" + quantized(value, grid) + ")";
    }

    /** The variable of a value: floats, or bytes if it is rounded. */
    private static String variable(Value value) {
        return "x" + value.id();
    }

    private String buffer(String leaf, List<Long> sizes, boolean kernel, Constant constant) {
        SizedConstant key = new SizedConstant(constant, sizes);
        @Nullable String same = known.get(key);
        if (same == null) {
            same = unique(node.name() + "." + leaf);
            buffers.add(Buffer.of(same, sizes, kernel, constant, network.precision()));
            known.put(key, same);
        }
        return "self." + same;
    }

    /** A unique identifier for a buffer. */
    private String unique(String path) {
        String base = path.replaceAll("[^A-Za-z0-9_]", "_");
        base = Character.isDigit(base.charAt(0)) || base.charAt(0) == '_' ? "p" + base : base;
        String name = base;
        for (int number = 2; !taken.add(name); number++) {
            name = base + "_" + number;
        }
        return name;
    }

    private static String pair(Window.Size size) {
        return "[" + size.height() + ", " + size.width() + "]";
    }

    private static String number(float value) {
        return Double.toString(value).replace("E", "e");
    }
}
