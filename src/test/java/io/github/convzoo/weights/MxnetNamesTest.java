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
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MxnetNamesTest {

    private final Path directory;

    MxnetNamesTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    private static final Map<String, String> STATISTICS =
            Map.of("weight", "gamma", "bias", "beta", "running_mean", "moving_mean", "running_var", "moving_var");

    /** What the DPN authors call a canonical name. */
    private static String authors(String canonical, String classifier, boolean parted) {
        String leaf = canonical.substring(canonical.lastIndexOf('.') + 1);
        String statistic = STATISTICS.get(leaf);
        if (canonical.startsWith("classifier.")) {
            return "arg:" + classifier + "_" + leaf;
        }
        String kind = leaf.startsWith("running") ? "aux:" : "arg:";
        if (canonical.equals("features.conv1_1.conv.weight")) {
            return "arg:conv1_x_1__conv_weight";
        }
        if (canonical.startsWith("features.conv1_1.bn.")) {
            return kind + "conv1_x_1__relu-sp__bn_" + statistic;
        }
        if (canonical.startsWith("features.conv5_bn_ac.bn.")) {
            return kind + "conv5_x_x__relu-sp__bn_" + statistic;
        }
        String[] parts = canonical.split("\\.", -1);
        String block = parts[1].replace("_", "_x__") + "_";
        String layer =
                switch (parts[2]) {
                    case "c1x1_w_s1" -> "c1x1-w(s/1)";
                    case "c1x1_w_s2" -> "c1x1-w(s/2)";
                    default -> parts[2].replace('_', '-');
                };
        if (parts[3].equals("bn")) {
            // The b models' last convolution has a normalisation of its own beside its two parts.
            String infix = layer.equals("c1x1-c") && parted ? "__bn_" : "__bn__bn_";
            return kind + block + layer + infix + statistic;
        }
        return "arg:" + block + layer + "__conv_weight";
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
                .map(name -> authors(name, classifier, parted))
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
                .withMessageContaining("stands twice");
    }
}
