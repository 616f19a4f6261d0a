package io.github.convzoo.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.core.Linear;
import ai.djl.nn.pooling.Pool;
import io.github.convzoo.graph.Constant;
import io.github.convzoo.graph.Grid;
import io.github.convzoo.graph.Node;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Window;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The engine's implementation of each operation. A node that represents a block is computed by the block. */
final class Kernels implements Op.Cases<Program.Kernel> {

    private final Recording recording;
    private final FoldedWeights weights;

    Kernels(Recording recording, FoldedWeights weights) {
        this.recording = recording;
        this.weights = weights;
    }

    Program.Kernel of(Node node) {
        Block block = recording.block(node);
        return block == null
                ? node.op().accept(this)
                : (parameters, inputs, training) -> {
                    NDArray result = block.forward(parameters, inputs, training).singletonOrThrow();
                    for (NDArray input : inputs) {
                        if (input == result) {
                            // Each value is closed separately.
                            return new NDList(result.reshape(result.getShape()));
                        }
                    }
                    return new NDList(result);
                };
    }

    @Override
    public Program.Kernel convolution(Op.Convolution op) {
        NDArray weight = weights.get(op.weight());
        NDArray bias = op.bias() == null ? null : weights.get(op.bias());
        Window window = op.window();
        Shape stride = shape(window.stride());
        Shape padding = shape(window.padding());
        Shape dilation = shape(window.dilation());
        return (parameters, inputs, training) -> inputs.get(0)
                .getNDArrayInternal()
                .convolution(inputs.get(0), weight, bias, stride, padding, dilation, op.groups());
    }

    @Override
    public Program.Kernel fusedConvolution(Op.FusedConvolution op) {
        Program.Kernel convolution = convolution(op.convolution());
        return (parameters, inputs, training) -> {
            NDArray result = convolution
                    .run(parameters, new NDList(inputs.get(0)), training)
                    .singletonOrThrow();
            if (op.adds()) {
                result.addi(inputs.get(1));
            }
            if (!op.rectifies()) {
                return new NDList(result);
            }
            try (result) {
                return new NDList(Activation.relu(result));
            }
        };
    }

    @Override
    public Program.Kernel linear(Op.Linear op) {
        NDArray weight = weights.get(op.weight());
        @Nullable NDArray bias = op.bias() == null ? null : weights.get(op.bias());
        return (parameters, inputs, training) -> Linear.linear(inputs.get(0), weight, bias);
    }

    @Override
    public Program.Kernel normalization(Op.Normalization op) {
        NDArray gamma = weights.get(op.gamma());
        NDArray beta = weights.get(op.beta());
        NDArray mean = weights.get(op.mean());
        NDArray variance = weights.get(op.variance());
        return (parameters, inputs, training) ->
                BatchNorm2d.normalize(inputs.get(0), mean, variance, gamma, beta, op.epsilon(), false);
    }

    @Override
    public Program.Kernel affine(Op.Affine op) {
        NDArray scale = vector(op.scale());
        NDArray shift = vector(op.shift());
        NDArray mapScale = pixels(scale);
        NDArray mapShift = pixels(shift);
        return one(x -> {
            boolean map = x.getShape().dimension() == 4;
            NDArray scaled = x.mul(map ? mapScale : scale);
            return scaled.addi(map ? mapShift : shift);
        });
    }

    private NDArray vector(Constant constant) {
        return weights.keep(weights.get(constant).flatten());
    }

    /** A vector of channels, reshaped for multiplication with maps. */
    private NDArray pixels(NDArray vector) {
        return weights.keep(vector.reshape(1, vector.size(), 1, 1));
    }

    @Override
    public Program.Kernel dynamicConvolution(Op.DynamicConvolution op) {
        throw withoutBlock(op);
    }

    @Override
    public Program.Kernel activation(Op.Activation op) {
        return switch (op) {
            case RELU -> one(Activation::relu);
            case SIGMOID -> one(Activation::sigmoid);
            case TANH -> one(Activation::tanh);
            case SILU ->
                one(x -> {
                    try (NDArray sigmoid = Activation.sigmoid(x)) {
                        return x.mul(sigmoid);
                    }
                });
            case SOFTPLUS -> one(Activation::softPlus);
            case SELU -> one(Activation::selu);
            case GELU -> one(Activation::gelu);
        };
    }

