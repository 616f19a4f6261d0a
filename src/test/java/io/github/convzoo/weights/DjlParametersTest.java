package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.Format;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.CanonicalNames;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;

class DjlParametersTest {
    private static final String NAME = "dla46x_c";
    private static final Shape INPUT = new Shape(1, 3, 224, 224);

    private final Path directory;
    private final NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");

    DjlParametersTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    @AfterEach
    void close() {
        manager.close();
    }

    private static Network network(int classes) {
        Variant variant = Variant.of(NAME);
        return variant.build(variant.options().withNumClasses(classes));
    }

    private Network initialized() {
        Network network = network(5);
        network.initialize(manager, DataType.FLOAT32, INPUT);
        return network;
    }

    private static void assertSame(Network actual, Network expected) {
        var parameters = CanonicalNames.parameters(actual);
        CanonicalNames.parameters(expected).forEach((name, parameter) -> assertThat(
                        Objects.requireNonNull(parameters.get(name)).getArray().toFloatArray())
                .as(name)
                .isEqualTo(parameter.getArray().toFloatArray()));
    }

    private Network loaded(Path file) throws CheckpointException {
        Network network = network(5);
        LoadReport report = WeightLoader.load(file, network, manager, INPUT, WeightLoader.Classifier.MUST_MATCH);
        assertThat(report.loaded()).hasSize(CanonicalNames.parameters(network).size());
        return network;
    }

    @Test
    void file_ofModelSave_isLoaded() throws IOException {
        Network saved = initialized();
        try (Model model = Model.newInstance(NAME, Device.cpu(), "PyTorch")) {
            model.setBlock(saved);
            model.save(directory, NAME);
            Path file = directory.resolve(NAME + "-0000.params");
            Checkpoint checkpoint = Checkpoint.read(file);
            assertThat(checkpoint.format()).isEqualTo(Format.DJL);
            assertThat(StateDict.of(checkpoint).classes(Variant.of(NAME))).hasValue(5);
            assertSame(loaded(file), saved);
        }
    }

    @Test
    void file_ofSaveParametersAlone_isLoaded() throws IOException {
        Network saved = initialized();
        Path file = directory.resolve("parameters");
        try (DataOutputStream out = new DataOutputStream(Files.newOutputStream(file))) {
            saved.saveParameters(out);
        }
        assertSame(loaded(file), saved);
    }

    @Test
    void file_thatIsWritten_isLoadedHereAndByDjl() throws Exception {
        Network written = initialized();
        Path file = directory.resolve(NAME + "-0000.params");
        DjlParameters.write(file, written);
        assertThat(directory.toFile().list()).containsExactly(NAME + "-0000.params");
        assertSame(loaded(file), written);
        Network byDjl = network(5);
        try (Model model = Model.newInstance(NAME, Device.cpu(), "PyTorch")) {
            model.setBlock(byDjl);
            model.load(directory, NAME);
            assertSame(byDjl, written);
        }
    }

    @Test
    void features_areLoadedFromAFileWithAClassifier() throws IOException {
        Path file = directory.resolve("file.params");
        DjlParameters.write(file, initialized());
        Network features = network(0);
        LoadReport report = WeightLoader.load(file, features, manager, INPUT, WeightLoader.Classifier.MUST_MATCH);
        assertThat(report.notes())
                .extracting(LoadReport.Note::rule)
                .containsExactly(LoadReport.Rule.CLASSIFIER_LEFT_OUT);
    }

    @Test
    void file_ofAnotherNetwork_isRefused() throws IOException {
        Path file = directory.resolve("file.params");
        DjlParameters.write(file, initialized());
        Network other = Variant.of("peleenet").build();
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> WeightLoader.load(file, other, manager, INPUT, WeightLoader.Classifier.MUST_MATCH))
                .withMessageContaining("does not fit peleenet");
    }

    @Test
    void network_withoutParameters_isNotWritten() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DjlParameters.write(directory.resolve("file"), network(5)))
                .withMessageContaining("no parameters yet");
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void directory_insteadOfAFile_isRefused() {
        Network network = initialized();
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> DjlParameters.write(directory, network))
                .withMessageContaining("a directory");
    }
}
