package io.github.convzoo.zoo;

import ai.djl.Device;

/**
 * How to compile a network.
 *
 * @param runtime the runtime
 * @param precision the compute precision
 * @param device the device of the network's inputs, on which TorchScript computes
 */
public record CompileRequest(CompiledRuntime runtime, CompiledPrecision precision, Device device) {}
