package io.github.convzoo.nn;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.graph.CancelSplits;
import io.github.convzoo.graph.DropDeadNodes;
import io.github.convzoo.graph.DropIdentities;
import io.github.convzoo.graph.ExpandDynamicConvolutions;
import io.github.convzoo.graph.FoldNormalization;
import io.github.convzoo.graph.FuseConvolutions;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.MergeChains;
import io.github.convzoo.graph.MergeDuplicates;
import io.github.convzoo.graph.NormalizationToAffine;
import io.github.convzoo.graph.NormalizationToConvolution;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Pass;
import io.github.convzoo.graph.Type;
import io.github.convzoo.graph.WidenGroups;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every pass on every network: the same logits before and after, for a batch of another size than it was applied for.
 */
class PassesTest {

    private static final List<Pass> PASSES = List.of(
            new DropIdentities(),
            new DropDeadNodes(),
            new MergeDuplicates(),
            new MergeChains(),
            new ExpandDynamicConvolutions(),
            new FoldNormalization(),
            new NormalizationToAffine(),
            new CancelSplits(),
            new WidenGroups(16),
            new FuseConvolutions());

    /** Every other pass whose constructor has no parameters. */
    private static List<Pass> others() throws IOException, ReflectiveOperationException {
        List<Pass> others = new ArrayList<>();
        Path classes =
                Path.of("target/classes").resolve(Pass.class.getPackageName().replace('.', '/'));
        try (DirectoryStream<Path> files = Files.newDirectoryStream(classes, "*.class")) {
            for (Path file : files) {
                String name = file.getFileName().toString().replace(".class", "");
                Class<?> type = Class.forName(Pass.class.getPackageName() + "." + name);
                if (Pass.class.isAssignableFrom(type)
                        && !type.isInterface()
                        && Arrays.stream(type.getConstructors()).anyMatch(each -> each.getParameterCount() == 0)
                        && PASSES.stream().noneMatch(type::isInstance)) {
                    others.add((Pass) type.getConstructor().newInstance());
                }
            }
        }
        return others;
    }

    @Test
    void others_areFound() throws IOException, ReflectiveOperationException {
        assertThat(others()).hasAtLeastOneElementOfType(NormalizationToConvolution.class);
    }

    static Stream<String> models() {
        return Variant.all().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("models")
    void logits_beforeAndAfterEachPass_areTheSame(String model) throws IOException, ReflectiveOperationException {
        Variant variant = Variant.of(model);
        Network network = variant.build(variant.options().withNumClasses(7));
        int side = variant.inputSize() == 128 ? 128 : 64;
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Reference.initialize(network, manager, "passes/", new Shape(1, 3, side, side));
            NDArray input = Reference.image(manager, "passes/", new Shape(2, 3, side, side));
            network.freezeParameters(true);
            Graph graph = network.graph();
            float[] expected = run(network, graph, input);
            List<Type> types = List.of(Type.of(Type.ANY, 3, side, side));
            for (Pass pass : others()) {
                Graph changed = Pass.applyAll(graph, types, List.of(pass));
                assertClose(run(network, changed, input), expected, pass);
            }
            for (Pass pass : PASSES) {
                Graph changed = Pass.applyAll(network.graph(), types, List.of(pass));
                assertClose(run(network, changed, input), expected, pass);
                graph = Pass.applyAll(graph, types, List.of(pass));
                assertClose(run(network, graph, input), expected, pass);
            }
            Map<String, Long> left = graph.nodes().stream()
                    .collect(Collectors.groupingBy(node -> node.op().kind(), Collectors.counting()));
            assertThat(left).doesNotContainKeys("Split", "Dropout", "DynamicConv2d", "BatchNorm2d");
            // Every ReLU comes after a convolution, and every sum has one as an operand; Res2Net's has slices.
            if (model.startsWith("dla")) {
                assertThat(left).doesNotContainKey("ReLU");
                assertThat(left.containsKey("Add")).isEqualTo(model.contains("res2"));
            }
            // dpn107's 200 channels do not fill blocks of 16, whatever the groups.
            assertThat(graph.nodes().stream().flatMap(node -> convolution(node.op())))
                    .filteredOn(conv -> conv.groups() > 1 && conv.filters() % 16 == 0)
                    .allSatisfy(conv ->
                            assertThat(conv.filters() / conv.groups() % 16).isZero());
        }
    }

    private static Stream<Op.Convolution> convolution(Op op) {
        return op instanceof Op.Convolution conv
                ? Stream.of(conv)
                : op instanceof Op.FusedConvolution fused ? Stream.of(fused.convolution()) : Stream.empty();
    }

    private static float[] run(Network network, Graph graph, NDArray input) {
        try (NDList logits = network.run(graph, new NDList(input))) {
            return logits.singletonOrThrow().toFloatArray();
        }
    }

    private static void assertClose(float[] actual, float[] expected, Pass pass) {
        float largest = 0;
        float difference = 0;
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
        }
        assertThat(difference).as(pass.getClass().getSimpleName()).isLessThanOrEqualTo(1e-5f * largest);
    }
}
