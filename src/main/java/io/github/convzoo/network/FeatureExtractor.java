package io.github.convzoo.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A network as the backbone of another: (N, channels, H, W) to one feature map (N, features, H / stride, W / stride) for
 * each level, the largest first. Nothing after the last of them runs.
 */
public final class FeatureExtractor extends AbstractBlock {

    private final Network network;
    private final List<Integer> levels;

    /**
     * Takes the feature maps of some levels.
     *
     * @param network the network, initialised or not; {@link Network#featureStages} says which levels there are
     * @param levels ascending; all from {@link Network#firstFeatureLevel} on if none are given
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
                        + ", to be named in ascending order, not " + this.levels);
            }
            before = level;
        }
        this.network = addChildBlock("network", network);
        if (network.isInitialized()) {
            beforeInitialize(network.getInputShapes());
        }
    }

    /**
     * Where the maps come from.
     *
     * @return the network
     */
    public Network network() {
        return network;
    }

    /**
     * Which maps there are.
     *
     * @return the levels, ascending
     */
    public List<Integer> levels() {
        return levels;
    }

    private record Step(Block stage, boolean wanted) {}

    /** The stages to run, up to the last level's, and whether each one's output is asked for. */
    private List<Step> steps() {
        List<String> wanted =
                levels.stream().map(level -> network.featureStages().get(level)).toList();
        List<Step> steps = new ArrayList<>();
        for (Map.Entry<String, Block> stage : network.stages().entrySet()) {
            steps.add(new Step(stage.getValue(), wanted.contains(stage.getKey())));
            if (stage.getKey().equals(wanted.get(wanted.size() - 1))) {
                break;
            }
        }
        return steps;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore, NDList inputs, boolean training, @Nullable PairList<String, Object> params) {
        NDArray input = inputs.singletonOrThrow();
        network.checkInput(input.getShape());
        NDList maps = new NDList();
        NDArray x = input;
        boolean needed = true;
        for (Step step : steps()) {
            NDArray next =
                    step.stage.forward(parameterStore, new NDList(x), training).singletonOrThrow();
            if (!needed) {
                x.close();
            }
            x = next;
            needed = step.wanted;
            if (needed) {
                maps.add(x);
            }
        }
        return maps;
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        network.checkInput(inputShapes[0]);
        List<Shape> maps = new ArrayList<>();
        Shape[] x = inputShapes;
        for (Step step : steps()) {
            x = step.stage.getOutputShapes(x);
            if (step.wanted) {
                maps.add(x[0]);
            }
        }
        return maps.toArray(Shape[]::new);
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(NDManager manager, DataType dataType, Shape... inputShapes) {
        network.initialize(manager, dataType, inputShapes);
    }
}
