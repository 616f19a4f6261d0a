package io.github.convzoo.nn;

import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.Dropout;
import io.github.convzoo.graph.Constant;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Type;
import io.github.convzoo.graph.Value;
import io.github.convzoo.graph.Window;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The operations for writing a {@link FlowBlock}. Each records a node of a graph and returns its output; nothing is
 * computed, so a flow runs only once, for all inputs.
 *
 * <p>Maps are (N, C, H, W) unless an operation says otherwise.
 */
public final class Operations {

    private final Graph.Builder graph = new Graph.Builder();
    private final Map<Recording.Leaf, Block> blocks = new HashMap<>();
    private final List<Recording.Call> calls = new ArrayList<>();
    private final IdentityHashMap<Block, String> names;
    private final FlowBlock whole;
    private Block enclosing;

    private Operations(FlowBlock whole, Block root) {
        this.whole = whole;
        enclosing = whole;
        names = CanonicalNames.blocks(root);
    }

    /** Records a block's flow, including those of its composed children; names are relative to a root. */
    static Recording record(FlowBlock whole, int inputs, Block root) {
        Operations ops = new Operations(whole, root);
        List<Value> operands = Stream.generate(ops.graph::input).limit(inputs).toList();
        Value output = whole.flow(ops, operands);
        return new Recording(ops.graph.build(List.of(output)), ops.blocks, ops.calls, CanonicalNames.parameters(root));
    }

    /**
     * Runs a block of one input.
     *
     * @param block a child of the block whose flow this is
     * @param input its input
     * @return its only output
     */
    public Value run(Block block, Value input) {
        return run(block, List.of(input));
    }

    /**
     * Runs a block.
     *
     * @param block a child of the block whose flow this is
     * @param inputs its inputs
     * @return its only output
     */
    public Value run(Block block, List<Value> inputs) {
        String name = nameOf(block);
        Value output;
        if (block instanceof FlowBlock composed) {
            Block outer = enclosing;
            enclosing = block;
            output = composed.flow(this, inputs);
            enclosing = outer;
        } else {
            Op op = op(block, name);
            blocks.put(new Recording.Leaf(name, op), block);
            output = graph.add(name, op, inputs).output();
        }
        graph.name(name, output);
        if (enclosing == whole) {
            calls.add(new Recording.Call(block, inputs, output));
        }
        return output;
    }

    /**
     * Runs a convolution and its normalization.
     *
     * @param conv the convolution
     * @param norm the normalization of its output
     * @param input the convolution's input
     * @return the normalized output
     */
    public Value convNorm(Block conv, BatchNorm2d norm, Value input) {
        return run(norm, run(conv, input));
    }

    /**
     * Names a value that is not a block's output.
     *
     * @param name the name, unique within the network
     * @param value the value
     * @return the value
     */
    public Value name(String name, Value value) {
        graph.name(name, value);
        return value;
    }

    /**
     * Rectified linear unit, max(x, 0).
     *
     * @param x a value of any shape
     * @return a value of the same shape
     */
    public Value relu(Value x) {
        return add(Op.Activation.RELU, x);
    }

    /**
     * Sigmoid linear unit, x * sigmoid(x).
     *
     * @param x a value of any shape
     * @return a value of the same shape
     */
    public Value silu(Value x) {
        return add(Op.Activation.SILU, x);
    }

    /**
     * Exponential linear unit with alpha 1: x if positive, exp(x) - 1 otherwise.
     *
     * @param x a value of any shape
     * @return a value of the same shape
     */
    public Value elu(Value x) {
        return add(new Op.Elu(1), x);
    }

    /**
     * Adds elementwise.
     *
     * @param a a value of any shape
     * @param b a value of the same shape
     * @return a value of the same shape
     */
    public Value add(Value a, Value b) {
        return add(new Op.Add(), a, b);
    }

    /**
     * Concatenates along the channels.
     *
     * @param parts values with equal N, H and W
     * @return all channels in the order of the parts
     */
    public Value concat(List<Value> parts) {
        return add(new Op.Concat(), parts.toArray(Value[]::new));
    }

    /**
     * Splits along the channels.
     *
     * @param x the value
     * @param channels the first channel of each part except the first, ascending
     * @return the parts in order
     */
    public List<Value> splitAt(Value x, long... channels) {
        Op split = new Op.Split(Arrays.stream(channels).boxed().toList());
        return graph.add(nameOf(enclosing), split, List.of(x)).outputs();
    }

    /**
     * Square max pooling; padding is negative infinity.
     *
     * @param x the input
     * @param kernel the window's side
     * @param stride the stride
     * @param padding the padding on each side
     * @return a map of size floor((size + 2 * padding - kernel) / stride) + 1
     */
    public Value maxPool(Value x, int kernel, int stride, int padding) {
        return add(new Op.MaxPool(Window.square(kernel, stride, padding)), x);
    }

