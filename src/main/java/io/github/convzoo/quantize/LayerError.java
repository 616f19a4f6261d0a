package io.github.convzoo.quantize;

/**
 * The error caused by quantizing a single layer.
 *
 * @param layer the layer's name
 * @param error the change of the outputs: the root mean squared difference, relative to the outputs' root mean square
 */
public record LayerError(String layer, double error) {}
