package io.github.convzoo.nn;

import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * One step of a network's data flow, measured without any memory for weights.
 *
 * @param name the block's canonical name; that of the enclosing block for a step without a name of its own
 * @param kind what the step is, in PyTorch's terms: Conv2d, BatchNorm2d, ReLU, MaxPool2d ...
 * @param output the output's shape
 * @param parameters the number of trainable parameters
 * @param statistics the number of elements that are saved but not trained: BatchNorm's running mean and variance
 * @param multiplyAdds the multiply-accumulate operations of convolutions and linear layers, biases not counted
 */
public record Layer(String name, String kind, Shape output, long parameters, long statistics, long multiplyAdds) {

    /**
     * Lists the steps in the order in which they run.
     *
     * @param root the network
     * @param input the input's shape
     * @return a layer for each step
     * @throws IllegalArgumentException if the input does not fit the network
     */
    public static List<Layer> list(FlowBlock root, Shape input) {
        List<Layer> layers = new ArrayList<>();
        root.flow(new Listing(root, CanonicalNames.blocks(root), layers), List.of(input));
        return layers;
    }

    static String kind(Block block) {
        return block.getClass().getSimpleName();
    }

    private static Layer of(String name, Block block, Shape input, Shape output) {
        long parameters = 0;
        long statistics = 0;
        long multiplyAdds = 0;
        if (block instanceof Conv2d conv) {
            long kernel = conv.getKernelShape().size() * (input.get(1) / conv.getGroups());
            parameters = conv.getFilters() * (kernel + (conv.isIncludeBias() ? 1 : 0));
            multiplyAdds = output.size() * kernel;
        } else if (block instanceof Linear) {
            boolean bias = block.getDirectParameters().contains("bias");
            parameters = output.get(1) * (input.get(1) + (bias ? 1 : 0));
            multiplyAdds = output.size() * input.get(1);
        } else if (block instanceof BatchNorm2d) {
            parameters = 2 * input.get(1);
            statistics = 2 * input.get(1);
        } else if (block instanceof DynamicConv2d dynamic) {
            parameters = dynamic.parameterCount();
            // The convolution itself, and the mixing of the experts' kernels for each sample.
            multiplyAdds = output.size() / dynamic.spec().filters() * dynamic.kernelSize()
                    + output.get(0) * dynamic.spec().experts() * dynamic.kernelSize();
        }
        return new Layer(name, kind(block), output, parameters, statistics, multiplyAdds);
    }

    /** Goes down into composed blocks and notes every step. */
    private static final class Listing extends ShapeOperations {

        private final Block enclosing;
        private final IdentityHashMap<Block, String> names;
        private final List<Layer> layers;

        Listing(Block enclosing, IdentityHashMap<Block, String> names, List<Layer> layers) {
            this.enclosing = enclosing;
            this.names = names;
            this.layers = layers;
        }

        @Override
        public Shape run(Block block, List<Shape> inputs) {
            if (block instanceof FlowBlock composed) {
                return composed.flow(new Listing(block, names, layers), inputs);
            }
            Shape output = super.run(block, inputs);
            layers.add(of(nameOf(block), block, inputs.get(0), output));
            return output;
        }

        @Override
        public Shape relu(Shape x) {
            return step("ReLU", super.relu(x));
        }

        @Override
        public Shape elu(Shape x) {
            return step("ELU", super.elu(x));
        }

        @Override
        public Shape maxPool(Shape x, int kernel, int stride, int padding) {
            return step("MaxPool2d", super.maxPool(x, kernel, stride, padding));
        }

        @Override
        public Shape averagePool(Shape x, int kernel, int stride, int padding) {
            return step("AvgPool2d", super.averagePool(x, kernel, stride, padding));
        }

        @Override
        public Shape globalAveragePool(Shape x) {
            return step("GlobalAvgPool2d", super.globalAveragePool(x));
        }

        @Override
        public Shape globalAverageMaxPool(Shape x) {
            return step("GlobalAvgMaxPool2d", super.globalAverageMaxPool(x));
        }

        @Override
        public Shape flatten(Shape x) {
            return step("Flatten", super.flatten(x));
        }

        private Shape step(String kind, Shape output) {
            layers.add(new Layer(nameOf(enclosing), kind, output, 0, 0, 0));
            return output;
        }

        private String nameOf(Block block) {
            String name = names.get(block);
            if (name == null) {
                throw new IllegalStateException("a " + kind(block) + " runs that is no child of the network");
            }
            return name;
        }
    }
}
