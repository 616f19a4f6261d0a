package io.github.convzoo.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Joins a convolution with the sum and the ReLU after it, where nothing else reads what is between them. Of a sum of two
 * convolutions, the later one takes it.
 */
public final class FuseConvolutions implements Pass {

    /** Creates the pass. */
    public FuseConvolutions() {}

    @Override
    public Graph apply(Graph graph, Types types) {
        Chains chains = new Chains(graph);
        Rewrite rewrite = new Rewrite(graph);
        for (Node node : graph.nodes()) {
            if (chains.swallowed.contains(node)) {
                continue;
            }
            Chain chain = chains.byEnd.get(node);
            if (chain == null || chain.isConvolutionAlone()) {
                rewrite.keep(node);
            } else {
                rewrite.define(chain.convolution.name(), chain.op(), chain.inputs(), node.outputs());
            }
        }
        return rewrite.finish();
    }

    /** A convolution, and what it takes in. */
    private record Chain(Node convolution, @Nullable Value added, boolean rectifies) {

        boolean isConvolutionAlone() {
            return added == null && !rectifies;
        }

        Op.FusedConvolution op() {
            return new Op.FusedConvolution((Op.Convolution) convolution.op(), added != null, rectifies);
        }

        List<Value> inputs() {
            List<Value> inputs = new ArrayList<>(convolution.inputs());
            if (added != null) {
                inputs.add(added);
            }
            return inputs;
        }
    }

    private static final class Chains {

        /** The chains by the node whose output they give. */
        private final Map<Node, Chain> byEnd = new HashMap<>();

        /** What is computed by the end of a chain. */
        private final Set<Node> swallowed = new HashSet<>();

        private final Map<Value, Node> definedBy = new HashMap<>();
        private final Map<Value, Integer> places = new HashMap<>();
        private final Map<Value, Integer> readers;

        Chains(Graph graph) {
            readers = graph.readers();
            for (Node node : graph.nodes()) {
                if (node.op() instanceof Op.Convolution) {
                    byEnd.put(node, new Chain(node, null, false));
                } else if (node.op() instanceof Op.Add) {
                    addSum(node);
                } else if (node.op() == Op.Activation.RELU) {
                    Node before = definedBy.get(node.inputs().get(0));
                    Chain chain = openChain(before);
                    if (chain != null) {
                        extend(before, node, new Chain(chain.convolution, chain.added, true));
                    }
                }
                for (Value output : node.outputs()) {
                    definedBy.put(output, node);
                    places.put(output, places.size());
                }
            }
        }

        private void addSum(Node sum) {
            Value first = sum.inputs().get(0);
            Value second = sum.inputs().get(1);
            boolean secondIsLater = places.getOrDefault(second, -1) > places.getOrDefault(first, -1);
            Value later = secondIsLater ? second : first;
            Value earlier = secondIsLater ? first : second;
            if (!join(later, earlier, sum)) {
                join(earlier, later, sum);
            }
        }

        private boolean join(Value convolved, Value added, Node sum) {
            Node before = definedBy.get(convolved);
            Chain chain = openChain(before);
            if (chain == null || chain.added != null) {
                return false;
            }
            extend(before, sum, new Chain(chain.convolution, added, false));
            return true;
        }

        /** The chain that ends in a node and may go on: nothing but the next node reads what it gives. */
        private @Nullable Chain openChain(@Nullable Node end) {
            Chain chain = end == null ? null : byEnd.get(end);
            return chain != null && !chain.rectifies && readers.get(end.output()) == 1 ? chain : null;
        }

        private void extend(Node before, Node end, Chain chain) {
            byEnd.remove(before);
            swallowed.add(before);
            byEnd.put(end, chain);
        }
    }
}
