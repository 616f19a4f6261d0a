package io.github.convzoo.graph;

import java.util.HashSet;
import java.util.Set;

/**
 * Drops nodes without effect at inference: dropout, a concat of one part, a reshape to the same shape, a ReLU after
 * another.
 */
public final class DropIdentities implements Pass {

    /** Creates the pass. */
    public DropIdentities() {}

    @Override
    public Graph apply(Graph graph, Types types) {
        Rewrite rewrite = new Rewrite(graph);
        Set<Value> positive = new HashSet<>();
        for (Node node : graph.nodes()) {
            Value input = rewrite.now(node.inputs().get(0));
            boolean relu = node.op().equals(Op.Activation.RELU);
            if (isIdentity(node, types) || (relu && positive.contains(input))) {
                rewrite.replace(node.output(), input);
            } else {
                rewrite.keep(node);
            }
            if (relu) {
                positive.add(rewrite.now(node.output()));
            }
        }
        return rewrite.finish();
    }

    private static boolean isIdentity(Node node, Types types) {
        Op op = node.op();
        if (op instanceof Op.Reshape) {
            return types.of(node.output()).equals(types.of(node.inputs().get(0)));
        }
        return op instanceof Op.Dropout
                || (op instanceof Op.Concat && node.inputs().size() == 1);
    }
}
