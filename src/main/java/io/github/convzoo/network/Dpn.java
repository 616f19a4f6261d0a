package io.github.convzoo.network;

import ai.djl.nn.Block;
import ai.djl.nn.convolutional.Conv2d;
import io.github.convzoo.graph.Value;
import io.github.convzoo.nn.BatchNorm2d;
import io.github.convzoo.nn.FlowBlock;
import io.github.convzoo.nn.Group;
import io.github.convzoo.nn.Operations;
import io.github.convzoo.nn.Sequence;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Dual path networks: each block adds to a residual path and appends to a dense one.
 *
 * <p>Chen, Li, Xiao, Jin, Yan and Feng, Dual Path Networks, NIPS 2017. Names and numbers are those of timm, whose
 * blocks have ReLU regardless of the activation in the stem and at the end. Any height and width is supported.
 */
public final class Dpn extends Network {

    /** BatchNorm's epsilon, throughout. */
    private static final float EPSILON = 0.001f;

    /** The side of the published networks' last map, the window that test-time pooling slides over larger maps. */
    private static final int TRAINED_MAP = 7;

    /** The total stride from the input to the last map. */
    private static final int STRIDE = 32;

    private final Map<String, Block> stages = new LinkedHashMap<>();
    private final List<String> featureStages = new ArrayList<>();
    private final Sequence features;
    private final @Nullable Conv2d classifier;
    private final boolean testTimePool;

    /**
     * Builds the network, uninitialized.
     *
     * @param variant the row of the table
     * @param options the options that differ from the published network
     */
    public Dpn(DpnVariant variant, NetworkOptions options) {
        super(variant.modelName(), options);
        options.refuseDropout(variant.modelName());
        if (!(options.family() instanceof DpnOptions family)) {
            throw new IllegalArgumentException(
                    variant.modelName() + " needs the options of its family; start from its defaults");
        }
        if (family.testTimePool() && options.numClasses() == 0) {
            throw new IllegalArgumentException("test-time pooling pools logits, so it needs at least 1 class, not 0");
        }
        testTimePool = family.testTimePool();
        features = addChildBlock("features", new Sequence());
        stage("conv1_1", new Stem(variant));
        featureStages.add("features.conv1_1");
        stage("conv1_pool", new StemPool());
        int expansion = variant.small ? 1 : 4;
        for (int stage = 0; stage < 4; stage++) {
            int bw = (64 * expansion) << stage;
            int r = variant.kR * bw / (64 * expansion);
            for (int block = 1; block <= variant.blocks.get(stage); block++) {
                Projection projection =
                        block > 1 ? Projection.NONE : stage == 0 ? Projection.PLAIN : Projection.HALVING;
                stage(
                        "conv" + (stage + 2) + "_" + block,
                        new DualPathBlock(variant, bw, r, variant.increments.get(stage), projection));
            }
            featureStages.add("features.conv" + (stage + 2) + "_" + variant.blocks.get(stage));
        }
        stage("conv5_bn_ac", new NormActivation(family.lastActivation()));
        classifier = options.numClasses() == 0
                ? null
                : addChildBlock("classifier", conv(options.numClasses(), 1, 1, 0, 1, true));
    }

    private void stage(String name, Block block) {
        features.add(name, block);
        stages.put("features." + name, block);
    }

    @Override
    public Map<String, Block> stages() {
        return Collections.unmodifiableMap(stages);
    }

    /** The stem, stride 2, then the last block of each stage, strides 4 to 32, both paths concatenated. */
    @Override
    public List<String> featureStages() {
        return Collections.unmodifiableList(featureStages);
    }

    @Override
    public String firstConvolution() {
        return "features.conv1_1.conv";
    }

    @Override
    public String classifier() {
        return "classifier";
    }

    @Override
    void checkSize(long height, long width) {
        if (height < 1 || width < 1) {
            throw sizeError("at least 1 pixel", height, width);
        }
        // Every strided step rounds up.
        long least = (TRAINED_MAP - 1) * (long) STRIDE + 1;
        if (testTimePool && (height < least || width < least)) {
            throw sizeError("at least " + least + " pixels for test-time pooling", height, width);
        }
    }

    @Override
    protected Value flow(Operations ops, List<Value> inputs) {
        Value x = ops.run(features, inputs.get(0));
        if (classifier == null) {
            return ops.name(POOLED, ops.globalAveragePool(x));
        }
        if (testTimePool) {
            x = ops.averagePool(x, TRAINED_MAP, 1, 0);
            return ops.globalAverageMaxPool(ops.run(classifier, x));
        }
        x = ops.name(POOLED, ops.globalAveragePool(x));
        return ops.flatten(ops.run(classifier, ops.toPixel(x)));
    }

