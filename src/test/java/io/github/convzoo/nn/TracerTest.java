package io.github.convzoo.nn;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import io.github.convzoo.graph.CancelSplits;
import io.github.convzoo.graph.DropDeadNodes;
import io.github.convzoo.graph.DropIdentities;
import io.github.convzoo.graph.ExpandDynamicConvolutions;
import io.github.convzoo.graph.FoldNormalization;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.MergeDuplicates;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Pass;
import io.github.convzoo.network.Reference;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TracerTest {

    private static final List<Pass> PASSES = List.of(
            new DropIdentities(),
            new ExpandDynamicConvolutions(),
            new FoldNormalization(),
            new CancelSplits(),
            new MergeDuplicates(),
            new DropDeadNodes());

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
}
