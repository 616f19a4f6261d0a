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
 * The part of a network after pooling, including dropout, as a separate block: from {@link Features} (N, features) to
 * logits (N, classes). It shares the network's parameters, so training the head trains the network.
 */
public final class Head extends GraphCut {

    private final Network network;

    /**
     * Creates the head of a network.
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
                    + " pools after its classifier; build it without test-time pooling to train only its head");
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
        // The parameters are the network's.
    }
}
