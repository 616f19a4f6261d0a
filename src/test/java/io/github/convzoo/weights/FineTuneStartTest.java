package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.CanonicalNames;
import io.github.convzoo.weights.LoadReport.Note;
import io.github.convzoo.weights.LoadReport.Rule;
import io.github.convzoo.weights.WeightLoader.Classifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A published checkpoint, of 1000 classes and 3 input channels, as where fine-tuning starts: one network of each
 * family.
 */
class FineTuneStartTest {

    private static final int CLASSES = 10;

    @TempDir(deletionStrategy = IgnoreFailures.class)
    private static Path folder = Path.of("");

    private final NDManager manager = NDManager.newBaseManager("PyTorch");

    @AfterEach
    void close() {
        manager.close();
    }

    /** A network with the weights that its names stand for, in a file made once. */
    private static Path published(String model) throws IOException {
        Path file = folder.resolve(model + ".safetensors");
        if (!Files.exists(file)) {
            Samples.write(file, Samples.state(Variant.of(model).build(), new Shape(1, 3, 32, 32)));
        }
        return file;
    }

    private static Map<String, Tensor> tensors(String model) throws IOException {
        return StateDict.of(Checkpoint.read(published(model))).tensors();
    }

    private static Network network(String model, int channels) {
        Variant variant = Variant.of(model);
        return variant.build(variant.options().withNumClasses(CLASSES).withInChannels(channels));
    }

    private NDArray values(Network network, String name) {
        return Objects.requireNonNull(CanonicalNames.parameters(network).get(name), name)
                .getArray();
    }

    private NDArray values(Map<String, Tensor> file, String name) {
        Tensor tensor = Objects.requireNonNull(file.get(name), name);
        return manager.create(Samples.floats(tensor), new Shape(tensor.shape()));
    }

    /**
     * The spread of the classifier's weights is the reference's: He's by fan-out, of a convolution of one pixel; or
     * 0.01.
     */
    @ParameterizedTest
    @CsvSource({"dla46x_c, fc, 0.4472136", "peleenet, classifier, 0.01", "dpn68, classifier, 0.4472136"})
    void load_forTenClasses_leavesTheClassifierAtItsInitialValuesAndSaysSo(String model, String layer, double spread)
            throws IOException {
        Engine.getEngine("PyTorch").setRandomSeed(11);
        Network network = network(model, 3);
        LoadReport report =
                WeightLoader.load(published(model), network, manager, new Shape(1, 3, 32, 32), Classifier.MAY_DIFFER);

        Map<String, Tensor> file = new LinkedHashMap<>(tensors(model));
        assertThat(report.lines())
                .containsExactly(
                        published(model) + ": " + (file.size() - 2) + " tensors loaded into " + model,
                        "left at its initial values: the classifier, whose number of classes differs (" + layer
                                + ".weight and 1 more)");
        NDArray weight = values(network, layer + ".weight");
        assertThat(weight.getShape().get(0)).isEqualTo(CLASSES);
        assertThat(values(network, layer + ".bias").toFloatArray())
                .hasSize(CLASSES)
                .containsOnly(0);
        // Some 2,500 draws at least: their spread is off by 1.4 % in the mean.
        assertThat(weight.pow(2).mean().sqrt().getFloat() / spread).isBetween(0.93, 1.07);
        file.remove(layer + ".weight");
        file.remove(layer + ".bias");
        assertThat(report.loaded()).containsExactlyInAnyOrderElementsOf(file.keySet());
        for (String name : file.keySet()) {
            assertThat(values(network, name).toFloatArray())
                    .as(name)
                    .isEqualTo(values(file, name).toFloatArray());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "dla46x_c, level5.root.bn.weight",
        "peleenet, features.transition4.norm.running_var",
        "dpn68, features.conv5_bn_ac.bn.bias"
    })
    void load_forTenClassesOfAFileThatLacksSomething_isRefused(String model, String missing) throws IOException {
        Map<String, Tensor> file = new LinkedHashMap<>(tensors(model));
        assertThat(file.remove(missing)).isNotNull();
        Path incomplete = Samples.write(folder.resolve(model + "_incomplete.safetensors"), file);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> WeightLoader.load(
                        incomplete, network(model, 3), manager, new Shape(1, 3, 32, 32), Classifier.MAY_DIFFER))
                .withMessageContaining("missing: " + missing + ";");
    }

    @ParameterizedTest
    @CsvSource({
        "dla46x_c, base_layer.0, fc, 1",
        "dla46x_c, base_layer.0, fc, 4",
        "peleenet, features.stemblock.stem1.conv, classifier, 1",
        "peleenet, features.stemblock.stem1.conv, classifier, 4",
        "dpn68, features.conv1_1.conv, classifier, 1",
        "dpn68, features.conv1_1.conv, classifier, 4"
    })
    void load_forOtherChannelsToo_adaptsTheFirstConvolutionAsTheEngineComputesIt(
            String model, String first, String layer, int channels) throws IOException {
        Shape input = new Shape(1, channels, 32, 32);
        Network network = network(model, channels);
        LoadReport report = WeightLoader.load(published(model), network, manager, input, Classifier.MAY_DIFFER);

        Map<String, Tensor> file = tensors(model);
        NDArray three = values(file, first + ".weight");
        NDArray expected = channels == 1
                ? three.sum(new int[] {1}, true)
                : three.concat(three, 1).get(":, :4").mul(3f / 4);
        NDArray actual = values(network, first + ".weight");
        assertThat(actual.getShape()).isEqualTo(expected.getShape());
        assertThat(actual.toFloatArray()).isEqualTo(expected.toFloatArray());
        assertThat(report.notes())
                .containsExactlyInAnyOrder(
                        new Note(Rule.INPUT_CHANNELS_ADAPTED, List.of(first + ".weight")),
                        new Note(Rule.CLASSIFIER_REPLACED, List.of(layer + ".weight", layer + ".bias")));
        assertThat(report.lines())
                .contains("adapted from 3 input channels: the first convolution (" + first + ".weight)")
                .hasSize(3);
        for (String name : report.loaded()) {
            if (!name.equals(first + ".weight")) {
                assertThat(values(network, name).toFloatArray())
                        .as(name)
                        .isEqualTo(values(file, name).toFloatArray());
            }
        }
        NDArray image = Reference.image(manager, "fine-tune", input);
        float[] logits = network.forward(new ParameterStore(manager, false), new NDList(image), false)
                .singletonOrThrow()
                .toFloatArray();
        assertThat(logits).hasSize(CLASSES).doesNotContain(Float.NaN).doesNotHaveDuplicates();
    }
}
