package io.github.convzoo.export;

import ai.djl.ndarray.types.Shape;
import java.util.Optional;

/**
 * What an exported file takes, besides a batch of any size.
 *
 * @param images whether it takes images as bytes (N, H, W, C) and gives probabilities, instead of floats (N, C, H, W) and logits
 * @param sample the shape of one input without the batch; empty if the file takes several sizes
 */
public record ExportedInput(boolean images, Optional<Shape> sample) {

    /**
     * The shape of one input as a network without the file has it, (C, H, W).
     *
     * @return the shape, whatever the file's own order; empty if the file takes several sizes
     */
    public Optional<Shape> planes() {
        return sample.map(shape -> images ? new Shape(shape.get(2), shape.get(0), shape.get(1)) : shape);
    }
}
