package io.github.convzoo.export;

import ai.djl.ndarray.NDList;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Type;
import io.github.convzoo.nn.Traced;
import io.github.convzoo.weights.ModelConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The source of an export, and what is known about it. */
sealed interface ExportSource permits NetworkSource, BlockSource {

    /**
     * Records the data flow.
     *
     * @throws IllegalArgumentException if the options do not fit, or something in the block cannot be recorded
     */
    Recorded record(ExportOptions options);

    /** Metadata for readers of the file: text by key. */
    Map<String, String> metadata(ExportOptions options);

    /** The network's configuration, if known; the model folder then gets a {@code config.json}. */
    Optional<ModelConfig> config();

    /**
     * A recorded data flow.
     *
     * @param graph the graph before any pass
     * @param input the type of its only input; the batch is {@link Type#ANY}
     * @param outputs a name for each of its outputs
     * @param traced the source of its parameters' values, which can run it, changed or not
     * @param reference the results that the written file must reproduce
     */
    record Recorded(Graph graph, Type input, List<String> outputs, Traced traced, Reference reference) {}

    /** Computes outputs from an input, both with the input's manager. */
    @FunctionalInterface
    interface Reference {

        NDList run(NDList input);
    }
}
