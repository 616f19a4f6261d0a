package io.github.convzoo.graph;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Expands a dynamic convolution to operations that every runtime supports, for a batch of any size: convolution is
 * linear, so the maps of the experts are mixed instead of their kernels.
 */
public final class ExpandDynamicConvolutions implements Pass {

    /** Creates the pass. */
    public ExpandDynamicConvolutions() {}

    @Override
    public Graph apply(Graph graph, Types types) {
        Rewrite rewrite = new Rewrite(graph);
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.DynamicConvolution dynamic) {
                Value mixed = expand(
                        rewrite, node.name(), dynamic, rewrite.now(node.inputs().get(0)));
                rewrite.replace(node.output(), mixed);
            } else {
                rewrite.keep(node);
            }
        }
        return rewrite.finish();
    }

    private static Value expand(Rewrite rewrite, String name, Op.DynamicConvolution op, Value input) {
        String routing = name + ".routing";
        Value pooled = rewrite.add(routing, Op.GlobalPool.AVERAGE, input);
        Value pixel = rewrite.add(routing, Op.Reshape.TO_PIXEL, pooled);
        Value squeezed = rewrite.add(routing + ".net.0", op.squeeze(), pixel);
        Value active = rewrite.add(routing, Op.Activation.RELU, squeezed);
        Value scores = rewrite.add(routing + ".net.2", op.score(), active);
        if (op.temperature() != 1) {
            scores = rewrite.add(routing, new Op.Scale(1 / op.temperature()), scores);
        }
        Value shares = rewrite.add(routing, new Op.Softmax(), scores);
        int experts = op.score().filters();
        @Nullable Value sum = null;
        for (int expert = 0; expert < experts; expert++) {
            Value map = rewrite.add(name, expert(op, expert), input);
            Value share = rewrite.add(routing, pick(expert, experts), shares);
            Value part = rewrite.add(name, new Op.Multiply(), map, share);
            sum = sum == null ? part : rewrite.add(name, new Op.Add(), sum, part);
        }
        return Objects.requireNonNull(sum);
    }

    private static Op.Convolution expert(Op.DynamicConvolution op, int expert) {
        return new Op.Convolution(
                new Constant.Entry(op.weight(), expert),
                op.bias() == null ? null : new Constant.Entry(op.bias(), expert),
                op.filters(),
                op.window(),
                op.groups());
    }

    /** One channel of several, as a convolution, so that nothing is split. */
    private static Op.Convolution pick(int channel, int channels) {
        float[] weights = new float[channels];
        weights[channel] = 1;
        Constant weight = new Constant.Literal(new Tensor(List.of(1L, (long) channels, 1L, 1L), weights));
        return new Op.Convolution(weight, null, 1, Window.square(1, 1, 0), 1);
    }
}
