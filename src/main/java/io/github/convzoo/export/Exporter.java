package io.github.convzoo.export;

import ai.djl.ndarray.types.Shape;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.graph.CancelSplits;
import io.github.convzoo.graph.DropDeadNodes;
import io.github.convzoo.graph.DropIdentities;
import io.github.convzoo.graph.ExpandDynamicConvolutions;
import io.github.convzoo.graph.FoldNormalization;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.MergeDuplicates;
import io.github.convzoo.graph.Pass;
import io.github.convzoo.graph.Surroundings;
import io.github.convzoo.graph.Type;
import io.github.convzoo.graph.Value;
import io.github.convzoo.graph.WidenGroups;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.network.Network;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Writes a network as ONNX or TorchScript into a model folder, and checks what was written.
 *
 * <pre>{@code
 * try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits("dla34", LoadOptions.published())) {
 *     Network network = (Network) model.getBlock();
 *     new Exporter(network, ConvZoo.configuration("dla34", LoadOptions.published()))
 *             .export(Path.of("dla34"), ExportOptions.onnx());
 * }
 * }</pre>
 */
public final class Exporter {

    /** What ONNX Runtime's kernels for x86 with AVX-512 compute at once. */
    private static final int ONNX_BLOCK = 16;

    private final Network network;
    private final ModelConfig config;

    /**
     * Takes a network.
     *
     * @param network initialized, on any device
     * @param config how it is used: the input's size, preprocessing, labels
     * @throws IllegalArgumentException if the network has no parameters yet
     */
    public Exporter(Network network, ModelConfig config) {
        if (!network.isInitialized()) {
            throw new IllegalArgumentException(network.modelName() + " has no parameters yet; load or initialize them");
        }
        this.network = network;
        this.config = config;
    }

    /**
     * Writes the network, and its {@code config.json} if the folder has none.
     *
     * @param folder the model folder; made if it is not there
     * @param options how to write it
     * @return what was written, and how much its results differ from the network's
     * @throws CheckpointException if the file cannot be written
     * @throws ExportException if the written file computes something else than the network; nothing is left behind
     * @throws IOException if the folder holds another model, or cannot be read
     * @throws IllegalArgumentException if the network cannot be written so
     */
    public ExportReport export(Path folder, ExportOptions options) throws IOException {
        int height = config.preprocessing().height();
        int width = config.preprocessing().width();
        network.getOutputShapes(new Shape[] {new Shape(1, network.options().inChannels(), height, width)});
        Graph recorded = recorded(options);
        Type input = inputType(options, height, width);
        Graph rewritten = Pass.applyAll(recorded, List.of(input), passes(options.format()));
        NetworkFile file = new NetworkFile(
                rewritten, input, names(options), network.parameterValues(), options.precision(), metadata());
        requireSameModel(folder);
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new IOException(folder + ": is a file; name a folder");
        }
        boolean made = !Files.exists(folder);
        Files.createDirectories(folder);
        Path draft = Files.createTempDirectory(folder, ".export");
        try {
            Path written = draft.resolve(options.format().file());
            switch (options.format()) {
                case ONNX -> OnnxWriter.write(file, written);
                case TORCHSCRIPT -> TorchScriptWriter.write(file, written);
            }
            ExportReport report = new ExportCheck(network, recorded, file)
                    .check(written, folder.resolve(options.format().file()), options.format());
            try (DirectoryStream<Path> files = Files.newDirectoryStream(draft)) {
                for (Path each : files) {
                    Files.move(each, folder.resolve(each.getFileName()), StandardCopyOption.REPLACE_EXISTING);
                }
            }
            if (ModelFolder.config(folder).isEmpty()) {
                ModelFolder.writeConfig(folder, config);
            }
            return report;
        } finally {
            delete(draft);
            if (made && isEmpty(folder)) {
                Files.delete(folder);
            }
        }
    }

    private Graph recorded(ExportOptions options) {
        Graph graph = network.graph();
        if (options.features()) {
            List<Value> outputs = new ArrayList<>(graph.outputs());
            List<String> stages = network.featureStages();
            outputs.add(graph.named(stages.get(stages.size() - 1)));
            outputs.add(graph.named(Network.POOLED));
            graph = graph.cut(graph.inputs(), outputs);
        }
        if (options.preprocess()) {
            if (network.options().numClasses() == 0) {
                throw new IllegalArgumentException(network.modelName()
                        + " has no classifier, so there are no probabilities; leave preprocessing out");
            }
            Normalization normalization = config.preprocessing().normalization();
            graph = Surroundings.withSoftmax(
                    Surroundings.withPixels(graph, floats(normalization.mean()), floats(normalization.std())));
        }
        return graph;
    }

    private static float[] floats(List<Double> values) {
        float[] floats = new float[values.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = values.get(i).floatValue();
        }
        return floats;
    }

    private Type inputType(ExportOptions options, int height, int width) {
        long channels = network.options().inChannels();
        return options.preprocess()
                ? new Type(Type.Element.BYTE, List.of(Type.ANY, (long) height, (long) width, channels))
                : Type.of(Type.ANY, channels, height, width);
    }

    private static List<Pass> passes(ExportOptions.Format format) {
        List<Pass> passes = new ArrayList<>(List.of(
                new DropIdentities(),
                new ExpandDynamicConvolutions(),
                new FoldNormalization(),
                new CancelSplits(),
                new DropIdentities(),
                new MergeDuplicates(),
                new DropDeadNodes()));
        if (format == ExportOptions.Format.ONNX) {
            passes.add(new WidenGroups(ONNX_BLOCK));
        }
        return passes;
    }

    private List<String> names(ExportOptions options) {
        List<String> names = new ArrayList<>();
        names.add(options.preprocess() ? "probabilities" : network.options().numClasses() == 0 ? "pooled" : "logits");
        if (options.features()) {
            names.add("features");
            names.add(names.contains("pooled") ? "pooled_features" : "pooled");
        }
        return names;
    }

    private Map<String, String> metadata() {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("model", network.modelName());
        metadata.put(ModelFolder.CONFIG, config.toJson());
        config.labels().ifPresent(labels -> metadata.put("labels", String.join("\n", labels.names())));
        config.tag().ifPresent(tag -> metadata.put("tag", tag));
        config.license().ifPresent(license -> metadata.put("license", license));
        return metadata;
    }

    private void requireSameModel(Path folder) throws IOException {
        Optional<ModelConfig> there = Files.isDirectory(folder) ? ModelFolder.config(folder) : Optional.empty();
        if (there.isPresent() && !there.get().toJson().equals(config.toJson())) {
            throw new IOException(folder + ": holds another model ("
                    + there.get().variant().modelName() + "), or the same with other settings; name another folder");
        }
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            return !files.iterator().hasNext();
        }
    }

    private static void delete(Path draft) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(draft)) {
            for (Path each : files) {
                Files.delete(each);
            }
        }
        Files.delete(draft);
    }
}
