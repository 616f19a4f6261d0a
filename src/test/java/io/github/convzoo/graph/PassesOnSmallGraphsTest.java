package io.github.convzoo.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What each pass makes of a small graph, and what it leaves alone. */
class PassesOnSmallGraphsTest {

    private static final Type MAP = Type.of(Type.ANY, 8, 6, 6);

    private Graph.Builder builder = new Graph.Builder();
    private Value input = builder.input();

    /** Starts another graph. */
    private void restart() {
        builder = new Graph.Builder();
        input = builder.input();
    }

    private Value add(String name, Op op, Value... inputs) {
        return builder.add(name, op, List.of(inputs)).output();
    }

    private Value conv(String name, int filters, int groups, Value x) {
        Constant weight = new Constant.Parameter(name + ".weight");
        return add(name, new Op.Convolution(weight, null, filters, Window.square(3, 1, 1), groups), x);
    }

    private static Op norm(String name) {
        return new Op.Normalization(
                new Constant.Parameter(name + ".weight"),
                new Constant.Parameter(name + ".bias"),
                new Constant.Parameter(name + ".running_mean"),
                new Constant.Parameter(name + ".running_var"),
                1e-5f);
    }

    private String after(Pass pass, Value... outputs) {
        return kinds(applied(pass, outputs));
    }

    private Graph applied(Pass pass, Value... outputs) {
        return applied(MAP, List.of(pass), outputs);
    }

    private Graph applied(Type map, List<Pass> passes, Value... outputs) {
        return Pass.applyAll(builder.build(List.of(outputs)), List.of(map), passes);
    }

    private static String kinds(Graph graph) {
        return graph.nodes().stream().map(node -> node.op().kind()).collect(Collectors.joining(" "));
    }

    private static Op.Convolution onlyConvolution(Graph graph) {
        return (Op.Convolution) graph.nodes().get(0).op();
    }

    @Test
    void dropIdentities_dropsWhatDoesNothing() {
        Value x = add("", new Op.Dropout(), input);
        x = add("", new Op.Concat(), x);
        x = add("", Op.Activation.RELU, x);
        x = add("", new Op.Reshape(List.of(0L, 8L, 6L, -1L)), x);
        x = add("", new Op.Scale(1), x);
        x = add("", affine(1, 0), x);
        x = add("", new Op.Clip(Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY), x);
        x = add("", new Op.Clip(-1, Float.POSITIVE_INFINITY), x);
        assertThat(after(new DropIdentities(), x)).isEqualTo("ReLU");
    }

    @Test
    void dropIdentities_ofBoundsThatWereApplied_evenIfOthersReadTheValue() {
        Value relu = add("", Op.Activation.RELU, input);
        Value again = add("", Op.Activation.RELU, relu);
        Graph graph = applied(new DropIdentities(), again, relu, add("", new Op.Clip(0, 6), again));
        assertThat(kinds(graph)).isEqualTo("ReLU Clip");
        assertThat(graph.outputs().subList(0, 2)).containsExactly(relu, relu);
    }

    @Test
    void dropIdentities_keepsWhatDoesSomething() {
        Value x = add("", affine(1, 2), input);
        x = add("", affine(2, 0), x);
        x = add("", new Op.Scale(-1), x);
        x = add("", new Op.Clip(-1, Float.POSITIVE_INFINITY), x);
        x = add("", new Op.Clip(Float.NEGATIVE_INFINITY, 1), x);
        assertThat(after(new DropIdentities(), x)).isEqualTo("Affine Affine Scale Clip Clip");
    }

    private static Constant repeated(float number) {
        return new Constant.Repeated(new Constant.Literal(new Tensor(List.of(), new float[] {number})), 8);
    }

    private static Op affine(float scale, float shift) {
        return new Op.Affine(repeated(scale), repeated(shift));
    }

    private Op merged(Op... ops) {
        restart();
        Value x = input;
        for (Op op : ops) {
            x = add(op.kind(), op, x);
        }
        Graph graph = applied(new MergeChains(), x);
        assertThat(graph.nodes()).hasSize(1);
        assertThat(graph.nodes().get(0).inputs()).containsExactly(input);
        assertThat(graph.outputs()).containsExactly(x);
        return graph.nodes().get(0).op();
    }

