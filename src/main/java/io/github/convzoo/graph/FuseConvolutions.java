package io.github.convzoo.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Fuses a convolution with the sum and the ReLU after it, if nothing else reads the intermediate values. A sum of two
 * convolutions is fused into the later one.
 */
public final class FuseConvolutions implements Pass {

    /** Creates the pass. */
    public FuseConvolutions() {}

    @Override
    public Graph apply(Graph graph, Types types) {
        Chains chains = new Chains(graph);
        Rewrite rewrite = new Rewrite(graph);
        for (Node node : graph.nodes()) {
            Chain chain = chains.byResult.get(node.outputs().get(0));
            if (chain != null && !chain.isConvolutionAlone()) {
                rewrite.define(chain.convolution.name(), chain.op(), chain.inputs(), node.outputs());
            } else if (!chains.inside.contains(node)) {
                rewrite.keep(node);
            }
        }
        return rewrite.finish();
    }

    /**
     * A convolution, and the operations that it absorbs.
     *
     * @param convolution the convolution
     * @param added the value added to it, or null
     * @param rectifies whether ReLU follows
     * @param end the node of the result
     */
    private record Chain(Node convolution, @Nullable Value added, boolean rectifies, Node end) {

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

        private final Map<Value, Chain> byResult = new HashMap<>();

        /** The nodes of chains except their ends. */
        private final Set<Node> inside = new HashSet<>();

        /** The position of each value's definition; missing ones are inputs. */
        private final Map<Value, Integer> places = new HashMap<>();

        private final Map<Value, Integer> readers;

        Chains(Graph graph) {
            readers = graph.readers();
            for (Node node : graph.nodes()) {
                if (node.op() instanceof Op.Convolution) {
                    byResult.put(node.output(), new Chain(node, null, false, node));
                } else if (node.op() instanceof Op.Add) {
                    addSum(node);
                } else if (node.op() == Op.Activation.RELU) {
                    Chain chain = open(node.inputs().get(0));
                    if (chain != null) {
                        extend(chain, new Chain(chain.convolution, chain.added, true, node));
                    }
                }
                node.outputs().forEach(output -> places.put(output, places.size()));
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
            Chain chain = open(convolved);
            if (chain == null || chain.added != null) {
                return false;
            }
            extend(chain, new Chain(chain.convolution, added, false, sum));
            return true;
        }

        /** The chain of a result, if it can be extended because only the next node reads it. */
        private @Nullable Chain open(Value result) {
            Chain chain = byResult.get(result);
            return chain != null && !chain.rectifies && readers.getOrDefault(result, 0) == 1 ? chain : null;
        }

        private void extend(Chain before, Chain after) {
            byResult.remove(before.end.output());
            inside.add(before.end);
            byResult.put(after.end.output(), after);
        }
    }
}
