package io.github.convzoo.graph;

import java.util.ArrayList;
import java.util.List;

/**
 * Merges narrow groups of a convolution into wider ones, whose kernels are zero between channels of different original
 * groups. This computes more but is faster if the target's kernels work on blocks of channels. Depthwise convolutions
 * are unchanged.
 */
public final class WidenGroups implements Pass {

    private final int block;
    private final int least;

    /**
     * Creates the pass.
     *
     * @param block the preferred multiple for a group's channels and filters
     */
    public WidenGroups(int block) {
        this(block, block);
    }

    /**
     * Creates the pass with a minimum size of groups.
     *
     * @param block the preferred multiple for a group's channels and filters
     * @param least the preferred minimum for a group's channels and filters
     */
    public WidenGroups(int block, int least) {
        if (block < 1) {
            throw new IllegalArgumentException("a block must have at least 1 channel, not " + block);
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

    /** Spreads filters; those that were spread before are spread once, further. */
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

    /** The number of groups to merge into one: the fewest that fill whole blocks; 1 if merging has no benefit. */
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
