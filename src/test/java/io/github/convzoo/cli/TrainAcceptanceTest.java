package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.github.convzoo.train.EpochMetrics;
import io.github.convzoo.train.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What a user does with images of their own, from the first epoch to a prediction, with a small network of each family.
 */
class TrainAcceptanceTest {

    private static final int VALIDATION = 29;

    private final Path directory;

    TrainAcceptanceTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    @ParameterizedTest
    @CsvSource({"peleenet, 32", "dla46_c, 32", "dpn68, 32", "alexnet_dy, 64"})
    void train_evaluate_resume_convert_predict_agreeAtEveryStage(String model, int size) throws IOException {
        Path data = ImageFolders.fashion(directory.resolve("data"));
        Path run = directory.resolve("run");
        Run first = Run.of(
                "train",
                "--model",
                model,
                "--data",
                data,
                "--output",
                run,
                "--input-size",
                size,
                "--epochs",
                2,
                "--batch-size",
                16,
                "--crop",
                "pad",
                "--lr",
                0.02,
                "--clip-norm",
                5,
                "--device",
                "cpu",
                "--json");
        assertThat(first.status()).as(first.err()).isZero();
        assertAgrees(data, run, 2, first.json().getAsJsonObject());

        Run more = Run.of("train", "--resume", run, "--epochs", 3, "--device", "cpu", "--json");
        assertThat(more.status()).as(more.err()).isZero();
        assertAgrees(data, run, 3, more.json().getAsJsonObject());
    }

    /** The run's own figures, eval's, and each prediction's, of the run's file and of one converted from it. */
    private void assertAgrees(Path data, Path run, int epochs, JsonObject result) throws IOException {
        List<EpochMetrics> metrics = new RunFolder(run).metrics();
        assertThat(metrics).hasSize(epochs);
        EpochMetrics last = metrics.get(epochs - 1);
        assertThat(result.get("lastTop1").getAsDouble()).isEqualTo(last.valTop1());

        JsonObject evaluation = Run.succeeding(
                        "eval",
                        "--model",
                        run.resolve("last"),
                        "--dataset",
                        "image-folder",
                        "--data",
                        data.resolve("val"),
                        "--device",
                        "cpu",
                        "--json")
                .json()
                .getAsJsonObject();
        assertThat(evaluation.get("top1").getAsDouble()).isEqualTo(last.valTop1());
        assertThat(evaluation.get("top5").getAsDouble()).isEqualTo(last.valTop5());
        // Evaluated with its normalisations folded into the convolutions, and in other batches.
        assertThat(evaluation.get("loss").getAsDouble()).isCloseTo(last.valLoss(), within(1e-3 * last.valLoss()));

        Path converted = directory.resolve("converted-" + epochs);
        Run.succeeding("convert", run.resolve("last"), "--output", converted);
        JsonArray ours = predictions(data, run.resolve("last"));
        assertThat(predictions(data, converted)).isEqualTo(ours);
        assertThat(ours).hasSize(VALIDATION);
        int correct = 0;
        for (int i = 0; i < ours.size(); i++) {
            JsonObject image = ours.get(i).getAsJsonObject();
            Path file = Path.of(image.get("image").getAsString());
            String truth = file.getName(file.getNameCount() - 2).toString();
            String best = image.getAsJsonArray("predictions")
                    .get(0)
                    .getAsJsonObject()
                    .get("label")
                    .getAsString();
            correct += best.equals(truth) ? 1 : 0;
        }
        assertThat((double) correct / VALIDATION).isEqualTo(last.valTop1());
    }

    private static JsonArray predictions(Path data, Path model) throws IOException {
        List<Object> args = new ArrayList<>(List.of("predict"));
        try (var images = Files.walk(data.resolve("val"))) {
            images.filter(file -> file.toString().endsWith(".png")).sorted().forEach(args::add);
        }
        args.addAll(List.of("--model", model, "--device", "cpu", "--json"));
        return Run.succeeding(args.toArray()).json().getAsJsonArray();
    }
}
