/**
 * From the network to a network's parameters: where published weights are, how their files come here and are kept; which
 * of a checkpoint's tensors are the weights, what they are called here, and strict loading with a report.
 *
 * <p>Start from {@link io.github.convzoo.weights.WeightStore} for published weights, and from {@link
 * io.github.convzoo.weights.WeightLoader} for loading them.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.weights;

import org.jspecify.annotations.NullMarked;
