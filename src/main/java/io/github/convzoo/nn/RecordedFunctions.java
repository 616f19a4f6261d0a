package io.github.convzoo.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.internal.NDArrayEx;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Type;
import io.github.convzoo.graph.Window;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The functions of {@link NDArrayEx} that can be recorded, through which DJL's blocks call the engine's operations.
 * Each public method here implements the one with the same signature there; missing ones are refused by name.
 */
final class RecordedFunctions {

    private final RecordedArray array;
    private final Trace trace;

    private RecordedFunctions(RecordedArray array) {
        this.array = array;
        trace = array.trace;
    }

    /** The operations of an array. Few of the interface's many methods matter, so the rest is not spelled out. */
    static NDArrayEx of(RecordedArray array) {
        RecordedFunctions functions = new RecordedFunctions(array);
        return (NDArrayEx) Proxy.newProxyInstance(
                NDArrayEx.class.getClassLoader(),
                new Class<?>[] {NDArrayEx.class},
                (proxy, method, arguments) -> functions.call(proxy, method, arguments));
    }

    private @Nullable Object call(Object proxy, Method method, Object @Nullable [] arguments) throws Throwable {
        try {
            return RecordedFunctions.class
                    .getMethod(method.getName(), method.getParameterTypes())
                    .invoke(this, arguments);
        } catch (InvocationTargetException e) {
            throw e.getTargetException();
        } catch (NoSuchMethodException e) {
            if (method.isDefault()) {
                return InvocationHandler.invokeDefault(proxy, method, arguments);
            }
            throw trace.refusal(Trace.NO_OPERATION);
        }
    }

    public NDArray getArray() {
        return array;
    }

    public NDArray relu() {
        return record(Op.Activation.RELU);
    }

    public NDArray sigmoid() {
        return record(Op.Activation.SIGMOID);
    }

    public NDArray tanh() {
        return record(Op.Activation.TANH);
    }

    public NDArray softPlus() {
        return record(Op.Activation.SOFTPLUS);
    }

    public NDArray selu() {
        return record(Op.Activation.SELU);
    }

    public NDArray gelu() {
        return record(Op.Activation.GELU);
    }

    public NDArray leakyRelu(float alpha) {
        return record(new Op.LeakyRelu(alpha));
    }

    public NDArray elu(float alpha) {
        return record(new Op.Elu(alpha));
    }

    public NDArray swish(float beta) {
        return beta == 1
                ? record(Op.Activation.SILU)
                : array.mul(array.mul(beta).getNDArrayInternal().sigmoid());
    }

    public NDArray maxPool(Shape kernel, Shape stride, Shape padding, boolean ceilMode) {
        return record(new Op.MaxPool(pool(kernel, stride, padding, ceilMode)));
    }

    public NDArray avgPool(Shape kernel, Shape stride, Shape padding, boolean ceilMode, boolean countIncludePad) {
        if (!countIncludePad && !padding.equals(new Shape(0, 0))) {
            // DJL does not pass the option to PyTorch, so the block and a correct file would differ.
            throw trace.refusal(
                    "it excludes the padding from the average, but DJL's PyTorch engine counts it as zeros anyway;"
                            + " set countIncludePad if that is intended");
        }
        return record(new Op.AveragePool(pool(kernel, stride, padding, ceilMode)));
    }

    public NDArray globalMaxPool() {
        return record(Op.GlobalPool.MAX);
    }

    public NDArray globalAvgPool() {
        return record(Op.GlobalPool.AVERAGE);
    }

    private Window pool(Shape kernel, Shape stride, Shape padding, boolean ceilMode) {
        if (kernel.dimension() != 2) {
            throw trace.refusal("graphs pool over two axes only, not over " + kernel.dimension());
        }
        Window window = new Window(size(kernel), size(stride), size(padding), Window.Size.of(1));
        Type map = array.type();
        if (ceilMode
                && (roundsUp(map.get(2), kernel.get(0), stride.get(0), padding.get(0))
                        || roundsUp(map.get(3), kernel.get(1), stride.get(1), padding.get(1)))) {
            throw trace.refusal("it rounds the size of " + map
                    + " up, but pools in graphs round down; choose an input size that needs no rounding");
        }
        if (ceilMode && (stride.get(0) > 1 || stride.get(1) > 1)) {
            trace.roundsUp();
        }
        return window;
    }

