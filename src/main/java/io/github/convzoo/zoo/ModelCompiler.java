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
import java.util.ServiceLoader;

/** Compiles loaded networks; found as a service, so that loading does not depend on what compiles. */
public interface ModelCompiler {

    /**
     * Compiles a network, or takes what was compiled before.
     *
     * @param network with its weights
     * @param config how it is used; its input size is the one to compile for
     * @param request what is to run it, where, and in which precision
     * @param cache a folder for compiled forms
     * @return the compiled form; close it to free its memory
     * @throws IOException if the cache cannot be used, or the compiled form computes something else
     * @throws IllegalArgumentException if the runtime is not there, or does not do what is asked for on this device
     */
    CompiledGraph compile(Network network, ModelConfig config, CompileRequest request, Path cache) throws IOException;

    /**
     * Whether ONNX Runtime is on the class path.
     *
     * @return whether it is
     */
    boolean hasOnnxRuntime();

    /**
     * Loads an exported file, which is a compiled form already.
     *
     * @param file the file
     * @param config how it is used, as its folder says
     * @param input the shape of the inputs that it is to take, (1, C, H, W)
     * @param device where inputs come from; ONNX Runtime computes on the CPU in any case
     * @return the compiled form, which refuses inputs that the file does not take; close it to free its memory
     * @throws IOException if the file is damaged or is not a network's
     * @throws IllegalArgumentException if its runtime is not there, or it does not take the input
     */
    Opened open(ExportedFile file, ModelConfig config, Shape input, Device device) throws IOException;

    /**
     * A loaded file.
     *
     * @param graph runs it
     * @param remarks what its user must know
     */
    record Opened(CompiledGraph graph, List<LoadReport.Remark> remarks) {}

    /**
     * Where compiled forms are kept: next to the downloaded files.
     *
     * @param store where the weights come from
     * @return a folder; it need not exist
     */
    static Path cache(WeightStore store) {
        return store.files().directory().resolveSibling("convzoo-compiled");
    }

    /**
     * Finds the compiler that ConvZoo brings.
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
