package io.github.convzoo.zoo;

import ai.djl.Device;

/**
 * How a network is to be compiled.
 *
 * @param runtime what is to run it
 * @param precision what it computes in
 * @param device where the network's inputs come from, and TorchScript computes
 */
public record CompileRequest(CompiledRuntime runtime, CompiledPrecision precision, Device device) {}