    /** Whether rounding up adds an element. The last window must start inside the map or its left padding. */
    private static boolean roundsUp(long side, long kernel, long stride, long padding) {
        long room = side + 2 * padding - kernel;
        long last = Math.floorDiv(room, stride) + 1;
        return room % stride != 0 && last * stride < side + padding;
    }

    public NDList convolution(
            NDArray input,
            NDArray weight,
            @Nullable NDArray bias,
            Shape stride,
            Shape padding,
            Shape dilation,
            int groups) {
        Shape kernel = weight.getShape();
        if (kernel.dimension() != 4) {
            throw trace.refusal("graphs have convolutions over two axes only, not over " + (kernel.dimension() - 2));
        }
        RecordedArray map = trace.recorded(input);
        if (map.type().rank() != 4 || map.type().get(1) != kernel.get(1) * groups) {
            throw trace.refusal("a weight of " + kernel + " in " + groups + " groups does not fit " + map.type());
        }
        Op op = new Op.Convolution(
                trace.constant(weight),
                bias == null ? null : trace.constant(bias),
                Math.toIntExact(kernel.get(0)),
                new Window(size(kernel.slice(2)), size(stride), size(padding), size(dilation)),
                groups);
        return new NDList(trace.add(op, List.of(map)).get(0));
    }

    public NDList linear(NDArray input, NDArray weight, @Nullable NDArray bias) {
        RecordedArray x = trace.recorded(input);
        Shape shape = weight.getShape();
        if (shape.dimension() != 2 || x.type().get(x.type().rank() - 1) != shape.get(1)) {
            throw trace.refusal("a weight of " + shape + " does not fit " + x.type());
        }
        Op op = new Op.Linear(
                trace.constant(weight), bias == null ? null : trace.constant(bias), Math.toIntExact(shape.get(0)));
        return new NDList(trace.add(op, List.of(x)).get(0));
    }

    public NDList dropout(NDArray input, float rate, boolean training) {
        requireInference(training);
        return new NDList(trace.recorded(input).view());
    }

    public NDList batchNorm(
            NDArray input,
            NDArray runningMean,
            NDArray runningVar,
            NDArray gamma,
            NDArray beta,
            int axis,
            float momentum,
            float eps,
            boolean training) {
        requireInference(training);
        RecordedArray x = trace.recorded(input);
        // In DJL's engine, -1 means axis 1 without a transposition.
        if (axis != 1 && axis != -1) {
            throw trace.refusal("graphs normalize axis 1 only, not axis " + axis);
        }
        if (runningMean.getShape().size() != x.type().get(1)) {
            throw trace.refusal("a mean of " + runningMean.getShape() + " does not fit " + x.type());
        }
        Op op = new Op.Normalization(
                trace.constant(gamma),
                trace.constant(beta),
                trace.constant(runningMean),
                trace.constant(runningVar),
                eps);
        return new NDList(trace.add(op, List.of(x)).get(0));
    }

    public NDArray concat(NDList others, int axis) {
        if (axis != 1 && axis != 1 - array.type().rank()) {
            throw trace.refusal("graphs concatenate along axis 1 only, not along axis " + axis);
        }
        List<RecordedArray> parts = new ArrayList<>(List.of(array));
        others.forEach(other -> parts.add(trace.recorded(other)));
        return trace.add(new Op.Concat(), parts).get(0);
    }

    private void requireInference(boolean training) {
        if (training) {
            throw trace.refusal("it computes in training mode");
        }
    }

    private RecordedArray record(Op op) {
        return trace.add(op, List.of(array)).get(0);
    }

    private Window.Size size(Shape shape) {
        return new Window.Size(Math.toIntExact(shape.get(0)), Math.toIntExact(shape.get(1)));
    }
}