    @Test
    void mergeChains_ofBounds_keepsTheNarrowest() {
        Op relu = Op.Activation.RELU;
        float none = Float.POSITIVE_INFINITY;
        assertThat(merged(relu, relu)).isEqualTo(relu);
        assertThat(merged(relu, new Op.Clip(-1, 6))).isEqualTo(new Op.Clip(0, 6));
        assertThat(merged(new Op.Clip(-2, 6), relu)).isEqualTo(new Op.Clip(0, 6));
        assertThat(merged(new Op.Clip(-2, none), new Op.Clip(0, none))).isEqualTo(relu);
        assertThat(merged(new Op.Clip(-2, 6), new Op.Clip(-1, 9))).isEqualTo(new Op.Clip(-1, 6));
        assertThat(merged(new Op.Clip(-2, -1), new Op.Clip(3, 4), new Op.Clip(0, 9)))
                .isEqualTo(new Op.Clip(3, 3));
        assertThat(merged(new Op.Clip(7, 8), new Op.Clip(3, 4))).isEqualTo(new Op.Clip(4, 4));
    }

    @Test
    void mergeChains_ofReshapes_reshapesOnce() {
        Op wide = new Op.Reshape(List.of(0L, 4L, 12L, -1L));
        assertThat(merged(wide, Op.Reshape.FLATTEN)).isEqualTo(Op.Reshape.FLATTEN);
        assertThat(merged(Op.Reshape.FLATTEN, wide)).isEqualTo(new Op.Reshape(List.of(0L, 4L, 12L, 6L)));
    }

    private static Tensor evaluated(Constant constant) {
        return constant.evaluate(name -> Tensor.vector(1, 2, 3, 4, 5, 6, 7, 8));
    }

    @Test
    void mergeChains_ofFactorsAndOffsets_isTheirComposition() {
        assertThat(merged(new Op.Scale(2), new Op.Scale(-3))).isEqualTo(new Op.Scale(-6));
        Op.Affine both = (Op.Affine) merged(affine(2, 3), new Op.Scale(5), affine(7, 11));
        assertThat(evaluated(both.scale()).values()).containsOnly(2 * 5 * 7).hasSize(8);
        assertThat(evaluated(both.shift()).values())
                .containsOnly(3 * 5 * 7 + 11)
                .hasSize(8);
        Op.Affine offsets = (Op.Affine) merged(affine(1, 3), affine(1, 4));
        assertThat(offsets.multiplies()).isFalse();
        assertThat(evaluated(offsets.shift()).values()).containsOnly(7);
        Op.Affine factors = (Op.Affine) merged(affine(3, 0), new Op.Scale(4));
        assertThat(factors.adds()).isFalse();
        assertThat(evaluated(factors.scale()).values()).containsOnly(12);
        Op.Affine norms = (Op.Affine) merged(norm("n"), affine(10, 1));
        float scale = 3 / (float) Math.sqrt(3 + 1e-5f);
        assertThat(evaluated(norms.scale()).values()[2]).isEqualTo(scale * 10);
        assertThat(evaluated(norms.shift()).values()[2]).isEqualTo((3 - 3 * scale) * 10 + 1);
    }

    @Test
    void mergeChains_ofConcats_isOneConcat() {
        Value a = add("", Op.Activation.TANH, input);
        Value pair = add("", new Op.Concat(), a, input);
        Value other = add("", new Op.Concat(), input, a);
        Graph graph = applied(new MergeChains(), add("", new Op.Concat(), a, pair, input, other));
        assertThat(kinds(graph)).isEqualTo("Tanh Concat");
        assertThat(graph.nodes().get(1).inputs()).containsExactly(a, a, input, input, input, a);
    }

    @Test
    void mergeChains_leavesWhatHasAnotherReader_andOtherOperations() {
        Value relu = add("", Op.Activation.RELU, input);
        Value clip = add("", new Op.Clip(-1, 1), relu);
        assertThat(after(new MergeChains(), clip, relu)).isEqualTo("ReLU Clip");
        Value concat = add("", new Op.Concat(), relu, clip);
        assertThat(after(new MergeChains(), add("", new Op.Concat(), concat, concat)))
                .isEqualTo("ReLU Clip Concat Concat");
        restart();
        Value x = add("", Op.Activation.TANH, add("", Op.Activation.TANH, input));
        x = add("", new Op.Scale(2), add("", new Op.Clip(0, 1), x));
        assertThat(after(new MergeChains(), x)).isEqualTo("Tanh Tanh Clip Scale");
        restart();
        x = add("", new Op.Scale(1e-30f), add("", new Op.Scale(1e30f), add("", new Op.Scale(1e30f), input)));
        assertThat(after(new MergeChains(), x)).isEqualTo("Scale Scale");
    }

