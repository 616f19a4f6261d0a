package io.github.convzoo.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.util.passthrough.PassthroughNDManager;
import io.github.convzoo.network.Network;
import io.github.convzoo.nn.CanonicalNames;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** The shapes of a network's parameters, without allocating them and without an engine. */
final class ParameterShapes {

    private ParameterShapes() {}

    /**
     * Initializes the network with empty arrays, so that DJL and the layers themselves determine the shapes.
     *
     * @return the shapes by canonical name, in the network's order
     */
    static Map<String, Shape> of(Network network, Shape input) {
        Collection<Parameter> parameters = CanonicalNames.parameters(network).values();
        for (Parameter parameter : parameters) {
            parameter.setInitializer((manager, shape, type) -> nothing());
            // Such an array does not support gradients.
            parameter.freeze(true);
        }
        network.initialize(PassthroughNDManager.INSTANCE, DataType.FLOAT32, input);
        Map<String, Shape> shapes = new LinkedHashMap<>();
        CanonicalNames.parameters(network).forEach((name, parameter) -> shapes.put(name, parameter.getShape()));
        return shapes;
    }

    private static NDArray nothing() {
        return PassthroughNDManager.INSTANCE.create((Object) "");
    }
}
