package io.github.convzoo.export;

import ai.djl.ndarray.NDList;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Type;
import io.github.convzoo.nn.Traced;
import io.github.convzoo.weights.ModelConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What is exported, and what is known of it. */
sealed interface ExportSource permits NetworkSource, BlockSource {

    /**
     * Records the data flow.
     *
     * @throws IllegalArgumentException if the options do not fit, or something in the block cannot be recorded
     */
    Recorded record(ExportOptions options);

    /** What readers of the file may want to know: text by key. */
    Map<String, String> metadata(ExportOptions options);

    /** How the network is used, if that is known; the model folder then has a {@code config.json}. */
    Optional<ModelConfig> config();

    /**
     * A recorded data flow.
     *
     * @param graph the graph before any pass
     * @param input the type of its only input; the batch is {@link Type#ANY}
     * @param outputs a name for each of its outputs
     * @param traced where the values of its parameters come from; runs it, changed or not
     * @param reference what the written file must compute
     */
    record Recorded(Graph graph, Type input, List<String> outputs, Traced traced, Reference reference) {}

    /** Computes outputs from an input, both with the input's manager. */
    @FunctionalInterface
    interface Reference {

        NDList run(NDList input);
    }
}