    @Test
    void dropIdentities_ofAGraphThatIsOne_givesItsInput() {
        Graph graph = applied(new DropIdentities(), add("", new Op.Dropout(), input));
        assertThat(graph.nodes()).isEmpty();
        assertThat(graph.outputs()).containsExactly(input);
    }

    @Test
    void dropDeadNodes_dropsWhatNothingReads() {
        Value dead = add("", Op.Activation.TANH, input);
        add("", Op.Activation.RELU, dead);
        assertThat(after(new DropDeadNodes(), add("", Op.Activation.SILU, input)))
                .isEqualTo("SiLU");
    }

    @Test
    void mergeDuplicates_computesOnce_throughSeveralSteps() {
        Value a = add("a", Op.Activation.TANH, conv("c", 8, 1, input));
        Value b = add("b", Op.Activation.TANH, conv("c", 8, 1, input));
        Value other = conv("d", 8, 1, input);
        assertThat(after(new MergeDuplicates(), add("", new Op.Concat(), a, b, other)))
                .isEqualTo("Conv2d Tanh Conv2d Concat");
    }

    @Test
    void foldNormalization_takesTheLayerBeforeIt_withItsBias() {
        Constant weight = new Constant.Parameter("c.weight");
        Constant bias = new Constant.Parameter("c.bias");
        Value x = add("c", new Op.Convolution(weight, bias, 8, Window.square(1, 1, 0), 1), input);
        Graph graph = applied(new FoldNormalization(), add("n", norm("n"), x));
        assertThat(kinds(graph)).isEqualTo("Conv2d");
        assertThat(onlyConvolution(graph).weight()).isInstanceOf(Constant.Scaled.class);
        Op.Normalization norm = (Op.Normalization) norm("n");
        assertThat(onlyConvolution(graph).bias())
                .isEqualTo(new Constant.Sum(new Constant.Scaled(bias, norm.scale()), norm.shift()));
    }

    @Test
    void foldNormalization_takesFactorsAndOffsets() {
        Constant weight = new Constant.Parameter("c.weight");
        Value x = add("c", new Op.Convolution(weight, null, 8, Window.square(1, 1, 0), 1), input);
        Graph graph = applied(new FoldNormalization(), add("s", new Op.Scale(3), x));
        assertThat(kinds(graph)).isEqualTo("Conv2d");
        assertThat(onlyConvolution(graph).bias()).isNull();
        assertThat(evaluated(((Constant.Scaled) onlyConvolution(graph).weight()).scale())
                        .values())
                .containsOnly(3)
                .hasSize(8);
        restart();
        x = add("c", new Op.Convolution(weight, null, 8, Window.square(1, 1, 0), 1), input);
        Op.Convolution shifted = onlyConvolution(applied(new FoldNormalization(), add("a", affine(1, 2), x)));
        assertThat(shifted.weight()).isEqualTo(weight);
        assertThat(evaluated(Objects.requireNonNull(shifted.bias())).values())
                .containsOnly(2)
                .hasSize(8);
    }

    /** The units of a linear layer are on the last axis, but channels on axis 1. */
    @Test
    void foldNormalization_ofALinearLayerOnMaps_isNotPossible() {
        Value x = add("l", new Op.Linear(new Constant.Parameter("l.weight"), null, 8), input);
        assertThat(after(new FoldNormalization(), add("n", norm("n"), x))).isEqualTo("Linear BatchNorm2d");
    }

    @Test
    void foldNormalization_leavesWhatHasAnotherReader_orNoLayerBeforeIt() {
        Value x = conv("c", 8, 1, input);
        Value y = add("n", norm("n"), x);
        assertThat(after(new FoldNormalization(), y, x)).isEqualTo("Conv2d BatchNorm2d");
        assertThat(after(new FoldNormalization(), add("m", norm("m"), add("", Op.Activation.RELU, x))))
                .contains("ReLU BatchNorm2d");
    }

