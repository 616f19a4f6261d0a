package io.github.convzoo.zoo;

import java.util.Arrays;
import java.util.Locale;

/** What runs a compiled model. */
public enum CompiledRuntime {
    /**
     * The fastest that is there, by measured rules: on the CPU ONNX Runtime if it is on the class path, else TorchScript; on a GPU
     * TorchScript.
     */
    FASTEST,
    /** ONNX Runtime on the CPU; needs {@code com.microsoft.onnxruntime:onnxruntime} on the class path. */
    ONNX,
    /** TorchScript in DJL's PyTorch engine. */
    TORCHSCRIPT;

    /**
     * A runtime by its name.
     *
     * @param name the name, in any case
     * @return the runtime
     * @throws IllegalArgumentException if there is no such runtime; the message names them
     */
    public static CompiledRuntime of(String name) {
        for (CompiledRuntime each : values()) {
            if (each.toString().equalsIgnoreCase(name)) {
                return each;
            }
        }
        throw new IllegalArgumentException("a runtime must be one of " + Arrays.toString(values()) + ", not " + name);
    }

    /**
     * Whether ONNX Runtime is what this asks for, by the measured rules of {@link #FASTEST}.
     *
     * @param cpu whether the model computes on the CPU
     * @param onnxRuntime whether ONNX Runtime is on the class path
     * @return true for ONNX Runtime, there or not; false for TorchScript
     */
    public boolean isOnnx(boolean cpu, boolean onnxRuntime) {
        return switch (this) {
            case FASTEST -> cpu && onnxRuntime;
            case ONNX -> true;
            case TORCHSCRIPT -> false;
        };
    }

    /** {@return the name in lower case, as options have it} */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
