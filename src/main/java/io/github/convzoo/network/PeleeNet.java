package io.github.convzoo.network;

import ai.djl.nn.Block;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.Dropout;
import io.github.convzoo.graph.Value;
import io.github.convzoo.nn.BatchNorm2d;
import io.github.convzoo.nn.ConvNorm;
import io.github.convzoo.nn.FlowBlock;
import io.github.convzoo.nn.Operations;
import io.github.convzoo.nn.Sequence;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A small DenseNet for mobile devices, of conventional convolutions only.
 *
 * <p>Wang, Li and Ling, Pelee: A Real-Time Object Detection System on Mobile Devices, NeurIPS 2018. Names and numbers
 * are those of the authors' code. Height and width must be 4k or 4k - 1, and at least 31.
 */
public final class PeleeNet extends Network {

    /** Layers in each dense block. */
    private static final List<Integer> BLOCKS = List.of(3, 4, 8, 6);

    private static final int STEM_CHANNELS = 32;
    private static final List<Integer> GROWTH_RATES = List.of(32);
    private static final List<Integer> BOTTLENECK_WIDTHS = List.of(1, 2, 4, 4);
    private static final double DROPOUT = 0.05;

    private final Map<String, Block> stages = new LinkedHashMap<>();
    private final Sequence features;
    private final @Nullable Block dropout;
    private final @Nullable Linear classifier;

    /**
     * Builds the published network, uninitialized.
     *
     * @param options the options that differ from the published network
     */
    public PeleeNet(NetworkOptions options) {
        this(GROWTH_RATES, BOTTLENECK_WIDTHS, options);
    }

    /**
     * Builds a network of other widths, uninitialized.
     *
     * @param growthRates the number of channels that a dense layer adds, one number or one for each of the four dense
     *     blocks; even, at least 2. The paper has 32
     * @param bottleneckWidths the width of a dense layer's bottleneck as a multiple of half the growth rate, rounded
     *     down to a multiple of 4 and at most half of the layer's input; one number or four, at least 1. The paper has
     *     1, 2, 4, 4
     * @param options the options that differ from the published network
     */
    public PeleeNet(List<Integer> growthRates, List<Integer> bottleneckWidths, NetworkOptions options) {
        super(PeleeNetVariant.PELEENET.modelName(), options);
        options.refuseFamilyOptions(modelName());
        List<Integer> growth = four("growth rates", growthRates);
        List<Integer> widths = four("bottleneck widths", bottleneckWidths);
        for (int rate : growth) {
            if (rate < 2 || rate % 2 != 0) {
                throw new IllegalArgumentException(
                        "the growth rate must be even and at least 2 because two branches add half each, not " + rate);
            }
        }
        for (int width : widths) {
            if (width < 1) {
                throw new IllegalArgumentException("the bottleneck width must be at least 1, not " + width);
            }
        }

        features = addChildBlock("features", new Sequence());
        stage("stemblock", new Stem());
        int channels = STEM_CHANNELS;
        for (int i = 0; i < BLOCKS.size(); i++) {
            int number = i + 1;
            Sequence dense = new Sequence();
            for (int layer = 1; layer <= BLOCKS.get(i); layer++) {
                dense.add("denselayer" + layer, new DenseLayer(channels, growth.get(i), widths.get(i)));
                channels += growth.get(i);
            }
            stage("denseblock" + number, dense);
            stage("transition" + number, unit(channels, 1, 1));
            if (number < BLOCKS.size()) {
                stage("transition" + number + "_pool", new HalvingPool());
            }
        }
        if (options.numClasses() == 0) {
            dropout = null;
            classifier = null;
        } else {
            dropout = addChildBlock(
                    "drop",
                    Dropout.builder()
                            .optRate((float) options.dropout().orElse(DROPOUT))
                            .build());
            classifier = addChildBlock("classifier", linear(options.numClasses(), 0.01f));
        }
    }

    private void stage(String name, Block block) {
        features.add(name, block);
        stages.put("features." + name, block);
    }

    private static List<Integer> four(String what, List<Integer> values) {
        return switch (values.size()) {
            case 1 -> Collections.nCopies(BLOCKS.size(), values.get(0));
            case 4 -> List.copyOf(values);
            default ->
                throw new IllegalArgumentException(
                        "PeleeNet takes one number or four for the " + what + ", not " + values);
        };
    }

