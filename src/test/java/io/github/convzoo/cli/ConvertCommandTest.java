package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.github.convzoo.Samples;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConvertCommandTest {

    private final Path out;

    ConvertCommandTest(@TempDir Path folder) {
        out = folder.resolve("out.safetensors");
    }

    @Test
    void convert_ofACanonicalFile_writesItAgain() {
        Run run = Run.succeeding("convert", Samples.PELEENET, out, "--model", "peleenet");

        assertThat(run.out().lines()).hasSize(2);
        assertThat(run.out()).startsWith(Samples.PELEENET + ": ").contains(" tensors loaded into peleenet");
        assertThat(run.out().lines().skip(1)).containsExactly(out + ": written");
        assertThat(out).hasSameBinaryContentAs(Samples.PELEENET);
    }

    @Test
    void convert_ofTheDlaAuthorsFile_namesWhatIsLeftOut() {
        Run run = Run.succeeding("convert", Samples.DLA_AUTHORS, out, "--model", "dla46x_c");

        assertThat(run.out())
                .contains("ignored: entries that the published file carries and the network has no use for"
                        + " (level4.project.0.weight and 4 more)");
        assertThat(out).isNotEmptyFile();
    }

    @Test
    void convert_asJson_reportsEveryName() {
        JsonObject report = Run.succeeding("convert", Samples.DLA_AUTHORS, out, "--model", "dla46x_c", "--json")
                .json()
                .getAsJsonObject();

        assertThat(report.keySet()).containsExactly("file", "path", "model", "loaded", "notes", "placeholders");
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
        Run.refused(2, List.of("convert", Samples.PELEENET, out, "--model", "dla35"), "there is no network dla35");

        assertThat(out).hasContent("mine");
    }

    @Test
    void convert_ofNoCheckpoint_namesTheFile() throws IOException {
        Path in = out.resolveSibling("in.pth");
        Run.refused(1, List.of("convert", in, out, "--model", "dla34"), "convzoo: " + in + ": ");
        Files.writeString(in, "no checkpoint");
        Run.refused(1, List.of("convert", in, out, "--model", "dla34"), "convzoo: " + in + ": ");
        Run.refused(1, List.of("convert", out.getParent(), out, "--model", "dla34"), out.getParent() + ": ");
        Path nowhere = out.resolveSibling("none").resolve("out.safetensors");
        Run.refused(1, List.of("convert", Samples.PELEENET, nowhere, "--model", "peleenet"), nowhere + ": ");
    }
}
