package io.github.convzoo.export;

import ai.djl.ndarray.types.Shape;
import java.util.Optional;

/**
 * What an exported file takes, besides a batch of any size.
 *
 * @param images whether it takes images as bytes (N, H, W, C) and gives probabilities, instead of floats (N, C, H, W) and logits
 * @param sample the shape of one input without the batch; empty if the file takes several sizes
 */
public record ExportedInput(boolean images, Optional<Shape> sample) {}
