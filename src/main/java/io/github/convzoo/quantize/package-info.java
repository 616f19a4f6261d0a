/**
 * Post-training quantization: from a network and some images to a model folder that computes with 8-bit integers.
 *
 * <p>Start from {@link io.github.convzoo.quantize.Quantizer}.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.quantize;

import org.jspecify.annotations.NullMarked;
