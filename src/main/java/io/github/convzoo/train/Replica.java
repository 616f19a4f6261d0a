package io.github.convzoo.train;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.util.IdentityHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The parameters on one device, and the gradients that a step accumulates there.
 *
 * <p>Gradients belong to aliases of the parameters' arrays, which are new for each step. The arrays themselves require
 * none, so the network can be used on any thread meanwhile without keeping anything for gradients; frozen parameters
 * have no alias, no gradient needs to be zeroed, and a step's gradients are freed with it.
 */
final class Replica {

    private final Block block;
    private final Device device;
    private final List<TrainedParameter> trained;
    private final Precision precision;

    /** A device's arrays by parameter; the network's own on the first device. */
    private final IdentityHashMap<Parameter, NDArray> arrays = new IdentityHashMap<>();

    private final IdentityHashMap<Parameter, NDArray> aliases = new IdentityHashMap<>();

    /** The float16 copies of a forward pass, if it is in float16. Gradients flow through them to the aliases. */
    private final IdentityHashMap<Parameter, NDArray> halves = new IdentityHashMap<>();

    private final ParameterStore store;

    /**
     * Creates a replica.
     *
     * @param parameters every parameter of the block
     * @param manager the owner of the copies
     * @param first whether to use the network's own arrays, which are then on this device
     * @param precision the number format of the block's computation
     */
    Replica(
            Block block,
            Iterable<Parameter> parameters,
            List<TrainedParameter> trained,
            Device device,
            NDManager manager,
            boolean first,
            Precision precision) {
        this.block = block;
        this.device = device;
        this.trained = trained;
        this.precision = precision;
        for (Parameter parameter : parameters) {
            NDArray array = parameter.getArray();
            if (!first) {
                // On the same device, the engine returns the array itself even if a copy is requested.
                array = device.equals(array.getDevice()) ? array.duplicate() : array.toDevice(device, true);
                array.attach(manager);
            }
            arrays.put(parameter, array);
        }
        store = new ParameterStore(manager, false) {
            @Override
            public @Nullable NDArray getValue(@Nullable Parameter parameter, Device where, boolean training) {
                return parameter == null ? null : value(parameter);
            }
        };
    }

    Device device() {
        return device;
    }

    NDArray array(Parameter parameter) {
        NDArray array = arrays.get(parameter);
        if (array == null) {
            throw new IllegalArgumentException("no parameter of this network: " + parameter.getName());
        }
        return array;
    }

    /** Creates the aliases for the next gradients. */
    void begin() {
        for (TrainedParameter each : trained) {
            NDArray alias = array(each.parameter()).stopGradient();
            alias.setRequiresGradient(true);
            aliases.put(each.parameter(), alias);
        }
    }

    /** The array that the block computes with. */
    private NDArray value(Parameter parameter) {
        NDArray alias = aliases.get(parameter);
        NDArray array = alias == null ? array(parameter) : alias;
        return switch (precision) {
            case FP32 -> array;
            case FP16 ->
                isOfNormalization(parameter)
                        ? array
                        : halves.computeIfAbsent(parameter, key -> Values.cast(array, DataType.FLOAT16));
        };
    }

    /**
     * Statistics of float16 maps are float32, and so are the scale and bias, because the engine needs both in one type.
     */
    private static boolean isOfNormalization(Parameter parameter) {
        return switch (parameter.getType()) {
            case GAMMA, BETA, RUNNING_MEAN, RUNNING_VAR -> true;
            default -> false;
        };
    }

    /**
     * Runs the block in training mode.
     *
     * @param images the input, float32
     * @return the logits, float32
     */
    NDArray forward(NDArray images) {
        return switch (precision) {
            case FP32 -> run(images);
            case FP16 -> {
                try (NDArray input = Values.cast(images, DataType.FLOAT16);
                        NDArray logits = run(input)) {
                    yield Values.cast(logits, DataType.FLOAT32);
                } finally {
                    // The engine keeps what the backward pass needs.
                    halves.values().forEach(NDArray::close);
                    halves.clear();
                }
            }
        };
    }

    private NDArray run(NDArray input) {
        return block.forward(store, new NDList(input), true).singletonOrThrow();
    }

    /** The gradients accumulated since {@link #begin}, one per trained parameter; the caller closes them. */
    NDList gradients() {
        NDList gradients = new NDList(trained.size());
        for (TrainedParameter each : trained) {
            NDArray alias = aliases.get(each.parameter());
            if (alias == null) {
                throw new IllegalStateException("a step must begin first");
            }
            gradients.add(alias.getGradient());
        }
        return gradients;
    }

    /** Frees the gradients. */
    void end() {
        aliases.values().forEach(NDArray::close);
        aliases.clear();
    }
}
