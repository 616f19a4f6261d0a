package io.github.convzoo.weights;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which files are exported ones. */
class ExportedFileTest {

    @TempDir
    Path folder = Path.of("");

    private Path archive(String name, String entry) throws IOException {
        Path file = folder.resolve(name);
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            zip.putNextEntry(new ZipEntry(entry));
        }
        return file;
    }

    @Test
    void torchScript_isExported_ifConvZooWroteIt() throws IOException {
        Path ours = archive("model.pt", "model/code/__torch__/convzoo.py");
        Path traced = archive("traced.pt", "model/code/__torch__.py");
        assertThat(ExportedFile.of(ours)).hasValue(new ExportedFile(ours, ExportedFile.Format.TORCHSCRIPT));
        assertThat(ExportedFile.of(traced)).isEmpty();
        assertThat(ExportedFile.in(folder)).containsExactly(new ExportedFile(ours, ExportedFile.Format.TORCHSCRIPT));
    }

    @Test
    void onnx_isExported_whateverTheCaseOfItsName() throws IOException {
        Path upper = Files.writeString(folder.resolve("NET.ONNX"), "");
        assertThat(ExportedFile.of(upper)).hasValue(new ExportedFile(upper, ExportedFile.Format.ONNX));
        assertThat(ExportedFile.of(folder)).isEmpty();
    }

    @Test
    void archive_thatIsDamaged_isLeftToItsOwnReader() throws IOException {
        assertThat(ExportedFile.of(Files.writeString(folder.resolve("half.pt"), "PK\3\4")))
                .isEmpty();
    }
}