    @Override
    public Program.Kernel elu(Op.Elu op) {
        return one(x -> Activation.elu(x, op.alpha()));
    }

    @Override
    public Program.Kernel leakyRelu(Op.LeakyRelu op) {
        return one(x -> Activation.leakyRelu(x, op.alpha()));
    }

    @Override
    public Program.Kernel clip(Op.Clip op) {
        return one(x -> x.clip(op.min(), op.max()));
    }

    @Override
    public Program.Kernel add(Op.Add op) {
        return (parameters, inputs, training) -> new NDList(inputs.get(0).add(inputs.get(1)));
    }

    @Override
    public Program.Kernel multiply(Op.Multiply op) {
        return (parameters, inputs, training) -> new NDList(inputs.get(0).mul(inputs.get(1)));
    }

    @Override
    public Program.Kernel scale(Op.Scale op) {
        return one(x -> {
            try (NDArray factor = EngineNumber.of(x.getManager(), op.factor())) {
                return x.mul(factor);
            }
        });
    }

    @Override
    public Program.Kernel fakeQuantize(Op.FakeQuantize op) {
        float scale = op.grid().scale();
        int zero = op.grid().zeroPoint();
        return (parameters, inputs, training) -> {
            try (NDArray scaled = inputs.get(0).div(scale);
                    NDArray level = scaled.round();
                    NDArray bounded = level.clip(-zero, Grid.LAST - zero)) {
                return new NDList(bounded.mul(scale));
            }
        };
    }

    @Override
    public Program.Kernel concat(Op.Concat op) {
        return (parameters, inputs, training) -> new NDList(NDArrays.concat(inputs, 1));
    }

    @Override
    public Program.Kernel split(Op.Split op) {
        long[] starts = op.starts().stream().mapToLong(Long::longValue).toArray();
        return (parameters, inputs, training) -> inputs.get(0).split(starts, 1);
    }

    @Override
    public Program.Kernel maxPool(Op.MaxPool op) {
        Window window = op.window();
        return one(
                x -> Pool.maxPool2d(x, shape(window.kernel()), shape(window.stride()), shape(window.padding()), false));
    }

    @Override
    public Program.Kernel averagePool(Op.AveragePool op) {
        Window window = op.window();
        return one(x -> Pool.avgPool2d(
                x, shape(window.kernel()), shape(window.stride()), shape(window.padding()), false, true));
    }

    @Override
    public Program.Kernel globalPool(Op.GlobalPool op) {
        return switch (op) {
            case AVERAGE -> one(Pool::globalAvgPool2d);
            case MAX -> one(Pool::globalMaxPool2d);
        };
    }

    @Override
    public Program.Kernel reshape(Op.Reshape op) {
        return one(x -> x.reshape(
                Recording.shape(op.types(List.of(Recording.type(x.getShape()))).get(0))));
    }

    @Override
    public Program.Kernel softmax(Op.Softmax op) {
        return one(x -> x.softmax(1));
    }

    @Override
    public Program.Kernel dropout(Op.Dropout op) {
        throw withoutBlock(op);
    }

    @Override
    public Program.Kernel pixels(Op.Pixels op) {
        return one(x -> {
            try (NDArray floats = x.toType(DataType.FLOAT32, true)) {
                return floats.transpose(0, 3, 1, 2);
            }
        });
    }

    @Override
    public Program.Kernel call(Op.Call op) {
        throw withoutBlock(op);
    }

    private static Program.Kernel one(UnaryOperator<NDArray> function) {
        return (parameters, inputs, training) -> new NDList(function.apply(inputs.get(0)));
    }

    private static IllegalStateException withoutBlock(Op op) {
        return new IllegalStateException("a " + op.kind() + " must be computed by its block, but has none");
    }

    private static Shape shape(Window.Size size) {
        return new Shape(size.height(), size.width());
    }
}
