package io.github.convzoo.nn;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import io.github.convzoo.graph.Constant;
import io.github.convzoo.graph.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Weights that a pass derived from parameters, computed once. They are valid for the parameters' current arrays: if one
 * is replaced, they are stale.
 */
final class FoldedWeights implements AutoCloseable {

    private final Map<String, Parameter> parameters;
    private final UsedArrays sources = new UsedArrays();
    private final List<NDArray> copies = new ArrayList<>();
    private @Nullable NDManager own;

    FoldedWeights(Map<String, Parameter> parameters) {
        this.parameters = parameters;
    }

    /** Computes a constant; the array is closed with these weights, unless it is a parameter's own. */
    NDArray get(Constant constant) {
        if (constant instanceof Constant.Parameter parameter) {
            return source(parameter.name());
        }
        NDArray computed = compute(constant);
        computed.setRequiresGradient(false);
        return keep(computed);
    }

    NDArray keep(NDArray copy) {
        copies.add(copy);
        return copy;
    }

    private NDArray compute(Constant constant) {
        if (constant instanceof Constant.NormScale norm) {
            try (NDArray shifted = operand(norm.variance()).add(norm.epsilon());
                    NDArray deviation = shifted.sqrt()) {
                return operand(norm.gamma()).div(deviation);
            }
        } else if (constant instanceof Constant.NormShift norm) {
            try (NDArray scale = compute(norm.scale());
                    NDArray scaledMean = operand(norm.mean()).mul(scale)) {
                return operand(norm.beta()).sub(scaledMean);
            }
        } else if (constant instanceof Constant.Sum sum) {
            try (NDArray first = compute(sum.first());
                    NDArray second = compute(sum.second())) {
                return first.add(second);
            }
        } else if (constant instanceof Constant.Scaled scaled) {
            NDArray weight = operand(scaled.weight());
            long[] perFilter = new long[weight.getShape().dimension()];
            Arrays.fill(perFilter, 1);
            perFilter[0] = weight.getShape().get(0);
            try (NDArray scale = compute(scaled.scale());
                    NDArray factors = scale.reshape(perFilter)) {
                return weight.mul(factors);
            }
        }
        Tensor tensor = constant.evaluate(name -> tensor(source(name)));
        return manager().create(tensor.values(), Recording.shape(tensor.sizes()));
    }

    /** The parameters' manager; a block without parameters has only the graph's literals. */
    private NDManager manager() {
        if (!parameters.isEmpty()) {
            return parameters.values().iterator().next().getArray().getManager();
        }
        NDManager current = own;
        if (current == null) {
            current = NDManager.newBaseManager(Device.cpu(), "PyTorch");
            own = current;
        }
        return current;
    }

    private NDArray operand(Constant constant) {
        return constant instanceof Constant.Parameter parameter ? source(parameter.name()) : keep(compute(constant));
    }

    /** Reads parameters. */
    static Tensor.Source source(Map<String, Parameter> parameters) {
        return name -> {
            Parameter parameter = parameters.get(name);
            if (parameter == null) {
                throw new IllegalArgumentException("the block has no parameter " + name);
            }
            return tensor(parameter.getArray());
        };
    }

    private static Tensor tensor(NDArray array) {
        return new Tensor(Arrays.stream(array.getShape().getShape()).boxed().toList(), array.toFloatArray());
    }

    private NDArray source(String name) {
        return sources.add(Objects.requireNonNull(parameters.get(name), name));
    }

    /** Whether the parameters still have the arrays that the weights were derived from, on the device. */
    boolean areCurrent(Device device) {
        return sources.areCurrent()
                && (copies.isEmpty() || copies.get(0).getDevice().equals(device));
    }

    @Override
    public void close() {
        copies.forEach(NDArray::close);
        NDManager current = own;
        if (current != null) {
            current.close();
        }
    }
}
