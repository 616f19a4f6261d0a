package io.github.convzoo.graph;

/**
 * Turns a normalization that no layer before it could take into a depthwise convolution that sees one pixel. With floats that gains
 * nothing; with 8 bits it is computed with integers, and exactly, because a filter of one weight has a scale of its own.
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
                                norm.shift(null),
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
