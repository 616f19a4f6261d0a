package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.CheckpointTrees;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Format;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.checkpoint.Value;
import io.github.convzoo.weights.Inspection.Entry;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectionTest {

    private static final Tensor TENSOR = Samples.tensor("a", new float[] {1, 2}, 2);

    private static Value.Mapping mapping(Map<String, Value> entries) {
        return new Value.Mapping(entries, List.of());
    }

    @Test
    void of_trainingCheckpoint_tellsWeightsFromTheRest() throws CheckpointException {
        Inspection inspection = Inspection.of(Samples.resource("checkpoint/training.pth.tar"));

        StateDict weights = Objects.requireNonNull(inspection.weights());
        assertThat(weights.path()).isEqualTo("state_dict");
        assertThat(weights.tensors()).hasSize(8);
        assertThat(weights.parameters()).isEqualTo(4 * 3 * 3 * 3 + 4 + 4 + 2 * 4 + 2);
        assertThat(inspection.prefixes()).containsExactly("module.");
        assertThat(inspection.problem()).isNull();
        assertThat(inspection.tensors())
                .extracting(Tensor::name)
                .hasSize(24)
                .startsWith("state_dict.module.conv.weight")
                .contains("optimizer.state.0.exp_avg", "loss");
        assertThat(inspection.entries())
                .contains(
                        new Entry("epoch", "whole", "12"),
                        new Entry("arch", "text", "net"),
                        new Entry("optimizer", "mapping", "2 entries"),
                        new Entry("args", "placeholder", "argparse.Namespace"),
                        new Entry("groups", "mapping", "1 entry"),
                        new Entry("raw", "bytes", "2 bytes"),
                        new Entry("nothing", "none", ""))
                .extracting(Entry::name)
                .doesNotContain("state_dict", "loss");
        assertThat(inspection.fits()).isEmpty();
        assertThat(inspection.nearest()).isNull();
    }

    @Test
    void of_publishedWeights_findsTheirNetwork() throws CheckpointException {
        Inspection inspection = Inspection.of(Samples.DLA_AUTHORS);

        assertThat(inspection.fits())
                .extracting(match -> match.variant().modelName())
                .containsExactly("dla46x_c");
        assertThat(inspection.fits().get(0).ignored()).contains("level4.project.0.weight");
        assertThat(inspection.nearest()).isNull();
        assertThat(inspection.prefixes()).isEmpty();
    }

    @Test
    void of_weightsWithoutTheirClassifiersBias_findsTheNearestNetwork() {
        Map<String, Value> entries = new LinkedHashMap<>();
        weights(Samples.PELEENET).forEach((name, tensor) -> entries.put("module." + name, tensor));
        entries.remove("module.classifier.bias");
        Inspection inspection = Inspection.of(CheckpointTrees.of(mapping(Map.of("model", mapping(entries)))));

        assertThat(inspection.fits()).isEmpty();
        WeightMatch nearest = Objects.requireNonNull(inspection.nearest());
        assertThat(nearest.variant().modelName()).isEqualTo("peleenet");
        assertThat(nearest.missing()).contains("classifier.bias");
    }

    private static Map<String, Tensor> weights(Path file) {
        try {
            return Objects.requireNonNull(Inspection.of(file).weights()).tensors();
        } catch (CheckpointException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void readable_tensorsThatHaveTheFilesBytesTooOften_areLeftOut() throws CheckpointException {
        Path file = Samples.resource("cases/hostile/expanded.pth");
        Inspection inspection = Inspection.of(file);
        assertThat(inspection.tensors()).hasSize(201);
        assertThat(inspection.readable(inspection.tensors())).isEqualTo(1);

        long most = (16 << 20) + 16 * file.toFile().length();
        assertThat(inspection.checkpoint().bytes()).isEqualTo(file.toFile().length());
        int rest = (int) (most - (16 << 20));
        List<Tensor> allowed = List.of(bytes(16 << 20), bytes(rest));
        assertThat(inspection.readable(allowed)).isEqualTo(2);
        assertThat(inspection.readable(List.of(bytes(16 << 20), bytes(rest), bytes(1))))
                .isEqualTo(2);
        assertThat(inspection.readable(List.of(bytes(16 << 20), bytes(rest + 1), bytes(0))))
                .isEqualTo(1);
    }

    private static Tensor bytes(int length) {
        return Tensor.of("a", ElementType.U8, new long[] {length}, ByteBuffer.allocate(length));
    }

    @Test
    void of_fileWithoutNames_listsItsTensorsAndSaysWhyItHasNoWeights() throws CheckpointException {
        Inspection inspection = Inspection.of(Samples.resource("checkpoint/mxnet_list.params"));

        assertThat(inspection.checkpoint().format()).isEqualTo(Format.MXNET);
        assertThat(inspection.tensors()).extracting(Tensor::name).containsExactly("0", "1");
        assertThat(inspection.weights()).isNull();
        assertThat(inspection.problem()).startsWith("the file has no named tensors");
        assertThat(inspection.matches()).isEmpty();
        assertThat(inspection.nearest()).isNull();
    }

    @Test
    void of_valuesOfEveryKind_putsThemBriefly() {
        Map<String, Value> entries = new LinkedHashMap<>();
        entries.put("text", new Value.Text("x".repeat(61)));
        entries.put("whole", new Value.Whole(BigInteger.TEN.pow(100)));
        entries.put("real", new Value.Real(Double.NaN));
        entries.put("bool", new Value.Bool(true));
        entries.put("bytes", new Value.Bytes(ByteBuffer.allocate(1)));
        entries.put("sequence", new Value.Sequence(List.of(TENSOR)));
        entries.put("mapping", new Value.Mapping(Map.of("a", TENSOR), List.of(TENSOR)));
        Inspection inspection = Inspection.of(CheckpointTrees.of(mapping(entries)));

        assertThat(inspection.entries())
                .containsExactly(
                        new Entry("text", "text", "x".repeat(60) + "..."),
                        new Entry("whole", "whole", "1" + "0".repeat(59) + "..."),
                        new Entry("real", "real", "NaN"),
                        new Entry("bool", "bool", "true"),
                        new Entry("bytes", "bytes", "1 byte"),
                        new Entry("sequence", "sequence", "1 item"),
                        new Entry("mapping", "mapping", "2 entries"));
        assertThat(inspection.tensors())
                .extracting(Tensor::name)
                .containsExactly("sequence.0", "mapping.a", "mapping.(unnamed 0)");
    }

    @Test
    void of_oneTensorAlone_listsItWithoutAName() {
        Inspection inspection = Inspection.of(CheckpointTrees.of(TENSOR));

        assertThat(inspection.tensors()).extracting(Tensor::name).containsExactly("");
        assertThat(inspection.entries()).isEmpty();
        assertThat(inspection.weights()).isNull();
    }

    @Test
    void of_severalPrefixes_namesEach() {
        Inspection inspection = Inspection.of(CheckpointTrees.of(
                mapping(Map.of("state_dict", mapping(Map.of("module._orig_mod.a", TENSOR, "module.b", TENSOR))))));

        assertThat(inspection.prefixes()).containsExactlyInAnyOrder("module._orig_mod.", "module.");
    }

    @Test
    void of_whatIsNoCheckpoint_isRefused(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("notes.txt"), "no checkpoint at all");

        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Inspection.of(file));
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Inspection.of(folder.resolve("none")));
    }
}
