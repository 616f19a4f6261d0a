package io.github.convzoo.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Activation;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.jspecify.annotations.Nullable;

/**
 * Computes the weights of expert kernels from a sample: (N, C, H, W) to (N, experts), with rows that sum to 1.
 *
 * <p>Global average pool, 1x1 convolution to max(1, floor(C / 4)) channels, ReLU, 1x1 convolution to the experts,
 * softmax of the logits divided by the temperature. From Chen et al., Dynamic Convolution: Attention over Convolution
 * Kernels, CVPR 2020. A high temperature makes the weights nearly equal, so that all experts train early on; at
 * inference, it is 1.
 */
public final class RoutingAttention extends AbstractBlock {

    private final int channels;
    private final Conv2d squeeze;
    private final Conv2d score;
    private volatile float temperature = 1f;

    /**
     * Creates the layer at temperature 1.
     *
     * @param channels C, the number of input channels; at least 1
     * @param experts the number of kernels to choose from; at least 1
     */
    public RoutingAttention(int channels, int experts) {
        if (channels < 1 || experts < 1) {
            throw new IllegalArgumentException(
                    "channels and experts must be at least 1, not " + channels + " and " + experts);
        }
        this.channels = channels;
        Group net = addChildBlock("net", new Group());
        squeeze = net.add("0", FlowBlock.conv(Math.max(1, channels / 4), 1, 1, 0, 1, true));
        score = net.add("2", FlowBlock.conv(experts, 1, 1, 0, 1, true));
    }

    /** {@return the temperature, which divides the logits} */
    public float temperature() {
        return temperature;
    }

    /**
     * Sets the temperature for every thread's next forward pass.
     *
     * @param temperature positive and finite
     */
    public void setTemperature(float temperature) {
        if (!(temperature > 0) || Float.isInfinite(temperature)) {
            throw new IllegalArgumentException("the temperature must be positive and finite, not " + temperature);
        }
        this.temperature = temperature;
    }

    /** The convolution of the pooled channels. */
    Conv2d squeeze() {
        return squeeze;
    }

    /** The convolution that computes one score per expert. */
    Conv2d score() {
        return score;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore, NDList inputs, boolean training, @Nullable PairList<String, Object> params) {
        NDArray input = inputs.singletonOrThrow();
        long samples = input.getShape().get(0);
        try (NDArray pooled = Pool.globalAvgPool2d(input);
                NDArray pixel = pooled.reshape(samples, channels, 1, 1);
                NDArray squeezed = run(squeeze, parameterStore, pixel, training);
                NDArray active = Activation.relu(squeezed);
                NDArray scores = run(score, parameterStore, active, training);
                NDArray logits = scores.flatten(1, -1);
                NDArray divisor = EngineNumber.of(logits.getManager(), temperature);
                NDArray tempered = logits.div(divisor)) {
            return new NDList(tempered.softmax(1));
        }
    }

    private static NDArray run(Conv2d conv, ParameterStore parameterStore, NDArray x, boolean training) {
        return conv.forward(parameterStore, new NDList(x), training).singletonOrThrow();
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(NDManager manager, DataType dataType, Shape... inputShapes) {
        checkInput(inputShapes[0]);
        long samples = inputShapes[0].get(0);
        squeeze.initialize(manager, dataType, new Shape(samples, channels, 1, 1));
        score.initialize(manager, dataType, new Shape(samples, squeeze.getFilters(), 1, 1));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        checkInput(inputShapes[0]);
        return new Shape[] {new Shape(inputShapes[0].get(0), score.getFilters())};
    }

    private void checkInput(Shape input) {
        if (input.dimension() != 4 || input.get(1) != channels) {
            throw new IllegalArgumentException(
                    "the input must have the shape (N, " + channels + ", H, W), not " + input);
        }
    }
}
