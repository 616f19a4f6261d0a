package io.github.convzoo.quantize;

/**
 * What quantizing one layer alone costs.
 *
 * @param layer the layer's name
 * @param error how far the outputs move: the root of the mean squared difference, relative to that of the outputs' squares
 */
public record LayerError(String layer, double error) {}
