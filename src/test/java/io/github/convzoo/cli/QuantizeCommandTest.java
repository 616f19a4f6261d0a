package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.github.convzoo.Samples;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

class QuantizeCommandTest {

    private static final String MODEL = "peleenet.fmnist";
    private static final Path DATA = Path.of("src/test/resources/fashion-mnist");
    private static final Path IMAGE = DATA.resolve("ankle-boot.png");

    @TempDir
    Path folder = Path.of("");

    private Path out = Path.of("");

    @BeforeEach
    void nameFolder() {
        out = folder.resolve("out");
    }

    private Object[] fashionMnist(Object... more) {
        List<Object> args = new ArrayList<>(
                List.of("quantize", "--model", MODEL, "--dataset", "fashion-mnist", "--data", DATA, "--output", out));
        args.addAll(List.of(more));
        return args.toArray();
    }

    @Test
    void quantize_writesAFolderThatPredictsAndEvaluates() {
        Run run = Run.succeeding(fashionMnist("--samples", 30));
        assertThat(run.out())
                .startsWith(out.resolve("model.onnx")
                        + ": written, 2.4 MB (8.5 MB of float weights), 114 layers in int8, calibrated with 30 images")
                .contains("ONNX Runtime: largest difference from the float simulation: ")
                .containsPattern(
                        "agrees with the original network on \\d+\\.\\d\\d % of 70 images not used for calibration")
                .containsPattern("top-1 \\d+\\.\\d\\d %, was \\d+\\.\\d\\d %");
        assertThat(out.toFile().list())
                .containsExactlyInAnyOrder("config.json", "model.onnx", "serving.properties", "synset.txt");
        assertThat(Run.succeeding("predict", IMAGE, "--model", out).out()).contains("Ankle boot");
        JsonObject eval = Run.succeeding("eval", "--model", out, "--dataset", "fashion-mnist", "--data", DATA, "--json")
                .json()
                .getAsJsonObject();
        assertThat(eval.get("correct").getAsInt()).isBetween(88, 97);
    }

    @Test
    @EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64", disabledReason = "TorchScript needs x86")
    void quantize_forBothRuntimes_writesBoth_andFloatsForOtherMachines() {
        JsonArray results = Run.succeeding(fashionMnist("--samples", 20, "--runtime", "both", "--no-vnni", "--json"))
                .json()
                .getAsJsonArray();
        assertThat(out.toFile().list())
                .contains("model.onnx", "model.pt", "model-float.pt")
                .doesNotContain("model.safetensors");
        assertThat(results).hasSize(2);
        for (int i = 0; i < 2; i++) {
            JsonObject result = results.get(i).getAsJsonObject();
            assertThat(result.get("file").getAsString()).endsWith(i == 0 ? "model.onnx" : "model.pt");
            assertThat(result.get("images").getAsInt()).isEqualTo(20);
            assertThat(result.get("layers").getAsInt()).isEqualTo(114);
            assertThat(result.get("checks").getAsJsonArray()).hasSize(1);
            assertThat(result.get("bytes").getAsLong())
                    .isLessThan(result.get("floatBytes").getAsLong() * 4 / 10);
            assertThat(result.get("agreement").getAsJsonObject().get("images").getAsInt())
                    .isEqualTo(80);
            assertThat(result.get("labeled").getAsBoolean()).isTrue();
            assertThat(result.get("latency").isJsonNull()).isTrue();
        }
    }

    /** Floats replaced by integers, or the reverse, would lose a file that someone may have meant to keep. */
    @Test
    void modelOfAnotherKind_isReplacedOnlyIfAsked_andOfTheSame_withAWord() throws IOException {
        Path model = out.resolve("model.onnx");
        List<Object> export = new ArrayList<>(List.of("export", "--model", MODEL, "--format", "onnx", "--output", out));
        Run.succeeding(export.toArray());
        Run.refused(
                2,
                List.of(fashionMnist("--samples", 16)),
                "--output: " + model + " is a network in floats, which a quantized network would replace; choose"
                        + " another folder, or pass --overwrite");
        Run replaced = Run.of(fashionMnist("--samples", 16, "--overwrite"));
        assertThat(replaced.status()).isZero();
        assertThat(replaced.err()).isEqualToIgnoringNewLines("convzoo: replaced " + model);
        byte[] quantized = Files.readAllBytes(model);
        Run.refused(
                2,
                export,
                "--output: " + model + " is a quantized network, which a network in floats would replace; choose"
                        + " another folder, or pass --overwrite");
        assertThat(model).hasBinaryContent(quantized);
        assertThat(Run.of(fashionMnist("--samples", 16)).err()).isEqualToIgnoringNewLines("convzoo: replaced " + model);

        Files.writeString(model, "of another tool");
        Run.refused(2, export, model + " is a file that convzoo export did not write, which a network in floats would");
        export.add("--overwrite");
        Run again = Run.of(export.toArray());
        assertThat(again.status()).isZero();
        assertThat(again.err()).isEqualToIgnoringNewLines("convzoo: replaced " + model);
    }

    @Test
    void report_namesTheLayersThatCostMost_andTimes() {
        String text = Run.succeeding(fashionMnist(
                        "--samples",
                        50,
                        "--report",
                        "--keep-float",
                        "features.denseblock*",
                        "--keep-float",
                        "features.transition*"))
                .out();
        assertThat(text)
                .contains("in float: features.denseblock1.denselayer1.branch1a.conv, ")
                .contains(", features.transition1.conv, features.denseblock2.")
                .contains(", 5 layers in int8")
                .contains("most sensitive layers (alone in int8)")
                .containsPattern("one image: [\\d.]+ ms, was [\\d.]+ ms \\(ratio [\\d.]+\\)");
        assertThat(text.substring(text.indexOf("most sensitive")))
                .contains("features.stemblock.stem1.conv")
                .doesNotContain("transition");
    }

    @Test
    void quantize_ofAFolderOfOtherClasses_calibratesWithoutAccuracy() throws IOException {
        for (int i = 0; i < 2; i++) {
            Path photos = Files.createDirectories(folder.resolve("photos/" + (i == 0 ? "boots" : "trousers")));
            for (int n = 0; n < 3; n++) {
                Files.copy(
                        Samples.resource("fashion-mnist/" + (i == 0 ? "ankle-boot.png" : "trouser.png")),
                        photos.resolve(n + ".png"));
            }
        }
        Run run = Run.of(
                "quantize", "--model", MODEL, "--data", folder.resolve("photos"), "--output", out, "--samples", 100);
        assertThat(run.status()).isZero();
        assertThat(run.out()).contains("% of 3 images not used for calibration").doesNotContain("top-1");
        assertThat(run.err())
                .contains("calibrated with only 3 images; use at least 16")
                .contains(folder.resolve("photos") + ": the classes are not the model's");
    }

    @Test
    void mistakes_areNamed_andLeaveNothing() {
        Run.refused(2, List.of(fashionMnist("--method", "median")), "--method: median is unknown; choose from minmax");
        Run.refused(2, List.of(fashionMnist("--runtime", "tvm")), "--runtime: tvm is unknown; choose onnx");
        Run.refused(2, List.of(fashionMnist("--samples", 0)), "--samples must be at least 1, not 0");
        Run.refused(2, List.of(fashionMnist("--keep-float", "head")), "head matches no layer; choose from ");
        Run.refused(
                1, List.of("quantize", "--model", MODEL, "--data", folder.resolve("none"), "--output", out), "none");
        assertThat(out).doesNotExist();
    }
}
