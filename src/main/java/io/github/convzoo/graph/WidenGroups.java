package io.github.convzoo.graph;

import java.util.ArrayList;
import java.util.List;

/**
 * Joins narrow groups of a convolution into wider ones, whose kernels are zero between channels that were in different groups. It
 * computes more and is still faster if the target's kernels are made for blocks of channels. Depthwise convolutions stay.
 */
public final class WidenGroups implements Pass {

    private final int block;
    private final int least;

    /**
     * Creates the pass.
     *
     * @param block what the channels and filters of a group should be a multiple of
     */
    public WidenGroups(int block) {
        this(block, block);
    }

    /**
     * Creates the pass for groups of some blocks.
     *
     * @param block what the channels and filters of a group should be a multiple of
     * @param least how many channels and filters a group should have at least
     */
    public WidenGroups(int block, int least) {
        if (block < 1) {
            throw new IllegalArgumentException("a block has at least 1 channel, not " + block);
        }
        this.block = block;
        this.least = least;
    }

    @Override
    public Graph apply(Graph graph, Types types) {
        Rewrite rewrite = new Rewrite(graph);
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Convolution conv) {
                int channels = Math.toIntExact(types.of(node.inputs().get(0)).get(1)) / conv.groups();
                rewrite.change(node, widened(conv, channels, conv.filters() / conv.groups()));
            } else {
                rewrite.keep(node);
            }
        }
        return rewrite.finish();
    }

    private Op.Convolution widened(Op.Convolution conv, int channels, int filters) {
        int joined = joined(conv.groups(), channels, filters);
        if (joined == 1) {
            return conv;
        }
        List<Integer> starts = new ArrayList<>();
        for (int filter = 0; filter < conv.filters(); filter++) {
            starts.add(filter / filters % joined * channels);
        }
        return new Op.Convolution(
                spread(conv.weight(), starts, channels * joined),
                conv.bias(),
                conv.filters(),
                conv.window(),
                conv.groups() / joined);
    }

    /** Filters that were spread before are spread once, further. */
    private static Constant spread(Constant weight, List<Integer> starts, int channels) {
        if (!(weight instanceof Constant.Spread before)) {
            return new Constant.Spread(weight, starts, channels);
        }
        List<Integer> sums = new ArrayList<>();
        for (int filter = 0; filter < starts.size(); filter++) {
            sums.add(starts.get(filter) + before.starts().get(filter));
        }
        return new Constant.Spread(before.weight(), sums, channels);
    }

    /** How many groups become one: the fewest that fill whole blocks; 1 if there is nothing to gain. */
    private int joined(int groups, int channels, int filters) {
        if (channels == 1) {
            return 1;
        }
        for (int joined = 1; joined <= groups; joined++) {
            if (groups % joined == 0 && fits(channels * joined) && fits(filters * joined)) {
                return joined;
            }
        }
        return 1;
    }

    private boolean fits(int width) {
        return width % block == 0 && width >= least;
    }
}