    @Test
    void foldNormalization_ofALinearLayer_isALinearLayer() {
        Value x = add("", Op.GlobalPool.AVERAGE, input);
        x = add("l", new Op.Linear(new Constant.Parameter("l.weight"), null, 5), x);
        assertThat(after(new FoldNormalization(), add("n", norm("n"), x))).isEqualTo("GlobalAvgPool2d Linear");
    }

    @Test
    void normalizationToAffine_changesNormalizationsOfMapsOnly() {
        assertThat(after(new NormalizationToAffine(), add("n", norm("n"), input)))
                .isEqualTo("Affine");
        Value vector = add("", Op.GlobalPool.AVERAGE, input);
        assertThat(after(new NormalizationToAffine(), add("m", norm("m"), vector)))
                .contains("BatchNorm2d");
    }

    @Test
    void cancelSplits_ofAConcat_takesItsParts() {
        Value a = add("", Op.Activation.RELU, input);
        Value b = add("", Op.Activation.TANH, input);
        Value c = add("", Op.Activation.SILU, input);
        Value whole = add("", new Op.Concat(), a, b, c);
        List<Value> parts =
                builder.add("", new Op.Split(List.of(8L)), List.of(whole)).outputs();
        Graph graph = applied(new CancelSplits(), parts.get(0), parts.get(1), whole);
        assertThat(kinds(graph)).isEqualTo("ReLU Tanh SiLU Concat Concat");
        assertThat(graph.outputs().get(0)).isEqualTo(a);
        assertThat(graph.nodes().get(3).inputs()).containsExactly(b, c);
        assertThat(graph.nodes().get(4).inputs()).containsExactly(a, b, c);
    }

    @Test
    void cancelSplits_ofAConvolution_cutsItsFilters() {
        Constant weight = new Constant.Parameter("c.weight");
        Constant bias = new Constant.Parameter("c.bias");
        Value x = add("c", new Op.Convolution(weight, bias, 8, Window.square(1, 1, 0), 1), input);
        x = add("", Op.Activation.RELU, x);
        List<Value> parts =
                builder.add("", new Op.Split(List.of(3L, 5L)), List.of(x)).outputs();
        Graph graph = applied(new CancelSplits(), parts.toArray(Value[]::new));
        assertThat(kinds(graph)).isEqualTo("Conv2d Conv2d Conv2d ReLU ReLU ReLU");
        Op.Convolution second = (Op.Convolution) graph.nodes().get(1).op();
        assertThat(second.filters()).isEqualTo(2);
        assertThat(second.weight()).isEqualTo(new Constant.Rows(weight, 3, 5));
        assertThat(second.bias()).isEqualTo(new Constant.Rows(bias, 3, 5));
    }

    @Test
    void cancelSplits_throughASum_splitsBothSides() {
        Value sum = add("", new Op.Add(), conv("a", 8, 1, input), conv("b", 8, 1, input));
        List<Value> parts =
                builder.add("", new Op.Split(List.of(6L)), List.of(sum)).outputs();
        Graph graph = applied(new CancelSplits(), parts.get(1), parts.get(0));
        assertThat(kinds(graph)).isEqualTo("Conv2d Conv2d Conv2d Conv2d Add Add");
        assertThat(graph.types(List.of(MAP)).of(graph.outputs().get(0))).hasToString("(N, 2, 6, 6)");
    }

    @Test
    void cancelSplits_ofWhatCannotBeHadInParts_splitsIt() {
        List<Value> parts =
                builder.add("", new Op.Split(List.of(2L)), List.of(input)).outputs();
        Value grouped = conv("g", 8, 4, input);
        List<Value> others =
                builder.add("", new Op.Split(List.of(2L)), List.of(grouped)).outputs();
        Value read = add("", Op.Activation.RELU, grouped);
        Graph graph = applied(new CancelSplits(), parts.get(0), others.get(1), read);
        assertThat(kinds(graph)).isEqualTo("Split Conv2d Split ReLU");
        assertThat(graph.nodes().get(3).inputs()).containsExactly(grouped);
    }

