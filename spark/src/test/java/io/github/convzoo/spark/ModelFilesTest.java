package io.github.convzoo.spark;

import static io.github.convzoo.spark.TestImages.MODEL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.Safetensors;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.checkpoint.Value;
import io.github.convzoo.weights.Manifest;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The files that make a model on another machine. */
class ModelFilesTest {

    private final Path folder;
    private final Path scratch;

    ModelFilesTest(@TempDir Path folder, @TempDir Path scratch) {
        this.folder = folder;
        this.scratch = scratch;
    }

    /** The weights of the bundled model. */
    private static Checkpoint weights() throws IOException {
        return ConvZoo.open(MODEL, LoadOptions.published()).checkpoint(LoadOptions.published());
    }

    private static List<Tensor> tensors(Checkpoint checkpoint) {
        List<Tensor> tensors = new ArrayList<>();
        for (Value value : ((Value.Mapping) checkpoint.root()).entries().values()) {
            tensors.add((Tensor) value);
        }
        return tensors;
    }

    private Path folderWith(String weights) throws IOException {
        ModelFolder.writeConfig(folder, ConvZoo.configuration(MODEL, LoadOptions.published()));
        Safetensors.write(folder.resolve(weights), tensors(weights()), Map.of());
        return folder;
    }

    private ModelFiles files(String model) throws IOException {
        return ModelFiles.of(model, scratch).orElseThrow();
    }

    @Test
    void of_bundledWeights_isEmpty() throws IOException {
        assertThat(ModelFiles.of(MODEL, scratch)).isEmpty();
    }

    @Test
    void of_aFolder_isItsWeightsAndConfiguration_andNothingElse() throws IOException {
        folderWith(ModelFolder.WEIGHTS);
        Files.writeString(folder.resolve("metrics.csv"), "epoch\n");
        Files.createDirectories(folder.resolve("last"));

        ModelFiles files = files(folder.toString());

        assertThat(files.main()).isNull();
        assertThat(files.files()).containsOnlyKeys(ModelFolder.CONFIG, ModelFolder.WEIGHTS);
        assertThat(files.files().get(ModelFolder.WEIGHTS)).isEqualTo(folder.resolve(ModelFolder.WEIGHTS));
        assertThat(files.files().get(ModelFolder.CONFIG)).hasSameTextualContentAs(folder.resolve(ModelFolder.CONFIG));
    }

    @Test
    void of_aFolder_byItsOtherNames_isTheSame() throws IOException {
        folderWith(ModelFolder.WEIGHTS);
        String hash = ModelShipper.hash(files(folder.toString()).files());

        assertThat(ModelShipper.hash(files("local-dir:" + folder).files())).isEqualTo(hash);
        assertThat(ModelShipper.hash(files(folder.toUri().toString()).files())).isEqualTo(hash);
    }

    @Test
    void of_aSingleFile_getsTheConfigurationInIt() throws IOException {
        ModelConfig config = ConvZoo.configuration(MODEL, LoadOptions.published());
        Path file = folder.resolve("boots.safetensors");
        Safetensors.write(file, tensors(weights()), Map.of(ModelFolder.CONFIG, config.toJson()));

        ModelFiles files = files(file.toString());

        assertThat(files.files()).containsOnlyKeys(ModelFolder.CONFIG, "boots.safetensors");
        assertThat(Files.readString(files.files().get(ModelFolder.CONFIG))).isEqualTo(config.toJson());
    }

    @Test
    void of_shards_joinsThem() throws IOException {
        ModelFolder.writeConfig(folder, ConvZoo.configuration(MODEL, LoadOptions.published()));
        List<Tensor> all = tensors(weights());
        Map<String, String> index = new TreeMap<>();
        for (int shard = 0; shard < 2; shard++) {
            String name = "model-0000" + (shard + 1) + "-of-00002.safetensors";
            List<Tensor> some = shard == 0 ? all.subList(0, 9) : all.subList(9, all.size());
            some.forEach(tensor -> index.put("\"" + tensor.name() + "\"", "\"" + name + "\""));
            Safetensors.write(folder.resolve(name), some, Map.of());
        }
        Files.writeString(
                folder.resolve(ModelFolder.WEIGHTS + ".index.json"),
                "{\"metadata\": {}, \"weight_map\": " + index.toString().replace("=", ": ") + "}");

        ModelFiles files = files(folder.toString());

        assertThat(files.files()).containsOnlyKeys(ModelFolder.CONFIG, ModelFolder.WEIGHTS);
        Path joined = Objects.requireNonNull(files.files().get(ModelFolder.WEIGHTS));
        assertThat(tensors(Checkpoint.read(joined)).stream().map(Tensor::name))
                .containsExactlyInAnyOrderElementsOf(
                        all.stream().map(Tensor::name).toList());
    }

    @Test
    void of_anExportedFolder_isAllItsFiles() throws IOException {
        ModelFolder.writeConfig(folder, ConvZoo.configuration(MODEL, LoadOptions.published()));
        Files.writeString(folder.resolve(ModelFolder.ONNX), "graph");
        Files.writeString(folder.resolve("model.onnx.data"), "weights");

        assertThat(files(folder.toString()).files())
                .containsOnlyKeys(ModelFolder.CONFIG, ModelFolder.ONNX, "model.onnx.data");
        assertThat(files(folder.toString()).main()).isNull();
        assertThat(files(folder.resolve(ModelFolder.ONNX).toString()).main()).isEqualTo(ModelFolder.ONNX);
    }

    @Test
    void of_nothing_saysWhatIsMissing() {
        assertThatIOException()
                .isThrownBy(() -> ModelFiles.of(folder.toString(), scratch))
                .withMessageContaining("no weights found");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ModelFiles.of("dpn48b", scratch))
                .withMessageContaining("no published weights");
    }

    @Test
    void hash_dependsOnNamesAndContents() throws IOException {
        Path a = Files.writeString(folder.resolve("a"), "1");
        Path b = Files.writeString(folder.resolve("b"), "2");
        String hash = ModelShipper.hash(new TreeMap<>(Map.of("a", a, "b", b)));

        assertThat(hash).hasSize(32).isEqualTo(ModelShipper.hash(new TreeMap<>(Map.of("a", a, "b", b))));
        assertThat(ModelShipper.hash(new TreeMap<>(Map.of("a", b, "b", a)))).isNotEqualTo(hash);
        assertThat(ModelShipper.hash(new TreeMap<>(Map.of("a", a, "c", b)))).isNotEqualTo(hash);
        assertThat(ModelShipper.hash(new TreeMap<>(Map.of("a", a)))).isNotEqualTo(hash);
    }

    static Stream<Manifest.Row> rows() {
        return Manifest.rows().stream();
    }

    /** Published weights are shipped with this text. */
    @ParameterizedTest
    @MethodSource("rows")
    void configuration_ofPublishedWeights_survivesItsText(Manifest.Row row) throws IOException {
        ModelConfig config = ModelConfig.of(row);

        ModelConfig read = ModelConfig.parse(config.toJson(), "text");

        assertThat(read.variant()).isEqualTo(config.variant());
        assertThat(read.options()).isEqualTo(config.options());
        assertThat(read.preprocessing()).isEqualTo(config.preprocessing());
        assertThat(read.upright()).isEqualTo(config.upright());
        assertThat(read.labels()).isEqualTo(config.labels());
    }
}
