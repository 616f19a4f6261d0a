/**
 * From a checkpoint's tensors to a network's parameters: which are the weights, what they are called here, and strict
 * loading with a report.
 *
 * <p>Start from {@link io.github.convzoo.weights.WeightLoader}.
 */
@NullMarked
package io.github.convzoo.weights;

import org.jspecify.annotations.NullMarked;
