package io.github.convzoo.zoo;

import java.util.Arrays;
import java.util.Locale;

/** The runtime of a compiled model. */
public enum CompiledRuntime {
    /**
     * The fastest available by measurement: ONNX Runtime on the CPU if it is on the class path; otherwise, and on a
     * GPU, TorchScript.
     */
    FASTEST,
    /** ONNX Runtime on the CPU; needs {@link #DEPENDENCY} on the class path. */
    ONNX,
    /** TorchScript in DJL's PyTorch engine. */
    TORCHSCRIPT;

    /** ONNX Runtime as a Maven dependency, in the version that ConvZoo is tested with. */
    public static final String DEPENDENCY = "com.microsoft.onnxruntime:onnxruntime:1.24.1";

    /**
     * {@return a runtime by name}
     *
     * @param name the name, in any case
     * @throws IllegalArgumentException if there is no such runtime; the message names them
     */
    public static CompiledRuntime of(String name) {
        for (CompiledRuntime each : values()) {
            if (each.toString().equalsIgnoreCase(name)) {
                return each;
            }
        }
        throw new IllegalArgumentException("runtime must be one of " + Arrays.toString(values()) + ", not " + name);
    }

    /**
     * {@return true for ONNX Runtime, even if it is missing; false for TorchScript, by the rules of {@link #FASTEST}}
     *
     * @param cpu whether the model runs on the CPU
     * @param onnxRuntime whether ONNX Runtime is on the class path
     */
    public boolean isOnnx(boolean cpu, boolean onnxRuntime) {
        return switch (this) {
            case FASTEST -> cpu && onnxRuntime;
            case ONNX -> true;
            case TORCHSCRIPT -> false;
        };
    }

    /** {@return the name in lower case, as in options} */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