    @Override
    public Map<String, Block> stages() {
        return Collections.unmodifiableMap(stages);
    }

    /** The stem, stride 4, then the four dense stages, strides 4 to 32, each before its pool. */
    @Override
    public List<String> featureStages() {
        return List.of(
                "features.stemblock",
                "features.transition1",
                "features.transition2",
                "features.transition3",
                "features.transition4");
    }

    @Override
    public String firstConvolution() {
        return "features.stemblock.stem1.conv";
    }

    @Override
    public String classifier() {
        return "classifier";
    }

    @Override
    void checkSize(long height, long width) {
        // For other sizes, the stem's two branches differ in size.
        if (!fits(height) || !fits(width)) {
            throw sizeError("4k or 4k - 1 pixels, at least 31", height, width);
        }
    }

    private static boolean fits(long side) {
        return side >= 31 && (side % 4 == 0 || side % 4 == 3);
    }

    @Override
    protected Value flow(Operations ops, List<Value> inputs) {
        Value x = ops.run(features, inputs.get(0));
        x = ops.name(POOLED, ops.globalAveragePool(x));
        return classifier == null || dropout == null ? x : ops.run(classifier, ops.run(dropout, x));
    }

    /** Convolution, normalization, ReLU. */
    private static ConvNorm unit(int filters, int kernel, int stride) {
        return new ConvNorm("conv", conv(filters, kernel, stride, 1), "norm", new BatchNorm2d(), true);
    }

    /** Reduces the resolution to a quarter: a strided convolution, then a pool and a convolution in parallel. */
    private static final class Stem extends FlowBlock {

        private final ConvNorm stem1 = addChildBlock("stem1", unit(STEM_CHANNELS, 3, 2));
        private final ConvNorm stem2a = addChildBlock("stem2a", unit(STEM_CHANNELS / 2, 1, 1));
        private final ConvNorm stem2b = addChildBlock("stem2b", unit(STEM_CHANNELS, 3, 2));
        private final ConvNorm stem3 = addChildBlock("stem3", unit(STEM_CHANNELS, 1, 1));

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            Value x = ops.run(stem1, inputs.get(0));
            Value convolved = ops.run(stem2b, ops.run(stem2a, x));
            Value pooled = ops.maxPool(x, 2, 2, 0);
            return ops.run(stem3, ops.concat(List.of(pooled, convolved)));
        }
    }

    /** Two-way dense layer: one branch sees 3x3, the other 5x5 in two steps; each adds half the growth rate. */
    private static final class DenseLayer extends FlowBlock {

        private final ConvNorm branch1a;
        private final ConvNorm branch1b;
        private final ConvNorm branch2a;
        private final ConvNorm branch2b;
        private final ConvNorm branch2c;

        DenseLayer(int in, int growthRate, int bottleneckWidth) {
            int half = growthRate / 2;
            int inter = half * bottleneckWidth / 4 * 4;
            if (inter > in / 2) {
                inter = in / 8 * 4;
            }
            if (inter < 1) {
                throw new IllegalArgumentException("a growth rate of " + growthRate + " with bottleneck width "
                        + bottleneckWidth
                        + " leaves no channels for a bottleneck; half the rate times the width must be at"
                        + " least 4");
            }
            branch1a = addChildBlock("branch1a", unit(inter, 1, 1));
            branch1b = addChildBlock("branch1b", unit(half, 3, 1));
            branch2a = addChildBlock("branch2a", unit(inter, 1, 1));
            branch2b = addChildBlock("branch2b", unit(half, 3, 1));
            branch2c = addChildBlock("branch2c", unit(half, 3, 1));
        }

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            Value x = inputs.get(0);
            Value near = ops.run(branch1b, ops.run(branch1a, x));
            Value far = ops.run(branch2b, ops.run(branch2a, x));
            far = ops.run(branch2c, far);
            return ops.concat(List.of(x, near, far));
        }
    }

    /** The average pool after a transition, without parameters. */
    private static final class HalvingPool extends FlowBlock {

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            return ops.averagePool(inputs.get(0), 2, 2, 0);
        }
    }
}
