package io.github.convzoo.nn;

import ai.djl.nn.convolutional.Conv2d;
import io.github.convzoo.graph.Value;
import java.util.List;

/** A convolution, its batch normalization and, optionally, a ReLU: (N, C, H, W) to the convolution's output. */
public final class ConvNorm extends FlowBlock {

    private final Conv2d conv;
    private final BatchNorm2d norm;
    private final boolean relu;

    /**
     * Creates the layers.
     *
     * @param convName the convolution's name in the reference
     * @param conv the convolution
     * @param normName the normalization's name in the reference
     * @param norm the normalization
     * @param relu whether a ReLU follows
     */
    public ConvNorm(String convName, Conv2d conv, String normName, BatchNorm2d norm, boolean relu) {
        this.conv = addChildBlock(convName, conv);
        this.norm = addChildBlock(normName, norm);
        this.relu = relu;
    }

    /** {@inheritDoc} */
    @Override
    protected Value flow(Operations ops, List<Value> inputs) {
        Value y = ops.convNorm(conv, norm, inputs.get(0));
        return relu ? ops.relu(y) : y;
    }
}
