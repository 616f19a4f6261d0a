package io.github.convzoo.export;

import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.graph.CancelSplits;
import io.github.convzoo.graph.DropDeadNodes;
import io.github.convzoo.graph.DropIdentities;
import io.github.convzoo.graph.ExpandDynamicConvolutions;
import io.github.convzoo.graph.FoldNormalization;
import io.github.convzoo.graph.FuseConvolutions;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.MergeChains;
import io.github.convzoo.graph.MergeDuplicates;
import io.github.convzoo.graph.Pass;
import io.github.convzoo.graph.WidenGroups;
import io.github.convzoo.network.Network;
import io.github.convzoo.nn.Tracer;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Exports a network to ONNX or TorchScript in a model folder, and checks the result.
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

    private final ExportSource source;

    private Exporter(ExportSource source) {
        this.source = source;
    }

    /**
     * Creates an exporter of a network.
     *
     * @param network initialized, on any device
     * @param config its configuration: the input's size, preprocessing, labels
     * @throws IllegalArgumentException if the network has no parameters yet, or comes from an exported file
     */
    public Exporter(Network network, ModelConfig config) {
        if (network.isOnlyCompiled()) {
            throw new IllegalArgumentException("this " + network.modelName() + " comes from an exported file, which can"
                    + " only be run; load the weights that it was exported from, such as a folder with "
                    + ModelFolder.WEIGHTS);
        }
        if (!network.isInitialized()) {
            throw new IllegalArgumentException(
                    network.modelName() + " has no parameters; load its weights, or initialize them");
        }
        source = new NetworkSource(network, config);
    }

    /**
     * Creates an exporter of any DJL block, which is traced on export: see {@link Tracer}. Its use is unknown, so the
     * folder gets no {@code config.json}; the file has the input of the block, and its outputs are named {@code
     * output}, or {@code output_0} and so on if there are several.
     *
     * @param block a block with one input, initialized, on the CPU
     * @param input the input's shape, such as (1, 3, 224, 224); the file takes batches of any size
     * @return the exporter
     */
    public static Exporter of(Block block, Shape input) {
        return new Exporter(new BlockSource(block, input));
    }

    /**
     * Exports the network. For a network of ConvZoo, the folder gets {@code config.json} unless it has one, and {@code
     * serving.properties} and {@code synset.txt} for DJL and DJL Serving; if these were written by something else, they
     * are unchanged, and the report says so. A model file of the same name is replaced, whoever wrote it.
     *
     * @param folder the model folder; created if missing
     * @param options the options
     * @return the report, with the differences from the network's results
     * @throws CheckpointException if the file cannot be written
     * @throws ExportException if the written file computes different results from the network; nothing is left behind
     * @throws IOException if the folder has another model, or cannot be read
     * @throws IllegalArgumentException if the network does not support the options
     */
    public ExportReport export(Path folder, ExportOptions options) throws IOException {
        return draft(options).write(folder);
    }

    /**
     * Prepares an export, so that its graph can be changed before it is written.
     *
     * @param options the options
     * @return the draft
     * @throws IllegalArgumentException if the network does not support the options
     */
    public ExportDraft draft(ExportOptions options) {
        ExportSource.Recorded recorded = source.record(options);
        Graph rewritten = Pass.applyAll(recorded.graph(), List.of(recorded.input()), passes(options));
        if (rewritten.nodes().isEmpty()) {
            throw new IllegalArgumentException("the outputs are the input, so there is nothing to export");
        }
        return new ExportDraft(source, recorded, options, rewritten);
    }

    static List<Pass> passes(ExportOptions options) {
        List<Pass> passes = new ArrayList<>(List.of(
                new DropIdentities(),
                new ExpandDynamicConvolutions(),
                new MergeChains(),
                new FoldNormalization(),
                new CancelSplits(),
                new DropIdentities(),
                new MergeChains(),
                new DropIdentities(),
                new MergeDuplicates(),
                new DropDeadNodes(),
                new WidenGroups(options.target().block(options.format()))));
        if (options.callsOneDnn()) {
            passes.add(new FuseConvolutions());
        }
        return passes;
    }
}
