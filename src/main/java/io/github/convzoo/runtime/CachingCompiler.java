package io.github.convzoo.runtime;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import io.github.convzoo.export.ExportOptions;
import io.github.convzoo.export.ExportRuntime;
import io.github.convzoo.export.ExportedModel;
import io.github.convzoo.export.Exporter;
import io.github.convzoo.export.Precision;
import io.github.convzoo.export.Target;
import io.github.convzoo.network.Network;
import io.github.convzoo.nn.CanonicalNames;
import io.github.convzoo.nn.CompiledGraph;
import io.github.convzoo.weights.ExportedFile;
import io.github.convzoo.weights.LoadReport;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.zoo.CompileRequest;
import io.github.convzoo.zoo.CompiledRuntime;
import io.github.convzoo.zoo.ModelCompiler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compiles a network by exporting it into a cache. A compiled form is a folder in the cache, named after everything
 * that its files depend on: graph, weights, configuration, format, precision, and processor. The exporter moves a file
 * into place once it is complete, so two processes may compile at the same time.
 */
public final class CachingCompiler implements ModelCompiler {

    private static final Logger LOGGER = LoggerFactory.getLogger(CachingCompiler.class);

    /** Increment this if the same graph is written differently. */
    private static final int VERSION = 5;

    /** For {@link java.util.ServiceLoader}. */
    public CachingCompiler() {}

    @Override
    public CompiledGraph compile(Network network, ModelConfig config, CompileRequest request, Path cache)
            throws IOException {
        ExportOptions options = options(request, hasOnnxRuntime());
        ExportRuntime runtime = ExportRuntime.of(options.format()).get(0);
        Path folder = cache.resolve(key(network, config, options));
        Path file = folder.resolve(options.format().file());
        boolean exists = Files.exists(file);
        @Nullable ExportedModel model = exists ? cached(runtime, file, request.device()) : null;
        boolean cached = model != null;
        if (model == null) {
            export(new Exporter(network, config), options, folder, file, exists);
            model = runtime.open(file, request.device());
        }
        LOGGER.info(
                "{}: {} runs {}, {}",
                network.modelName(),
                runtime.title(),
                file,
                cached ? "from the cache" : "newly compiled");
        return new Compiled(model, config.input().slice(1), options.format() == ExportOptions.Format.ONNX);
    }

    /** Opens a file in the cache; null if it is damaged. It is left to be replaced: it may be another process's. */
    private static @Nullable ExportedModel cached(ExportRuntime runtime, Path file, Device device) throws IOException {
        String why = "its checksum differs, or it is incomplete";
        try {
            if (Checksums.match(file)) {
                return runtime.open(file, device);
            }
        } catch (IOException | EngineException e) {
            why = String.valueOf(e.getMessage());
        }
        LOGGER.warn("the compiled form {} cannot be used, so it is made again: {}", file, why);
        return null;
    }

    /**
     * {@return the export options for a request} ONNX Runtime for Java computes on the CPU, so a GPU needs TorchScript.
     *
     * @param request the request
     * @param onnxRuntime whether ONNX Runtime is available
     * @throws IllegalArgumentException if no runtime supports the request, or only one slower than the default
     */
    public static ExportOptions options(CompileRequest request, boolean onnxRuntime) {
        Device device = request.device();
        boolean cpu = device.equals(Device.cpu());
        if (!cpu && !device.isGpu()) {
            throw new IllegalArgumentException(
                    "compiled models run on the CPU or a CUDA device, not on " + device + "; omit compiled");
        }
        request.precision().requireFasterOn(device);
        boolean onnx = request.runtime().isOnnx(cpu, onnxRuntime);
        if (onnx && !cpu) {
            throw new IllegalArgumentException("ONNX Runtime runs on the CPU only, but the device is " + device
                    + "; choose " + CompiledRuntime.TORCHSCRIPT + ", or the device cpu");
        }
        if (onnx && !onnxRuntime) {
            throw new IllegalArgumentException("ONNX Runtime is not on the class path; add "
                    + CompiledRuntime.DEPENDENCY + ", or choose " + CompiledRuntime.TORCHSCRIPT);
        }
        return (onnx ? ExportOptions.onnx() : ExportOptions.torchScript())
                .withPrecision(
                        switch (request.precision()) {
                            case FLOAT32 -> Precision.FLOAT32;
                            case FLOAT16 -> Precision.FLOAT16;
                            case BFLOAT16 -> Precision.BFLOAT16;
                        })
                .withClassMaps(request.classMaps())
                .withTarget(cpu ? Target.here() : Target.ANY);
    }