    @Test
    void cancelSplits_ofASplit_findsTheInnerBorders() {
        Value whole = conv("c", 8, 1, input);
        List<Value> outer =
                builder.add("", new Op.Split(List.of(2L)), List.of(whole)).outputs();
        List<Value> inner = builder.add("", new Op.Split(List.of(4L)), List.of(outer.get(1)))
                .outputs();
        Graph graph = applied(new CancelSplits(), outer.get(0), inner.get(0), inner.get(1), outer.get(1));
        assertThat(kinds(graph)).isEqualTo("Conv2d Conv2d Conv2d Concat");
        assertThat(graph.nodes())
                .extracting(Node::op)
                .filteredOn(Op.Convolution.class::isInstance)
                .extracting(op -> ((Op.Convolution) op).filters())
                .containsExactly(2, 4, 2);
    }

    @Test
    void widenGroups_ofBlocks_joinsUntilTheyAreWideEnough() {
        Graph graph = applied(
                Type.of(Type.ANY, 64, 6, 6),
                List.of(new WidenGroups(16), new WidenGroups(16, 32)),
                conv("c", 64, 4, input));
        assertThat(onlyConvolution(graph).groups()).isEqualTo(2);
    }

    @Test
    void widenGroups_joinsAsFewAsFillABlock() {
        Graph graph = applied(new WidenGroups(4), conv("g", 16, 4, input));
        Op.Convolution conv = onlyConvolution(graph);
        // Groups of 2 channels and 4 filters: two of them have 4 and 8.
        assertThat(conv.groups()).isEqualTo(2);
        assertThat(conv.weight())
                .isEqualTo(new Constant.Spread(
                        new Constant.Parameter("g.weight"),
                        List.of(0, 0, 0, 0, 2, 2, 2, 2, 0, 0, 0, 0, 2, 2, 2, 2),
                        4));
    }

    @Test
    void widenGroups_ofWidenedGroups_spreadsOnce() {
        Graph graph = applied(MAP, List.of(new WidenGroups(4), new WidenGroups(8)), conv("g", 16, 4, input));
        assertThat(onlyConvolution(graph).weight()).isInstanceOfSatisfying(Constant.Spread.class, spread -> {
            assertThat(spread.weight()).isEqualTo(new Constant.Parameter("g.weight"));
            assertThat(spread.blocks()).isEqualTo(new Constant.Blocks(4, 4, 2));
        });
    }

    @Test
    void widenGroups_fillsBlocksOfFilters_too() {
        // Groups of 4 channels, a block, but of 2 filters.
        builder = new Graph.Builder();
        input = builder.input();
        Constant weight = new Constant.Parameter("w");
        Op conv = new Op.Convolution(weight, null, 4, Window.square(3, 1, 1), 2);
        Op.Convolution widened = onlyConvolution(applied(new WidenGroups(4), add("", conv, input)));
        assertThat(widened.groups()).isEqualTo(1);
        assertThat(widened.weight()).isEqualTo(new Constant.Spread(weight, List.of(0, 0, 4, 4), 8));
    }

