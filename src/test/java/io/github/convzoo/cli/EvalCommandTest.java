package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.github.convzoo.Samples;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvalCommandTest {

    private final Path folder;

    EvalCommandTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void eval_ofFashionMnist_countsWhatPyTorchCounts() {
        JsonObject result = Run.succeeding(
                        fashionMnist("--json", "--num-classes", 10).toArray())
                .json()
                .getAsJsonObject();

        assertThat(result.get("correct").getAsInt()).isEqualTo(90);
        assertThat(result.get("total").getAsInt()).isEqualTo(100);
        assertThat(result.get("top1").getAsDouble()).isEqualTo(0.9);
        assertThat(result.get("top5").getAsDouble()).isBetween(0.95, 1.0);
        assertThat(result.get("imagesPerSecond").getAsDouble()).isPositive();
    }

    @Test
    void eval_forPeople_printsPercents() {
        List<String> lines = Run.succeeding(fashionMnist("--batch-size", 7).toArray())
                .out()
                .lines()
                .toList();

        assertThat(lines).hasSize(5);
        assertThat(lines.get(0)).isEqualTo("top-1     90.00 %");
        assertThat(lines.get(1)).matches("top-5     \\d+\\.00 %");
        assertThat(lines.get(2)).isEqualTo("correct   90 of 100");
        assertThat(lines.get(3)).matches("loss      0\\.\\d{4}");
        assertThat(lines.get(4)).matches("speed     [\\d,]+\\.\\d images/s");
    }

    @Test
    void eval_atALargerSize_readsLargerImages() {
        JsonObject result = Run.succeeding(
                        fashionMnist("--json", "--input-size", 48).toArray())
                .json()
                .getAsJsonObject();

        assertThat(result.get("total").getAsInt()).isEqualTo(100);
        assertThat(result.get("correct").getAsInt()).isBetween(10, 89);
    }

    @Test
    void eval_ofAnImageFolder_numbersItsClassesByName() throws IOException {
        // Class 0 is none of these images', class 1 is.
        copy("ankle-boot.png", "a/1.png");
        copy("trouser.png", "b/1.png");
        copy("trouser.png", "b/2.png");
        JsonObject result = Run.succeeding(
                        imageFolder(folder, "--input-size", 32, "--json").toArray())
                .json()
                .getAsJsonObject();

        assertThat(result.get("total").getAsInt()).isEqualTo(3);
        assertThat(result.get("correct").getAsInt()).isEqualTo(2);
    }

    @Test
    void eval_ofMoreClassesThanTheNetworkHas_isRefused() throws IOException {
        for (int i = 0; i < 11; i++) {
            copy("trouser.png", "class" + i + "/1.png");
        }
        Run.refused(1, imageFolder(folder, "--input-size", 32), folder + ": has 11 classes, and the network 10");
    }

    @Test
    void eval_ofAnImageThatCannotBeRead_namesIt() throws IOException {
        copy("trouser.png", "a/1.png");
        Path bad = Files.writeString(folder.resolve("a/2.png"), "no image");
        Run.refused(1, imageFolder(folder, "--input-size", 32), bad + ": ");
    }

    @Test
    void eval_withoutData_saysWhatIsMissing() {
        Path none = folder.resolve("none");
        Run.refused(1, imageFolder(none), none + ": is no folder");
        Run.refused(1, imageFolder(folder), folder + ": holds no folders");
        List<Object> noFiles = List.of(
                "eval",
                "--model",
                "peleenet",
                "--weights",
                Samples.PELEENET,
                "--dataset",
                "fashion-mnist",
                "--data",
                folder);
        Run.refused(1, noFiles, folder + ": holds neither t10k-images-idx3-ubyte");
    }

    @Test
    void eval_withWhatDoesNotFit_saysWhatWould() {
        Run.refused(2, fashionMnist("--batch-size", 0), "--batch-size must be at least 1, not 0");
        Run.refused(2, fashionMnist("--input-size", 28), "must be 32 to 8192, not 28");
        Run.refused(2, fashionMnist("--input-size", 33), "peleenet expects", "not 33 x 33");
        Run.refused(1, fashionMnist("--num-classes", 12), "have 10 classes, not 12");
        Run.refused(1, fashionMnist("--num-classes", 0), "has 10 classes, and the network 0");
        Run.refused(2, fashionMnist("--device", "gpu9999"), "--device gpu9999");
        Run.refused(2, fashionMnist("--threads", -1), "--threads must be at least 1 and at most 1024, not -1");
        Run.refused(2, imageFolder(folder, "--input-size", -5), "--input-size must be at least 1, not -5");
    }

    @Test
    void eval_withOtherWeights_isRefused() {
        List<Object> args = List.of(
                "eval",
                "--model",
                "dla34",
                "--weights",
                Samples.PELEENET,
                "--dataset",
                "fashion-mnist",
                "--data",
                Samples.FASHION_MNIST);
        Run.refused(1, args, "does not fit dla34");
    }

    private void copy(String image, String to) throws IOException {
        Path file = folder.resolve(to);
        Files.createDirectories(file.getParent());
        Files.copy(Samples.FASHION_MNIST.resolve(image), file);
    }

    private static List<Object> fashionMnist(Object... more) {
        return args("fashion-mnist", Samples.FASHION_MNIST, more);
    }

    private static List<Object> imageFolder(Path data, Object... more) {
        return args("image-folder", data, more);
    }

    private static List<Object> args(String dataset, Path data, Object... more) {
        List<Object> args = new ArrayList<>(List.of(
                "eval", "--model", "peleenet", "--weights", Samples.PELEENET, "--dataset", dataset, "--data", data));
        args.addAll(List.of(more));
        return args;
    }
}