    @Override
    public boolean hasOnnxRuntime() {
        return !ExportRuntime.of(ExportOptions.Format.ONNX).isEmpty();
    }

    @Override
    public Opened open(ExportedFile file, ModelConfig config, Shape input, Device device) throws IOException {
        ExportRuntime runtime =
                switch (file.format()) {
                    case ONNX -> ExportRuntime.ONNX_RUNTIME;
                    case TORCHSCRIPT -> ExportRuntime.TORCHSCRIPT;
                };
        if (runtime == ExportRuntime.ONNX_RUNTIME && !hasOnnxRuntime()) {
            throw new IllegalArgumentException(
                    file.path() + ": needs ONNX Runtime, which is not on the class path; add "
                            + CompiledRuntime.DEPENDENCY + ", or export to TorchScript");
        }
        ExportedModel model = runtime.open(file.path(), device);
        ExportedGraph graph = new ExportedGraph(
                file.path(),
                model,
                config.preprocessing().normalization(),
                config.options().numClasses());
        try {
            graph.requireAccepted(input);
        } catch (IllegalArgumentException e) {
            model.close();
            throw e;
        }
        List<LoadReport.Remark> remarks = new ArrayList<>();
        remarks.add(new LoadReport.Remark(
                LoadReport.Remark.Kind.SETTING, file.path() + ": exported graph, run by " + runtime.title()));
        if (model.input().images()) {
            remarks.add(new LoadReport.Remark(
                    LoadReport.Remark.Kind.GUESS,
                    file.path() + ": outputs probabilities; using their logarithms as logits"));
        }
        return new Opened(graph, graph.withClassMaps(), remarks);
    }

    private static void export(Exporter exporter, ExportOptions options, Path folder, Path file, boolean damaged)
            throws IOException {
        try {
            exporter.export(folder, options);
        } catch (IOException e) {
            // Another process finished first, and this system does not replace its file; the results are the same.
            if (damaged || !Files.exists(file)) {
                throw e;
            }
        }
        Checksums.write(file);
    }

    static String key(Network network, ModelConfig config, ExportOptions options) {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
        String what = String.join(
                "\n",
                List.of(
                        Integer.toString(VERSION),
                        options.toString(),
                        config.toJson(),
                        network.graph().toString()));
        digest.update(what.getBytes(StandardCharsets.UTF_8));
        for (Map.Entry<String, Parameter> each :
                CanonicalNames.parameters(network).entrySet()) {
            NDArray array = each.getValue().getArray();
            digest.update((each.getKey() + array.getShape()).getBytes(StandardCharsets.UTF_8));
            digest.update(array.toByteBuffer());
        }
        return network.modelName() + "-" + HexFormat.of().formatHex(digest.digest(), 0, 16);
    }

    /** A compiled network, for inputs of one size if the format requires it. */
    private static final class Compiled implements CompiledGraph {

        private final ExportedModel model;
        private final Shape sample;
        private final boolean fixed;

        Compiled(ExportedModel model, Shape sample, boolean fixed) {
            this.model = model;
            this.sample = sample;
            this.fixed = fixed;
        }

        @Override
        public boolean accepts(Shape input) {
            return !fixed || input.slice(1).equals(sample);
        }

        @Override
        public boolean isBatchInvariant() {
            return model.isBatchInvariant();
        }

        @Override
        public NDList run(NDList inputs) {
            return model.run(inputs);
        }

        @Override
        public void close() {
            model.close();
        }
    }
}