    private static BatchNorm2d norm() {
        return new BatchNorm2d(EPSILON);
    }

    /** How a block derives its paths from its input. */
    private enum Projection {
        /** Unchanged. */
        NONE,
        /** A 1x1 convolution. */
        PLAIN,
        /** A 1x1 convolution of stride 2. */
        HALVING
    }

    /** Convolution, normalization, activation. */
    private static final class Stem extends FlowBlock {

        private final LastActivation activation;
        private final Conv2d conv;
        private final BatchNorm2d bn;

        Stem(DpnVariant variant) {
            activation = variant.activation;
            conv = addChildBlock("conv", conv(variant.init, variant.small ? 3 : 7, 2, 1));
            bn = addChildBlock("bn", norm());
        }

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            return activation.apply(ops, ops.convNorm(conv, bn, inputs.get(0)));
        }
    }

    private static final class StemPool extends FlowBlock {

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            return ops.maxPool(inputs.get(0), 3, 2, 1);
        }
    }

    /** Normalization, ReLU, convolution, before a stage's paths. */
    private static final class PreActivation extends FlowBlock {

        private final BatchNorm2d bn = addChildBlock("bn", norm());
        private final Conv2d conv;

        PreActivation(Conv2d conv) {
            this.conv = addChildBlock("conv", conv);
        }

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            return ops.run(conv, ops.relu(ops.run(bn, inputs.get(0))));
        }
    }

    /** Input and output are the residual path's channels, then the dense path's. */
    private static final class DualPathBlock extends FlowBlock {

        private final int bw;
        private final @Nullable PreActivation projection;
        // Each normalization precedes its convolution, and so directly follows the previous convolution.
        private final BatchNorm2d bnA;
        private final Conv2d convA;
        private final BatchNorm2d bnB;
        private final Conv2d convB;
        private final BatchNorm2d bnC;
        /** Null in the b models, which have two last convolutions, one per path. */
        private final @Nullable Conv2d convC;

        private final @Nullable Conv2d c1;
        private final @Nullable Conv2d c2;

        DualPathBlock(DpnVariant variant, int bw, int r, int increment, Projection projection) {
            this.bw = bw;
            int stride = projection == Projection.HALVING ? 2 : 1;
            this.projection = projection == Projection.NONE
                    ? null
                    : addChildBlock("c1x1_w_s" + stride, new PreActivation(conv(bw + 2 * increment, 1, stride, 1)));
            Group a = addChildBlock("c1x1_a", new Group());
            bnA = a.add("bn", norm());
            convA = a.add("conv", conv(r, 1, 1, 1));
            Group b = addChildBlock("c3x3_b", new Group());
            bnB = b.add("bn", norm());
            convB = b.add("conv", conv(r, 3, stride, variant.groups));
            Group c = addChildBlock("c1x1_c", new Group());
            bnC = c.add("bn", norm());
            if (variant.b) {
                convC = null;
                c1 = addChildBlock("c1x1_c1", conv(bw, 1, 1, 1));
                c2 = addChildBlock("c1x1_c2", conv(increment, 1, 1, 1));
            } else {
                convC = c.add("conv", conv(bw + increment, 1, 1, 1));
                c1 = null;
                c2 = null;
            }
        }

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            Value x = inputs.get(0);
            Value y = ops.relu(ops.run(bnA, x));
            y = ops.relu(ops.convNorm(convA, bnB, y));
            y = ops.relu(ops.convNorm(convB, bnC, y));
            Value residual;
            Value dense;
            if (c1 != null && c2 != null) {
                residual = ops.run(c1, y);
                dense = ops.run(c2, y);
            } else {
                List<Value> paths = ops.splitAt(ops.run(Objects.requireNonNull(convC), y), bw);
                residual = paths.get(0);
                dense = paths.get(1);
            }
            Value before = projection == null ? x : ops.run(projection, x);
            List<Value> paths = ops.splitAt(before, bw);
            residual = ops.add(residual, paths.get(0));
            return ops.concat(List.of(residual, paths.get(1), dense));
        }
    }

    private static final class NormActivation extends FlowBlock {

        private final BatchNorm2d bn = addChildBlock("bn", norm());
        private final LastActivation activation;

        NormActivation(LastActivation activation) {
            this.activation = activation;
        }

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            return activation.apply(ops, ops.run(bn, inputs.get(0)));
        }
    }
}
