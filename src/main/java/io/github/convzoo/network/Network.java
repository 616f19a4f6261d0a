package io.github.convzoo.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.NormalInitializer;
import ai.djl.util.PairList;
import io.github.convzoo.nn.FlowBlock;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An image classifier: (N, channels, H, W) to logits (N, classes), or to pooled features (N, features) if it has no
 * classifier.
 *
 * <p>An unsuitable input is refused with an {@link IllegalArgumentException} that says which inputs are valid.
 */
public abstract class Network extends FlowBlock {

    /** The name of the classifier's input: the pooled features, (N, features). */
    public static final String POOLED = "pooled";

    private final String modelName;
    private final NetworkOptions options;

    Network(String modelName, NetworkOptions options) {
        this.modelName = modelName;
        this.options = options;
    }

    /** {@return the variant's name, for example {@code dla34}} */
    public final String modelName() {
        return modelName;
    }

    /** {@return the options of the network} */
    public final NetworkOptions options() {
        return options;
    }

    /**
     * {@return the stages by canonical name, in the order in which they run, each on the output of the previous one}
     */
    public abstract Map<String, Block> stages();

    /**
     * {@return the names of the {@link #stages} whose outputs are feature maps for {@link FeatureExtractor}, the
     * largest map first; the level is the position}
     */
    public abstract List<String> featureStages();

    /** {@return the first of the default levels, a position in {@link #featureStages}} */
    public int firstFeatureLevel() {
        return 0;
    }

    /** {@return the canonical name of the first convolution, which takes the input's channels} */
    public abstract String firstConvolution();

    /** {@return the canonical name of the layer that outputs the logits, even if the network was built without it} */
    public abstract String classifier();

    /**
     * {@return the shapes, by canonical name, of entries in published checkpoints of this network that it does not use;
     * empty for most networks}
     */
    public Map<String, Shape> unusedEntries() {
        return Map.of();
    }

    /**
     * Refuses an unsupported height and width.
     *
     * @throws IllegalArgumentException naming the supported ones
     */
    abstract void checkSize(long height, long width);

    final void checkInput(Shape input) {
        if (input.dimension() != 4 || input.get(1) != options.inChannels()) {
            throw new IllegalArgumentException(
                    modelName + " expects an input of shape (N, " + options.inChannels() + ", H, W), not " + input);
        }
        checkSize(input.get(2), input.get(3));
    }

    /** {@inheritDoc} */
    @Override
    protected final NDList forwardInternal(
            ParameterStore parameterStore, NDList inputs, boolean training, @Nullable PairList<String, Object> params) {
        NDArray input = inputs.singletonOrThrow();
        checkInput(input.getShape());
        // Another kind of store provides its own arrays.
        if (training && parameterStore.getClass() == ParameterStore.class && isFrozen()) {
            throw new IllegalStateException(
                    modelName + " was loaded for prediction, so its parameters cannot be trained;"
                            + " load it with LoadOptions.forTraining()");
        }
        return super.forwardInternal(parameterStore, inputs, training, params);
    }

    /** {@inheritDoc} */
    @Override
    public final void initialize(NDManager manager, DataType dataType, Shape... inputShapes) {
        checkInput(onlyOne(inputShapes));
        super.initialize(manager, dataType, inputShapes);
    }

    /** {@inheritDoc} */
    @Override
    public final Shape[] getOutputShapes(Shape[] inputShapes) {
        checkInput(onlyOne(inputShapes));
        return super.getOutputShapes(inputShapes);
    }

    /** Whether no gradient would reach any parameter. */
    private boolean isFrozen() {
        return getParameters().values().stream()
                .noneMatch(parameter ->
                        parameter.isInitialized() && parameter.getArray().hasGradient());
    }

    private Shape onlyOne(Shape[] inputShapes) {
        if (inputShapes.length != 1) {
            throw new IllegalArgumentException(modelName + " has one input, not " + inputShapes.length);
        }
        return inputShapes[0];
    }

    final IllegalArgumentException sizeError(String expected, long height, long width) {
        return new IllegalArgumentException(
                modelName + " expects a height and width of " + expected + ", not " + height + " x " + width);
    }

    static Linear linear(int units) {
        return Linear.builder().setUnits(units).build();
    }

    /** A linear layer whose weights are initialized normally with the given standard deviation. */
    static Linear linear(int units, float std) {
        Linear linear = linear(units);
        linear.setInitializer(new NormalInitializer(std), Parameter.Type.WEIGHT);
        return linear;
    }
}
