package io.github.convzoo.graph;

import java.util.HashMap;
import java.util.Map;

/**
 * Drops nodes without effect at inference: dropout, a concat of one part, a reshape to the same shape, a factor of 1,
 * an offset of 0, bounds that the node before has already applied.
 */
public final class DropIdentities implements Pass {

    /** Creates the pass. */
    public DropIdentities() {}

    @Override
    public Graph apply(Graph graph, Types types) {
        Rewrite rewrite = new Rewrite(graph);
        Map<Value, Bounds> bounds = new HashMap<>();
        for (Node node : graph.nodes()) {
            Value input = rewrite.now(node.inputs().get(0));
            Bounds own = Bounds.of(node.op());
            if (isIdentity(node, types) || (own != null && own.include(bounds.getOrDefault(input, Bounds.NONE)))) {
                rewrite.replace(node.output(), input);
                continue;
            }
            rewrite.keep(node);
            if (own != null) {
                bounds.put(node.output(), own);
            }
        }
        return rewrite.finish();
    }

    private static boolean isIdentity(Node node, Types types) {
        Op op = node.op();
        if (op instanceof Op.Reshape) {
            return types.of(node.output()).equals(types.of(node.inputs().get(0)));
        } else if (op instanceof Op.Affine affine) {
            return !affine.multiplies() && !affine.adds();
        }
        return op instanceof Op.Dropout
                || (op instanceof Op.Concat && node.inputs().size() == 1)
                || op.equals(new Op.Scale(1));
    }
}
