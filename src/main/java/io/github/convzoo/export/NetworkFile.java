package io.github.convzoo.export;

import io.github.convzoo.graph.Constant;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Node;
import io.github.convzoo.graph.Tensor;
import io.github.convzoo.graph.Type;
import io.github.convzoo.graph.Types;
import java.util.List;
import java.util.Map;

/**
 * The input of a writer.
 *
 * @param graph the network after its passes
 * @param input the type of its only input; the batch is {@link Type#ANY}
 * @param outputs a name for each of its outputs
 * @param parameters the source of its parameters' values
 * @param precision the compute precision
 * @param metadata metadata for readers: text by key
 * @param forAnySize whether the graph computes the same as the network for inputs of another height and width
 */
record NetworkFile(
        Graph graph,
        Type input,
        List<String> outputs,
        Tensor.Source parameters,
        Precision precision,
        Map<String, String> metadata,
        boolean forAnySize) {

    /** The name of the input in every format. */
    static final String INPUT = "input";

    /** The metadata key for whether the file takes images as bytes and returns probabilities. */
    static final String PREPROCESS = "preprocess";

    /** The name of the output with class activation maps, always the last, and the metadata key for its presence. */
    static final String CLASS_MAPS = "class_maps";

    /** The metadata key for the {@link Target}. */
    static final String TARGET = "target";

    /** The metadata key for the width of a quantized network's weights, in bits. */
    static final String WEIGHT_BITS = "weight_bits";

    Types types() {
        return graph.types(List.of(input));
    }

    /** The exception for an operation that should not reach the writer. */
    IllegalStateException unexpected(Node node) {
        return new IllegalStateException(
                "the tracer or a pass should have removed " + node.op().kind() + " (at " + node.name() + ")");
    }

    Tensor evaluate(Constant constant) {
        return constant.evaluate(parameters);
    }
}