    @Test
    void widenGroups_leavesDepthwise_wide_andUnevenGroups() {
        assertThat(onlyConvolution(applied(new WidenGroups(4), conv("d", 8, 8, input)))
                        .groups())
                .isEqualTo(8);
        Graph.Builder other = new Graph.Builder();
        Value x = other.input();
        Constant weight = new Constant.Parameter("w");
        Op.Convolution wide = new Op.Convolution(weight, null, 8, Window.square(3, 1, 1), 2);
        Graph graph = other.build(List.of(other.add("", wide, List.of(x)).output()));
        assertThat(Pass.applyAll(graph, List.of(MAP), List.of(new WidenGroups(4))))
                .isSameAs(graph);
        assertThat(Pass.applyAll(graph, List.of(MAP), List.of(new WidenGroups(3))))
                .isSameAs(graph);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new WidenGroups(0))
                .withMessageContaining("not 0");
    }

    @Test
    void fuseConvolutions_takesTheSumAndTheReluAfterIt() {
        Value sum = add("", new Op.Add(), conv("a", 8, 1, input), input);
        Graph graph = applied(new FuseConvolutions(), add("", Op.Activation.RELU, sum));
        assertThat(kinds(graph)).isEqualTo("Conv2d+Add+ReLU");
        Node fused = graph.nodes().get(0);
        assertThat(fused.name()).isEqualTo("a");
        assertThat(fused.inputs()).containsExactly(input, input);
    }

    @Test
    void fuseConvolutions_ofASumOfTwo_takesTheLater_whateverTheOrderOfTheOperands() {
        Value early = conv("early", 8, 1, input);
        Value late = conv("late", 8, 1, input);
        Graph graph =
                applied(new FuseConvolutions(), add("", new Op.Add(), late, early), add("", Op.Activation.TANH, input));
        assertThat(kinds(graph)).isEqualTo("Conv2d Conv2d+Add Tanh");
        assertThat(graph.nodes()).extracting(Node::name).startsWith("early", "late");
        assertThat(graph.nodes().get(1).inputs()).containsExactly(input, early);
    }

    @Test
    void fuseConvolutions_ofASum_takesTheEarlier_ifSomethingElseReadsTheLater() {
        Value early = conv("early", 8, 1, input);
        Value late = conv("late", 8, 1, input);
        Value sum = add("", new Op.Add(), early, late);
        assertThat(after(new FuseConvolutions(), sum, late)).isEqualTo("Conv2d Conv2d+Add");
    }

    @Test
    void fuseConvolutions_leavesWhatIsReadElsewhere() {
        Value read = conv("read", 8, 1, input);
        assertThat(after(new FuseConvolutions(), add("", Op.Activation.RELU, read), add("", Op.Activation.TANH, read)))
                .isEqualTo("Conv2d ReLU Tanh");
        restart();
        Value output = conv("output", 8, 1, input);
        assertThat(after(new FuseConvolutions(), add("", Op.Activation.RELU, output), output))
                .isEqualTo("Conv2d ReLU");
        restart();
        Value twice = conv("twice", 8, 1, input);
        assertThat(after(new FuseConvolutions(), add("", new Op.Add(), twice, twice)))
                .isEqualTo("Conv2d Add");
    }

    @Test
    void fuseConvolutions_keepsTheOrder_reluBeforeSum_andOneSumOnly() {
        Value rectified = add("", Op.Activation.RELU, conv("a", 8, 1, input));
        Value sum = add("", new Op.Add(), rectified, input);
        assertThat(after(new FuseConvolutions(), sum)).isEqualTo("Conv2d+ReLU Add");
        restart();
        Value first = add("", new Op.Add(), conv("a", 8, 1, input), input);
        assertThat(after(new FuseConvolutions(), add("", new Op.Add(), first, input)))
                .isEqualTo("Conv2d+Add Add");
        restart();
        assertThat(after(new FuseConvolutions(), add("", Op.Activation.SIGMOID, conv("a", 8, 1, input))))
                .isEqualTo("Conv2d Sigmoid");
    }

    @Test
    void expandDynamicConvolutions_dividesByTheTemperature_unlessItIsOne() {
        assertThat(after(new ExpandDynamicConvolutions(), dynamic(1)))
                .doesNotContain("Scale")
                .endsWith("Multiply Add");
        Graph graph = applied(new ExpandDynamicConvolutions(), dynamic(4));
        assertThat(graph.nodes()).extracting(Node::op).contains(new Op.Scale(0.25f));
    }

    private Value dynamic(float temperature) {
        Op op = new Op.DynamicConvolution(
                new Constant.Parameter("weight"),
                null,
                new Op.Convolution(new Constant.Parameter("a"), null, 2, Window.square(1, 1, 0), 1),
                new Op.Convolution(new Constant.Parameter("b"), null, 2, Window.square(1, 1, 0), 1),
                temperature,
                8,
                4,
                Window.square(3, 1, 1),
                1);
        return add("dynamic", op, input);
    }

    @Test
    void pass_withNothingToDo_givesTheSameGraph() {
        Graph graph = builder.build(List.of(add("", Op.Activation.RELU, input)));
        List<Pass> passes = List.of(
                new DropIdentities(),
                new DropDeadNodes(),
                new MergeDuplicates(),
                new ExpandDynamicConvolutions(),
                new FoldNormalization(),
                new NormalizationToAffine(),
                new CancelSplits(),
                new WidenGroups(16),
                new FuseConvolutions());
        for (Pass pass : passes) {
            assertThat(pass.apply(graph, graph.types(List.of(MAP)))).isSameAs(graph);
        }
    }
}
