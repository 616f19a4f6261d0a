package io.github.convzoo.export;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.ModelConfig;
import java.nio.file.Path;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What ONNX Runtime makes of an export, read back from the graph that it writes. */
class OptimizedGraphTest {

    /** Which convolutions are fused does not depend on the size. */
    private static final int SIDE = 64;

    @TempDir
    Path folder = Path.of("");

    private OnnxFile optimized(String name) throws Exception {
        Variant variant = Variant.of(name);
        ModelConfig config = ModelConfig.usual(variant);
        config = config.withPreprocessing(config.preprocessing(SIDE));
        Network network = variant.build(config.options());
        Path file;
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Reference.initialize(network, manager, "o/", config.input());
            file = new Exporter(network, config)
                    .export(folder, ExportOptions.onnx())
                    .file();
        }
        return OnnxFile.optimized(file);
    }

    /**
     * What is left for a reason: the additions of Res2Net, before a convolution and of a piece that is read twice; the
     * concatenations of DPN whose parts are not a multiple of 16 channels, which leave the blocked layout; the
     * normalizations behind a sum of experts; and the ReLU behind a concatenation.
     */
    @ParameterizedTest
    @CsvSource({
        "dla34, 0, 0, 0, 33, 12",
        "dla46x_c, 0, 0, 0, 45, 12",
        "dla60_res2net, 0, 24, 0, 139, 16",
        "peleenet, 0, 0, 0, 113, 0",
        "dpn68b, 6, 3, 6, 66, 19",
        "dpn92_post, 4, 0, 0, 117, 30",
        "alexnet_dy, 3, 3, 3, 7, 0"
    })
    @EnabledIfSystemProperty(
            named = "os.arch",
            matches = "amd64|x86_64",
            disabledReason = "other kernels, other fusions")
    void export_inOnnxRuntime_fusesReluAndAdditionsIntoConvolutions(
            String name, long relus, long additions, long normalizations, int withRelu, int withAddition)
            throws Exception {
        OnnxFile file = optimized(name);
        assertThat(file.nodes()).extracting(OnnxFile.Node::operator).doesNotContain("Split", "Slice");
        assertThat(file.count("Relu")).isLessThanOrEqualTo(relus);
        assertThat(file.count("Add")).isLessThanOrEqualTo(additions);
        assertThat(file.count("BatchNormalization")).isLessThanOrEqualTo(normalizations);
        assertThat(file.nodes().stream().filter(node -> node.texts().contains("Relu")))
                .hasSizeGreaterThanOrEqualTo(withRelu);
        // The fourth input of a convolution is what it adds.
        assertThat(file.nodes().stream()
                        .filter(node -> node.operator().endsWith("Conv")
                                && node.inputs().size() == 4))
                .hasSizeGreaterThanOrEqualTo(withAddition);
    }
}
