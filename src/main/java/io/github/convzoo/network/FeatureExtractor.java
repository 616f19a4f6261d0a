package io.github.convzoo.network;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Value;
import io.github.convzoo.nn.FlowBlock;
import io.github.convzoo.nn.GraphCut;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A network as the backbone of another: (N, channels, H, W) to one feature map (N, features, H / stride, W / stride)
 * per level, the largest first. Nothing after the last level runs.
 */
public final class FeatureExtractor extends GraphCut {

    private final Network network;
    private final List<Integer> levels;

    /**
     * Creates a backbone for some levels.
     *
     * @param network the network, initialized or not; {@link Network#featureStages} lists its levels
     * @param levels ascending; all from {@link Network#firstFeatureLevel} if none are given
     * @throws IllegalArgumentException if there is no such level, or they do not ascend
     */
    public FeatureExtractor(Network network, int... levels) {
        int count = network.featureStages().size();
        this.levels = (levels.length == 0 ? IntStream.range(network.firstFeatureLevel(), count) : IntStream.of(levels))
                .boxed()
                .toList();
        int before = -1;
        for (int level : this.levels) {
            if (level <= before || level >= count) {
                throw new IllegalArgumentException(network.modelName() + " has feature levels 0 to " + (count - 1)
                        + "; pass them in ascending order, not " + this.levels);
            }
            before = level;
        }
        this.network = addChildBlock("network", network);
        if (network.isInitialized()) {
            beforeInitialize(network.getInputShapes());
        }
    }

    /** {@return the network} */
    public Network network() {
        return network;
    }

    /** {@return the levels of the maps, ascending} */
    public List<Integer> levels() {
        return levels;
    }

    @Override
    protected FlowBlock whole() {
        return network;
    }

    @Override
    protected Graph cut(Graph graph) {
        List<Value> maps = levels.stream()
                .map(level -> graph.named(network.featureStages().get(level)))
                .toList();
        return graph.cut(graph.inputs(), maps);
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore, NDList inputs, boolean training, @Nullable PairList<String, Object> params) {
        network.checkInput(inputs.singletonOrThrow().getShape());
        return super.forwardInternal(parameterStore, inputs, training, params);
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        network.checkInput(inputShapes[0]);
        return super.getOutputShapes(inputShapes);
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(NDManager manager, DataType dataType, Shape... inputShapes) {
        network.initialize(manager, dataType, inputShapes);
    }
}
