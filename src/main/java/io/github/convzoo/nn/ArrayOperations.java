package io.github.convzoo.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * Computes on arrays, and closes each operand as soon as it is used.
 *
 * <p>A composed block that is given an operand for good closes it itself, as early as it can; what its caller still needs
 * is only lent to it.
 */
final class ArrayOperations implements Operations<NDArray> {

    private final ParameterStore parameterStore;
    private final boolean training;
    private final List<NDArray> lent;
    private final List<NDArray> kept = new ArrayList<>(2);
    private final List<NDArray> parts = new ArrayList<>(0);

    ArrayOperations(ParameterStore parameterStore, boolean training, List<NDArray> lent) {
        this.parameterStore = parameterStore;
        this.training = training;
        this.lent = lent;
    }

    @Override
    public NDArray run(Block block, List<NDArray> operands) {
        NDArray output;
        if (block instanceof FlowBlock composed) {
            List<NDArray> lentOn = new ArrayList<>(operands.size());
            for (NDArray operand : operands) {
                if (belongsToOthers(operand)) {
                    lentOn.add(operand);
                }
            }
            output = composed.flow(new ArrayOperations(parameterStore, training, lentOn), operands);
        } else {
            output = block.forward(parameterStore, new NDList(operands), training)
                    .singletonOrThrow();
        }
        return used(operands, output);
    }

    @Override
    public NDArray convNorm(Conv2d conv, BatchNorm2d norm, NDArray input) {
        FoldedConv2d folded = training ? null : norm.folded();
        if (folded != null && folded.isFor(conv, input.getDevice())) {
            return used(input, folded.convolve(input));
        }
        return run(norm, run(conv, input));
    }

    @Override
    public NDArray keep(NDArray value) {
        kept.add(value);
        return value;
    }

    @Override
    public void discard(NDArray value) {
        if (!belongsToOthers(value)) {
            value.close();
        }
    }

    @Override
    public NDArray relu(NDArray x) {
        return used(x, Activation.relu(x));
    }

    @Override
    public NDArray elu(NDArray x) {
        return used(x, Activation.elu(x, 1f));
    }

    @Override
    public NDArray add(NDArray a, NDArray b) {
        // In place where nobody needs the operand again; autograd may, so not in training. Nor into a part of a split
        // array:
        // on a thread that records gradients the engine refuses it, whatever the mode.
        if (!training && !belongsToOthers(a) && !containsIdentity(parts, a)) {
            a.addi(b);
            return used(b, a);
        }
        NDArray sum = a.add(b);
        return used(List.of(a, b), sum);
    }

    @Override
    public NDArray concat(List<NDArray> operands) {
        return used(operands, NDArrays.concat(new NDList(operands), 1));
    }

    @Override
    public List<NDArray> splitAt(NDArray x, long... channels) {
        NDList split = x.split(channels, 1);
        parts.addAll(split);
        if (!forget(x) && !containsIdentity(lent, x)) {
            x.close();
        }
        return split;
    }

    @Override
    public NDArray maxPool(NDArray x, int kernel, int stride, int padding) {
        return used(x, Pool.maxPool2d(x, square(kernel), square(stride), square(padding), false));
    }

    @Override
    public NDArray averagePool(NDArray x, int kernel, int stride, int padding) {
        return used(x, Pool.avgPool2d(x, square(kernel), square(stride), square(padding), false, true));
    }

    @Override
    public NDArray globalAveragePool(NDArray x) {
        return used(x, Pool.globalAvgPool2d(x));
    }

    @Override
    public NDArray globalAverageMaxPool(NDArray x) {
        NDArray average = Pool.globalAvgPool2d(x);
        NDArray max = Pool.globalMaxPool2d(x);
        NDArray sum = average.add(max);
        try (NDArray half = EngineNumber.of(sum.getManager(), 0.5f)) {
            return used(List.of(x, average, max, sum), sum.mul(half));
        }
    }

    @Override
    public NDArray flatten(NDArray x) {
        return used(x, x.flatten(1, -1));
    }

    @Override
    public NDArray toPixel(NDArray x) {
        Shape shape = x.getShape();
        return used(x, x.reshape(shape.get(0), shape.get(1), 1, 1));
    }

    private boolean belongsToOthers(NDArray value) {
        return containsIdentity(lent, value) || containsIdentity(kept, value);
    }

    private NDArray used(NDArray operand, NDArray output) {
        if (!forget(operand) && operand != output && !containsIdentity(lent, operand)) {
            operand.close();
        }
        return output;
    }

    private NDArray used(List<NDArray> operands, NDArray output) {
        // One array may be two operands; it is kept or closed once.
        Set<NDArray> distinct = Collections.newSetFromMap(new IdentityHashMap<>());
        distinct.addAll(operands);
        for (NDArray operand : distinct) {
            used(operand, output);
        }
        return output;
    }

    /** Takes back what {@link #keep} said of an operand. */
    private boolean forget(NDArray operand) {
        for (int i = 0; i < kept.size(); i++) {
            if (kept.get(i) == operand) {
                kept.remove(i);
                return true;
            }
        }
        return false;
    }

    // NDArray.equals compares contents, so identity is asked for by hand.
    private static boolean containsIdentity(List<NDArray> list, NDArray value) {
        for (NDArray each : list) {
            if (each == value) {
                return true;
            }
        }
        return false;
    }

    private static Shape square(int side) {
        return new Shape(side, side);
    }
}
