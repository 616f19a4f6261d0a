package io.github.convzoo.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.network.Network;
import io.github.convzoo.nn.CanonicalNames;
import io.github.convzoo.nn.FlowBlock;
import io.github.convzoo.nn.GraphCut;
import java.util.List;

/**
 * What a network does after pooling, its dropout included, as a block of its own: from {@link Features} (N, features) to logits
 * (N, classes). The parameters are the network's: when the head has learned, the network has.
 */
public final class Head extends GraphCut {

    private final Network network;

    /**
     * Takes a network's head.
     *
     * @param network initialized, with at least one class
     * @throws IllegalArgumentException if it has no classifier or no parameters yet, or pools after its classifier
     */
    public Head(Network network) {
        this.network = network;
        if (!network.isInitialized() || network.options().numClasses() == 0) {
            throw new IllegalArgumentException(
                    network.modelName() + " has no classifier with weights; build it with classes and initialize it");
        }
        if (!network.graph().names().containsKey(Network.POOLED)) {
            throw new IllegalArgumentException(network.modelName()
                    + " pools after its classifier (test-time pooling); build it without, to train its head alone");
        }
        Block classifier = CanonicalNames.blocks(network).entrySet().stream()
                .filter(each -> each.getValue().equals(network.classifier()))
                .findFirst()
                .orElseThrow()
                .getKey();
        addChildBlock(network.classifier(), classifier);
        NDArray weight = classifier.getDirectParameters().get("weight").getArray();
        beforeInitialize(new Shape(1, weight.getShape().get(1)));
    }

    @Override
    protected FlowBlock whole() {
        return network;
    }

    @Override
    protected Graph cut(Graph graph) {
        return graph.cut(List.of(graph.named(Network.POOLED)), graph.outputs());
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(NDManager manager, DataType dataType, Shape... inputShapes) {
        // It has the network's parameters.
    }
}
