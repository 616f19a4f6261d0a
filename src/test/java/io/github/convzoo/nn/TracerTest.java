package io.github.convzoo.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.internal.NDArrayEx;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.Dropout;
import ai.djl.nn.pooling.Pool;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import io.github.convzoo.graph.CancelSplits;
import io.github.convzoo.graph.Constant;
import io.github.convzoo.graph.DropDeadNodes;
import io.github.convzoo.graph.DropIdentities;
import io.github.convzoo.graph.ExpandDynamicConvolutions;
import io.github.convzoo.graph.FoldNormalization;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.MergeDuplicates;
import io.github.convzoo.graph.Node;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Pass;
import io.github.convzoo.network.FeatureExtractor;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TracerTest {

    private static final List<Pass> PASSES = List.of(
            new DropIdentities(),
            new ExpandDynamicConvolutions(),
            new FoldNormalization(),
            new CancelSplits(),
            new MergeDuplicates(),
            new DropDeadNodes());

    private static final Shape MAP = new Shape(1, 3, 6, 7);

    private final NDManager manager = NDManager.newBaseManager("PyTorch");

    @AfterEach
    void close() {
        manager.close();
    }

    private static NDArray forward(Block block, NDArray input) {
        return block.forward(new ParameterStore(input.getManager(), false), new NDList(input), false)
                .singletonOrThrow();
    }

    private static void assertClose(NDArray actual, NDArray expected) {
        assertThat(actual.getShape()).isEqualTo(expected.getShape());
        float scale = expected.abs().max().getFloat();
        assertThat(scale).isPositive();
        assertThat(expected.sub(actual).abs().max().getFloat()).isLessThanOrEqualTo(1e-5f * scale);
    }

    /** The graph, before passes and after, gives what the block gives, for three sizes of batch. */
    private Graph assertTraced(Block block, Shape shape) {
        Traced traced = Tracer.trace(block, shape);
        Graph rewritten = Pass.applyAll(traced.graph(), List.of(traced.input()), PASSES);
        for (int batch : new int[] {1, 2, 5}) {
            NDArray input = Reference.image(manager, "batch/", new Shape(batch).addAll(shape.slice(1)));
            NDArray expected = forward(block, input);
            assertClose(traced.run(traced.graph(), new NDList(input)).singletonOrThrow(), expected);
            assertClose(traced.run(rewritten, new NDList(input)).singletonOrThrow(), expected);
        }
        return traced.graph();
    }

    @ParameterizedTest
    @EnumSource(ForeignNetwork.class)
    void trace_ofAForeignNetwork_givesItsOutputs_forAnyBatch(ForeignNetwork network) {
        Graph graph = assertTraced(network.initialized(manager), network.input());
        assertThat(graph.nodes()).noneMatch(node -> node.op() instanceof Op.Call);
    }

    private static Block conv(int filters) {
        return Conv2d.builder()
                .setFilters(filters)
                .setKernelShape(new Shape(3, 3))
                .optPadding(new Shape(1, 1))
                .build();
    }

    private Block initialized(Block block) {
        Reference.initialize(block, manager, "trace/", MAP);
        return block;
    }

    /** A function of DJL's arrays, between two layers. */
    private Block around(UnaryOperator<NDArray> function) {
        // Initialization would run the function, which some are not made for.
        SequentialBlock block = new SequentialBlock().add(conv(4));
        initialized(block);
        return block.addSingleton(function).add(Pool.globalAvgPool2dBlock());
    }

    private void assertRefused(Block block, String... message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Tracer.trace(block, MAP))
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"))
                .satisfies(e -> assertThat(e.getMessage()).contains(message));
    }

    // What is traced

    @Test
    void trace_ofAFlowInsideAParallelBlock_andOfASequenceInsideAFlow_looksInside() {
        Block inner = new Sequence()
                .add("conv", conv(5))
                .add("norm", new BatchNorm2d())
                .add("foreign", new SequentialBlock().add(conv(4)).add(Activation.reluBlock()))
                .add("dynamic", new DynamicConv2d(DynamicConv2d.Spec.of(4, 4, 3, 2)))
                .add("drop", Dropout.builder().build());
        Block block = initialized(new SequentialBlock()
                .add(new ParallelBlock(
                        parts -> new NDList(parts.get(0).head().add(parts.get(1).head())), List.of(inner, conv(4))))
                .add(Pool.globalAvgPool2dBlock()));
        Graph graph = assertTraced(block, MAP);
        assertThat(graph.nodes().stream().map(node -> node.op().kind() + " " + node.name()))
                .containsExactly(
                        "Conv2d ParallelBlock.Sequence.conv",
                        "BatchNorm2d ParallelBlock.Sequence.norm",
                        "Conv2d ParallelBlock.Sequence.foreign.Conv2d",
                        "ReLU ParallelBlock.Sequence.foreign.LambdaBlock",
                        "DynamicConv2d ParallelBlock.Sequence.dynamic",
                        "Dropout ParallelBlock.Sequence.drop",
                        "Conv2d ParallelBlock.Conv2d",
                        "Add ParallelBlock",
                        "GlobalAvgPool2d LambdaBlock");
        assertThat(graph.names()).containsKeys("ParallelBlock", "ParallelBlock.Sequence.foreign", "LambdaBlock");
    }

    @Test
    void trace_ofANetwork_isItsGraph_withAForeignBlockExpanded() {
        Sequence flow = new Sequence().add("stem", conv(8)).add("tail", new SequentialBlock().add(conv(4)));
        initialized(flow);
        assertThat(flow.graph().nodes()).anyMatch(node -> node.op() instanceof Op.Call);
        Graph graph = assertTraced(flow, MAP);
        assertThat(graph.nodes()).extracting(Node::name).containsExactly("stem", "tail.Conv2d");
        NDArray input = Reference.image(manager, "x/", MAP);
        assertClose(flow.run(graph, new NDList(input)).singletonOrThrow(), forward(flow, input));
    }

    @Test
    void trace_ofANetworkOfConvZoo_orItsFeatures_isTheGraphItHas() {
        Network network = Variant.of("dla46_c").build(Variant.of("dla46_c").options());
        Shape shape = new Shape(1, 3, 64, 64);
        Reference.initialize(network, manager, "own/", shape);
        Traced traced = Tracer.trace(network, shape);
        assertThat(traced.graph().nodes()).isEqualTo(network.graph().nodes());
        assertThat(traced.graph().names()).isEqualTo(network.graph().names());
        FeatureExtractor features = new FeatureExtractor(network);
        Traced maps = Tracer.trace(features, shape);
        assertThat(maps.graph().outputs()).hasSize(features.levels().size());
        NDArray input = Reference.image(manager, "x/", shape);
        NDList expected = features.forward(new ParameterStore(manager, false), new NDList(input), false);
        NDList actual = maps.run(maps.graph(), new NDList(input));
        for (int i = 0; i < expected.size(); i++) {
            assertClose(actual.get(i), expected.get(i));
        }
        Block around = new SequentialBlock().add(features);
        Traced inside = Tracer.trace(around, shape);
        assertThat(inside.graph().nodes().get(0).name()).startsWith("FeatureExtractor.network.");
    }

    @Test
    void trace_ofFoldedNorms_tracesTheParameters() {
        Sequence flow = new Sequence().add("conv", conv(4)).add("norm", new BatchNorm2d());
        initialized(flow);
        flow.foldNorms();
        Graph graph = assertTraced(new SequentialBlock().add(flow), MAP);
        assertThat(graph.nodes().get(1).op().constants())
                .allSatisfy(constant -> assertThat(constant).isInstanceOf(Constant.Parameter.class));
    }

    @Test
    void trace_ofASubclassOfSequentialBlock_runsItsOwnForward() {
        Block twice = new SequentialBlock() {
            @Override
            protected NDList forwardInternal(
                    ParameterStore store, NDList inputs, boolean training, @Nullable PairList<String, Object> params) {
                return new NDList(super.forwardInternal(store, inputs, training, params)
                        .singletonOrThrow()
                        .mul(2));
            }
        }.add(conv(3));
        assertThat(assertTraced(initialized(twice), MAP).nodes())
                .extracting(node -> node.op().kind())
                .containsExactly("Conv2d", "Scale");
    }

    static Stream<Arguments> functions() {
        return Stream.of(
                function(
                        "addition in place",
                        x -> x.mul(2).addi(x).subi(1).muli(x).divi(2).negi()),
                function("difference", x -> x.mul(3).sub(x)),
                function(
                        "product with a smaller value",
                        x -> Pool.globalAvgPool2d(x).reshape(-1, 4, 1, 1).mul(x)),
                function("number from the left", x -> NDArrays.sub(2, x)),
                function("reshape by the batch's size", x -> x.reshape(x.size(0), 2, 2, -1)
                        .reshape(-1, 4, 6, 7)),
                function("flat and back", x -> x.flatten(1, -1).reshape(x.getShape())),
                function("flat in the middle", x -> x.flatten(2, 3).expandDims(-1)),
                function("inserted axis", x -> x.expandDims(1).squeeze(1)),
                function("parts", x -> {
                    NDList parts = x.split(2, 1);
                    return NDArrays.concat(new NDList(parts.get(1), parts.get(0)), -3);
                }),
                function("one part", x -> x.split(new long[0], 1).head().add(1)),
                function("concat of one", x -> NDArrays.concat(new NDList(x), 1).add(1)),
                function("range from the end", x -> NDArrays.concat(new NDList(x.get(":, -1:"), x.get(":, :3")), 1)),
                function("all", x -> x.get(":").add(x.get(":, :, :"))),
                function("softmax", x -> x.softmax(-3)),
                function("tanh", NDArray::tanh),
                function("gate", x -> x.mul(Activation.sigmoid(x.get(":, 0:1")).add(x.get(":, 1:2")))),
                function("type and device", x -> x.toType(DataType.FLOAT32, false)
                        .toDevice(x.getDevice(), true)
                        .duplicate()
                        .stopGradient()
                        .add(1)),
                function("managed", x -> {
                    try (NDManager sub = x.getManager().newSubManager()) {
                        NDArray doubled = x.mul(2);
                        doubled.attach(sub);
                        NDArray result = doubled.add(1);
                        result.attach(sub.getParentManager());
                        doubled.close();
                        return result;
                    }
                }),
                function("scalar array", x -> x.mul(x.getManager().create(2f))
                        .add(x.getManager().create(1f))),
                function("quotient by an array", x -> x.div(x.getManager().create(new float[] {4}))),
                function("dropout", x -> Dropout.dropout(x, 0.5f, false).head().add(1)),
                function("normalization by constants", x -> BatchNorm.batchNorm(
                                x,
                                x.getManager().zeros(new Shape(4)),
                                x.getManager().ones(new Shape(4)).mul(3),
                                x.getManager().ones(new Shape(4)),
                                x.getManager().ones(new Shape(4)).mul(2),
                                1,
                                0.9f,
                                1e-5f,
                                false)
                        .head()),
                function(
                        "pool that rounds up, but need not",
                        x -> Pool.maxPool2d(x, new Shape(2, 3), new Shape(2, 2), new Shape(0, 0), true)),
                function(
                        "pool that would start in the padding",
                        x -> Pool.maxPool2d(x, new Shape(2, 2), new Shape(7, 4), new Shape(1, 1), true)),
                function("global maximum", x -> Pool.globalMaxPool2d(x).reshape(-1, 4, 1, 1)));
    }

    private static Arguments function(String name, UnaryOperator<NDArray> function) {
        return Arguments.of(name, function);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("functions")
    void trace_ofAFunction_computesIt(String name, UnaryOperator<NDArray> function) {
        assertTraced(around(function), MAP);
    }

    @Test
    void trace_ofAParameterOnEitherSide_keepsIt() {
        Block block = initialized(new SequentialBlock().add(conv(4)).add(new Scaling()));
        Traced traced = Tracer.trace(block, MAP);
        assertTraced(block, MAP);
        assertThat(traced.graph().nodes().stream()
                        .flatMap(node -> node.op().constants().stream())
                        .map(Object::toString))
                .anyMatch(text -> text.contains("Parameter[name=Scaling.factor]"))
                .anyMatch(text -> text.contains("Parameter[name=Scaling.shift]"));
        assertThat(traced.graph().nodes().get(2).name()).isEqualTo("Scaling");
        assertThat(traced.parameterValues().read("Scaling.factor").sizes()).containsExactly(4L, 1L, 1L);
    }

    /** shift + factor * (x - shift) - shift, with the parameters on the left where that is possible. */
    private static final class Scaling extends AbstractBlock {
        private final Parameter factor = addParameter(Parameter.builder()
                .setName("factor")
                .setType(Parameter.Type.OTHER)
                .build());
        private final Parameter shift = addParameter(Parameter.builder()
                .setName("shift")
                .setType(Parameter.Type.OTHER)
                .build());

        @Override
        protected NDList forwardInternal(
                ParameterStore store, NDList inputs, boolean training, @Nullable PairList<String, Object> params) {
            NDArray x = inputs.singletonOrThrow();
            NDArray a = store.getValue(factor, x.getDevice(), training);
            NDArray b = store.getValue(shift, x.getDevice(), training);
            NDArray result = b.add(a.mul(x.sub(b))).sub(b);
            // A product of parameters alone, and a parameter without the store.
            return new NDList(b.sub(result)
                    .mul(a.mul(a))
                    .add(shift.getArray())
                    .mul(a.mul(a).add(1).sqrt()));
        }

        @Override
        protected void prepare(Shape[] inputs) {
            factor.setShape(new Shape(4, 1, 1));
            shift.setShape(new Shape(1));
        }

        @Override
        public Shape[] getOutputShapes(Shape[] inputs) {
            return inputs;
        }
    }

    @Test
    void trace_leavesTheShapeAndTheBlockAsTheyAre() {
        Shape shape = new Shape(4, 3, 6, 7);
        Block block = around(NDArray::neg);
        Traced traced = Tracer.trace(block, shape);
        assertThat(shape).isEqualTo(new Shape(4, 3, 6, 7));
        assertThat(traced.input()).hasToString("(N, 3, 6, 7)");
        assertThat(CanonicalNames.parameters(block).values())
                .allSatisfy(parameter ->
                        assertThat(parameter.getArray().isReleased()).isFalse());
    }

    /** Triples what its children compute, in a method that {@link SequentialBlock} does not call itself. */
    private static final class Tripled extends SequentialBlock {
        @Override
        public NDList forward(ParameterStore store, NDList inputs, boolean training) {
            return new NDList(super.forward(store, inputs, training).head().mul(3));
        }
    }

    @Test
    void sequence_thatOverridesForward_isRunAsItIs() {
        Block block = new SequentialBlock().add(new Tripled().add(Activation.reluBlock()));
        NDArray input = manager.create(new float[] {-1, 2}, new Shape(1, 2));
        Traced traced = Tracer.trace(block, input.getShape());
        assertThat(traced.run(traced.graph(), new NDList(input)).head().toFloatArray())
                .containsExactly(0, 6);
    }

    @Test
    void anonymousBlock_isNamedByItsClass() {
        Block block = new SequentialBlock() {
            @Override
            public NDList forward(ParameterStore store, NDList inputs, boolean training) {
                return new NDList(inputs.head().exp());
            }
        };
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Tracer.trace(block, new Shape(1, 2)))
                .withMessageStartingWith("exp cannot be traced (in " + TracerTest.class.getName() + "$");
    }

    @Test
    void ellipsis_atTheEnd_isTheRestOfTheAxes() {
        Traced traced = Tracer.trace(LambdaBlock.singleton(x -> x.get(":, 1:3, ...")), new Shape(1, 4, 6, 7));
        assertThat(traced.graph().nodes()).hasSize(1);
        assertThat(traced.graph().toString()).contains("Split");
    }

    @Test
    void size_thatTheBlockUses_isTheOnlyOne() {
        Shape shape = new Shape(1, 3, 8, 8);
        assertThat(Tracer.trace(Activation.reluBlock(), shape).isForAnySize()).isTrue();
        assertThat(Tracer.trace(LambdaBlock.singleton(x -> x.div(x.getShape().get(3))), shape)
                        .isForAnySize())
                .isFalse();
        assertThat(Tracer.trace(Pool.avgPool2dBlock(new Shape(8, 8)), shape).isForAnySize())
                .isTrue();
        Block linear = new SequentialBlock()
                .add(Blocks.batchFlattenBlock())
                .add(Linear.builder().setUnits(2).build());
        Reference.initialize(linear, manager, "linear/", shape);
        assertThat(Tracer.trace(linear, shape).isForAnySize()).isFalse();
    }

    /** Sizes that fit the strides, and are larger and landscape, would not show any of these. */
    @Test
    void decision_byTheSize_makesItTheOnlyOne() {
        Shape shape = new Shape(1, 3, 32, 32);
        Stream.<Predicate<Shape>>of(
                        size -> size.get(2) % 2 == 1,
                        size -> size.get(3) % 2 == 1,
                        size -> size.get(2) < 24,
                        size -> size.get(3) > 200,
                        size -> size.get(2) > size.get(3))
                .forEach(decision -> assertThat(Tracer.trace(
                                        LambdaBlock.singleton(x ->
                                                decision.test(x.getShape()) ? Activation.relu(x) : Activation.tanh(x)),
                                        shape)
                                .isForAnySize())
                        .isFalse());
    }

    @Test
    void size_thatTheBlockRefuses_doesNotCount_butOneThatOnlyTheTracerRefusesDoes() {
        Shape shape = new Shape(1, 3, 32, 32);
        assertThat(Tracer.trace(
                                LambdaBlock.singleton(x -> {
                                    if (x.getShape().get(2) % 2 == 1) {
                                        throw new IllegalStateException("odd");
                                    }
                                    return Activation.relu(x);
                                }),
                                shape)
                        .isForAnySize())
                .isTrue();
        for (UnaryOperator<NDArray> unrecorded : List.<UnaryOperator<NDArray>>of(NDArray::exp, x -> x.get("0:1"))) {
            assertThat(Tracer.trace(
                                    LambdaBlock.singleton(x ->
                                            x.getShape().get(2) % 2 == 1 ? unrecorded.apply(x) : Activation.relu(x)),
                                    shape)
                            .isForAnySize())
                    .isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"peleenet", "dla34", "dpn68", "dla60_res2net"})
    void network_isForAnySize(String name) {
        Network network = Variant.of(name).build();
        Shape shape = new Shape(1, 3, 64, 64);
        network.initialize(manager, DataType.FLOAT32, shape);
        assertThat(Tracer.trace(network, shape).isForAnySize()).isTrue();
    }

    @Test
    void pool_thatRoundsUpAtOtherSizes_isForTheTracedOne() {
        Shape shape = new Shape(1, 3, 32, 32);
        for (boolean ceil : new boolean[] {false, true}) {
            assertThat(Tracer.trace(Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2), new Shape(0, 0), ceil), shape)
                            .isForAnySize())
                    .isEqualTo(!ceil);
        }
        // Its map has an even size at all sizes that are tried.
        Block deep = new SequentialBlock()
                .add(Pool.maxPool2dBlock(new Shape(4, 4), new Shape(4, 4)))
                .add(Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2), new Shape(0, 0), true));
        assertThat(Tracer.trace(deep, new Shape(1, 3, 64, 64)).isForAnySize()).isFalse();
        // It never rounds.
        assertThat(Tracer.trace(Pool.maxPool2dBlock(new Shape(3, 3), new Shape(1, 1), new Shape(1, 1), true), shape)
                        .isForAnySize())
                .isTrue();
    }

    // What is refused

    static Stream<Arguments> refusals() {
        return Stream.of(
                refusal("argMax", "no such operation", x -> x.argMax(1)),
                refusal("exp", "no such operation", NDArray::exp),
                refusal("trace", "no such operation", NDArray::trace),
                refusal("toFloatArray", "cannot be read", x -> x.mul(x.toFloatArray()[0])),
                refusal("getFloat", "axis 1 only", x -> x.mul(x.getFloat(0, 0, 0, 0))),
                refusal(
                        "toByteBuffer",
                        "cannot be read",
                        x -> x.mul(x.toByteBuffer().get(0))),
                refusal("toArray", "cannot be read", x -> x.mul(x.toArray()[0])),
                refusal("equals", "cannot be read", x -> x.equals(x.mul(1)) ? x : x.neg()),
                refusal("contentEquals", "cannot be read", x -> x.contentEquals(x.mul(1)) ? x : x.neg()),
                refusal("copyTo", "cannot be read", x -> {
                    NDArray copy = x.getManager().create(x.getShape());
                    x.copyTo(copy);
                    return copy;
                }),
                refusal("toByteBuffer", "cannot be read", x -> x.getManager().from(x)),
                refusal("mul", "call it on the array that depends on the input", x -> x.getManager()
                        .ones(new Shape(1))
                        .mul(x)),
                refusal(
                        "concat",
                        "does not depend on the input",
                        x -> NDArrays.concat(new NDList(x, x.getManager().ones(x.getShape())), 1)),
                refusal("concat", "axis 1 only", x -> NDArrays.concat(new NDList(x, x), 2)),
                refusal("stack", "no such operation", x -> NDArrays.stack(new NDList(x, x))),
                refusal("transpose", "no such operation", x -> x.transpose(0, 2, 3, 1)),
                refusal("swapAxes", "no such operation", x -> x.swapAxes(2, 3)),
                refusal("add", "combined with one of (2, 4, 6, 7)", x -> x.add(x.onesLike())),
                refusal(
                        "mul",
                        "combined with one of (2, 4, 6, 7)",
                        x -> x.mul(x.getManager().ones(new Shape(6, 7)))),
                refusal(
                        "mul",
                        "combined with one of (2, 4, 6, 7)",
                        x -> x.mul(x.getManager().ones(new Shape(1, 1, 4, 1, 1)))),
                refusal(
                        "mul",
                        "float32 only",
                        x -> x.mul(x.getManager().arange(4).reshape(4, 1, 1))),
                refusal("div", "quotient", x -> x.div(x.add(1))),
                refusal("add", "cannot be added", x -> x.add(Pool.globalAvgPool2d(x))),
                refusal("toType", "float32 only", x -> x.toType(DataType.FLOAT16, false)),
                refusal("softmax", "axis 1 only", x -> x.softmax(2)),
                refusal("split", "axis 1 only", x -> x.split(2, 2).head()),
                refusal("split", "3 equal parts", x -> x.split(3, 1).head()),
                refusal("get", "range of axis 1 only", x -> x.get("0")),
                refusal("get", "range of axis 1 only", x -> x.get(":, 0::2")),
                refusal("get", "range of axis 1 only", x -> x.get(":, 2:2")),
                refusal("get", "the ellipsis hides", x -> x.get("..., 0:1")),
                refusal("add", "must be finite", x -> x.add(Float.POSITIVE_INFINITY)),
                refusal("mul", "must be finite", x -> x.mul(1e39)),
                refusal("div", "must be finite", x -> x.div(0)),
                refusal("clip", "must ascend", x -> x.clip(1, -1)),
                refusal("get", "the ellipsis hides", x -> x.get(":, ..., 0:1")),
                refusal("squeeze", "removes axis 1", x -> x.squeeze(1)),
                refusal("flatten", "does not keep the batch", NDArray::flatten),
                refusal("reshape", "does not keep the batch", x -> x.reshape(1, -1)),
                refusal("reshape", "cannot be reshaped", x -> x.reshape(x.size(0), 5, -1)),
                refusal("addi", "shares its memory", x -> {
                    NDArray whole = x.mul(2);
                    NDArray view = whole.reshape(-1, 4, 42);
                    whole.addi(1);
                    return view.expandDims(3);
                }),
                refusal("muli", "in place", x -> Pool.globalAvgPool2d(x)
                        .reshape(-1, 4, 1, 1)
                        .muli(x)),
                refusal(
                        "maxPool",
                        "rounds the size of (2, 4, 6, 7) up",
                        x -> Pool.maxPool2d(x, new Shape(2, 2), new Shape(2, 2), new Shape(0, 0), true)),
                refusal(
                        "avgPool",
                        "rounds the size of (2, 4, 6, 7) up",
                        x -> Pool.avgPool2d(x, new Shape(3, 3), new Shape(2, 2), new Shape(1, 0), true, true)),
                refusal(
                        "avgPool",
                        "counts it as zeros anyway",
                        x -> Pool.avgPool2d(x, new Shape(3, 3), new Shape(2, 2), new Shape(1, 1), false, false)),
                refusal("dropout", "in training mode", x -> Dropout.dropout(x, 0.5f, true)
                        .head()),
                refusal("batchNorm", "in training mode", x -> BatchNorm.batchNorm(
                                x,
                                x.getManager().ones(new Shape(4)),
                                x.getManager().ones(new Shape(4)))
                        .head()),
                refusal("batchNorm", "axis 1 only", x -> BatchNorm.batchNorm(
                                x,
                                x.getManager().ones(new Shape(7)),
                                x.getManager().ones(new Shape(7)),
                                null,
                                null,
                                3,
                                0.9f,
                                1e-5f,
                                false)
                        .head()),
                refusal(
                        "lpPool",
                        "no such operation",
                        x -> Pool.lpPool2d(x, 2, new Shape(2, 2), new Shape(2, 2), new Shape(0, 0), false)),
                refusal("convolution", "is used as a weight", x -> x.getNDArrayInternal()
                        .convolution(x, x, null, new Shape(1, 1), new Shape(0, 0), new Shape(1, 1), 1)
                        .head()),
                refusal("set", "cannot be read", x -> {
                    x.set(new NDIndex(0), 1);
                    return x;
                }));
    }

    private static Arguments refusal(String operation, String reason, UnaryOperator<NDArray> function) {
        return Arguments.of(operation, reason, function);
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("refusals")
    void trace_ofWhatGraphsDoNotHave_isRefused(String operation, String reason, UnaryOperator<NDArray> function) {
        assertRefused(around(function), operation + " cannot be traced (in 02LambdaBlock", reason);
    }

    @Test
    void refusal_insideAParallelBlock_namesTheParametersThatWereReadLast() {
        Block branch = new SequentialBlock().add(conv(4)).add(new BatchNorm2d()).addSingleton(NDArray::exp);
        Block block = initialized(new SequentialBlock()
                .add(conv(5))
                .add(new ParallelBlock(parts -> parts.get(0), List.of(branch, conv(4)))));
        assertRefused(
                block, "exp cannot be traced (in ParallelBlock, after ParallelBlock.SequentialBlock.BatchNorm2d): ");
    }

    @Test
    void refusal_ofTheBlockItself_namesItsClass() {
        assertRefused(LambdaBlock.singleton(NDArray::exp), "exp cannot be traced (in LambdaBlock): ");
    }

    @Test
    void refusal_thatTheBlockCatches_isStillARefusal() {
        assertRefused(
                around(x -> {
                    try {
                        return x.exp();
                    } catch (RuntimeException e) {
                        return x.neg();
                    }
                }),
                "exp cannot be traced (in 02LambdaBlock)");
    }

    @Test
    void failure_ofTheBlock_namesTheBlock() {
        assertRefused(
                around(x -> {
                    throw new IllegalStateException("no reason");
                }),
                "02LambdaBlock",
                "no reason");
        assertRefused(around(x -> ((PtNDArray) x).neg()), "02LambdaBlock", "ClassCastException");
    }

    @Test
    void batch_thatIsBakedIn_isRefused() {
        assertRefused(
                around(x -> x.reshape(2, 4, 6, 7).add(1)), "02LambdaBlock", "does not keep the batch, which is 1");
        assertRefused(
                around(x -> x.div(x.size(0))),
                "Scale cannot be traced (in 02LambdaBlock): for a batch of 2 it does",
                "independent of the batch size");
        assertRefused(
                around(x -> x.add(x.getManager().ones(new Shape(1)).mul(x.size(0)))), "02LambdaBlock", "for a batch");
        assertRefused(around(x -> x.size(0) == 1 ? x.neg() : x), "cannot be traced", "for a batch of 2");
        assertRefused(around(x -> x.size(0) > 16 ? x.neg() : x), "cannot be traced", "for 31");
    }

    @Test
    void batch_thatVanishesWithOneSample_isRefused() {
        Block block = initialized(new SequentialBlock()
                .add(conv(4))
                .add(Pool.globalAvgPool2dBlock())
                .addSingleton(x -> x.expandDims(2).squeeze()));
        assertRefused(block, "squeeze cannot be traced (in 03LambdaBlock", "removes axis 0");
    }

    @Test
    void randomNumbers_areRefused() {
        assertRefused(
                around(x -> x.mul(x.getManager().randomUniform(0.5f, 1.5f, new Shape(4, 1, 1)))),
                "Affine cannot be traced (in 02LambdaBlock)",
                "size and deterministic");
    }

    @Test
    void output_thatDoesNotDependOnTheInput_isRefused() {
        assertRefused(LambdaBlock.singleton(x -> x.getManager().ones(new Shape(1, 2))), "does not depend on the input");
    }

    @Test
    void parameter_thatIsChanged_orForeign_orEmpty_isRefused() {
        Block changing = new SequentialBlock().add(conv(4)).add(new Changing());
        assertRefused(initialized(changing), "muli cannot be traced (in Changing)", "changes the parameter Changing.p");
        Block empty = new SequentialBlock().add(conv(4));
        assertRefused(empty, "the parameter Conv2d.weight has no values yet");
        Block hidden = initialized(conv(4));
        assertRefused(new Calling(hidden), "the parameter weight does not belong to the traced block or its children");
        Block flow = initialized(new Sequence().add("conv", conv(4)));
        assertRefused(new Calling(flow), "a Sequence is run but is not a child of the traced block");
    }

    private static final class Changing extends AbstractBlock {
        private final Parameter p = addParameter(
                Parameter.builder().setName("p").setType(Parameter.Type.OTHER).build());

        @Override
        protected NDList forwardInternal(
                ParameterStore store, NDList inputs, boolean training, @Nullable PairList<String, Object> params) {
            NDArray x = inputs.singletonOrThrow();
            NDArray value = store.getValue(p, x.getDevice(), training);
            return new NDList(x.mul(value.muli(2)));
        }

        @Override
        protected void prepare(Shape[] inputs) {
            p.setShape(new Shape(1));
        }

        @Override
        public Shape[] getOutputShapes(Shape[] inputs) {
            return inputs;
        }
    }

    /** Runs a block that is not its child. */
    private static final class Calling extends AbstractBlock {
        private final Block other;

        Calling(Block other) {
            this.other = other;
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store, NDList inputs, boolean training, @Nullable PairList<String, Object> params) {
            return other.forward(store, inputs, training);
        }

        @Override
        public Shape[] getOutputShapes(Shape[] inputs) {
            return other.getOutputShapes(inputs);
        }
    }

    @Test
    void input_ofUnknownSize_isRefused() {
        Block block = around(NDArray::neg);
        for (Shape shape : List.of(new Shape(1, 3, -1, 7), new Shape(1, 3, 0, 7), new Shape(3))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Tracer.trace(block, shape))
                    .withMessageContaining("a batch and other axes of known size, not " + shape);
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Tracer.trace(block, new Shape(1, 4, 6, 7)))
                .withMessage("convolution cannot be traced (in 01Conv2d):"
                        + " a weight of (4, 3, 3, 3) in 1 groups does not fit (2, 4, 6, 7)");
    }

    @Test
    void recordableFunctions_areThoseOfDjl() {
        for (Method method : RecordedFunctions.class.getDeclaredMethods()) {
            if (Modifier.isPublic(method.getModifiers())) {
                assertThat(NDArrayEx.class.getMethods()).as(method.toString()).anySatisfy(each -> {
                    assertThat(each.getName()).isEqualTo(method.getName());
                    assertThat(each.getParameterTypes()).isEqualTo(method.getParameterTypes());
                });
            }
        }
    }
}
