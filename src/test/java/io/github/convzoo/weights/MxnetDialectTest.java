package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.MxnetAssembler;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.CanonicalNames;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MxnetDialectTest {

    private final Path directory;

    MxnetDialectTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    private Path file(List<String> names, long... shape) throws IOException {
        MxnetAssembler mxnet = new MxnetAssembler();
        int elements = 1;
        for (long dimension : shape) {
            elements *= (int) dimension;
        }
        for (String name : names) {
            mxnet.floats(name, shape, ByteBuffer.allocate(4 * elements));
        }
        return Files.write(Files.createTempFile(directory, "names", ".params"), mxnet.bytes());
    }

    @ParameterizedTest
    @CsvSource({"dpn68, fc6", "dpn68b, fc6-1k", "dpn92, fc6", "dpn107, fc6"})
    void names_ofTheAuthors_areThoseOfTheNetwork(String model, String classifier) throws IOException {
        List<String> canonical = new ArrayList<>(
                CanonicalNames.parameters(Variant.of(model).build()).keySet());
        boolean parted = canonical.stream().anyMatch(name -> name.contains(".c1x1_c1."));
        List<String> authors = canonical.stream()
                .map(name -> DpnAuthors.name(name, classifier, parted))
                .toList();
        assertThat(authors).doesNotHaveDuplicates();
        StateDict stateDict = StateDict.of(Checkpoint.read(file(authors, 2)));
        assertThat(stateDict.tensors().keySet()).containsExactlyElementsOf(canonical);
        stateDict.tensors().forEach((name, tensor) -> assertThat(tensor.name()).isEqualTo(name));
    }

    @Test
    void classifier_thatIsLinear_becomesAConvolution() throws IOException {
        StateDict stateDict = StateDict.of(Checkpoint.read(file(List.of("arg:fc6_weight"), 3, 2)));
        Tensor weight = Objects.requireNonNull(stateDict.tensors().get("classifier.weight"));
        assertThat(weight.shape()).containsExactly(3, 2, 1, 1);
    }

    @Test
    void names_thatNoRuleKnows_onlyLoseTheirPrefix() throws IOException {
        StateDict stateDict =
                StateDict.of(Checkpoint.read(file(List.of("arg:level0.0.weight", "aux:bn_moving_mean", "plain"), 2)));
        assertThat(stateDict.tensors().keySet()).containsExactly("level0.0.weight", "bn_moving_mean", "plain");
    }

    @Test
    void names_thatBecomeTheSame_areRefused() throws IOException {
        Path file = file(List.of("arg:w", "aux:w"), 2);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> StateDict.of(Checkpoint.read(file)))
                .withMessageContaining("occurs twice");
    }
}
