package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Npy;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.weights.ExportedFile;
import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
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
        assertThat(out.toFile().list())
                .containsExactlyInAnyOrder("config.json", file, "serving.properties", "synset.txt");
        assertThat(run.out()).contains("serving.properties: DJL resizes without antialiasing");
        assertThat(ModelFolder.config(out)).hasValueSatisfying(config -> {
            assertThat(config.labels()).isPresent();
            assertThat(config.options().numClasses()).isEqualTo(10);
        });
    }

    @ParameterizedTest
    @CsvSource({"onnx, model.onnx", "torchscript, model.pt"})
    void export_ofANonSquareInput_givesAFolderThatPredictsAndRunsWithIt(String format, String file) throws IOException {
        Path out = folder.resolve("out");
        Run.succeeding("export", "--model", MODEL, "--format", format, "--output", out, "--input-size", "64x96");
        assertThat(ModelFolder.config(out)).hasValueSatisfying(config -> {
            assertThat(config.preprocessing().height()).isEqualTo(64);
            assertThat(config.preprocessing().width()).isEqualTo(96);
        });
        assertThat(Files.readString(out.resolve("serving.properties"))).contains("width=96\n", "height=64\n");
        assertThat(Run.succeeding("predict", IMAGE, "--model", out).out())
                .isEqualTo(Run.succeeding("predict", IMAGE, "--model", MODEL, "--input-size", "64x96")
                        .out());
        Path input = folder.resolve("in.npy");
        float[] zeros = new float[3 * 64 * 96];
        Npy.write(input, Tensor.of("x", ElementType.F32, new long[] {1, 3, 64, 96}, bytes(zeros)));
        Run.succeeding("forward", "--model", out, "--input", input, "--output", folder.resolve("a.npy"));
        Run.succeeding("forward", "--model", MODEL, "--input", input, "--output", folder.resolve("b.npy"));
        float[] actual = floats(folder.resolve("a.npy"));
        float[] expected = floats(folder.resolve("b.npy"));
        assertThat(actual).hasSize(10);
        for (int i = 0; i < 10; i++) {
            assertThat(actual[i]).isCloseTo(expected[i], within(1e-3f));
        }
        if (format.equals("onnx")) {
            Run.refused(
                    Main.MISUSED,
                    List.of("predict", IMAGE, "--model", out, "--input-size", "96x64"),
                    file + ": needs inputs of (3, 64, 96)",
                    "export the model again with --input-size 96x64");
        }
    }

    private static ByteBuffer bytes(float[] values) {
        ByteBuffer buffer =
                ByteBuffer.allocateDirect(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        buffer.asFloatBuffer().put(values);
        return buffer;
    }

    private static float[] floats(Path file) throws IOException {
        Tensor tensor = Npy.read(file);
        FloatBuffer buffer = FloatBuffer.allocate(Math.toIntExact(tensor.size()));
        tensor.toFloats(buffer);
        return buffer.array();
    }

    @Test
    void eval_ofAnExportedFolder_isAsAccurateAsTheModel() {
        Run.succeeding("export", "--model", MODEL, "--format", "torchscript", "--output", folder);
        List<Object> args = List.of("eval", "--dataset", "fashion-mnist", "--data", "src/test/resources/fashion-mnist");
        List<Object> exported = new ArrayList<>(args);
        exported.addAll(List.of("--model", folder, "--json"));
        List<Object> model = new ArrayList<>(args);
        model.addAll(List.of("--model", MODEL, "--json"));
        JsonObject actual = Run.of(exported.toArray()).json().getAsJsonObject();
        JsonObject expected = Run.of(model.toArray()).json().getAsJsonObject();
        assertThat(actual.get("correct")).isEqualTo(expected.get("correct"));
        assertThat(actual.get("total")).isEqualTo(expected.get("total"));
    }

    @Test
    void inputSize_thatIsNone_isRefused() {
        for (String size : List.of("64x", "axb", "3x64x64", "64x0")) {
            Run.refused(
                    Main.MISUSED,
                    List.of("export", "--model", MODEL, "--format", "onnx", "--output", folder, "--input-size", size),
                    "--input-size must be");
        }
    }

    @Test
    void precision_thatIsSlowerOrHasNoDevice_isRefused() {
        String slower = "--precision: fp16 is slower than fp32 on a CPU";
        Run.refused(Main.MISUSED, List.of("benchmark", MODEL, "--precision", "fp16"), slower);
        Run.refused(
                Main.MISUSED,
                List.of("predict", IMAGE, "--model", MODEL, "--compiled", "--precision", "fp16", "--device", "cpu"),
                "fp16 is slower than fp32 on a CPU");
        Run.refused(
                Main.MISUSED,
                List.of("predict", IMAGE, "--model", MODEL, "--precision", "bf16"),
                "--precision needs --compiled");
        Run.refused(
                Main.MISUSED,
                List.of("benchmark", MODEL, "--precision", "int8"),
                "--precision: precision must be one of [fp32, fp16, bf16], not int8");
        Run.refused(Main.MISUSED, List.of("benchmark", MODEL, "--device", "gpu99"), "--device gpu99: ");
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
    void help_namesEveryFormat() {
        assertThat(Run.succeeding("export", "--help").out()).contains("The file format: onnx, torchscript");
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
                "--fp16 and --bf16 are mutually exclusive");
        Run.refused(
                Main.MISUSED,
                List.of("export", "--model", MODEL, "--format", "onnx", "--output", folder, "--bf16"),
                "bfloat16");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void export_overSomebodysFile_needsOverwrite() throws IOException {
        Path file = Files.writeString(folder.resolve("model.onnx"), "somebody's");
        List<Object> command = List.of("export", "--model", MODEL, "--format", "onnx", "--output", folder);
        Run.refused(Main.MISUSED, command, "model.onnx is a file that convzoo export did not write", "--overwrite");
        assertThat(file).hasContent("somebody's");
        List<Object> overwriting = new ArrayList<>(command);
        overwriting.add("--overwrite");
        assertThat(Run.of(overwriting.toArray()).status()).isZero();
        assertThat(Files.size(file)).isGreaterThan(1_000_000);
    }

    @Test
    void predict_ofAFolderWithBothFormats_runsTheOneThatIsAskedFor() {
        Path both = folder.resolve("both");
        Run.succeeding("export", "--model", MODEL, "--format", "onnx", "--output", both);
        Run.succeeding("export", "--model", MODEL, "--format", "torchscript", "--output", both);
        String expected = Run.of("predict", IMAGE, "--model", both).out();
        for (String runtime : List.of("onnx", "torchscript")) {
            Run run = Run.of("predict", IMAGE, "--model", both, "--compiled", "--runtime", runtime);
            assertThat(run.out()).isEqualTo(expected).contains("Ankle boot");
            assertThat(run.err()).contains("running " + (runtime.equals("onnx") ? "model.onnx" : "model.pt"));
        }
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
                "--runtime: runtime must be one of [fastest, onnx, torchscript], not tvm");
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
    void benchmark_ofATracedPeer_runsItsCode() {
        Path peer = Path.of("src/test/resources/checkpoint/torchscript_traced.pt");
        Run run = Run.succeeding(
                "benchmark",
                "peleenet",
                "--input-size",
                "32",
                "--runtime",
                "eager",
                "--batch",
                "1",
                "--rounds",
                "1",
                "--seconds",
                "0.01",
                "--peer",
                peer,
                "--json");
        JsonArray rows = JsonParser.parseString(run.out()).getAsJsonArray();
        assertThat(rows).hasSize(2).first().satisfies(row -> {
            assertThat(row.getAsJsonObject().get("runtime").getAsString()).isEqualTo("torchscript_traced.pt");
            assertThat(row.getAsJsonObject().get("medianMs").getAsDouble()).isPositive();
        });
    }

    @Test
    void benchmark_ofAPeerWithConvZoosCode_checksItAsConvZooDoes() throws IOException {
        Path peer = folder.resolve("own.pt");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(peer))) {
            zip.putNextEntry(new ZipEntry("own/" + ExportedFile.CODE));
            zip.putNextEntry(new ZipEntry("own/more.so"));
        }
        Run.refused(
                Main.FAILED,
                List.of("benchmark", MODEL, "--runtime", "eager", "--batch", "1", "--rounds", "1", "--peer", peer),
                "own.pt: this zip archive was not written by torch.save");
    }

    @Test
    void benchmark_misused_saysWhat() throws IOException {
        Path peer = Files.writeString(folder.resolve("peer.txt"), "");
        Run.refused(Main.MISUSED, List.of("benchmark", MODEL, "--peer", peer), "is neither a .onnx nor a .pt file");
        Run.refused(
                Main.FAILED, List.of("benchmark", MODEL, "--peer", folder.resolve("no.onnx")), "no.onnx: no such file");
        Run.refused(Main.MISUSED, List.of("benchmark", MODEL, "--runtime", "tvm"), "--runtime: tvm is unknown");
        Run.refused(
                Main.MISUSED,
                List.of("benchmark", MODEL, "--threads", "0"),
                "--threads must be at least 1 and at most");
        Run.refused(Main.MISUSED, List.of("benchmark", MODEL, "--batch", "0"), "--batch must be at least 1");
        Path broken = Files.writeString(folder.resolve("broken.onnx"), "broken");
        Run.refused(
                Main.FAILED,
                List.of("benchmark", MODEL, "--runtime", "eager", "--rounds", "1", "--peer", broken),
                "broken.onnx: the process failed");
    }
}
