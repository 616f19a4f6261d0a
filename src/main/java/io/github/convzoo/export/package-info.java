/**
 * Export of networks to other runtimes: ONNX and TorchScript. Start from {@link io.github.convzoo.export.Exporter}.
 *
 * <p>A writer takes an optimized graph and the source of its parameters. Weights are computed and written one tensor at
 * a time.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.export;

import org.jspecify.annotations.NullMarked;
