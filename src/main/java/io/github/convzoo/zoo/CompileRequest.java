package io.github.convzoo.zoo;

import ai.djl.Device;

/**
 * How to compile a network.
 *
 * @param runtime the runtime
 * @param precision the compute precision
 * @param device the device of the network's inputs, on which TorchScript computes
 * @param classMaps whether the class activation maps of all classes are a second output
 */
public record CompileRequest(CompiledRuntime runtime, CompiledPrecision precision, Device device, boolean classMaps) {

    /**
     * Requests logits only.
     *
     * @param runtime the runtime
     * @param precision the compute precision
     * @param device the device of the network's inputs
     */
    public CompileRequest(CompiledRuntime runtime, CompiledPrecision precision, Device device) {
        this(runtime, precision, device, false);
    }
}
