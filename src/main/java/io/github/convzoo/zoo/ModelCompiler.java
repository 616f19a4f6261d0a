package io.github.convzoo.zoo;

import ai.djl.Device;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.network.Network;
import io.github.convzoo.nn.CompiledGraph;
import io.github.convzoo.weights.ExportedFile;
import io.github.convzoo.weights.LoadReport;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.WeightStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/** Compiles loaded networks. It is a service, so that loading does not depend on the compiler. */
public interface ModelCompiler {

    /**
     * Compiles a network, or reuses a cached compiled form.
     *
     * @param network the network with its weights
     * @param config its configuration; compiles for its input size
     * @param request the runtime, device, and precision
     * @param cache a folder for compiled forms
     * @return the compiled form; close it to free its memory
     * @throws IOException if the cache cannot be used, or the compiled form computes different results
     * @throws IllegalArgumentException if the runtime is missing, or does not support the request on this device
     */
    CompiledGraph compile(Network network, ModelConfig config, CompileRequest request, Path cache) throws IOException;

    /** {@return whether ONNX Runtime is on the class path} */
    boolean hasOnnxRuntime();

    /**
     * Loads an exported file, which is already compiled.
     *
     * @param file the file
     * @param config the configuration in its folder
     * @param input the shape of its inputs, (1, C, H, W)
     * @param device the device of the inputs; ONNX Runtime always computes on the CPU
     * @return the compiled form, which refuses inputs that the file does not support; close it to free its memory
     * @throws IOException if the file is damaged or is not a network
     * @throws IllegalArgumentException if its runtime is missing, or it does not support the input
     */
    Opened open(ExportedFile file, ModelConfig config, Shape input, Device device) throws IOException;

    /**
     * A loaded file.
     *
     * @param graph the compiled form; closing it closes the file
     * @param classMaps the same with class activation maps (N, classes, H, W) as a second output; empty if the file has
     *     none
     * @param remarks what its user must know
     */
    record Opened(CompiledGraph graph, Optional<CompiledGraph> classMaps, List<LoadReport.Remark> remarks) {}

    /**
     * {@return the folder of compiled forms, which may not exist yet, next to the downloaded files}
     *
     * @param store the source of the weights
     */
    static Path cache(WeightStore store) {
        return store.files().directory().resolveSibling("convzoo-compiled");
    }

    /**
     * Finds ConvZoo's compiler.
     *
     * @return the compiler
     */
    static ModelCompiler find() {
        return ServiceLoader.load(ModelCompiler.class, ModelCompiler.class.getClassLoader())
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("META-INF/services/" + ModelCompiler.class.getName()
                        + " is missing; keep service files when jars are merged"));
    }
}
