package io.github.convzoo.train;

import ai.djl.ndarray.NDArray;

/**
 * What one step learns from.
 *
 * @param images the network's input, (N, channels, H, W), on any device; it stays the caller's
 * @param targets N of them
 */
public record Batch(NDArray images, Targets targets) {

    /**
     * Checks that there are as many images as targets.
     *
     * @param images N samples
     * @param targets N targets
     */
    public Batch {
        if (images.getShape().dimension() < 1 || images.getShape().get(0) != targets.size()) {
            throw new IllegalArgumentException(
                    "a batch of shape " + images.getShape() + " has " + targets.size() + " targets; give as many");
        }
    }
}