    /**
     * Square average pooling; the padding counts as zeros, so the divisor is always kernel * kernel.
     *
     * @param x the input
     * @param kernel the window's side
     * @param stride the stride
     * @param padding the padding on each side
     * @return a map of size floor((size + 2 * padding - kernel) / stride) + 1
     */
    public Value averagePool(Value x, int kernel, int stride, int padding) {
        return add(new Op.AveragePool(Window.square(kernel, stride, padding)), x);
    }

    /**
     * Averages each channel.
     *
     * @param x the input
     * @return a value of shape (N, C)
     */
    public Value globalAveragePool(Value x) {
        return add(Op.GlobalPool.AVERAGE, x);
    }

    /**
     * {@return the mean of each channel's average and maximum, of shape (N, C)}
     *
     * @param x the input
     */
    public Value globalAverageMaxPool(Value x) {
        Value sum = add(add(Op.GlobalPool.AVERAGE, x), add(Op.GlobalPool.MAX, x));
        return add(new Op.Scale(0.5f), sum);
    }

    /**
     * Flattens each sample's elements.
     *
     * @param x the input
     * @return a value of shape (N, C * H * W)
     */
    public Value flatten(Value x) {
        return add(Op.Reshape.FLATTEN, x);
    }

    /**
     * Reshapes each sample's features to a map of one pixel.
     *
     * @param x a value of shape (N, C)
     * @return a value of shape (N, C, 1, 1)
     */
    public Value toPixel(Value x) {
        return add(Op.Reshape.TO_PIXEL, x);
    }

    private Value add(Op op, Value... operands) {
        return graph.add(nameOf(enclosing), op, List.of(operands)).output();
    }

    private String nameOf(Block block) {
        String name = names.get(block);
        if (name == null) {
            throw new IllegalStateException(
                    "a " + CanonicalNames.kind(block) + " is run but is not a child of the network");
        }
        return name;
    }

    static Op op(Block block, String name) {
        if (block instanceof Conv2d conv) {
            return convolution(conv, name);
        } else if (block instanceof Linear linear) {
            // DJL offers no other access to the number of units before initialization.
            Shape output = linear.getOutputShapes(new Shape[] {new Shape(1, 1)})[0];
            boolean bias = linear.getDirectParameters().contains("bias");
            return new Op.Linear(
                    parameter(name, "weight"), bias ? parameter(name, "bias") : null, Math.toIntExact(output.get(1)));
        } else if (block instanceof BatchNorm2d norm) {
            return new Op.Normalization(
                    parameter(name, "weight"),
                    parameter(name, "bias"),
                    parameter(name, "running_mean"),
                    parameter(name, "running_var"),
                    norm.epsilon());
        } else if (block instanceof Dropout) {
            return new Op.Dropout();
        } else if (block instanceof DynamicConv2d dynamic) {
            return dynamicConvolution(dynamic, name);
        }
        return new Op.Call(CanonicalNames.kind(block), inputs -> call(block, inputs));
    }

    private static Op.Convolution convolution(Conv2d conv, String name) {
        return new Op.Convolution(
                parameter(name, "weight"),
                conv.isIncludeBias() ? parameter(name, "bias") : null,
                conv.getFilters(),
                new Window(
                        size(conv.getKernelShape()),
                        size(conv.getStride()),
                        size(conv.getPadding()),
                        size(conv.getDilation())),
                conv.getGroups());
    }

    private static Op dynamicConvolution(DynamicConv2d dynamic, String name) {
        DynamicConv2d.Spec spec = dynamic.spec();
        RoutingAttention routing = dynamic.routing();
        return new Op.DynamicConvolution(
                parameter(name, "weight"),
                spec.hasBias() ? parameter(name, "bias") : null,
                convolution(routing.squeeze(), name + ".routing.net.0"),
                convolution(routing.score(), name + ".routing.net.2"),
                routing.temperature(),
                spec.channels(),
                spec.filters(),
                new Window(
                        Window.Size.of(spec.kernel()),
                        Window.Size.of(spec.stride()),
                        Window.Size.of(spec.padding()),
                        Window.Size.of(spec.dilation())),
                spec.groups());
    }

    private static List<Type> call(Block block, List<Type> inputs) {
        Shape[] shapes = inputs.stream().map(Recording::shape).toArray(Shape[]::new);
        return Stream.of(block.getOutputShapes(shapes)).map(Recording::type).toList();
    }

    private static Constant parameter(String name, String leaf) {
        return new Constant.Parameter(name.isEmpty() ? leaf : name + "." + leaf);
    }

    private static Window.Size size(Shape shape) {
        return new Window.Size(Math.toIntExact(shape.get(0)), Math.toIntExact(shape.get(1)));
    }
}
