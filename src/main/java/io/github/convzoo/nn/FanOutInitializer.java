package io.github.convzoo.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.initializer.Initializer;

/**
 * Initializes a convolution's weights from a normal distribution with standard deviation {@code sqrt(2 / (k * k *
 * out))}.
 *
 * <p>The weight has the shape (out, in / groups, kernel height, kernel width). Groups are ignored: this is the
 * rule of the DLA and PeleeNet authors' code, after He et al., Delving Deep into Rectifiers, ICCV 2015, by fan-out.
 */
public final class FanOutInitializer implements Initializer {

    /** Creates the initializer. */
    public FanOutInitializer() {}

    /** {@inheritDoc} */
    @Override
    public NDArray initialize(NDManager manager, Shape shape, DataType dataType) {
        if (shape.dimension() != 4) {
            throw new IllegalArgumentException(
                    "a convolution's weight must have the shape (out, in / groups, height, width), not " + shape);
        }
        double fanOut = (double) shape.get(0) * shape.get(2) * shape.get(3);
        return manager.randomNormal(0f, (float) Math.sqrt(2 / fanOut), shape, dataType);
    }
}
