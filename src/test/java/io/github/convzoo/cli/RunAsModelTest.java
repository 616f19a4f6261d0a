package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.repository.zoo.ZooModel;
import com.google.gson.JsonObject;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.image.CropMode;
import io.github.convzoo.network.Variant;
import io.github.convzoo.train.EpochMetrics;
import io.github.convzoo.train.RunFolder;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import io.github.convzoo.weights.WeightSaver;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A run's folder is a model folder: nothing has to be repeated to use it. */
class RunAsModelTest {

    private final Path directory;
    private final Path run;

    RunAsModelTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
        run = directory.resolve("run");
    }

    private Run train(Object... more) {
        List<Object> args = new ArrayList<>(List.of("train", "--output", run, "--device", "cpu"));
        args.addAll(List.of(more));
        if (!args.contains("--epochs")) {
            args.addAll(List.of("--epochs", 1));
        }
        return Run.of(args.toArray());
    }

    private Run trained(Object... more) {
        Run trained = train(more);
        assertThat(trained.status()).as(trained.err()).isZero();
        return trained;
    }

    /** The published test images, also to learn from. */
    private Path fashionMnist() throws IOException {
        Path folder = Files.createDirectories(directory.resolve("fashion-mnist"));
        for (String name : List.of("images-idx3-ubyte.gz", "labels-idx1-ubyte.gz")) {
            Files.copy(Samples.FASHION_MNIST.resolve("t10k-" + name), folder.resolve("t10k-" + name));
            Files.copy(Samples.FASHION_MNIST.resolve("t10k-" + name), folder.resolve("train-" + name));
        }
        return folder;
    }

    private int correctPredictions(Path images, Path model) throws IOException {
        List<Object> args = new ArrayList<>(List.of("predict", "--model", model, "--json", "--device", "cpu"));
        try (var files = Files.walk(images)) {
            files.filter(file -> file.toString().endsWith(".png")).sorted().forEach(args::add);
        }
        List<String> classes =
                ModelFolder.config(model).orElseThrow().labels().orElseThrow().names();
        int correct = 0;
        for (var each : Run.succeeding(args.toArray()).json().getAsJsonArray()) {
            JsonObject image = each.getAsJsonObject();
            Path file = Path.of(image.get("image").getAsString());
            int truth = Integer.parseInt(String.valueOf(file.getName(file.getNameCount() - 2)));
            String best = image.getAsJsonArray("predictions")
                    .get(0)
                    .getAsJsonObject()
                    .get("label")
                    .getAsString();
            correct += best.equals(classes.get(truth)) ? 1 : 0;
        }
        return correct;
    }

    @Test
    void predict_ofARunOnFashionMnistAtAnotherSize_isRightAsOftenAsEval() throws Exception {
        Path data = fashionMnist();
        trained(
                "--model",
                "peleenet",
                "--weights",
                Samples.PELEENET,
                "--dataset",
                "fashion-mnist",
                "--data",
                data,
                "--input-size",
                64,
                "--epochs",
                2,
                "--batch-size",
                20,
                "--lr",
                0.005,
                "--crop",
                "none",
                "--no-flip");

        JsonObject evaluation = Run.succeeding(
                        "eval",
                        "--model",
                        run,
                        "--dataset",
                        "fashion-mnist",
                        "--data",
                        data,
                        "--json",
                        "--device",
                        "cpu")
                .json()
                .getAsJsonObject();
        List<EpochMetrics> metrics = new RunFolder(run).metrics();
        assertThat(evaluation.get("top1").getAsDouble())
                .isEqualTo(metrics.stream()
                        .mapToDouble(EpochMetrics::valTop1)
                        .max()
                        .orElseThrow());
        Path images = ImageFolders.fashion28(directory.resolve("png"));
        assertThat(correctPredictions(images, run))
                .isEqualTo(evaluation.get("correct").getAsInt())
                .isGreaterThan(60);
        ModelConfig config = ModelFolder.config(run).orElseThrow();
        assertThat(config.preprocessing().height()).isEqualTo(64);
        assertThat(config.preprocessing().resizedSide()).isEqualTo(56);
        // The file alone says the same, and so does the folder of the last weights.
        assertThat(ModelFolder.config(Checkpoint.read(run.resolve("model.safetensors"))))
                .contains(config);
        assertThat(ModelFolder.config(run.resolve("last"))).contains(config);
        assertThat(ModelFolder.weights(run.resolve("last"))).contains(run.resolve("last/model.safetensors"));
        try (ZooModel<Path, Classifications> model = ConvZoo.load(run);
                Predictor<Path, Classifications> predictor = model.newPredictor()) {
            assertThat(predictor
                            .predict(Samples.FASHION_MNIST.resolve("trouser.png"))
                            .getClassNames())
                    .containsExactlyInAnyOrderElementsOf(
                            config.labels().orElseThrow().names());
        }
    }

    @Test
    void config_ofARun_hasEveryOptionThatUsingItTakes() throws IOException {
        Path data = ImageFolders.fashion(directory.resolve("data"));
        trained(
                "--model",
                "dpn68",
                "--data",
                data,
                "--input-size",
                64,
                "--batch-size",
                16,
                "--last-activation",
                "elu",
                "--in-channels",
                1,
                "--crop-mode",
                "squash",
                "--interpolation",
                "bicubic",
                "--mean",
                0.4,
                "--std",
                0.3,
                "--ignore-orientation");
        ModelConfig config = ModelFolder.config(run).orElseThrow();

        assertThat(config.variant()).isEqualTo(Variant.of("dpn68"));
        assertThat(config.options().numClasses()).isEqualTo(10);
        assertThat(config.options().inChannels()).isEqualTo(1);
        assertThat(config.options().family().settings()).containsEntry("last_activation", "elu");
        assertThat(config.preprocessing().cropMode()).isEqualTo(CropMode.SQUASH);
        assertThat(config.preprocessing().normalization().mean()).containsExactly(0.4);
        assertThat(config.upright()).isFalse();
        assertThat(config.labels().orElseThrow().names())
                .startsWith("Ankle boot", "Bag")
                .hasSize(10);
        JsonObject evaluation = Run.succeeding(
                        "eval", "--model", run, "--dataset", "image-folder", "--data", data.resolve("val"), "--json")
                .json()
                .getAsJsonObject();
        assertThat(evaluation.get("top1").getAsDouble())
                .isEqualTo(new RunFolder(run).metrics().get(0).valTop1());
        Run more = Run.of("train", "--resume", run, "--epochs", 2);
        assertThat(more.status()).as(more.err()).isZero();
        assertThat(ModelFolder.config(run)).contains(config);
    }

    @Test
    void train_fromARunsFolder_takesItsWeightsAndPreprocessing() throws IOException {
        Path data = ImageFolders.fashion(directory.resolve("data"));
        Path first = run;
        trained("--model", "peleenet", "--data", data, "--input-size", 64, "--batch-size", 16, "--crop", "none");
        int number = 0;
        Object[] rest = {"--data", data, "--batch-size", 16, "--crop", "none", "--lr", 1e-9, "--no-flip"};
        for (List<Object> start : List.<List<Object>>of(
                List.of("--model", first),
                List.of("--weights", first),
                List.of("--model", "peleenet", "--weights", first),
                List.of("--model", "peleenet", "--weights", first.resolve("model.safetensors")))) {
            Path next = directory.resolve("next-" + number++);
            List<Object> args = new ArrayList<>(start);
            args.addAll(List.of(rest));
            args.addAll(List.of("--output", next));
            List<Object> all = new ArrayList<>(List.of("train", "--device", "cpu", "--epochs", 1));
            all.addAll(args);
            Run trained = Run.of(all.toArray());
            assertThat(trained.status()).as(trained.err()).isZero();

            assertThat(ModelFolder.config(next).orElseThrow().preprocessing())
                    .as("%s", start)
                    .isEqualTo(ModelFolder.config(first).orElseThrow().preprocessing());
        }
        Run.refused(
                2,
                List.of("train", "--model", first, "--pretrained", "--data", data, "--output", directory.resolve("x")),
                "has its own weights; omit --pretrained");
    }

    @Test
    void train_onSingleImagesWhereMapsAreOnePixel_isRefusedBeforeThereIsAFolder() throws IOException {
        Path data = ImageFolders.fashion(directory.resolve("data"));
        List<Object> args = List.of(
                "train", "--model", "dla46x_c", "--data", data, "--output", run, "--input-size", 32, "--device", "cpu");
        List<Object> one = new ArrayList<>(args);
        one.addAll(List.of("--batch-size", 1));
        Run.refused(2, one, "a batch of 1 has single images", "maps of 1 x 1 pixels at inputs of 32 x 32");
        List<Object> parts = new ArrayList<>(args);
        parts.addAll(List.of("--batch-size", 4, "--accumulate", 3));
        Run.refused(2, parts, "a batch of 4 in 3 parts has single images", "fewer parts");
        assertThat(run).doesNotExist();
    }

    @Test
    void train_withoutValidation_learnsFromAllAndKeepsTheLast() throws IOException {
        Path data = ImageFolders.fashion(directory.resolve("data")).resolve("val");
        Run trained = trained(
                "--model",
                "peleenet",
                "--data",
                data,
                "--input-size",
                32,
                "--batch-size",
                16,
                "--no-validation",
                "--epochs",
                2,
                "--class-weights",
                "balanced");

        assertThat(trained.found()).isEqualTo("29 images of 10 classes");
        assertThat(trained.err()).contains("the last weights count as the best");
        assertThat(trained.out()).contains("best   epoch 2, not validated");
        assertThat(Files.mismatch(run.resolve("model.safetensors"), run.resolve("last/model.safetensors")))
                .isEqualTo(-1);
        assertThat(ModelFolder.config(run)).isPresent();
    }

    @Test
    void resume_ofARunOfAnEarlierVersion_saysSo() throws IOException {
        Files.createDirectories(run);
        Files.writeString(run.resolve("config.json"), "{\"model\": \"dla34\", \"epochs\": 3}");
        Run.refused(
                1,
                List.of("train", "--resume", run),
                run + ": this run is from an earlier version of ConvZoo",
                "--weights");
    }

    @Test
    void train_thatFailsBeforeAnythingIsSaved_leavesTheFolderFree() throws IOException {
        Path data = ImageFolders.fashion(directory.resolve("data"));
        // The labels' file cannot be written.
        Files.createDirectories(run.resolve("labels.txt"));
        Run failed = train("--model", "peleenet", "--data", data, "--input-size", 32, "--batch-size", 16);
        assertThat(failed.status()).isEqualTo(1);
        assertThat(failed.err()).contains("labels.txt");
        assertThat(run.resolve("train.json")).doesNotExist();
        Files.deleteIfExists(run.resolve("labels.txt"));
        trained("--model", "peleenet", "--data", data, "--input-size", 32, "--batch-size", 16);
    }

    @Test
    void train_withPublishedWeightsNamedAndNotAsked_isRefused() throws IOException {
        Path data = ImageFolders.fashion(directory.resolve("data"));
        Run.refused(
                2,
                List.of("train", "--model", "dla34.in1k", "--data", data, "--output", run),
                "names published weights; add --pretrained");
        Run.refused(
                2, List.of("train", "--model", "PeleeNet", "--data", data, "--output", run), "did you mean peleenet?");
        Run.refused(
                2,
                List.of("train", "--model", "dla34", "--data", data, "--output", run, "--amp", "--device", "cpu"),
                "--amp needs a GPU");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--amp --device cpu|--amp needs a GPU",
                "--amp fp16 --devices cpu,cpu|--amp needs a GPU",
                "--amp=FP16 --device cpu|--amp needs a GPU",
                "--amp bf16|bfloat16; pass --amp fp16",
                "--amp half|expected fp16",
            })
    void train_inMixedPrecisionWithoutAGpu_isRefused(String options, String message) throws IOException {
        Path data = ImageFolders.fashion(directory.resolve("data"));
        List<Object> args = new ArrayList<>(List.of("train", "--model", "peleenet", "--data", data, "--output", run));
        args.addAll(List.of(options.split(" ")));
        Run.refused(2, args, message);
        assertThat(run).doesNotExist();
    }

    @Test
    void train_fromWeightsWithoutClassifier_saysThatItIsNew() throws IOException {
        Path data = ImageFolders.fashion(directory.resolve("data"));
        Path features = directory.resolve("features.safetensors");
        try (var model = ConvZoo.untrained("peleenet", LoadOptions.published().withNumClasses(0))) {
            WeightSaver.save(features, model.getBlock());
        }
        Run trained = train(
                "--model", "peleenet", "--weights", features, "--data", data, "--input-size", 32, "--batch-size", 16);

        assertThat(trained.status()).as(trained.err()).isZero();
        assertThat(trained.err()).contains("classifier");
    }
}
