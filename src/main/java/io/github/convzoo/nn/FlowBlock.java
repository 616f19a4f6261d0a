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

/** A block composed of others, whose data flow is recorded into a graph once. */
public abstract non-sealed class FlowBlock extends GraphBlock {

    /** For subclasses. */
    protected FlowBlock() {}

    /**
     * Defines the block's data flow. It must not depend on anything that changes after the block is built.
     *
     * @param ops the operations to use
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
     * Creates a square convolution that keeps the size at stride 1 if the kernel is odd: padding (kernel - 1) / 2, no
     * bias, weights initialized by {@link FanOutInitializer}.
     *
     * @param filters the number of output channels
     * @param kernel the kernel's side
     * @param stride the stride
     * @param groups the number of groups of channels
     * @return the layer
     */
    protected static Conv2d conv(int filters, int kernel, int stride, int groups) {
        return conv(filters, kernel, stride, (kernel - 1) / 2, groups, false);
    }

    /**
     * Creates a square convolution with weights initialized by {@link FanOutInitializer} and bias 0.
     *
     * @param filters the number of output channels
     * @param kernel the kernel's side
     * @param stride the stride
     * @param padding the padding on each side
     * @param groups the number of groups of channels
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
