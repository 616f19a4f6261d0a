package io.github.convzoo.train;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.util.IdentityHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The parameters on one device, and the gradients that a step gathers there.
 *
 * <p>Gradients belong to aliases of the parameters' arrays, new ones for each step. So the arrays themselves require none:
 * the network can be used on any thread meanwhile without anything being kept for gradients, what is frozen is simply not
 * among the aliases, nothing has to be set to zero, and a step's gradients are gone with it.
 */
final class Replica {

    private final Block block;
    private final Device device;
    private final List<TrainedParameter> trained;

    /** A device's arrays by parameter; the network's own on the first. */
    private final IdentityHashMap<Parameter, NDArray> arrays = new IdentityHashMap<>();

    private final IdentityHashMap<Parameter, NDArray> aliases = new IdentityHashMap<>();
    private final ParameterStore store;

    /**
     * Creates a replica.
     *
     * @param parameters every parameter of the block
     * @param manager what owns the copies
     * @param first whether the network's own arrays serve, which are on this device then
     */
    Replica(
            Block block,
            Iterable<Parameter> parameters,
            List<TrainedParameter> trained,
            Device device,
            NDManager manager,
            boolean first) {
        this.block = block;
        this.device = device;
        this.trained = trained;
        for (Parameter parameter : parameters) {
            NDArray array = parameter.getArray();
            if (!first) {
                // On the same device the engine gives the array itself, though a copy is asked for.
                array = device.equals(array.getDevice()) ? array.duplicate() : array.toDevice(device, true);
                array.attach(manager);
            }
            arrays.put(parameter, array);
        }
        store = new ParameterStore(manager, false) {
            @Override
            public @Nullable NDArray getValue(@Nullable Parameter parameter, Device where, boolean training) {
                if (parameter == null) {
                    return null;
                }
                NDArray alias = aliases.get(parameter);
                return alias == null ? arrays.get(parameter) : alias;
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

    /** Makes the aliases that the next gradients belong to. */
    void begin() {
        for (TrainedParameter each : trained) {
            NDArray alias = array(each.parameter()).stopGradient();
            alias.setRequiresGradient(true);
            aliases.put(each.parameter(), alias);
        }
    }

    NDArray forward(NDArray images) {
        return block.forward(store, new NDList(images), true).singletonOrThrow();
    }

    /** The gradients gathered since {@link #begin}, one a trained parameter; for the caller to close. */
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

    /** Forgets the gradients. */
    void end() {
        aliases.values().forEach(NDArray::close);
        aliases.clear();
    }
}
