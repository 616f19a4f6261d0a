package io.github.convzoo.graph;

import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * Folds a normalization into the convolution or linear layer before it: at inference, both are linear per channel, so
 * one layer can do both. The layer's output must have no other reader.
 */
public final class FoldNormalization implements Pass {

    /** Creates the pass. */
    public FoldNormalization() {}

    @Override
    public Graph apply(Graph graph, Types types) {
        Map<Value, Integer> readers = graph.readers();
        Map<Value, Node> producers = new HashMap<>();
        IdentityHashMap<Node, Node> layers = new IdentityHashMap<>();
        for (Node node : graph.nodes()) {
            Node before = producers.get(node.inputs().get(0));
            if (node.op() instanceof Op.Normalization
                    && before != null
                    && readers.getOrDefault(before.output(), 0) == 1) {
                layers.put(before, node);
            }
            if (node.op() instanceof Op.Convolution || node.op() instanceof Op.Linear) {
                producers.put(node.output(), node);
            }
        }
        Rewrite rewrite = new Rewrite(graph);
        for (Node node : graph.nodes()) {
            Node norm = layers.get(node);
            if (norm != null) {
                rewrite.define(
                        node.name(), folded(node.op(), (Op.Normalization) norm.op()), node.inputs(), norm.outputs());
            } else if (!layers.containsValue(node)) {
                rewrite.keep(node);
            }
        }
        return rewrite.finish();
    }

    private static Op folded(Op layer, Op.Normalization norm) {
        if (layer instanceof Op.Convolution conv) {
            return new Op.Convolution(
                    new Constant.Scaled(conv.weight(), norm.scale()),
                    norm.shift(conv.bias()),
                    conv.filters(),
                    conv.window(),
                    conv.groups());
        }
        Op.Linear linear = (Op.Linear) layer;
        return new Op.Linear(
                new Constant.Scaled(linear.weight(), norm.scale()), norm.shift(linear.bias()), linear.units());
    }
}
