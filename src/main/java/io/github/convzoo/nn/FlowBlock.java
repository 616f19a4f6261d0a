package io.github.convzoo.nn;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.convolutional.Conv2d;
import io.github.convzoo.graph.Types;
import io.github.convzoo.graph.Value;
import java.util.List;

/** A block composed of others, whose data flow is written once and recorded into a graph. */
public abstract non-sealed class FlowBlock extends GraphBlock {

    /** For subclasses. */
    protected FlowBlock() {}

    /**
     * The block's data flow. It must not depend on anything that changes after the block was built.
     *
     * @param ops the operations to write it in
     * @param inputs the block's inputs
     * @return the block's only output
     */
    protected abstract Value flow(Operations ops, List<Value> inputs);

    @Override
    final Recording record(int inputs, Block root) {
        return Operations.record(this, inputs, root);
    }

    @Override
    final Block nameRoot() {
        return this;
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(NDManager manager, DataType dataType, Shape... inputShapes) {
        Recording recording = recording(inputShapes.length);
        Types types = recording.typesFor(inputShapes);
        for (Recording.Call call : recording.calls()) {
            Shape[] shapes = call.inputs().stream()
                    .map(input -> Recording.shape(types.of(input)))
                    .toArray(Shape[]::new);
            call.block().initialize(manager, dataType, shapes);
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
