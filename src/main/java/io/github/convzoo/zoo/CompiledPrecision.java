package io.github.convzoo.zoo;

import ai.djl.Device;
import java.util.Arrays;

/** What a compiled model computes in. Inputs and outputs are float32 in any case. */
public enum CompiledPrecision {
    /** IEEE single precision. */
    FLOAT32("fp32"),
    /** IEEE half precision; on a GPU only. */
    FLOAT16("fp16"),
    /** The upper half of single precision; on a GPU only. */
    BFLOAT16("bf16");

    private final String text;

    CompiledPrecision(String text) {
        this.text = text;
    }

    /**
     * A precision by its name.
     *
     * @param name {@code fp32}, {@code fp16}, or {@code bf16}, in any case
     * @return the precision
     * @throws IllegalArgumentException if there is no such precision; the message names them
     */
    public static CompiledPrecision of(String name) {
        for (CompiledPrecision each : values()) {
            if (each.text.equalsIgnoreCase(name)) {
                return each;
            }
        }
        throw new IllegalArgumentException("a precision must be one of " + Arrays.toString(values()) + ", not " + name);
    }

    /**
     * Refuses half precision on a CPU: it was measured slower there, even on one with instructions for it.
     *
     * @param device where the model computes
     * @throws IllegalArgumentException if float32 is faster there
     */
    public void requireFasterOn(Device device) {
        if (this != FLOAT32 && !device.isGpu()) {
            throw new IllegalArgumentException(this + " is slower than " + FLOAT32
                    + " on a CPU (dla34 took 44 ms instead of 29 ms there); use " + FLOAT32 + ", or a GPU");
        }
    }

    /** {@return the name as options have it} */
    @Override
    public String toString() {
        return text;
    }
}
