package io.github.convzoo.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import io.github.convzoo.export.OnnxFile;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.ModelConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What ONNX Runtime makes of quantized networks. */
class QuantizedGraphTest {

    /** Which layers compute with integers does not depend on the size. */
    private static final int SIDE = 64;

    /** The kernels for floats, in NCHW and in blocks of channels. */
    private static final List<String> FLOATS = List.of("Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul");

    @TempDir
    Path folder = Path.of("");

    /** One of each kind; -Dconvzoo.networks=all for all. */
    static Stream<String> networks() {
        return System.getProperty("convzoo.networks", "").equals("all")
                ? Variant.all().keySet().stream()
                : Stream.of("dla46x_c", "dla60_res2net", "peleenet", "dpn68b", "alexnet_dy");
    }

    @ParameterizedTest
    @MethodSource("networks")
    @EnabledIfSystemProperty(
            named = "os.arch",
            matches = "amd64|x86_64",
            disabledReason = "other kernels, other fusions")
    void quantize_everyLayer_runsOnIntegersInOnnxRuntime(String name) throws Exception {
        Variant variant = Variant.of(name);
        ModelConfig config = ModelConfig.usual(variant);
        config = config.withPreprocessing(config.preprocessing(SIDE));
        Network network = variant.build(config.options());
        QuantizationReport report;
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Reference.initialize(network, manager, "o/", config.input());
            report = new Quantizer(network, config)
                    .quantize(
                            folder,
                            QuantizeOptions.onnx(),
                            Noise.batches(4, 2, config.input().slice(1)),
                            done -> {});
        }
        OnnxFile file = OnnxFile.optimized(report.written().file());
        // What weighs the results of a softmax is left: a convolution for each of two experts in three layers.
        long shares = name.equals("alexnet_dy") ? 6 : 0;
        assertThat(file.nodes().stream().filter(node -> FLOATS.contains(node.operator())))
                .hasSize((int) shares);
        assertThat(file.count("QLinearConv") + file.count("QGemm")).isEqualTo(report.layers());
        // Zeros between joined groups are not in the file.
        long weights = network.getParameters().values().stream()
                .mapToLong(parameter -> parameter.getArray().size())
                .sum();
        assertThat(report.written().bytes()).isLessThan(Math.round(weights * Float.BYTES * 0.27) + 170_000);
        assertThat(report.written().checks()).singleElement().satisfies(check -> assertThat(check.difference())
                .isLessThan(0.1));
    }
}
