package io.github.convzoo.zoo;

import ai.djl.Device;
import java.util.Arrays;

/** The compute precision of a compiled model. Inputs and outputs are always float32. */
public enum CompiledPrecision {
    /** IEEE single precision. */
    FLOAT32("fp32"),
    /** IEEE half precision (GPU only). */
    FLOAT16("fp16"),
    /** The upper half of single precision (GPU only). */
    BFLOAT16("bf16");

    private final String text;

    CompiledPrecision(String text) {
        this.text = text;
    }

    /**
     * {@return a precision by name}
     *
     * @param name {@code fp32}, {@code fp16}, or {@code bf16}, in any case
     * @throws IllegalArgumentException if there is no such precision; the message names them
     */
    public static CompiledPrecision of(String name) {
        for (CompiledPrecision each : values()) {
            if (each.text.equalsIgnoreCase(name)) {
                return each;
            }
        }
        throw new IllegalArgumentException("precision must be one of " + Arrays.toString(values()) + ", not " + name);
    }

    /**
     * Refuses half precision on a CPU, where it was measured to be slower, even with CPU instructions for it.
     *
     * @param device the device of the model
     * @throws IllegalArgumentException if float32 is faster on the device
     */
    public void requireFasterOn(Device device) {
        if (this != FLOAT32 && !device.isGpu()) {
            throw new IllegalArgumentException(this + " is slower than " + FLOAT32
                    + " on a CPU (dla34 took 44 ms instead of 29 ms); use " + FLOAT32 + ", or a GPU");
        }
    }

    /** {@return the name as in options} */
    @Override
    public String toString() {
        return text;
    }
}
