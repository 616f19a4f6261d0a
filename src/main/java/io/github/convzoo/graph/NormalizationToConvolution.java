package io.github.convzoo.graph;

/**
 * Converts a normalization that could not be folded to a 1 x 1 depthwise convolution. In float, this has no benefit; in
 * 8 bits, it is computed with integers, and exactly, because a filter with a single weight has its own scale.
 */
public final class NormalizationToConvolution implements Pass {

    /** Creates the pass. */
    public NormalizationToConvolution() {}

    @Override
    public Graph apply(Graph graph, Types types) {
        Rewrite rewrite = new Rewrite(graph);
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Normalization norm
                    && types.of(node.output()).rank() == 4) {
                int channels = Math.toIntExact(types.of(node.output()).get(1));
                rewrite.change(
                        node,
                        new Op.Convolution(
                                new Constant.Depthwise(norm.scale()),
                                norm.shift(),
                                channels,
                                Window.square(1, 1, 0),
                                channels));
            } else {
                rewrite.keep(node);
            }
        }
        return rewrite.finish();
    }
}
