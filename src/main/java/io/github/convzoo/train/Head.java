package io.github.convzoo.train;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.convolutional.Convolution;
import io.github.convzoo.network.Network;
import io.github.convzoo.nn.CanonicalNames;
import io.github.convzoo.nn.FlowBlock;
import io.github.convzoo.nn.Operations;
import java.util.List;
import java.util.Map;

/**
 * The classifier of a network as a block of its own, from {@link Features} (N, features) to logits (N, classes). It is the
 * network's own: when the head has learnt, the network has.
 */
public final class Head extends FlowBlock {

    private final Block classifier;
    private final boolean convolves;

    /**
     * Takes a network's classifier.
     *
     * @param network initialised, with at least one class
     * @throws IllegalArgumentException if it has no classifier or no parameters yet
     */
    public Head(Network network) {
        Block found = null;
        for (Map.Entry<Block, String> each : CanonicalNames.blocks(network).entrySet()) {
            if (each.getValue().equals(network.classifier())) {
                found = each.getKey();
            }
        }
        if (found == null || !found.isInitialized()) {
            throw new IllegalArgumentException(
                    network.modelName() + " has no classifier with weights; build it with classes and initialise it");
        }
        classifier = addChildBlock(network.classifier(), found);
        convolves = found instanceof Convolution;
        long features =
                found.getDirectParameters().get("weight").getArray().getShape().get(1);
        beforeInitialize(new Shape(1, features));
    }

    @Override
    protected <T> T flow(Operations<T> ops, List<T> inputs) {
        T x = inputs.get(0);
        return convolves ? ops.flatten(ops.run(classifier, ops.toPixel(x))) : ops.run(classifier, x);
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(NDManager manager, DataType dataType, Shape... inputShapes) {
        // It has the network's parameters.
    }
}
