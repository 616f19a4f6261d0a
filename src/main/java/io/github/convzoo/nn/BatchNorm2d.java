package io.github.convzoo.nn;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.jspecify.annotations.Nullable;

/**
 * Batch normalization over the channels of (N, C, H, W), as in Ioffe and Szegedy, 2015.
 *
 * <p>The same computation as DJL's {@link BatchNorm} on axis 1, which wraps the engine's operation in its own manager
 * and two transpositions each time; this one does not. Parameters: gamma, beta, runningMean and runningVar, each of
 * shape (C). In training, the running statistics move a tenth of the way to the batch's, as in PyTorch.
 *
 * <p>If gamma and beta are both frozen, so is the layer: even in training, it normalizes by the running statistics and
 * does not update them.
 */
public final class BatchNorm2d extends AbstractBlock {

    /** The decay of the running statistics, which DJL calls momentum. */
    private static final float MOMENTUM = 0.9f;

    // The engine normalizes axis 1 regardless of the axis; -1 prevents DJL from transposing.
    private static final int AS_IT_STANDS = -1;

    private final float epsilon;
    private final Parameter gamma;
    private final Parameter beta;
    private final Parameter runningMean;
    private final Parameter runningVar;

    /** Creates the layer with epsilon 1e-5. */
    public BatchNorm2d() {
        this(1e-5f);
    }

    /**
     * Creates the layer.
     *
     * @param epsilon added to the variance; positive
     */
    public BatchNorm2d(float epsilon) {
        if (!(epsilon > 0)) {
            throw new IllegalArgumentException("epsilon must be positive, not " + epsilon);
        }
        this.epsilon = epsilon;
        gamma = addParameter(parameter("gamma", Parameter.Type.GAMMA, true));
        beta = addParameter(parameter("beta", Parameter.Type.BETA, true));
        runningMean = addParameter(parameter("runningMean", Parameter.Type.RUNNING_MEAN, false));
        runningVar = addParameter(parameter("runningVar", Parameter.Type.RUNNING_VAR, false));
    }

    /** {@return epsilon, which is added to the variance} */
    public float epsilon() {
        return epsilon;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore, NDList inputs, boolean training, @Nullable PairList<String, Object> params) {
        NDArray input = inputs.singletonOrThrow();
        Device device = input.getDevice();
        return normalize(
                input,
                parameterStore.getValue(runningMean, device, training),
                parameterStore.getValue(runningVar, device, training),
                parameterStore.getValue(gamma, device, training),
                parameterStore.getValue(beta, device, training),
                epsilon,
                training && !isFrozen());
    }

    static NDList normalize(
            NDArray input,
            NDArray mean,
            NDArray variance,
            NDArray gamma,
            NDArray beta,
            float epsilon,
            boolean byBatch) {
        return BatchNorm.batchNorm(input, mean, variance, gamma, beta, AS_IT_STANDS, MOMENTUM, epsilon, byBatch);
    }

    private boolean isFrozen() {
        return !gamma.requiresGradient() && !beta.requiresGradient();
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return new Shape[] {inputShapes[0]};
    }

    /** {@inheritDoc} */
    @Override
    protected void prepare(Shape[] inputShapes) {
        Shape channels = new Shape(inputShapes[0].get(1));
        gamma.setShape(channels);
        beta.setShape(channels);
        runningMean.setShape(channels);
        runningVar.setShape(channels);
    }

    private static Parameter parameter(String name, Parameter.Type type, boolean trained) {
        return Parameter.builder()
                .setName(name)
                .setType(type)
                .optRequiresGrad(trained)
                .build();
    }
}
