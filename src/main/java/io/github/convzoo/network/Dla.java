package io.github.convzoo.network;

import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.convolutional.Conv2d;
import io.github.convzoo.graph.Value;
import io.github.convzoo.nn.BatchNorm2d;
import io.github.convzoo.nn.CanonicalNames;
import io.github.convzoo.nn.ConvNorm;
import io.github.convzoo.nn.FlowBlock;
import io.github.convzoo.nn.Group;
import io.github.convzoo.nn.Operations;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Deep layer aggregation: trees of residual blocks whose roots aggregate earlier outputs.
 *
 * <p>Yu, Wang, Shelhamer and Darrell, Deep Layer Aggregation, CVPR 2018. Names and numbers are those of the authors'
 * code and of timm. Height and width must be 32k or 32k - 1.
 */
public final class Dla extends Network {

    /** The kinds of residual blocks in the trees. */
    enum Kind {
        BASIC,
        BOTTLENECK,
        BOTTLE2NECK
    }

    private final Map<String, Block> stages = new LinkedHashMap<>();
    private final @Nullable Conv2d fc;

    /**
     * Builds the network, uninitialized.
     *
     * @param variant the row of the table
     * @param options the options that differ from the published network
     */
    public Dla(DlaVariant variant, NetworkOptions options) {
        super(variant.modelName(), options);
        options.refuseDropout(variant.modelName());
        options.refuseFamilyOptions(variant.modelName());
        List<Integer> channels = variant.channels;
        stage("base_layer", new ConvNorm("0", conv(channels.get(0), 7, 1, 1), "1", new BatchNorm2d(), true));
        stage("level0", new Plain(variant.levels.get(0), channels.get(0), 1));
        stage("level1", new Plain(variant.levels.get(1), channels.get(1), 2));
        for (int level = 2; level < 6; level++) {
            stage(
                    "level" + level,
                    new Tree(
                            variant,
                            variant.levels.get(level),
                            channels.get(level - 1),
                            channels.get(level),
                            2,
                            level > 2));
        }
        fc = options.numClasses() == 0 ? null : addChildBlock("fc", conv(options.numClasses(), 1, 1, 0, 1, true));
    }

    private void stage(String name, Block block) {
        stages.put(name, addChildBlock(name, block));
    }

    @Override
    public Map<String, Block> stages() {
        return Collections.unmodifiableMap(stages);
    }

    /** Level i has stride 2^i. */
    @Override
    public List<String> featureStages() {
        return List.of("level0", "level1", "level2", "level3", "level4", "level5");
    }

    /** The largest maps are rarely used. */
    @Override
    public int firstFeatureLevel() {
        return 1;
    }

    @Override
    public String firstConvolution() {
        return "base_layer.0";
    }

    @Override
    public String classifier() {
        return "fc";
    }

    /**
     * {@return the shapes, by canonical name, of the projections of trees deeper than 1, which the authors' code
     * creates but never runs}
     */
    @Override
    public Map<String, Shape> unusedEntries() {
        Map<String, Shape> unused = new LinkedHashMap<>();
        CanonicalNames.blocks(this).forEach((block, path) -> {
            if (block instanceof Tree tree && tree.root == null && tree.in != tree.out) {
                Shape channels = new Shape(tree.out);
                unused.put(path + ".project.0.weight", new Shape(tree.out, tree.in, 1, 1));
                for (String entry : List.of("weight", "bias", "running_mean", "running_var")) {
                    unused.put(path + ".project.1." + entry, channels);
                }
            }
        });
        return unused;
    }

    @Override
    void checkSize(long height, long width) {
        // For other sizes, the max pool's floor and the strided convolution's ceiling disagree.
        if (!fits(height) || !fits(width)) {
            throw sizeError("32k or 32k - 1 pixels, k at least 1", height, width);
        }
    }

    private static boolean fits(long side) {
        return side >= 31 && (side % 32 == 0 || side % 32 == 31);
    }

    @Override
    protected Value flow(Operations ops, List<Value> inputs) {
        Value x = inputs.get(0);
        for (Block stage : stages.values()) {
            x = ops.run(stage, x);
        }
        x = ops.name(POOLED, ops.globalAveragePool(x));
        return fc == null ? x : ops.flatten(ops.run(fc, ops.toPixel(x)));
    }

