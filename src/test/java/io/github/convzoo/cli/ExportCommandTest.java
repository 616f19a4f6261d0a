package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExportCommandTest {

    private static final String MODEL = "peleenet.fmnist";
    private static final Path IMAGE = Path.of("src/test/resources/fashion-mnist/ankle-boot.png");

    @TempDir
    Path folder = Path.of("");

    @ParameterizedTest
    @CsvSource({"onnx, model.onnx, ONNX Runtime", "torchscript, model.pt, PyTorch"})
    void export_ofABundledModel_writesAModelFolder(String format, String file, String runtime) throws IOException {
        Path out = folder.resolve("out");
        Run run = Run.succeeding("export", "--model", MODEL, "--format", format, "--output", out);
        assertThat(run.out()).startsWith(out.resolve(file) + ": written, ").contains(runtime + ": largest difference");
        assertThat(out.toFile().list()).containsExactlyInAnyOrder("config.json", file);
        assertThat(ModelFolder.config(out)).hasValueSatisfying(config -> {
            assertThat(config.labels()).isPresent();
            assertThat(config.options().numClasses()).isEqualTo(10);
        });
    }

    @Test
    void export_asJson_isTheReport() {
        Run run = Run.succeeding(
                "export",
                "--model",
                MODEL,
                "--format",
                "onnx",
                "--output",
                folder,
                "--json",
                "--with-preprocess",
                "--features");
        JsonObject report = JsonParser.parseString(run.out()).getAsJsonObject();
        assertThat(report.get("file").getAsString()).endsWith("model.onnx");
        JsonObject check = report.getAsJsonArray("checks").get(0).getAsJsonObject();
        assertThat(check.get("difference").getAsDouble()).isBetween(0.0, 1e-5);
        assertThat(report.get("nodesAfter").getAsInt())
                .isLessThan(report.get("nodesBefore").getAsInt());
    }

    @Test
    void export_inHalfPrecision_isHalfTheSize() throws IOException {
        Run.succeeding("export", "--model", MODEL, "--format", "torchscript", "--output", folder.resolve("whole"));
        Run.succeeding(
                "export", "--model", MODEL, "--format", "torchscript", "--output", folder.resolve("half"), "--fp16");
        Run.succeeding(
                "export", "--model", MODEL, "--format", "torchscript", "--output", folder.resolve("brain"), "--bf16");
        long whole = Files.size(folder.resolve("whole/model.pt"));
        assertThat((double) Files.size(folder.resolve("half/model.pt")) / whole).isBetween(0.5, 0.6);
        assertThat((double) Files.size(folder.resolve("brain/model.pt")) / whole)
                .isBetween(0.5, 0.6);
    }

    @Test
    void export_misused_saysHowToDoBetter() {
        Run.refused(
                Main.MISUSED,
                List.of("export", "--model", MODEL, "--format", "tflite", "--output", folder),
                "--format: tflite is unknown; choose onnx or torchscript");
        Run.refused(
                Main.MISUSED,
                List.of("export", "--model", MODEL, "--format", "onnx", "--output", folder, "--fp16", "--bf16"),
                "--fp16 and --bf16 exclude each other");
        Run.refused(
                Main.MISUSED,
                List.of("export", "--model", MODEL, "--format", "onnx", "--output", folder, "--bf16"),
                "bfloat16");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void predict_compiled_givesTheSameLabels() {
        String plain = Run.succeeding("predict", IMAGE, "--model", MODEL).out();
        assertThat(Run.succeeding("predict", IMAGE, "--model", MODEL, "--compiled")
                        .out())
                .isEqualTo(plain);
        assertThat(Run.succeeding("predict", IMAGE, "--model", MODEL, "--compiled", "--runtime", "torchscript")
                        .out())
                .isEqualTo(plain);
        Run.refused(
                Main.MISUSED,
                List.of("predict", IMAGE, "--model", MODEL, "--runtime", "onnx"),
                "--runtime needs --compiled");
        Run.refused(
                Main.MISUSED,
                List.of("predict", IMAGE, "--model", MODEL, "--compiled", "--runtime", "tvm"),
                "--runtime: a runtime must be one of [fastest, onnx, torchscript], not tvm");
    }

    @Test
    void summary_withGraph_writesDot() throws IOException {
        Path file = folder.resolve("graph.dot");
        Run.succeeding("summary", "dla46_c", "--graph", file);
        assertThat(Files.readString(file))
                .startsWith("digraph {")
                .contains("Conv2d[16, kernel 7, padding 3]\\nbase_layer.0")
                .contains("(1, 16, 224, 224)");
    }

    @Test
    void benchmark_ofEveryRuntime_hasARowForEach() {
        Run run = Run.succeeding(
                "benchmark", MODEL, "--batch", "1,2", "--rounds", "1", "--seconds", "0.01", "--threads", "1", "--json");
        JsonArray rows = JsonParser.parseString(run.out()).getAsJsonArray();
        assertThat(rows).hasSize(6);
        for (int i = 0; i < 6; i++) {
            JsonObject row = rows.get(i).getAsJsonObject();
            assertThat(row.get("batch").getAsInt()).isEqualTo(i / 3 + 1);
            assertThat(row.get("runtime").getAsString())
                    .isEqualTo(List.of("eager", "torchscript", "onnx").get(i % 3));
            assertThat(row.get("medianMs").getAsDouble()).isPositive();
            assertThat(row.get("p10Ms").getAsDouble())
                    .isLessThanOrEqualTo(row.get("p90Ms").getAsDouble());
        }
        assertThat(rows.get(0).getAsJsonObject().get("ratio").getAsDouble()).isEqualTo(1);
    }

    @Test
    void benchmark_misused_saysWhat() throws IOException {
        Path peer = Files.writeString(folder.resolve("peer.txt"), "");
        Run.refused(Main.MISUSED, List.of("benchmark", MODEL, "--peer", peer), "is neither .onnx nor .pt");
        Run.refused(
                Main.FAILED,
                List.of("benchmark", MODEL, "--peer", folder.resolve("no.onnx")),
                "no.onnx: there is no such file");
        Run.refused(Main.MISUSED, List.of("benchmark", MODEL, "--runtime", "tvm"), "--runtime: tvm is unknown");
        Path broken = Files.writeString(folder.resolve("broken.onnx"), "broken");
        Run.refused(
                Main.FAILED,
                List.of("benchmark", MODEL, "--runtime", "eager", "--rounds", "1", "--peer", broken),
                "broken.onnx: the process failed");
    }
}
