package io.github.convzoo.graph;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Merges nodes that compute the same: the same operation, with the same constants, on the same inputs. */
public final class MergeDuplicates implements Pass {

    private record Computation(Op op, List<Value> inputs) {}

    /** Creates the pass. */
    public MergeDuplicates() {}

    @Override
    public Graph apply(Graph graph, Types types) {
        Rewrite rewrite = new Rewrite(graph);
        Map<Computation, Node> done = new HashMap<>();
        for (Node node : graph.nodes()) {
            Computation computation = new Computation(
                    node.op(), node.inputs().stream().map(rewrite::now).toList());
            Node first = done.putIfAbsent(computation, node);
            // An opaque block may return different results each time.
            if (first == null || node.op() instanceof Op.Call) {
                rewrite.keep(node);
            } else {
                for (int i = 0; i < node.outputs().size(); i++) {
                    rewrite.replace(node.outputs().get(i), first.outputs().get(i));
                }
            }
        }
        return rewrite.finish();
    }
}
