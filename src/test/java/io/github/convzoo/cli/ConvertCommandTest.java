package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.checkpoint.Value;
import io.github.convzoo.weights.StateDict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConvertCommandTest {

    private final Path out;

    ConvertCommandTest(@TempDir Path folder) {
        out = folder.resolve("out.safetensors");
    }

    @Test
    void convert_ofACanonicalFile_writesItAgain() throws IOException {
        Run run = Run.succeeding("convert", Samples.PELEENET, out, "--model", "peleenet");

        assertThat(run.out()).startsWith(Samples.PELEENET + ": ").contains(" tensors loaded into peleenet");
        assertThat(run.out().lines().skip(1))
                .containsExactly(out + ": written", "for ConvZoo only: timm has no peleenet");
        Checkpoint written = Checkpoint.read(out);
        assertThat(StateDict.of(written).tensors().keySet())
                .isEqualTo(StateDict.of(Checkpoint.read(Samples.PELEENET))
                        .tensors()
                        .keySet());
        // Again, of the file that says by itself what it is.
        Path again = out.resolveSibling("again.safetensors");
        assertThat(Run.succeeding("convert", out, again).guesses()).isEmpty();
        assertThat(again).hasSameBinaryContentAs(out);
    }

    @Test
    void convert_ofTheDlaAuthorsFile_namesWhatIsLeftOut() {
        Run run = Run.succeeding("convert", Samples.DLA_AUTHORS, out, "--model", "dla46x_c");

        assertThat(run.out())
                .contains("ignored: entries of the published file that the network does not use"
                        + " (level4.project.0.weight and 4 more)");
        assertThat(out).isNotEmptyFile();
    }

    @Test
    void convert_asJson_reportsEveryName() {
        JsonObject report = Run.succeeding("convert", Samples.DLA_AUTHORS, out, "--model", "dla46x_c", "--json")
                .json()
                .getAsJsonObject();

        assertThat(report.keySet()).containsExactly("file", "path", "model", "loaded", "notes", "placeholders");
        assertThat(Run.of("convert", Samples.DLA_AUTHORS, out, "--model", "dla46x_c")
                        .err())
                .isEqualToIgnoringNewLines("convzoo: replaced " + out);
        assertThat(report.get("file").getAsString()).isEqualTo(Samples.DLA_AUTHORS.toString());
        assertThat(report.get("model").getAsString()).isEqualTo("dla46x_c");
        assertThat(report.getAsJsonArray("loaded")).isNotEmpty();
        assertThat(report.getAsJsonArray("notes"))
                .extracting(note -> note.getAsJsonObject().get("rule").getAsString())
                .contains("unused_entry");
    }

    @Test
    void convert_forAnotherModel_leavesTheOutputAsItWas() throws IOException {
        Files.writeString(out, "mine");
        Run.refused(1, List.of("convert", Samples.PELEENET, out, "--model", "dla34"), "does not fit dla34; missing: ");
        Run.refused(2, List.of("convert", Samples.PELEENET, out, "--model", "dla35"), "unknown network dla35");

        assertThat(out).hasContent("mine");
    }

    @Test
    void convert_ofNoCheckpoint_namesTheFile() throws IOException {
        Path in = out.resolveSibling("in.pth");
        Run.refused(1, List.of("convert", in, out, "--model", "dla34"), "convzoo: " + in + ": ");
        Files.writeString(in, "no checkpoint");
        Run.refused(1, List.of("convert", in, out, "--model", "dla34"), "convzoo: " + in + ": ");
        Path empty = Files.createDirectory(out.resolveSibling("empty"));
        Run.refused(1, List.of("convert", empty, out, "--model", "dla34"), empty + ": no weights found");
        Path nowhere = out.resolveSibling("none").resolve("out.safetensors");
        Run.refused(1, List.of("convert", Samples.PELEENET, nowhere, "--model", "peleenet"), nowhere + ": ");
    }

    @Test
    void convert_intoTheFileThatIsRead_isRefusedAndLosesNothing() throws IOException {
        Path in = Files.copy(Samples.PELEENET, out.resolveSibling("in.safetensors"));
        Path link = Files.createSymbolicLink(out.resolveSibling("link.safetensors"), in);
        for (Path target : List.of(in, link)) {
            Run.refused(
                    2,
                    List.of("convert", in, target, "--model", "peleenet"),
                    target + ": this is also the input file; choose another output file");
        }
        assertThat(in).hasSameBinaryContentAs(Samples.PELEENET);
    }

    @ParameterizedTest
    @ValueSource(strings = {"out.bin", "out.onnx", "out.pth", "out", "out.safetensors.gz", "out.npz"})
    void convert_intoAnUnknownKindOfFile_isRefused(String name) {
        Path target = out.resolveSibling(name);
        Run.refused(
                2,
                List.of("convert", Samples.PELEENET, target, "--model", "peleenet"),
                target + ": convert writes .safetensors and .params files, or a model folder with --output");
        assertThat(target).doesNotExist();
    }

    @Test
    void convert_intoAFolder_writesAModelThatNeedsNothingElse() throws IOException {
        Path folder = out.resolveSibling("model");
        Path labels = Samples.resource("fashion-mnist/labels.txt");
        Run.succeeding(
                "convert",
                Samples.PELEENET,
                "--model",
                "peleenet",
                "--output",
                folder,
                "--labels",
                labels,
                "--input-size",
                32,
                "--no-resize");

        JsonObject config = JsonParser.parseString(Files.readString(folder.resolve("config.json")))
                .getAsJsonObject();
        assertThat(config.get("architecture").getAsString()).isEqualTo("peleenet");
        assertThat(config.get("num_classes").getAsInt()).isEqualTo(10);
        assertThat(config.getAsJsonObject("convzoo").get("timm").getAsString()).contains("timm has no peleenet");
        Path boot = Samples.resource("fashion-mnist/ankle-boot.png");
        Run named = Run.succeeding("predict", boot, "--model", folder, "--json");
        assertThat(named.guesses()).isEmpty();
        Run told = Run.succeeding(
                "predict",
                boot,
                "--model",
                "peleenet",
                "--weights",
                Samples.PELEENET,
                "--labels",
                labels,
                "--input-size",
                32,
                "--no-resize",
                "--json");
        assertThat(named.json()).isEqualTo(told.json());
        assertThat(told.guesses()).hasSize(1);
        // The file alone says as much.
        assertThat(Run.succeeding("predict", boot, "--model", folder.resolve("model.safetensors"), "--json")
                        .json())
                .isEqualTo(told.json());
        Run.refused(
                2,
                List.of("convert", Samples.PELEENET, "--model", "peleenet", "--output", folder),
                folder + " is not empty");
        Run.refused(2, List.of("convert", Samples.PELEENET, "--model", "peleenet"), "OUT", "--output");
    }

    private static Map<String, Tensor> peleenet() throws IOException {
        Map<String, Tensor> weights = new LinkedHashMap<>();
        ((Value.Mapping) Checkpoint.read(Samples.PELEENET).root())
                .entries()
                .forEach((name, tensor) -> weights.put(name, (Tensor) tensor));
        return weights;
    }

    /** PeleeNet's weights under two prefixes, the second with other numbers, and a tensor of nobody's. */
    private Path twoModels() throws IOException {
        Map<String, Tensor> both = new LinkedHashMap<>();
        peleenet().forEach((name, tensor) -> {
            both.put("student." + name, tensor.withName("student." + name));
            String other = "teacher." + name;
            both.put(other, Samples.zeros(other, tensor.type(), tensor.shape()));
        });
        both.put("loss", Samples.zeros("loss", ElementType.F32, 1));
        return Samples.write(out.resolveSibling("two.safetensors"), both);
    }

    @Test
    void convert_withAKey_takesWhatItNames() throws IOException {
        Path in = twoModels();
        Run.refused(
                1,
                List.of("convert", in, out, "--model", "peleenet"),
                "several weights fit peleenet and differ",
                "--key student");
        Run.succeeding("convert", in, out, "--model", "peleenet", "--key", "student");
        assertHoldsPeleeNet();
    }

    @Test
    void convert_withIgnoredEntries_leavesThemOutAndSaysSo() throws IOException {
        Path in = twoModels();
        Run run = Run.succeeding(
                "convert", in.toUri(), out, "--model", "peleenet", "--ignore", "teacher.*", "--ignore", "loss");

        assertThat(run.out()).contains("ignored as requested (").contains("stripped from names to fit");
        assertHoldsPeleeNet();
    }

    @Test
    void convert_withALimit_holdsTheFileToIt() {
        List<Object> command = List.of("convert", Samples.PELEENET, out, "--model", "peleenet", "--limit");
        Run.refused(
                1, with(command, "tensors=10"), "raise the limit tensors (--limit tensors=N, or withLimits in Java)");
        Run.refused(2, with(command, "tensor=10"), "--limit: unknown limit tensor; did you mean tensors?");
        Run.refused(2, with(command, "many"), "--limit: write a limit as NAME=NUMBER");
    }

    private void assertHoldsPeleeNet() throws IOException {
        Map<String, Tensor> expected = peleenet();
        Value.Mapping root = (Value.Mapping) Checkpoint.read(out).root();
        assertThat(root.entries().keySet()).isEqualTo(expected.keySet());
        expected.forEach((name, tensor) -> assertThat(Samples.floats(
                        (Tensor) Objects.requireNonNull(root.entries().get(name))))
                .isEqualTo(Samples.floats(tensor)));
    }

    private static List<Object> with(List<Object> command, String argument) {
        return Stream.concat(command.stream(), Stream.of(argument)).toList();
    }

    @Test
    void inspect_ofTwoModels_saysWhichAndFollowsTheKey() throws IOException {
        Path in = twoModels();
        assertThat(Run.succeeding("inspect", in, "--no-stats").out())
                .contains("weights    none: several weights fit peleenet and differ");
        String chosen =
                Run.succeeding("inspect", in, "--no-stats", "--key", "student").out();
        assertThat(chosen).contains("weights    under student: ").contains("fits       peleenet with 10 classes");
        JsonObject json = Run.succeeding(
                        "inspect", in, "--no-stats", "--json", "--ignore", "teacher.*", "--ignore", "loss")
                .json()
                .getAsJsonObject();
        assertThat(json.getAsJsonObject("weights").getAsJsonArray("notes"))
                .extracting(note -> note.getAsJsonObject().get("rule").getAsString())
                .containsExactly("prefix_stripped", "ignored_as_asked");
    }
}