    /** A stack of convolutions, each followed by its normalization and a ReLU, which the numbering includes. */
    private static final class Plain extends FlowBlock {

        private final List<Conv2d> convs = new ArrayList<>();
        private final List<BatchNorm2d> bns = new ArrayList<>();

        Plain(int count, int channels, int stride) {
            for (int i = 0; i < count; i++) {
                convs.add(addChildBlock(Integer.toString(3 * i), conv(channels, 3, i == 0 ? stride : 1, 1)));
                bns.add(addChildBlock(Integer.toString(3 * i + 1), new BatchNorm2d()));
            }
        }

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            Value x = inputs.get(0);
            for (int i = 0; i < convs.size(); i++) {
                x = ops.relu(ops.convNorm(convs.get(i), bns.get(i), x));
            }
            return x;
        }
    }

    /**
     * Hierarchical aggregation. A tree of depth 1 is two blocks and the root that aggregates them with the children; a
     * deeper one is two trees, of which the second takes the first's output as a child.
     *
     * <p>Input: x, then the children.
     */
    private static final class Tree extends FlowBlock {

        private final int in;
        private final int out;
        private final int stride;
        private final boolean levelRoot;
        private final @Nullable ConvNorm project;
        private final Block tree1;
        private final Block tree2;
        private final @Nullable Root root;

        Tree(DlaVariant variant, int depth, int in, int out, int stride, boolean levelRoot) {
            this.in = in;
            this.out = out;
            this.stride = stride;
            this.levelRoot = levelRoot;
            if (depth == 1) {
                project = in == out
                        ? null
                        : addChildBlock(
                                "project", new ConvNorm("0", conv(out, 1, 1, 1), "1", new BatchNorm2d(), false));
                tree1 = addChildBlock("tree1", block(variant, out, stride));
                tree2 = addChildBlock("tree2", block(variant, out, 1));
                root = addChildBlock("root", new Root(out, variant.residualRoot));
            } else {
                project = null;
                tree1 = addChildBlock("tree1", new Tree(variant, depth - 1, in, out, stride, false));
                tree2 = addChildBlock("tree2", new Tree(variant, depth - 1, out, out, 1, false));
                root = null;
            }
        }

        private static Block block(DlaVariant variant, int out, int stride) {
            return switch (variant.kind) {
                case BASIC -> new Basic(out, stride);
                case BOTTLENECK -> new Bottleneck(variant, out, stride);
                case BOTTLE2NECK -> new Bottle2neck(variant, out, stride);
            };
        }

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            Value x = inputs.get(0);
            List<Value> children = new ArrayList<>(inputs.subList(1, inputs.size()));
            if (root == null) {
                if (levelRoot) {
                    children.add(bottom(ops, x));
                }
                Value x1 = ops.run(tree1, x);
                children.add(0, x1);
                children.add(x1);
                return ops.run(tree2, children);
            }
            Value residual = bottom(ops, x);
            if (levelRoot) {
                children.add(residual);
            }
            if (project != null) {
                residual = ops.run(project, residual);
            }
            Value x1 = ops.run(tree1, List.of(x, residual));
            Value x2 = ops.run(tree2, List.of(x1, x1));
            children.add(0, x2);
            children.add(1, x1);
            return ops.run(root, children);
        }

        /** The input to its level's root, at the output's resolution. */
        private Value bottom(Operations ops, Value x) {
            return stride == 1 ? x : ops.maxPool(x, stride, stride, 0);
        }
    }

    /** Aggregation node. Input: the second block's output, the first's, then the children. */
    private static final class Root extends FlowBlock {

        private final Conv2d conv;
        private final BatchNorm2d bn;
        private final boolean residual;

        Root(int out, boolean residual) {
            conv = addChildBlock("conv", conv(out, 1, 1, 1));
            bn = addChildBlock("bn", new BatchNorm2d());
            this.residual = residual;
        }

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            Value y = ops.convNorm(conv, bn, ops.concat(inputs));
            return ops.relu(residual ? ops.add(y, inputs.get(0)) : y);
        }
    }

    /** Two 3x3 convolutions. Input: x, then the residual. */
    private static final class Basic extends FlowBlock {

        private final Conv2d conv1;
        private final BatchNorm2d bn1;
        private final Conv2d conv2;
        private final BatchNorm2d bn2;

        Basic(int out, int stride) {
            conv1 = addChildBlock("conv1", conv(out, 3, stride, 1));
            bn1 = addChildBlock("bn1", new BatchNorm2d());
            conv2 = addChildBlock("conv2", conv(out, 3, 1, 1));
            bn2 = addChildBlock("bn2", new BatchNorm2d());
        }

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            Value y = ops.relu(ops.convNorm(conv1, bn1, inputs.get(0)));
            y = ops.convNorm(conv2, bn2, y);
            return ops.relu(ops.add(y, inputs.get(1)));
        }
    }

    /** The width of a bottleneck's middle. */
    private static int middle(DlaVariant variant, int out) {
        return out * variant.baseWidth / 64 * variant.cardinality / 2;
    }

    /** 1x1, grouped 3x3, 1x1. Input: x, then the residual. */
    private static final class Bottleneck extends FlowBlock {

        private final Conv2d conv1;
        private final BatchNorm2d bn1;
        private final Conv2d conv2;
        private final BatchNorm2d bn2;
        private final Conv2d conv3;
        private final BatchNorm2d bn3;

        Bottleneck(DlaVariant variant, int out, int stride) {
            int mid = middle(variant, out);
            conv1 = addChildBlock("conv1", conv(mid, 1, 1, 1));
            bn1 = addChildBlock("bn1", new BatchNorm2d());
            conv2 = addChildBlock("conv2", conv(mid, 3, stride, variant.cardinality));
            bn2 = addChildBlock("bn2", new BatchNorm2d());
            conv3 = addChildBlock("conv3", conv(out, 1, 1, 1));
            bn3 = addChildBlock("bn3", new BatchNorm2d());
        }

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            Value y = ops.relu(ops.convNorm(conv1, bn1, inputs.get(0)));
            y = ops.relu(ops.convNorm(conv2, bn2, y));
            y = ops.convNorm(conv3, bn3, y);
            return ops.relu(ops.add(y, inputs.get(1)));
        }
    }

    /**
     * Res2Net's bottleneck: the middle's channels in four splits, each convolved after taking in the one before.
     *
     * <p>Gao et al., Res2Net: A New Multi-scale Backbone Architecture, 2019. Input: x, then the residual.
     */
    private static final class Bottle2neck extends FlowBlock {

        private static final int SCALE = 4;

        private final int mid;
        private final int stride;
        private final Conv2d conv1;
        private final BatchNorm2d bn1;
        private final List<Conv2d> convs = new ArrayList<>();
        private final List<BatchNorm2d> bns = new ArrayList<>();
        private final Conv2d conv3;
        private final BatchNorm2d bn3;

        Bottle2neck(DlaVariant variant, int out, int stride) {
            this.stride = stride;
            mid = middle(variant, out);
            conv1 = addChildBlock("conv1", conv(mid * SCALE, 1, 1, 1));
            bn1 = addChildBlock("bn1", new BatchNorm2d());
            Group convGroup = addChildBlock("convs", new Group());
            Group bnGroup = addChildBlock("bns", new Group());
            for (int i = 0; i < SCALE - 1; i++) {
                String name = Integer.toString(i);
                convs.add(convGroup.add(name, conv(mid, 3, stride, variant.cardinality)));
                bns.add(bnGroup.add(name, new BatchNorm2d()));
            }
            conv3 = addChildBlock("conv3", conv(out, 1, 1, 1));
            bn3 = addChildBlock("bn3", new BatchNorm2d());
        }

        @Override
        protected Value flow(Operations ops, List<Value> inputs) {
            Value y = ops.relu(ops.convNorm(conv1, bn1, inputs.get(0)));
            List<Value> splits = ops.splitAt(y, mid, 2L * mid, 3L * mid);
            List<Value> outputs = new ArrayList<>(SCALE);
            for (int i = 0; i < SCALE - 1; i++) {
                Value split = splits.get(i);
                if (i > 0 && stride == 1) {
                    split = ops.add(split, outputs.get(i - 1));
                }
                outputs.add(ops.relu(ops.convNorm(convs.get(i), bns.get(i), split)));
            }
            Value last = splits.get(SCALE - 1);
            outputs.add(stride == 1 ? last : ops.averagePool(last, 3, stride, 1));
            y = ops.convNorm(conv3, bn3, ops.concat(outputs));
            return ops.relu(ops.add(y, inputs.get(1)));
        }
    }
}
