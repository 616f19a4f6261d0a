/**
 * Weights: where published weights are and how they are downloaded and cached, which of a checkpoint's tensors are the
 * weights, their canonical names, and strict loading with a report.
 *
 * <p>Start from {@link io.github.convzoo.weights.WeightStore} for published weights, and from {@link
 * io.github.convzoo.weights.WeightLoader} for loading them.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.weights;

import org.jspecify.annotations.NullMarked;
