package io.github.convzoo.export;

import ai.djl.ndarray.types.Shape;
import java.util.Optional;

/**
 * The input of an exported file, for any batch size.
 *
 * @param images whether it takes images as bytes (N, H, W, C) and returns probabilities, instead of floats (N, C, H, W)
 *     and logits
 * @param sample the shape of one input without the batch; empty if the file takes several sizes
 */
public record ExportedInput(boolean images, Optional<Shape> sample) {

    /**
     * {@return the shape of one input in a network's layout, (C, H, W), regardless of the file's own layout; empty if
     * the file takes several sizes}
     */
    public Optional<Shape> planes() {
        return sample.map(shape -> images ? new Shape(shape.get(2), shape.get(0), shape.get(1)) : shape);
    }
}
