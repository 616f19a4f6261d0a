package io.github.convzoo.graph;

import java.util.HashMap;
import java.util.Map;

/**
 * Folds a normalization, or other factors and offsets per channel, into the convolution or linear layer before it: at
 * inference, both are linear per channel, so one layer can do both. The layer's output must have no other reader.
 */
public final class FoldNormalization implements Pass {

    /** Creates the pass. */
    public FoldNormalization() {}

    private record Folded(Node node, PerChannel effect) {}

    @Override
    public Graph apply(Graph graph, Types types) {
        Map<Value, Integer> readers = graph.readers();
        Map<Value, Node> producers = new HashMap<>();
        // By the output of the layer, which only the folded node reads.
        Map<Value, Folded> folded = new HashMap<>();
        for (Node node : graph.nodes()) {
            Node before = producers.get(node.inputs().get(0));
            if (before != null && readers.getOrDefault(before.output(), 0) == 1) {
                PerChannel effect = PerChannel.of(node.op(), types.of(before.output()));
                if (effect != null) {
                    folded.put(before.output(), new Folded(node, effect));
                }
            }
            if (hasChannels(node, types)) {
                producers.put(node.output(), node);
            }
        }
        Rewrite rewrite = new Rewrite(graph);
        for (Node node : graph.nodes()) {
            Folded next = folded.get(node.outputs().get(0));
            if (next != null) {
                rewrite.define(node.name(), folded(node.op(), next.effect), node.inputs(), next.node.outputs());
            } else if (!folded.containsKey(node.inputs().get(0))) {
                rewrite.keep(node);
            }
        }
        return rewrite.finish();
    }

    /** Whether a node is a layer whose units are on axis 1, as channels are. */
    private static boolean hasChannels(Node node, Types types) {
        return node.op() instanceof Op.Convolution
                || (node.op() instanceof Op.Linear && types.of(node.output()).rank() == 2);
    }

    private static Op folded(Op layer, PerChannel effect) {
        if (layer instanceof Op.Convolution conv) {
            return new Op.Convolution(
                    effect.scaled(conv.weight()),
                    effect.shifted(conv.bias()),
                    conv.filters(),
                    conv.window(),
                    conv.groups());
        }
        Op.Linear linear = (Op.Linear) layer;
        return new Op.Linear(effect.scaled(linear.weight()), effect.shifted(linear.bias()), linear.units());
    }
}
