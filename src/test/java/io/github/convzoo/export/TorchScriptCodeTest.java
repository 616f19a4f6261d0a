package io.github.convzoo.export;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.convzoo.graph.Constant;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Op;
import io.github.convzoo.graph.Tensor;
import io.github.convzoo.graph.Type;
import io.github.convzoo.graph.Value;
import io.github.convzoo.graph.Window;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the code of a TorchScript file says of a small graph. */
class TorchScriptCodeTest {

    private final Graph.Builder builder = new Graph.Builder();
    private final Value input = builder.input();
    private final Value x = builder.add("x", Op.Activation.RELU, List.of(input)).output();

    private static Op.Convolution convolution(String name) {
        return new Op.Convolution(new Constant.Parameter(name + ".weight"), null, 8, Window.square(3, 1, 1), 1);
    }

    private Value convolved(String name, Value of, Value added) {
        return builder.add(name, new Op.FusedConvolution(convolution(name), true, false), List.of(of, added))
                .output();
    }

    private NetworkFile file(Value... outputs) {
        return new NetworkFile(
                builder.build(List.of(outputs)),
                Type.of(Type.ANY, 8, 6, 6),
                List.of("first", "second").subList(0, outputs.length),
                name -> new Tensor(List.of(8L, 8L, 3L, 3L), new float[8 * 8 * 9]),
                Precision.FLOAT32,
                Map.of(),
                true);
    }

    private static String call(Value to, String function, Value first, Value second) {
        return "x%d = ops.mkldnn.%s(x%d, x%d, ".formatted(to.id(), function, first.id(), second.id());
    }

    @Test
    void fusedSum_overwritesTheSummandThatNothingReadsAfterwards() {
        Value y = builder.add("y", Op.Activation.TANH, List.of(x)).output();
        Value sum = convolved("c", x, y);
        assertThat(new TorchScriptCode(file(sum), TorchScriptCode.Flavor.ONE_DNN).source())
                .contains(call(sum, "_convolution_pointwise_", y, x));
    }

    @Test
    void fusedSum_ofTheConvolutionsOwnInput_orOfAValueThatIsReadLater_isInMemoryOfItsOwn() {
        Value own = convolved("own", x, x);
        assertThat(new TorchScriptCode(file(own), TorchScriptCode.Flavor.ONE_DNN).source())
                .contains(call(own, "_convolution_pointwise", x, x))
                .doesNotContain("_convolution_pointwise_(");
        Value later = convolved("later", own, x);
        Value read = builder.add("read", new Op.Add(), List.of(later, x)).output();
        assertThat(new TorchScriptCode(file(read), TorchScriptCode.Flavor.ONE_DNN).source())
                .contains(call(later, "_convolution_pointwise", own, x))
                .doesNotContain("_convolution_pointwise_(");
    }

    @Test
    void buffers_areDeclaredAsSuch_soThatAModuleCanBeMoved_butNotWithOneDnn() {
        Value y = builder.add("a.b", convolution("a.b"), List.of(x)).output();
        assertThat(new TorchScriptCode(file(y), TorchScriptCode.Flavor.PLAIN).source())
                .contains("  __buffers__ = [\"a_b_weight\", ]\n", "  a_b_weight : Tensor\n");
        assertThat(new TorchScriptCode(file(y), TorchScriptCode.Flavor.ONE_DNN).source())
                .contains("  __buffers__ = []\n", "  a_b_weight : Tensor\n", "  a_b_weight_ordered : Tensor\n");
    }

    @Test
    void kernels_forAvx512_areConvertedForOneImageAndForBatches_andTheOriginalIsNotKept() {
        Value y = builder.add("a.b", convolution("a.b"), List.of(x)).output();
        String source = new TorchScriptCode(file(y), TorchScriptCode.Flavor.ONE_DNN_BATCH).source();
        assertThat(source)
                .contains("  a_b_weight_ordered : Tensor\n  a_b_weight_batch : Tensor\n")
                .contains("return [torch.to_dense(self.a_b_weight_ordered), ]\n")
                .contains("self.a_b_weight_ordered = ops.mkldnn._reorder_convolution_weight(state[0], "
                        + "[1, 1], [1, 1], [1, 1], 1, [1, 8, 6, 6])\n")
                .contains("self.a_b_weight_batch = ops.mkldnn._reorder_convolution_weight(state[0], "
                        + "[1, 1], [1, 1], [1, 1], 1, [8, 8, 6, 6])\n")
                .contains("(self.a_b_weight_ordered if one_image else self.a_b_weight_batch)")
                .doesNotContain("  a_b_weight : Tensor\n", "self.a_b_weight =");
        assertThat(new TorchScriptCode(file(y), TorchScriptCode.Flavor.ONE_DNN).source())
                .contains("return [self.a_b_weight, ]\n")
                .contains("self.a_b_weight = state[0]\n")
                .contains("_reorder_convolution_weight(self.a_b_weight, ")
                .contains("(self.a_b_weight_ordered if one_image else self.a_b_weight)");
    }

    @ParameterizedTest
    @CsvSource({"ANY, PLAIN", "AVX2, ONE_DNN", "AVX512, ONE_DNN_BATCH"})
    void flavor_followsTheTarget(Target target, TorchScriptCode.Flavor flavor) {
        assertThat(TorchScriptCode.Flavor.of(file(x), target)).isEqualTo(flavor);
    }

    @Test
    void outputs_areInRowMajorOrder() {
        Value y = builder.add("y", convolution("y"), List.of(x)).output();
        assertThat(new TorchScriptCode(file(y, x), TorchScriptCode.Flavor.PLAIN).source())
                .contains("return (torch.contiguous(x%d), torch.contiguous(x%d))".formatted(y.id(), x.id()));
    }

    @Test
    void entries_startWhereTensorsAreMappedWithoutACopy(@TempDir Path folder) throws IOException {
        Value y = builder.add("y", convolution("y"), List.of(x)).output();
        Path archive = folder.resolve("model.pt");
        TorchScriptWriter.write(file(y), TorchScriptCode.Flavor.PLAIN, archive);
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(archive)).order(ByteOrder.LITTLE_ENDIAN);
        int entries = 0;
        int at = 0;
        // Local headers, one behind the other: the length at 18, the name's at 26, the extra field's at 28.
        while (bytes.getInt(at) == 0x04034b50) {
            int name = bytes.getShort(at + 26);
            int start = at + 30 + name + bytes.getShort(at + 28);
            assertThat(start % 64)
                    .as(new String(bytes.array(), at + 30, name, StandardCharsets.UTF_8))
                    .isZero();
            at = start + bytes.getInt(at + 18);
            entries++;
        }
        assertThat(entries).isEqualTo(5);
    }
}
