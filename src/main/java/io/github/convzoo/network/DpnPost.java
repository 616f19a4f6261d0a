package io.github.convzoo.network;

import ai.djl.nn.Block;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
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
 * Dual path networks in the simpler post-activation form that tutorials use; {@link Dpn} is the published one.
 *
 * <p>After Chen et al., Dual Path Networks, NIPS 2017. There are no published weights. Height and width must be at
 * least 5.
 */
public final class DpnPost extends Network {

    private final Map<String, Block> stages = new LinkedHashMap<>();
    private final @Nullable Linear fc;

    /**
     * Builds the network, uninitialized.
     *
     * @param variant the row of the table
     * @param options the options that differ from the default network
     */
    public DpnPost(DpnPostVariant variant, NetworkOptions options) {
        super(variant.modelName(), options);
        options.refuseDropout(variant.modelName());
        options.refuseFamilyOptions(variant.modelName());
        stage("conv1", new Stem(variant.stem));
        for (int stage = 0; stage < 4; stage++) {
            Sequence blocks = new Sequence();
            for (int block = 0; block < variant.blocks.get(stage); block++) {
                blocks.add(
                        Integer.toString(block),
                        new DualPathBlock(
                                variant.middle << stage,
                                256 << stage,
                                variant.dense.get(stage),
                                variant.groups,
                                stage > 0 && block == 0 ? 2 : 1,
                                block == 0));
            }
            stage("conv" + (stage + 2), blocks);
        }
        fc = options.numClasses() == 0 ? null : addChildBlock("fc", linear(options.numClasses()));
    }

    private void stage(String name, Block block) {
        stages.put(name, addChildBlock(name, block));
    }

    @Override
    public Map<String, Block> stages() {
        return Collections.unmodifiableMap(stages);
    }

    /** The stem, then the four stages, both paths concatenated. */
    @Override
    public List<String> featureStages() {
        return List.copyOf(stages.keySet());
    }

    @Override
    public String firstConvolution() {
        return "conv1.0";
    }

    @Override
    public String classifier() {
        return "fc";
    }

    @Override
    void checkSize(long height, long width) {
        // The stem halves the size, rounding up, and its pool of 3 has no padding.
        if (height < 5 || width < 5) {
            throw sizeError("at least 5 pixels", height, width);
        }
    }

    @Override
    protected Value flow(Operations ops, List<Value> inputs) {
        Value x = inputs.get(0);
        for (Block stage : stages.values()) {
            x = ops.run(stage, x);
        }
        x = ops.name(POOLED, ops.globalAveragePool(x));
        return fc == null ? x : ops.run(fc, x);
    }

    private static final class Stem extends FlowBlock {

        private final Conv2d conv;
        private final BatchNorm2d norm;

        Stem(int channels) {
            conv = addChildBlock("0", conv(channels, 7, 2, 1));
            norm = addChildBlock("1", new BatchNorm2d());
        }

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            Value x = ops.relu(ops.convNorm(conv, norm, inputs.get(0)));
            return ops.maxPool(x, 3, 2, 0);
        }
    }

    /** Input and output are the residual path's channels, then the dense path's. */
    private static final class DualPathBlock extends FlowBlock {

        private final int out;
        private final ConvNorm conv1;
        private final ConvNorm conv2;
        private final ConvNorm conv3;
        private final @Nullable ConvNorm shortcut;

        DualPathBlock(int middle, int out, int dense, int groups, int stride, boolean first) {
            this.out = out;
            conv1 = addChildBlock("conv1", unit(conv(middle, 1, 1, 1), true));
            conv2 = addChildBlock("conv2", unit(conv(middle, 3, stride, groups), true));
            conv3 = addChildBlock("conv3", unit(conv(out + dense, 1, 1, 1), false));
            shortcut = first ? addChildBlock("shortcut", unit(conv(out + dense, 3, stride, 1), false)) : null;
        }

        private static ConvNorm unit(Conv2d conv, boolean relu) {
            return new ConvNorm("0", conv, "1", new BatchNorm2d(), relu);
        }

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            Value x = inputs.get(0);
            Value y = ops.run(conv2, ops.run(conv1, x));
            List<Value> now = ops.splitAt(ops.run(conv3, y), out);
            List<Value> before = ops.splitAt(shortcut == null ? x : ops.run(shortcut, x), out);
            Value residual = ops.add(now.get(0), before.get(0));
            return ops.relu(ops.concat(List.of(residual, before.get(1), now.get(1))));
        }
    }
}
