package io.github.convzoo.nn;

import ai.djl.ndarray.types.Shape;
import io.github.convzoo.graph.Node;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Type;
import io.github.convzoo.graph.Types;
import io.github.convzoo.graph.Window;
import java.util.List;

/**
 * One step of a network's data flow, measured without allocating weights.
 *
 * @param name the block's canonical name; that of the enclosing block if the step has no name
 * @param kind the kind of step, in PyTorch's terms: Conv2d, BatchNorm2d, ReLU, MaxPool2d, ...
 * @param output the output's shape
 * @param parameters the number of trainable parameters
 * @param statistics the number of elements that are saved but not trained: BatchNorm's running mean and variance
 * @param multiplyAdds the multiply-accumulate operations of convolutions and linear layers, excluding biases
 */
public record Layer(String name, String kind, Shape output, long parameters, long statistics, long multiplyAdds) {

    /**
     * Lists the steps in the order in which they run. Steps that only move data are omitted.
     *
     * @param root the network
     * @param input the input's shape
     * @return one layer per step
     * @throws IllegalArgumentException if the network does not support the input
     */
    public static List<Layer> list(GraphBlock root, Shape input) {
        Recording recording = root.recording(1);
        Types types = recording.typesFor(input);
        return recording.graph().nodes().stream()
                .filter(node -> !isDataMovement(node.op()))
                .map(node -> of(node, types.of(node.inputs().get(0)), types.of(node.output())))
                .toList();
    }

    private static boolean isDataMovement(Op op) {
        return op instanceof Op.Add
                || op instanceof Op.Concat
                || op instanceof Op.Split
                || op.equals(Op.Reshape.TO_PIXEL);
    }

    private static Layer of(Node node, Type input, Type output) {
        long parameters = 0;
        long statistics = 0;
        long multiplyAdds = 0;
        long elements = output.get(0) * output.elementsPerSample();
        if (node.op() instanceof Op.Convolution conv) {
            parameters = parameters(conv, input.get(1));
            multiplyAdds = elements * (kernel(conv.window()) * (input.get(1) / conv.groups()));
        } else if (node.op() instanceof Op.Linear linear) {
            parameters = linear.units() * (input.get(1) + (linear.bias() == null ? 0 : 1));
            multiplyAdds = elements * input.get(1);
        } else if (node.op() instanceof Op.Normalization) {
            parameters = 2 * input.get(1);
            statistics = 2 * input.get(1);
        } else if (node.op() instanceof Op.DynamicConvolution dynamic) {
            int experts = dynamic.score().filters();
            long expert = dynamic.filters() * (kernel(dynamic.window()) * (input.get(1) / dynamic.groups()));
            parameters = experts * (expert + (dynamic.bias() == null ? 0 : dynamic.filters()))
                    + parameters(dynamic.squeeze(), input.get(1))
                    + parameters(dynamic.score(), dynamic.squeeze().filters());
            // The convolution itself, and mixing the experts' kernels for each sample.
            multiplyAdds = elements / dynamic.filters() * expert + output.get(0) * experts * expert;
        }
        return new Layer(node.name(), node.op().kind(), Recording.shape(output), parameters, statistics, multiplyAdds);
    }

    private static long parameters(Op.Convolution conv, long channels) {
        return conv.filters() * (kernel(conv.window()) * (channels / conv.groups()) + (conv.bias() == null ? 0 : 1));
    }

    private static long kernel(Window window) {
        return (long) window.kernel().height() * window.kernel().width();
    }
}
