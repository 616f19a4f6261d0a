package io.github.convzoo.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import io.github.convzoo.export.ExportOptions;
import io.github.convzoo.export.ExportRuntime;
import io.github.convzoo.export.ExportedModel;
import io.github.convzoo.export.Exporter;
import io.github.convzoo.export.Target;
import io.github.convzoo.network.Network;
import io.github.convzoo.nn.CanonicalNames;
import io.github.convzoo.nn.CompiledGraph;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.zoo.CompiledRuntime;
import io.github.convzoo.zoo.ModelCompiler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compiles a network by exporting it into a cache. A compiled form is a folder of the cache that is named after everything it
 * depends on: graph, weights, input size, and format. The exporter moves a file into place once it is complete, so two processes may
 * compile at once.
 */
public final class CachingCompiler implements ModelCompiler {

    private static final Logger LOGGER = LoggerFactory.getLogger(CachingCompiler.class);

    /** Raise this if the same graph is written differently. */
    private static final int VERSION = 2;

    /** For {@link java.util.ServiceLoader}. */
    public CachingCompiler() {}

    @Override
    public CompiledGraph compile(Network network, ModelConfig config, CompiledRuntime runtime, Path cache)
            throws IOException {
        ExportOptions portable =
                switch (runtime) {
                    case FASTEST ->
                        ExportRuntime.of(ExportOptions.Format.ONNX).isEmpty()
                                ? ExportOptions.torchScript()
                                : ExportOptions.onnx();
                    case ONNX -> ExportOptions.onnx();
                    case TORCHSCRIPT -> ExportOptions.torchScript();
                };
        ExportOptions options = portable.withTarget(Target.here());
        List<ExportRuntime> there = ExportRuntime.of(options.format());
        if (there.isEmpty()) {
            throw new IllegalArgumentException("ONNX Runtime is not on the class path; add"
                    + " com.microsoft.onnxruntime:onnxruntime, or choose " + CompiledRuntime.TORCHSCRIPT);
        }
        Path folder = cache.resolve(key(network, config, options));
        Path file = folder.resolve(options.format().file());
        boolean cached = Files.exists(file);
        if (!cached) {
            export(new Exporter(network, config), options, folder, file);
        }
        LOGGER.info(
                "{}: {} runs {}, {}",
                network.modelName(),
                there.get(0).title(),
                file,
                cached ? "compiled before" : "compiled now");
        Shape sample = config.input().slice(1);
        return new Compiled(there.get(0).open(file), sample, options.format() == ExportOptions.Format.ONNX);
    }

    private static void export(Exporter exporter, ExportOptions options, Path folder, Path file) throws IOException {
        try {
            exporter.export(folder, options);
        } catch (IOException e) {
            // Another process was faster, and this system does not replace its file; what it made is the same.
            if (!Files.exists(file)) {
                throw e;
            }
        }
    }

    private static String key(Network network, ModelConfig config, ExportOptions options) {
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
                        config.input().slice(1).toString(),
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

    /** A compiled network, for inputs of one size if the format asks for it. */
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
            return !fixed || (input.dimension() == 4 && input.slice(1).equals(sample));
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
