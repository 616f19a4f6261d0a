package io.github.convzoo.zoo;

import io.github.convzoo.network.Network;
import io.github.convzoo.nn.CompiledGraph;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.WeightStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ServiceLoader;

/** Compiles loaded networks; found as a service, so that loading does not depend on what compiles. */
public interface ModelCompiler {

    /**
     * Compiles a network, or takes what was compiled before.
     *
     * @param network with its weights
     * @param config how it is used; its input size is the one to compile for
     * @param runtime what is to run it
     * @param cache a folder for compiled forms
     * @return the compiled form; close it to free its memory
     * @throws IOException if the cache cannot be used, or the compiled form computes something else
     * @throws IllegalArgumentException if the runtime is not there
     */
    CompiledGraph compile(Network network, ModelConfig config, CompiledRuntime runtime, Path cache) throws IOException;

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
