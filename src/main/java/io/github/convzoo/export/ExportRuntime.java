package io.github.convzoo.export;

import ai.djl.Device;
import io.github.convzoo.zoo.CompiledRuntime;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A runtime for exported files. */
public enum ExportRuntime {
    /** ONNX Runtime on the CPU; optional on the class path. */
    ONNX_RUNTIME("ONNX Runtime", ExportOptions.Format.ONNX),
    /** TorchScript in DJL's PyTorch engine. */
    TORCHSCRIPT("PyTorch", ExportOptions.Format.TORCHSCRIPT);

    private final String title;
    private final ExportOptions.Format reads;

    ExportRuntime(String title, ExportOptions.Format reads) {
        this.title = title;
        this.reads = reads;
    }

    /** {@return the runtime's name for people, for example {@code ONNX Runtime}} */
    public String title() {
        return title;
    }

    /**
     * Loads a file on the CPU.
     *
     * @param file in the runtime's format
     * @return the model; close it to free its memory
     * @throws IOException if the runtime refuses the file
     * @throws IllegalStateException if the runtime is not on the class path
     */
    public ExportedModel open(Path file) throws IOException {
        return open(file, Device.cpu());
    }

    /**
     * Loads a file.
     *
     * @param file in the runtime's format
     * @param device the device of PyTorch and its inputs; ONNX Runtime computes on the CPU and accepts inputs on any
     *     device
     * @return the model; close it to free its memory
     * @throws IOException if the runtime refuses the file
     * @throws IllegalStateException if the runtime is not on the class path
     */
    public ExportedModel open(Path file, Device device) throws IOException {
        if (!isThere()) {
            throw new IllegalStateException(
                    "ONNX Runtime is not on the class path; add the dependency " + CompiledRuntime.DEPENDENCY);
        }
        return switch (this) {
            case ONNX_RUNTIME -> OnnxModel.open(file);
            case TORCHSCRIPT -> TorchScriptModel.open(file, device);
        };
    }

    /**
     * {@return the available runtimes for a format; empty if none is on the class path}
     *
     * @param format the format
     */
    public static List<ExportRuntime> of(ExportOptions.Format format) {
        return Arrays.stream(values())
                .filter(runtime -> runtime.reads == format && runtime.isThere())
                .toList();
    }

    // Here and not in OnnxModel, which cannot even be loaded without ONNX Runtime.
    private boolean isThere() {
        if (this != ONNX_RUNTIME) {
            return true;
        }
        try {
            Class.forName("ai.onnxruntime.OrtEnvironment", false, ExportRuntime.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }
}
