package io.github.convzoo;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.Format;
import io.github.convzoo.checkpoint.FormatWriters;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.cli.Main;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.DpnAuthors;
import io.github.convzoo.weights.StateDict;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * One network's weights in every format that is read. FormatWritersTest holds the files to those of other libraries.
 */
class EveryFormatTest {

    private final Path folder;

    EveryFormatTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path folder) {
        this.folder = folder;
    }

    /**
     * Weights under canonical names. PeleeNet's classifier is a linear layer, DLA's and DPN's a convolution of one
     * pixel.
     */
    private static Map<String, Tensor> weights(String model) throws IOException {
        if (model.equals("peleenet")) {
            return StateDict.of(Checkpoint.read(Samples.PELEENET)).tensors();
        }
        Variant variant = Variant.of(model);
        return Samples.state(variant.build(variant.options().withNumClasses(10)), new Shape(1, 3, 32, 32));
    }

    private Map<Format, Path> files(String model) throws Exception {
        Map<String, Tensor> weights = weights(model);
        Map<Format, Path> files = new EnumMap<>(Format.class);
        files.put(Format.SAFETENSORS, Samples.write(folder.resolve("in.safetensors"), weights));
        files.put(Format.MXNET, FormatWriters.mxnet(folder.resolve("mxnet.params"), mxnet(model, weights)));
        if (model.startsWith("dpn")) {
            // What is its own are MXNet's names; it is too large to go through all the others for nothing.
            return files;
        }
        files.put(Format.SAFETENSORS_INDEX, FormatWriters.sharded(folder, weights, 3));
        files.put(Format.PYTORCH_INDEX, FormatWriters.shardedPytorch(folder, weights, 3));
        files.put(Format.PICKLE, FormatWriters.pickle(folder.resolve("in.pkl"), weights));
        files.put(Format.PYTORCH_ZIP, FormatWriters.pytorch(folder.resolve("in.pth"), weights));
        files.put(Format.PYTORCH_LEGACY, FormatWriters.pytorchLegacy(folder.resolve("legacy.pth"), weights));
        files.put(Format.TORCHSCRIPT, FormatWriters.torchScript(folder.resolve("in.pt"), weights));
        files.put(Format.PADDLE, FormatWriters.paddle(folder.resolve("in.pdparams"), paddle(weights)));
        files.put(Format.NUMPY_ZIP, FormatWriters.numpy(folder.resolve("in.npz"), weights));
        // As DJL itself saves what it is given.
        try (ZooModel<NDList, NDList> loaded = load(model, files.get(Format.SAFETENSORS))) {
            loaded.save(folder, "djl");
        }
        files.put(Format.DJL, folder.resolve("djl-0000.params"));
        assertThat(files).containsOnlyKeys(Format.values());
        return files;
    }

    private static Map<String, Tensor> renamed(Map<String, Tensor> weights, UnaryOperator<String> name) {
        Map<String, Tensor> renamed = new LinkedHashMap<>();
        weights.values().forEach(tensor -> {
            String newName = name.apply(tensor.name());
            renamed.put(newName, tensor.withName(newName));
        });
        assertThat(renamed).hasSameSizeAs(weights);
        return renamed;
    }

    /** With Paddle's names for running statistics, and linear weights with the inputs first. */
    private static Map<String, Tensor> paddle(Map<String, Tensor> weights) {
        Map<String, Tensor> renamed =
                renamed(weights, name -> name.replace("running_mean", "_mean").replace("running_var", "_variance"));
        renamed.replaceAll((name, tensor) -> tensor.shape().length != 2
                ? tensor
                : Tensor.of(
                        name,
                        tensor.type(),
                        new long[] {tensor.shape()[1], tensor.shape()[0]},
                        tensor.transposed().bytes()));
        return renamed;
    }

    /** As the DPN authors name them, and with their linear classifier; canonical behind MXNet's prefixes otherwise. */
    private static Map<String, Tensor> mxnet(String model, Map<String, Tensor> weights) {
        if (!model.startsWith("dpn")) {
            return renamed(weights, name -> (name.contains(".running_") ? "aux:" : "arg:") + name);
        }
        Map<String, Tensor> authors = renamed(weights, name -> DpnAuthors.name(name, "fc6", model.endsWith("b")));
        authors.computeIfPresent("arg:fc6_weight", (name, tensor) -> {
            long[] shape = tensor.shape();
            assertThat(shape).endsWith(1, 1);
            return Tensor.of(name, tensor.type(), new long[] {shape[0], shape[1]}, tensor.bytes());
        });
        assertThat(authors).containsKeys("arg:fc6_weight", "aux:conv1_x_1__relu-sp__bn_moving_mean");
        return authors;
    }

    private static ZooModel<NDList, NDList> load(String model, Path file) throws IOException {
        return ConvZoo.loadLogits(model, LoadOptions.of(file).withDevice(Device.cpu()));
    }

    private static float[] logits(String model, Path file) throws Exception {
        try (ZooModel<NDList, NDList> loaded = load(model, file);
                Predictor<NDList, NDList> predictor = loaded.newPredictor();
                NDManager manager = loaded.getNDManager().newSubManager()) {
            NDArray images = Reference.image(manager, "every format", new Shape(2, 3, 64, 64));
            try (NDList logits = predictor.predict(new NDList(images))) {
                return logits.singletonOrThrow().toFloatArray();
            }
        }
    }

    private static void convert(String model, Path in, Path out) {
        StringWriter printed = new StringWriter();
        PrintWriter printer = new PrintWriter(printed, true);
        assertThat(Main.run(printer, printer, "convert", in.toString(), out.toString(), "--model", model))
                .as(() -> printed.toString())
                .isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"peleenet", "dla46x_c", "dpn68"})
    void sameWeights_everyFormat_logitsBitEqual(String model) throws Exception {
        Map<Format, Path> files = files(model);
        float[] expected = logits(model, files.get(Format.SAFETENSORS));
        assertThat(expected).hasSize(20).doesNotContain(Float.NaN).doesNotHaveDuplicates();
        for (Map.Entry<Format, Path> each : files.entrySet()) {
            assertThat(Checkpoint.read(each.getValue()).format()).isEqualTo(each.getKey());
            assertThat(logits(model, each.getValue())).as(each.getKey().name()).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"peleenet", "dpn68"})
    void convert_fromEveryFormat_writesTheSameBytes(String model) throws Exception {
        Map<Format, Path> files = files(model);
        Path in = files.get(Format.SAFETENSORS);
        Path first = folder.resolve("first.safetensors");
        Path firstParams = folder.resolve("first.params");
        convert(model, in, first);
        convert(model, in, firstParams);
        float[] expected = logits(model, in);
        assertThat(logits(model, first)).isEqualTo(expected);
        assertThat(logits(model, firstParams)).isEqualTo(expected);
        for (Map.Entry<Format, Path> each : files.entrySet()) {
            Path safetensors = folder.resolve("out.safetensors");
            convert(model, each.getValue(), safetensors);
            assertThat(Files.mismatch(safetensors, first))
                    .as(each.getKey().name())
                    .isEqualTo(-1);
            Path djl = folder.resolve("out.params");
            convert(model, each.getValue(), djl);
            assertThat(Files.mismatch(djl, firstParams))
                    .as(each.getKey().name())
                    .isEqualTo(-1);
        }
    }
}
