package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.PeleeNetVariant;
import io.github.convzoo.nn.CanonicalNames;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;

class WeightSaverTest {

    private static final Shape INPUT = new Shape(1, 3, 32, 32);

    @Test
    void save_ofANetwork_isWhatLoadingGives(@TempDir(deletionStrategy = IgnoreFailures.class) Path folder)
            throws CheckpointException {
        Path file = folder.resolve("weights.safetensors");
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            manager.getEngine().setRandomSeed(1);
            Network saved = network();
            saved.initialize(manager, DataType.FLOAT32, INPUT);
            WeightSaver.save(file, saved);
            assertThat(Checkpoint.read(file).metadata()).isEqualTo(Map.of("format", "pt"));

            Network loaded = network();
            LoadReport report = WeightLoader.load(file, loaded, manager, INPUT, WeightLoader.Classifier.MUST_MATCH);
            assertThat(report.notes()).isEmpty();
            Map<String, Parameter> parameters = CanonicalNames.parameters(loaded);
            assertThat(report.loaded()).containsExactlyElementsOf(parameters.keySet());
            CanonicalNames.parameters(saved)
                    .forEach((name, parameter) -> assertThat(Objects.requireNonNull(parameters.get(name))
                                    .getArray()
                                    .toFloatArray())
                            .as(name)
                            .isEqualTo(parameter.getArray().toFloatArray()));
        }
    }

    @Test
    void save_ofWhatCannotBe_saysWhy(@TempDir(deletionStrategy = IgnoreFailures.class) Path folder) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> WeightSaver.save(folder.resolve("x"), network()))
                .withMessageContaining("initialize");
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Network network = network();
            network.initialize(manager, DataType.FLOAT32, INPUT);
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> WeightSaver.save(folder.resolve("no/such/x"), network))
                    .withMessageContaining("does not exist; create it first");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> WeightSaver.write(
                            folder.resolve("x"), Map.of("a", manager.create(new int[] {1})), Map.of()))
                    .withMessageContaining("int32");
        }
    }

    private static Network network() {
        return PeleeNetVariant.PELEENET.build(PeleeNetVariant.PELEENET.options().withNumClasses(10));
    }
}
