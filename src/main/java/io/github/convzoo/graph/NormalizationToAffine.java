package io.github.convzoo.graph;

/** Converts a normalization that could not be folded to one multiplication and one addition per channel. */
public final class NormalizationToAffine implements Pass {

    /** Creates the pass. */
    public NormalizationToAffine() {}

    @Override
    public Graph apply(Graph graph, Types types) {
        Rewrite rewrite = new Rewrite(graph);
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Normalization norm
                    && types.of(node.output()).rank() == 4) {
                rewrite.change(node, new Op.Affine(norm.scale(), norm.shift()));
            } else {
                rewrite.keep(node);
            }
        }
        return rewrite.finish();
    }
}
