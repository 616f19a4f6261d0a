/**
 * Networks as files of other runtimes: ONNX and TorchScript. {@link io.github.convzoo.export.Exporter} is the door.
 *
 * <p>A writer takes a graph after its passes, and the source of its parameters. Weights are computed and written one tensor at a time.
 *
 * @since 0.1.0
 */
@NullMarked
package io.github.convzoo.export;

import org.jspecify.annotations.NullMarked;
