package io.github.convzoo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.export.ExportOptions;
import io.github.convzoo.export.Precision;
import io.github.convzoo.export.Target;
import io.github.convzoo.network.Network;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.zoo.CompileRequest;
import io.github.convzoo.zoo.CompiledPrecision;
import io.github.convzoo.zoo.CompiledRuntime;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which runtime, precision, and device go together. */
class CompileRequestTest {

    private static final String MODEL = "peleenet.fmnist";

    private static Device device(String name) {
        return name.equals("cpu") ? Device.cpu() : Device.gpu(1);
    }

    @ParameterizedTest
    @CsvSource({
        "FASTEST, FLOAT32, cpu, true, ONNX, FLOAT32",
        "FASTEST, FLOAT32, cpu, false, TORCHSCRIPT, FLOAT32",
        "ONNX, FLOAT32, cpu, true, ONNX, FLOAT32",
        "TORCHSCRIPT, FLOAT32, cpu, true, TORCHSCRIPT, FLOAT32",
        "FASTEST, FLOAT32, gpu, true, TORCHSCRIPT, FLOAT32",
        "FASTEST, FLOAT16, gpu, true, TORCHSCRIPT, FLOAT16",
        "TORCHSCRIPT, BFLOAT16, gpu, false, TORCHSCRIPT, BFLOAT16"
    })
    void request_thatIsServed_isExportedSo(
            CompiledRuntime runtime,
            CompiledPrecision precision,
            String device,
            boolean onnxRuntime,
            ExportOptions.Format format,
            Precision exported) {
        assertThat(CachingCompiler.options(new CompileRequest(runtime, precision, device(device)), onnxRuntime))
                .isEqualTo(new ExportOptions(
                        format, exported, false, false, false, device.equals("cpu") ? Target.here() : Target.ANY));
    }

    @ParameterizedTest
    @CsvSource({
        "FASTEST, FLOAT16, cpu, true, fp16 is slower than fp32 on a CPU",
        "TORCHSCRIPT, BFLOAT16, cpu, true, bf16 is slower than fp32 on a CPU",
        "ONNX, FLOAT32, gpu, true, 'ONNX Runtime runs on the CPU only, but the device is gpu(1); choose torchscript'",
        "ONNX, FLOAT32, cpu, false, 'ONNX Runtime is not on the class path; add"
                + " com.microsoft.onnxruntime:onnxruntime:1.24.1, or choose torchscript'"
    })
    void request_thatNothingServes_isRefused(
            CompiledRuntime runtime, CompiledPrecision precision, String device, boolean onnxRuntime, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        CachingCompiler.options(new CompileRequest(runtime, precision, device(device)), onnxRuntime))
                .withMessageContaining(message);
    }

    @Test
    void request_forAnUnknownKindOfDevice_isRefused() {
        CompileRequest request =
                new CompileRequest(CompiledRuntime.FASTEST, CompiledPrecision.FLOAT32, Device.of("mps", 0));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CachingCompiler.options(request, true))
                .withMessageContaining("compiled models run on the CPU or a CUDA device");
    }

    @Test
    void key_ofAnotherPrecision_isAnotherOne() throws Exception {
        LoadOptions options = LoadOptions.published();
        try (ZooModel<NDList, NDList> model = ConvZoo.loadLogits(MODEL, options)) {
            Network network = (Network) model.getBlock();
            ModelConfig config = ConvZoo.configuration(MODEL, options);
            List<String> keys = List.of(
                    CachingCompiler.key(network, config, ExportOptions.torchScript()),
                    CachingCompiler.key(
                            network, config, ExportOptions.torchScript().withPrecision(Precision.FLOAT16)),
                    CachingCompiler.key(
                            network, config, ExportOptions.torchScript().withPrecision(Precision.BFLOAT16)),
                    CachingCompiler.key(network, config, ExportOptions.onnx()));
            assertThat(keys).doesNotHaveDuplicates();
            assertThat(CachingCompiler.key(network, config, ExportOptions.torchScript()))
                    .isEqualTo(keys.get(0));
        }
    }

    @Test
    void precision_withoutCompiled_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        ConvZoo.loadLogits(MODEL, LoadOptions.published().withPrecision(CompiledPrecision.FLOAT16)))
                .withMessageContaining("fp16 needs a compiled model");
    }

    @Test
    void precision_byName_isFound_orRefused() {
        assertThat(CompiledPrecision.of("BF16")).isEqualTo(CompiledPrecision.BFLOAT16);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CompiledPrecision.of("int8"))
                .withMessage("precision must be one of [fp32, fp16, bf16], not int8");
    }
}
