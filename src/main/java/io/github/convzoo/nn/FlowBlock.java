package io.github.convzoo.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A block composed of others, whose data flow is written once and run on arrays to compute, on shapes to measure, and on
 * shapes to initialise.
 *
 * <p>Outputs are the only arrays that outlive a forward pass: each intermediate array is closed as soon as it is used.
 */
public abstract class FlowBlock extends AbstractBlock {

    /** For subclasses. */
    protected FlowBlock() {}

    /**
     * The block's data flow.
     *
     * @param ops the operations to write it in
     * @param inputs the block's inputs
     * @param <T> what flows
     * @return the block's only output
     */
    protected abstract <T> T flow(Operations<T> ops, List<T> inputs);

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore, NDList inputs, boolean training, @Nullable PairList<String, Object> params) {
        NDArray output = flow(new ArrayOperations(parameterStore, training, inputs), inputs);
        return new NDList(output);
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(NDManager manager, DataType dataType, Shape... inputShapes) {
        flow(
                new ShapeOperations() {
                    @Override
                    public Shape run(Block block, List<Shape> inputs) {
                        block.initialize(manager, dataType, inputs.toArray(Shape[]::new));
                        return super.run(block, inputs);
                    }
                },
                List.of(inputShapes));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return new Shape[] {flow(new ShapeOperations(), List.of(inputShapes))};
    }

    /**
     * Makes every convolution and the normalisation that follows it one, for inference: faster, and equal but for rounding.
     * The parameters stay as they are; a copy of the convolutions' weights is kept beside them, with their manager.
     *
     * <p>Training does not use the copies. Call this again after changing values in place, or {@link BatchNorm2d#unfold}; where
     * arrays are replaced, as loading does, the copies are no longer used.
     *
     * @throws IllegalStateException if the block is not initialised
     */
    public final void foldNorms() {
        flow(new FoldingOperations(), List.of(getInputShapes()));
    }

    private static final class FoldingOperations extends ShapeOperations {

        @Override
        public Shape run(Block block, List<Shape> inputs) {
            return block instanceof FlowBlock composed ? composed.flow(this, inputs) : super.run(block, inputs);
        }

        @Override
        public Shape convNorm(Conv2d conv, BatchNorm2d norm, Shape input) {
            norm.fold(conv);
            return super.convNorm(conv, norm, input);
        }
    }

    /**
     * A square convolution that keeps the size at stride 1 where the kernel is odd: padding (kernel - 1) / 2, no bias,
     * weights drawn by {@link FanOutInitializer}.
     *
     * @param filters the number of output channels
     * @param kernel the kernel's side
     * @param stride the step
     * @param groups into how many groups the channels fall
     * @return the layer
     */
    protected static Conv2d conv(int filters, int kernel, int stride, int groups) {
        return conv(filters, kernel, stride, (kernel - 1) / 2, groups, false);
    }

    /**
     * A square convolution, weights drawn by {@link FanOutInitializer}, bias 0.
     *
     * @param filters the number of output channels
     * @param kernel the kernel's side
     * @param stride the step
     * @param padding what is added on each side
     * @param groups into how many groups the channels fall
     * @param bias whether there is a bias
     * @return the layer
     */
    protected static Conv2d conv(int filters, int kernel, int stride, int padding, int groups, boolean bias) {
        Conv2d conv = Conv2d.builder()
                .setFilters(filters)
                .setKernelShape(new Shape(kernel, kernel))
                .optStride(new Shape(stride, stride))
                .optPadding(new Shape(padding, padding))
                .optGroups(groups)
                .optBias(bias)
                .build();
        conv.setInitializer(new FanOutInitializer(), Parameter.Type.WEIGHT);
        return conv;
    }
}
