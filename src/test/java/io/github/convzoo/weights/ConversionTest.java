package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.types.Shape;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Safetensors;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.network.AlexNetVariant;
import io.github.convzoo.network.DlaVariant;
import io.github.convzoo.network.PeleeNetVariant;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.LoadReport.Rule;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConversionTest {

    private static final Variant DLA = DlaVariant.DLA46X_C;

    private final Path folder;

    ConversionTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void toSafetensors_ofDjlParameters_keepsTheClassifier() throws IOException {
        Path djl = folder.resolve("peleenet-0000.params");
        Path back = folder.resolve("back.safetensors");

        Conversion.toDjl(Checkpoint.read(Samples.PELEENET), ReadOptions.DEFAULT, djl, PeleeNetVariant.PELEENET);
        convert(djl, back, PeleeNetVariant.PELEENET, false);

        assertThat(back).hasSameBinaryContentAs(canonical());
    }

    @Test
    void toHalfSafetensors_halvesWhatIsNoVector() throws IOException {
        Path out = folder.resolve("half.safetensors");
        convert(Samples.PELEENET, out, PeleeNetVariant.PELEENET, true);

        Map<String, Tensor> exact = tensors(Samples.PELEENET);
        Map<String, Tensor> halves = tensors(out);
        assertThat(halves.keySet()).isEqualTo(exact.keySet());
        halves.forEach((name, half) -> {
            Tensor whole = Objects.requireNonNull(exact.get(name));
            assertThat(half.shape()).isEqualTo(whole.shape());
            if (whole.shape().length == 1) {
                assertThat(half.type()).isEqualTo(ElementType.F32);
                assertThat(floats(half)).as(name).isEqualTo(floats(whole));
            } else {
                assertThat(half.type()).isEqualTo(ElementType.F16);
                float[] actual = floats(half);
                float[] expected = floats(whole);
                for (int i = 0; i < expected.length; i++) {
                    // Eleven bits, rounded to the nearest; below 2^-14 steps of 2^-24.
                    double off = Math.max(Math.abs(expected[i]) * 0x1p-11, 0x1p-25);
                    assertThat((double) actual[i]).as(name).isCloseTo(expected[i], within(off));
                }
            }
        });
        // Those who read it so write the same again.
        Path again = folder.resolve("again.safetensors");
        convert(out, again, PeleeNetVariant.PELEENET, true);
        assertThat(again).hasSameBinaryContentAs(out);
    }

    @Test
    void toHalfSafetensors_ofANumberThatIsTooLarge_isRefused() throws IOException {
        Map<String, Tensor> tensors = new LinkedHashMap<>(tensors(Samples.PELEENET));
        float[] weights = floats(Objects.requireNonNull(tensors.get("classifier.weight")));
        weights[5] = 70000;
        tensors.put("classifier.weight", Samples.tensor("classifier.weight", weights, 10, weights.length / 10));
        Path in = Samples.write(folder.resolve("in.safetensors"), tensors);
        Path out = folder.resolve("out.safetensors");

        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> convert(in, out, PeleeNetVariant.PELEENET, true))
                .withMessageContainingAll("classifier.weight", "beyond 65504");
        assertThat(out).doesNotExist();
    }

    private static float[] floats(Tensor tensor) {
        FloatBuffer floats = FloatBuffer.allocate((int) new Shape(tensor.shape()).size());
        tensor.toFloats(floats);
        return floats.array();
    }

    @Test
    void toSafetensors_ofPrefixedNamesAndCounters_writesTheCanonicalFile() throws IOException {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (Tensor tensor : tensors(Samples.PELEENET).values()) {
            String name = "module." + tensor.name();
            tensors.put(name, tensor.withName(name));
            if (name.endsWith("running_var")) {
                String counter = name.replace("running_var", "num_batches_tracked");
                tensors.put(counter, Samples.counter(counter));
            }
        }
        Path in = Samples.write(folder.resolve("in.safetensors"), tensors);
        Path out = folder.resolve("out.safetensors");
        LoadReport report = convert(in, out, PeleeNetVariant.PELEENET, false);

        assertThat(out).hasSameBinaryContentAs(canonical());
        assertThat(report.notes()).singleElement().satisfies(note -> assertThat(note.rule())
                .isEqualTo(Rule.BATCH_COUNTER));
    }

    @Test
    void toSafetensors_ofItsOwnOutput_givesItAgain() throws IOException {
        Path out = folder.resolve("out.safetensors");
        convert(Samples.PELEENET, out, PeleeNetVariant.PELEENET, false);
        convert(out, out, PeleeNetVariant.PELEENET, false);

        assertThat(out).hasSameBinaryContentAs(canonical());
    }

    @Test
    void toSafetensors_ofTheDlaAuthorsFile_keepsItsElementsAndLeavesUnusedOnesOut() throws IOException {
        Path out = folder.resolve("out.safetensors");
        LoadReport report = convert(Samples.DLA_AUTHORS, out, DLA, false);

        Map<String, Tensor> before = tensors(Samples.DLA_AUTHORS);
        Map<String, Tensor> after = tensors(out);
        assertThat(after.keySet()).containsExactlyInAnyOrderElementsOf(report.loaded());
        assertThat(before).containsKey("level4.project.0.weight");
        assertThat(after).doesNotContainKey("level4.project.0.weight");
        after.forEach((name, tensor) -> {
            assertThat(tensor.type()).isEqualTo(ElementType.F16);
            assertThat(tensor.bytes()).as(name).isEqualTo(get(before, name).bytes());
        });
    }

    @Test
    void toSafetensors_ofOtherClassesAndChannels_keepsThem() throws IOException {
        Map<String, Tensor> state =
                Samples.state(DLA.build(DLA.options().withNumClasses(7).withInChannels(1)), new Shape(1, 1, 32, 32));
        assertConvertsUnchanged(state);
    }

    @Test
    void toSafetensors_withoutClassifier_writesFeatures() throws IOException {
        assertConvertsUnchanged(Samples.state(DLA.build(DLA.options().withNumClasses(0)), new Shape(1, 3, 32, 32)));
    }

    @Test
    void toSafetensors_ofDjlParametersWithoutClassifier_writesFeatures() throws IOException {
        Map<String, Tensor> state =
                Samples.state(DLA.build(DLA.options().withNumClasses(0).withInChannels(1)), new Shape(1, 1, 32, 32));
        Path in = Samples.write(folder.resolve("in.safetensors"), state);
        Path djl = folder.resolve("features.params");
        Conversion.toDjl(Checkpoint.read(in), ReadOptions.DEFAULT, djl, DLA);
        assertConvertsUnchanged(djl, state, DLA);
    }

    @ParameterizedTest
    @ValueSource(ints = {57, 128, 160})
    void conversion_ofAlexNetsWeightsForAnotherSize_keepsThem(int side) throws IOException {
        Variant variant = AlexNetVariant.ALEXNET;
        Map<String, Tensor> state = Samples.state(variant.build(), new Shape(1, 3, side, side));
        Path in = Samples.write(folder.resolve("in.safetensors"), state);
        assertConvertsUnchanged(in, state, variant);
        Path djl = folder.resolve("alexnet.params");
        Conversion.toDjl(Checkpoint.read(in), ReadOptions.DEFAULT, djl, variant);
        assertConvertsUnchanged(djl, state, variant);
    }

    @Test
    void toSafetensors_ofAlexNetsWeightsThatFitNoSquare_isRefused() throws IOException {
        Variant variant = AlexNetVariant.ALEXNET;
        Path in = Samples.write(
                folder.resolve("in.safetensors"), Samples.state(variant.build(), new Shape(1, 3, 64, 128)));
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> convert(in, folder.resolve("out.safetensors"), variant, false))
                .withMessageContaining(
                        "tensor classifier.0.weight: has shape (2048, 384), but alexnet has (2048, 1152)");
    }

    private void assertConvertsUnchanged(Map<String, Tensor> state) throws IOException {
        assertConvertsUnchanged(Samples.write(folder.resolve("in.safetensors"), state), state, DLA);
    }

    private void assertConvertsUnchanged(Path in, Map<String, Tensor> state, Variant variant) throws IOException {
        Path out = folder.resolve("out.safetensors");
        LoadReport report = convert(in, out, variant, false);

        assertThat(report.notes()).isEmpty();
        Map<String, Tensor> after = tensors(out);
        assertThat(after.keySet()).isEqualTo(state.keySet());
        after.forEach((name, tensor) -> {
            assertThat(tensor.shape()).isEqualTo(get(state, name).shape());
            assertThat(tensor.bytes()).as(name).isEqualTo(get(state, name).bytes());
        });
    }

    @Test
    void toSafetensors_ofHalfAClassifier_isRefused() throws IOException {
        Map<String, Tensor> state = Samples.state(DLA.build(DLA.options().withNumClasses(7)), new Shape(1, 3, 32, 32));
        state.remove("fc.bias");
        assertFails(Samples.write(folder.resolve("in.safetensors"), state), "missing: fc.bias");
        state.put("fc.bias", Samples.zeros("fc.bias", ElementType.F32));
        assertFails(
                Samples.write(folder.resolve("in.safetensors"), state), "tensor fc.weight: has shape (7, 256, 1, 1)");
    }

    @Test
    void toSafetensors_thatFails_leavesTheOutputAsItWas() throws IOException {
        Path out = folder.resolve("out.safetensors");
        Files.writeString(out, "mine");
        assertFails(Samples.PELEENET, "does not fit dla46x_c");

        assertThat(out).hasContent("mine");
        Files.delete(out);
        assertFails(Samples.PELEENET, "does not fit dla46x_c");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).isEmpty();
        }
    }

    @Test
    void toSafetensors_intoNoFolder_namesTheFile() {
        Path out = folder.resolve("none").resolve("out.safetensors");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> convert(Samples.PELEENET, out, PeleeNetVariant.PELEENET, false))
                .withMessageStartingWith(out + ": ");
    }

    /** The sample with the configuration that a conversion adds, and nothing else changed. */
    private Path canonical() throws IOException {
        Path file = folder.resolve("canonical.safetensors");
        Checkpoint checkpoint = Checkpoint.read(Samples.PELEENET);
        Variant variant = PeleeNetVariant.PELEENET;
        ModelConfig config =
                ModelConfig.usual(variant).withOptions(variant.options().withNumClasses(10));
        List<Tensor> tensors = List.copyOf(StateDict.of(checkpoint).tensors().values());
        Safetensors.write(file, tensors, Map.of("format", "pt", "config.json", config.toJson()));
        return file;
    }

    private static LoadReport convert(Path in, Path out, Variant variant, boolean half) throws CheckpointException {
        return Conversion.toSafetensors(
                Checkpoint.read(in), ReadOptions.DEFAULT, out, ModelConfig.usual(variant), Optional.empty(), half);
    }

    private void assertFails(Path in, String message) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> convert(in, folder.resolve("out.safetensors"), DLA, false))
                .withMessageStartingWith(in + ": ")
                .withMessageContaining(message);
    }

    private static Map<String, Tensor> tensors(Path file) throws CheckpointException {
        Map<String, Tensor> tensors = StateDict.of(Checkpoint.read(file)).tensors();
        assertThat(List.copyOf(tensors.values())).isNotEmpty();
        return tensors;
    }

    private static Tensor get(Map<String, Tensor> tensors, String name) {
        return Objects.requireNonNull(tensors.get(name), name);
    }
}
