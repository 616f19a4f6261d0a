package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Safetensors;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.network.Variant;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InspectCommandTest {

    private final Path folder;

    InspectCommandTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path folder) {
        this.folder = folder;
    }

    private static JsonObject json(Object... args) {
        return Run.succeeding(Stream.concat(Stream.of("inspect", "--json"), Stream.of(args))
                        .toArray())
                .json()
                .getAsJsonObject();
    }

    @Test
    void inspect_ofTrainedWeights_listsThemAndNamesTheirNetwork() {
        List<String> lines =
                Run.succeeding("inspect", Samples.PELEENET).out().lines().toList();

        assertThat(lines.get(0)).matches("name +type +shape +min +max +mean +std +zero % +NaN +Inf");
        assertThat(lines)
                .anyMatch(line -> line.matches("features\\.stemblock\\.stem1\\.conv\\.weight +F32 +32 x 3 x 3 x 3"
                        + " +-0\\.5058 +0\\.5155 +-0\\.01779 +0\\.1389 +0\\.0 +0 +0"))
                .anyMatch(line -> line.matches("classifier\\.bias +F32 +10 .*"))
                .contains(
                        "file       " + Samples.PELEENET,
                        "format     safetensors, 8,523,528 bytes",
                        "tensors    567 of 2,114,026 values, 8,456,104 bytes",
                        "other      format = pt",
                        "weights    at the top: 567 tensors, 2,104,298 parameters")
                .endsWith("fits       peleenet with 10 classes and 3 input channels");
        // Numbers of a column end at the same place.
        int end = lines.get(0).length();
        assertThat(lines.subList(1, 2 + 567)).allMatch(line -> line.length() == end);
    }

    @Test
    void inspect_ofASmallFileOfManyElements_readsNoMoreThanItsSizeBounds() {
        Path file = Samples.resource("cases/hostile/expanded.pth");
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        Run.succeeding("inspect", file, "plain");
        long before = threads.getCurrentThreadCpuTime();
        Run run = Run.of("inspect", file);
        // All of it would be 100 times as long.
        assertThat(threads.getCurrentThreadCpuTime() - before).isLessThan(TimeUnit.SECONDS.toNanos(5));

        assertThat(run.status()).isZero();
        assertThat(run.err())
                .contains("no statistics for the last 200 tensors", "more than 16 times", "PATTERN", "--no-stats");
        assertThat(run.out().lines())
                .anyMatch(line -> line.matches("plain +F32 +2 +1[.]000 +2[.]000 +1[.]500 .*"))
                .anyMatch(line -> line.matches("expanded0 +F32 +8192 x 8192 +[?] .*[?]"));
        JsonObject tensor = Run.of("inspect", "--json", file)
                .json()
                .getAsJsonObject()
                .getAsJsonArray("tensors")
                .get(1)
                .getAsJsonObject();
        assertThat(tensor.has("statistics") && !tensor.get("statistics").isJsonNull())
                .isFalse();
        assertThat(Run.succeeding("inspect", file, "--no-stats").err()).isEmpty();
        assertThat(Run.succeeding("inspect", file, "plain").err()).isEmpty();
    }

    @Test
    void inspect_ofAPattern_listsThoseTensorsAndJudgesAll() {
        List<String> lines = Run.succeeding("inspect", Samples.DLA_AUTHORS, "base_layer.1.*")
                .out()
                .lines()
                .toList();

        assertThat(lines.subList(2, 7))
                .extracting(line -> line.substring(0, line.indexOf(' ')))
                .containsExactly(
                        "base_layer.1.weight",
                        "base_layer.1.bias",
                        "base_layer.1.running_mean",
                        "base_layer.1.running_var",
                        "base_layer.1.num_batches_tracked");
        assertThat(lines.get(7)).isEmpty();
        assertThat(lines)
                .endsWith("fits       dla46x_c with 1,000 classes and 3 input channels; ignored: 54 tensors such as"
                        + " base_layer.1.num_batches_tracked");
    }

    @Test
    void inspect_ofTrainingCheckpoint_showsWhatStandsBesideTheWeights() {
        Run run = Run.succeeding("inspect", Samples.resource("checkpoint/training.pth.tar"), "--no-stats");

        assertThat(run.out().lines())
                .startsWith("name                                      type  shape")
                .contains(
                        "optimizer.state.2.exp_avg                 F32   4",
                        "format     PyTorch, 9,967 bytes",
                        "other      epoch = 12",
                        "           arch = net",
                        "           optimizer: 2 entries",
                        "           args: argparse.Namespace, not built",
                        "           nothing = None",
                        "not built  numpy._core.multiarray.scalar",
                        "weights    under state_dict, without the prefix module.: 8 tensors, 126 parameters",
                        "fits       no network, and none is similar; convzoo list shows the networks");
    }

    @Test
    void inspect_ofWeightsThatFitNothing_namesTheNearestAndTheDifferences() throws Exception {
        Path file = folder.resolve("file.safetensors");
        Map<String, Tensor> tensors = Samples.state(Variant.of("dla46x_c").build(), new Shape(1, 3, 64, 64));
        tensors.remove("fc.bias");
        tensors.put("head.bias", Samples.tensor("head.bias", new float[] {1}, 1));
        tensors.put("base_layer.1.bias", Samples.zeros("base_layer.1.bias", ElementType.F32, 8));
        Samples.write(file, tensors);

        List<String> lines =
                Run.succeeding("inspect", file, "--no-stats").out().lines().toList();
        assertThat(lines.subList(lines.size() - 4, lines.size()))
                .containsExactly(
                        "fits       no network; the nearest is dla46x_c with 1,000 classes and 3 input channels, with "
                                + (tensors.size() - 2) + " matching tensors",
                        "           missing: fc.bias",
                        "           unknown: head.bias",
                        "           differing: base_layer.1.bias (8) for (16)");
        JsonObject report = json(file, "--no-stats");
        assertThat(report.getAsJsonArray("fits")).isEmpty();
        JsonObject nearest = report.getAsJsonObject("nearest");
        assertThat(nearest.get("model").getAsString()).isEqualTo("dla46x_c");
        assertThat(nearest.getAsJsonArray("missing")).hasToString("[\"fc.bias\"]");
        assertThat(nearest.getAsJsonArray("misfits"))
                .hasToString("[{\"name\":\"base_layer.1.bias\",\"found\":\"(8)\",\"expected\":\"(16)\"}]");
    }

    @Test
    void inspect_asJson_hasEverything() {
        JsonObject report = json(Samples.PELEENET);

        assertThat(report.keySet())
                .containsExactly(
                        "file",
                        "format",
                        "bytes",
                        "tensorCount",
                        "values",
                        "tensorBytes",
                        "metadata",
                        "entries",
                        "placeholders",
                        "weights",
                        "problem",
                        "fits",
                        "nearest",
                        "tensors");
        assertThat(report.get("format").getAsString()).isEqualTo("safetensors");
        assertThat(report.get("bytes").getAsLong()).isEqualTo(8_523_528);
        assertThat(report.getAsJsonObject("metadata")).hasToString("{\"format\":\"pt\"}");
        assertThat(report.getAsJsonObject("weights"))
                .hasToString("{\"path\":\"\",\"prefixes\":[],\"notes\":[],\"tensors\":567,\"values\":2114026,"
                        + "\"parameters\":2104298}");
        assertThat(report.getAsJsonArray("fits"))
                .hasToString("[{\"model\":\"peleenet\",\"numClasses\":10,\"inChannels\":3,\"ignored\":[]}]");
        assertThat(report.get("nearest").isJsonNull()).isTrue();
        assertThat(report.getAsJsonArray("tensors")).hasSize(567);
        JsonObject tensor = report.getAsJsonArray("tensors").get(0).getAsJsonObject();
        assertThat(tensor.keySet()).containsExactly("name", "type", "shape", "statistics");
        assertThat(tensor.getAsJsonObject("statistics").keySet())
                .containsExactly("min", "max", "mean", "std", "zeros", "nans", "infinities");
    }

    @Test
    void inspect_asJson_hasNoNumberThatJsonLacks() {
        JsonObject report = json(Samples.resource("checkpoint/types.safetensors"));

        for (JsonElement each : report.getAsJsonArray("tensors")) {
            JsonObject tensor = each.getAsJsonObject();
            JsonObject statistics = tensor.getAsJsonObject("statistics");
            boolean empty = tensor.get("name").getAsString().equals("empty");
            assertThat(statistics.get("mean").isJsonNull()).isEqualTo(empty);
            boolean fractional =
                    List.of("F64", "F16", "BF16").contains(tensor.get("type").getAsString());
            if (fractional) {
                assertThat(statistics.get("nans").getAsInt()).isEqualTo(1);
                assertThat(statistics.get("infinities").getAsInt()).isEqualTo(2);
            }
        }
        assertThat(json(Samples.resource("checkpoint/types.safetensors"), "--no-stats")
                        .getAsJsonArray("tensors"))
                .allMatch(each -> each.getAsJsonObject().get("statistics").isJsonNull());
    }

    @ParameterizedTest
    @CsvSource({
        "legacy.pth, pytorch_legacy, PyTorch before 1.6",
        "torchscript.pt, torchscript, TorchScript",
        "arrays_compressed.npz, numpy_zip, NumPy .npz",
        "mxnet_types.params, mxnet, MXNet .params",
        "net.pdparams, paddle, PaddlePaddle",
        "sharded/model.safetensors.index.json, safetensors_index, index of a sharded safetensors checkpoint"
    })
    void inspect_ofEveryFormat_namesIt(String name, String format, String text) {
        Path file = Samples.resource("checkpoint/" + name);

        assertThat(json(file).get("format").getAsString()).isEqualTo(format);
        assertThat(Run.succeeding("inspect", file).out()).contains("format     " + text + ", ");
    }

    @Test
    void inspect_ofDjlsFile_saysThatItHasNoNames() {
        Path file = folder.resolve("peleenet-0000.params");
        Run.succeeding("convert", Samples.PELEENET, file, "--model", "peleenet");

        assertThat(Run.succeeding("inspect", file, "--no-stats").out())
                .contains("format     DJL .params, in which tensors have an order but no names, ")
                .contains("2,104,298 parameters")
                .contains("fits       peleenet with 10 classes and 3 input channels");
    }

    @Test
    void inspect_ofAFileWithoutWeights_saysWhy() {
        Run run = Run.succeeding("inspect", Samples.resource("checkpoint/odd.pth"));

        assertThat(run.out())
                .contains("weights    none: complex: is a complex tensor, which no network in ConvZoo has; save"
                        + " tensor.real")
                .contains("           float8: torch.float8_e4m3fn, not built");
        JsonObject report = json(Samples.resource("checkpoint/odd.pth"));
        assertThat(report.get("weights").isJsonNull()).isTrue();
        assertThat(report.get("problem").getAsString()).startsWith("complex: is a complex tensor");
    }

    @Test
    void inspect_ofHostileNames_drivesNoTerminal() throws Exception {
        String name = "a\u001b[2J\u009b2J\r\nfits dla34\u202e";
        Path file = folder.resolve("hostile.safetensors");
        Safetensors.write(
                file, List.of(Samples.tensor(name, new float[] {1}, 1)), Map.of("\u001b]0;x\u0007", "y\u0086\u2066"));

        for (String option : List.of("--no-stats", "--json")) {
            String out = Run.succeeding("inspect", file, option).out();
            assertThat(out.replace(System.lineSeparator(), "").replace("\n", ""))
                    .doesNotContainPattern("[\\p{Cc}\\u202a-\\u202e\\u2066-\\u2069]");
        }
        assertThat(Run.succeeding("inspect", file, "--no-stats").out().lines())
                .noneMatch(line -> line.startsWith("fits dla34"))
                .contains("other      ?]0;x? = y??");
        assertThat(json(file)
                        .getAsJsonArray("tensors")
                        .get(0)
                        .getAsJsonObject()
                        .get("name")
                        .getAsString())
                .isEqualTo(name);
    }

    @Test
    void inspect_ofAPatternForNothing_saysWhatThereIs() {
        Run.refused(
                2,
                List.of("inspect", Samples.PELEENET, "fc.*"),
                Samples.PELEENET + " has no tensor named fc.*; it has 567 tensors, the first is classifier.bias, ");
    }

    @Test
    void inspect_ofNoCheckpoint_namesTheFile() throws Exception {
        Path file = Files.writeString(folder.resolve("notes.txt"), "no checkpoint");
        Run.refused(1, List.of("inspect", file), "convzoo: " + file + ": ");
        Run.refused(1, List.of("inspect", folder.resolve("none.pth")), "none.pth: ");
        Run.refused(1, List.of("inspect", folder), folder + ": ");
        Path cut = Files.write(
                folder.resolve("cut.safetensors"),
                Arrays.copyOf(Files.readAllBytes(Samples.resource("checkpoint/types.safetensors")), 900));
        Run.refused(1, List.of("inspect", cut), cut + ": ");
    }
}
