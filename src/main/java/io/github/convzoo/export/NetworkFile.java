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
 * What a writer writes.
 *
 * @param graph the network after its passes
 * @param input the type of its only input; the batch is {@link Type#ANY}
 * @param outputs a name for each of its outputs
 * @param parameters where the values of its parameters come from
 * @param precision what it computes in
 * @param metadata what else readers may want to know: text by key
 */
record NetworkFile(
        Graph graph,
        Type input,
        List<String> outputs,
        Tensor.Source parameters,
        Precision precision,
        Map<String, String> metadata) {

    /** The name of the input in every format. */
    static final String INPUT = "input";

    /** The key of the metadata that says whether the file takes images as bytes and gives probabilities. */
    static final String PREPROCESS = "preprocess";

    /** Metadata: the {@link Target}. */
    static final String TARGET = "target";

    /** Metadata: how wide the weights of a quantized network are, in bits. */
    static final String WEIGHT_BITS = "weight_bits";

    Types types() {
        return graph.types(List.of(input));
    }

    /** What to throw for an operation that is gone before anything is written. */
    IllegalStateException unexpected(Node node) {
        return new IllegalStateException(
                "the tracer or a pass should have removed " + node.op().kind() + " (at " + node.name() + ")");
    }

    Tensor evaluate(Constant constant) {
        return constant.evaluate(parameters);
    }
}
