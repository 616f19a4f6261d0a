package io.github.convzoo.network;

import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.Dropout;
import io.github.convzoo.graph.Value;
import io.github.convzoo.nn.BatchNorm2d;
import io.github.convzoo.nn.DynamicConv2d;
import io.github.convzoo.nn.FlowBlock;
import io.github.convzoo.nn.Operations;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A small AlexNet with batch normalization, with static or dynamic convolutions.
 *
 * <p>After Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural Networks, 2012, and
 * Chen et al., Dynamic Convolution: Attention over Convolution Kernels, CVPR 2020. There are no published weights.
 * Built for 128 x 128; any other height and width of at least 57 changes the number of inputs of the first linear
 * layer, and is fixed once the network is initialized.
 *
 * <p>Without classes, the output is the second hidden layer's 2048 features, because there is no pooling to stop after.
 */
public final class AlexNet extends Network {

    private static final int EXPERTS = 2;
    private static final int HIDDEN = 2048;
    private static final double DROPOUT = 0.5;

    /** The layer whose number of inputs determines the image size of the weights. */
    static final String FIRST_LINEAR = "classifier.0";

    private final Features features;
    private final Classifier classifier;

    /**
     * Builds the network, uninitialized.
     *
     * @param variant static or dynamic
     * @param options the options that differ from the default network
     */
    public AlexNet(AlexNetVariant variant, NetworkOptions options) {
        super(variant.modelName(), options);
        options.refuseFamilyOptions(variant.modelName());
        features = addChildBlock("features", new Features(variant.dynamic));
        classifier = addChildBlock("classifier", new Classifier(options));
    }

    @Override
    public Map<String, Block> stages() {
        return Map.of("features", features);
    }

    /** The last feature map. */
    @Override
    public List<String> featureStages() {
        return List.of("features");
    }

    @Override
    public String firstConvolution() {
        return "features.0";
    }

    @Override
    public String classifier() {
        return "classifier.6";
    }

    /**
     * {@return the side, in pixels, of the smallest square input for which the first linear layer, {@code
     * classifier.0}, has a given number of inputs; empty if no square input fits}
     *
     * @param features the number of inputs
     */
    static OptionalInt inputSide(long features) {
        int side = Features.LEAST_SIDE;
        while (Features.outputSize(side) < features) {
            side++;
        }
        return Features.outputSize(side) == features ? OptionalInt.of(side) : OptionalInt.empty();
    }

    /**
     * {@return the number of inputs of the first linear layer, {@code classifier.0}: the number of values of the last
     * map}
     *
     * @param height the input's height in pixels, at least 57
     * @param width the input's width in pixels, at least 57
     */
    static long features(long height, long width) {
        return Features.CHANNELS * Features.outputSide(height) * Features.outputSide(width);
    }

    @Override
    void checkSize(long height, long width) {
        if (height < Features.LEAST_SIDE || width < Features.LEAST_SIDE) {
            throw sizeError("at least " + Features.LEAST_SIDE + " pixels", height, width);
        }
        if (isInitialized()) {
            Shape first = inputShapes[0];
            if (Features.outputSide(height) != Features.outputSide(first.get(2))
                    || Features.outputSide(width) != Features.outputSide(first.get(3))) {
                throw sizeError(
                        first.get(2) + " x " + first.get(3) + ", for which its linear layers were initialized",
                        height,
                        width);
            }
        }
    }

    @Override
    protected Value flow(Operations ops, List<Value> inputs) {
        Value x = ops.run(features, inputs.get(0));
        return ops.run(classifier, ops.flatten(x));
    }

    /** The convolutions. Their numbering includes ReLUs and pools. */
    private static final class Features extends FlowBlock {

        static final int LEAST_SIDE = 57;

        /** The channels of the last map. */
        private static final int CHANNELS = 128;

        private final Conv2d conv0 = addChildBlock("0", conv(48, 11, 4, 5, 1, true));
        private final BatchNorm2d norm1 = addChildBlock("1", new BatchNorm2d());
        private final Conv2d conv4 = addChildBlock("4", conv(128, 5, 1, 2, 1, true));
        private final BatchNorm2d norm5 = addChildBlock("5", new BatchNorm2d());
        private final Block conv8;
        private final BatchNorm2d norm9;
        private final Block conv11;
        private final BatchNorm2d norm12;
        private final Block conv14;
        private final BatchNorm2d norm15;

        Features(boolean dynamic) {
            conv8 = addChildBlock("8", conv3(dynamic, 128, 192));
            norm9 = addChildBlock("9", new BatchNorm2d());
            conv11 = addChildBlock("11", conv3(dynamic, 192, 192));
            norm12 = addChildBlock("12", new BatchNorm2d());
            conv14 = addChildBlock("14", conv3(dynamic, 192, CHANNELS));
            norm15 = addChildBlock("15", new BatchNorm2d());
        }

        /** The last map's side: the first convolution's stride of 4, then three pools of 3 and stride 2. */
        static long outputSide(long side) {
            long map = (side - 1) / 4 + 1;
            for (int pool = 0; pool < 3; pool++) {
                map = (map - 3) / 2 + 1;
            }
            return map;
        }

        /** The last map's elements, for a square input. */
        static long outputSize(long side) {
            return CHANNELS * outputSide(side) * outputSide(side);
        }

        private static Block conv3(boolean dynamic, int channels, int filters) {
            return dynamic
                    ? new DynamicConv2d(DynamicConv2d.Spec.of(channels, filters, 3, EXPERTS))
                    : conv(filters, 3, 1, 1, 1, true);
        }

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            Value x = ops.convNorm(conv0, norm1, inputs.get(0));
            x = ops.maxPool(ops.relu(x), 3, 2, 0);
            x = ops.convNorm(conv4, norm5, x);
            x = ops.maxPool(ops.relu(x), 3, 2, 0);
            x = ops.relu(ops.run(norm9, ops.run(conv8, x)));
            x = ops.relu(ops.run(norm12, ops.run(conv11, x)));
            x = ops.relu(ops.run(norm15, ops.run(conv14, x)));
            return ops.maxPool(x, 3, 2, 0);
        }
    }

    /** The linear layers. Their numbering includes ReLUs and dropouts. Input: (N, features). */
    private static final class Classifier extends FlowBlock {

        private final Linear linear0 = addChildBlock("0", linear(HIDDEN));
        private final Block dropout2;
        private final Linear linear3;
        private final Block dropout5;
        private final @Nullable Linear linear6;

        Classifier(NetworkOptions options) {
            float rate = (float) options.dropout().orElse(DROPOUT);
            dropout2 = addChildBlock("2", Dropout.builder().optRate(rate).build());
            linear3 = addChildBlock("3", linear(HIDDEN));
            dropout5 = addChildBlock("5", Dropout.builder().optRate(rate).build());
            linear6 = options.numClasses() == 0 ? null : addChildBlock("6", linear(options.numClasses()));
        }

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            Value x = ops.relu(ops.run(linear0, inputs.get(0)));
            x = ops.run(dropout2, x);
            x = ops.name(POOLED, ops.relu(ops.run(linear3, x)));
            if (linear6 == null) {
                return x;
            }
            return ops.run(linear6, ops.run(dropout5, x));
        }
    }
}
