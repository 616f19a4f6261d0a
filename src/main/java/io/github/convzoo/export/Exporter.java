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
import io.github.convzoo.graph.MergeDuplicates;
import io.github.convzoo.graph.Pass;
import io.github.convzoo.graph.WidenGroups;
import io.github.convzoo.network.Network;
import io.github.convzoo.nn.Tracer;
import io.github.convzoo.weights.ModelConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

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

    private final ExportSource source;

    private Exporter(ExportSource source) {
        this.source = source;
    }

    /**
     * Takes a network.
     *
     * @param network initialized, on any device
     * @param config how it is used: the input's size, preprocessing, labels
     * @throws IllegalArgumentException if the network has no parameters yet
     */
    public Exporter(Network network, ModelConfig config) {
        if (!network.isInitialized()) {
            throw new IllegalArgumentException(
                    network.modelName() + " has no parameters; load its weights, or initialize them");
        }
        source = new NetworkSource(network, config);
    }

    /**
     * Takes any DJL block, which is traced when it is exported: see {@link Tracer}. Nothing is known of how it is used, so the folder
     * gets no {@code config.json}; the file takes what the block takes, and its outputs are called {@code output}, or {@code output_0}
     * and so on if there are several.
     *
     * @param block of one input, initialized, on the CPU
     * @param input the input's shape, such as (1, 3, 224, 224); the file takes batches of any size
     * @return exports the block
     */
    public static Exporter of(Block block, Shape input) {
        return new Exporter(new BlockSource(block, input));
    }

    /**
     * Writes the network. If it is a network of ConvZoo, the folder gets {@code config.json} unless it has one, and {@code
     * serving.properties} and {@code synset.txt} for DJL and DJL Serving; those that somebody else wrote are left alone, and the
     * report says so.
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
        return draft(options).write(folder);
    }

    /**
     * Prepares an export, so that its graph can be changed before it is written.
     *
     * @param options how to write it
     * @return what would be written
     * @throws IllegalArgumentException if the network cannot be written so
     */
    public ExportDraft draft(ExportOptions options) {
        ExportSource.Recorded recorded = source.record(options);
        Graph rewritten = Pass.applyAll(recorded.graph(), List.of(recorded.input()), passes(options));
        if (rewritten.nodes().isEmpty()) {
            throw new IllegalArgumentException("the outputs are the input; there is nothing to export");
        }
        return new ExportDraft(source, recorded, options, rewritten);
    }

    static List<Pass> passes(ExportOptions options) {
        List<Pass> passes = new ArrayList<>(List.of(
                new DropIdentities(),
                new ExpandDynamicConvolutions(),
                new FoldNormalization(),
                new CancelSplits(),
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
