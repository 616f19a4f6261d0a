package io.github.convzoo.nn;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Node;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Tensor;
import io.github.convzoo.graph.Type;
import io.github.convzoo.graph.Types;
import io.github.convzoo.graph.Value;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A flow as a graph, and the blocks that its nodes represent.
 *
 * @param graph the graph
 * @param blocks the blocks that nodes represent
 * @param calls the block's direct children in the order in which they run
 * @param parameters the parameters of the graph
 */
record Recording(Graph graph, Map<Leaf, Block> blocks, List<Call> calls, Map<String, Parameter> parameters) {

    /**
     * A node that represents a block: passes either keep its name and operation, or replace it.
     *
     * @param name the block's canonical name
     * @param op the block's operation
     */
    record Leaf(String name, Op op) {}

    /** The block that a node represents, if any. */
    @Nullable Block block(Node node) {
        return blocks.get(new Leaf(node.name(), node.op()));
    }

    /** A run of a child block. */
    record Call(Block block, List<Value> inputs, Value output) {}

    /** The types of the graph's values for inputs of the given shapes. */
    Types typesFor(Shape... inputs) {
        return graph.types(types(inputs));
    }

    static List<Type> types(Shape... shapes) {
        return Arrays.stream(shapes).map(Recording::type).toList();
    }

    Recording withGraph(Graph other) {
        return new Recording(other, blocks, calls, parameters);
    }

    /** Reads the parameters' current values. */
    Tensor.Source parameterValues() {
        return FoldedWeights.source(parameters);
    }

    /** Runs the graph once, in inference mode. */
    NDList run(NDList inputs) {
        try (PreparedGraph prepared = new PreparedGraph(this)) {
            return prepared.run(inputs);
        }
    }

    static Type type(Shape shape) {
        return Type.of(shape.getShape());
    }

    static Shape shape(Type type) {
        return shape(type.sizes());
    }

    static Shape shape(List<Long> sizes) {
        return new Shape(sizes.stream().mapToLong(Long::longValue).toArray());
    }
}
