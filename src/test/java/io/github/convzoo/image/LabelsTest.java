package io.github.convzoo.image;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LabelsTest {

    private final Path folder;

    LabelsTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void read_ofLines_namesTheClassesInOrder() throws IOException {
        Labels labels = Labels.read(file("T-shirt/top\nn01440764 tench, Tinca tinca\nÄrmel\n", UTF_8), 3);

        assertThat(labels.names()).containsExactly("T-shirt/top", "n01440764 tench, Tinca tinca", "Ärmel");
        assertThat(labels.size()).isEqualTo(3);
        assertThat(labels.name(2)).isEqualTo("Ärmel");
    }

    @Test
    void read_ofWindowsFile_dropsMarkAndCarriageReturns() throws IOException {
        assertThat(Labels.read(file("\ufeffa\r\nb", UTF_8)).names()).containsExactly("a", "b");
    }

    @Test
    void read_ofBlankTrailingLines_toleratesThem() throws IOException {
        assertThat(Labels.read(file("a\nb\n\n  \n", UTF_8)).names()).containsExactly("a", "b");
    }

    @Test
    void read_ofBlankLineBetween_namesFileAndLine() throws IOException {
        Path file = file("a\n\nb\n", UTF_8);

        assertThatIOException()
                .isThrownBy(() -> Labels.read(file))
                .withMessageContaining(file.toString())
                .withMessageContaining("line 2");
    }

    @Test
    void read_ofEmptyFile_namesFile() throws IOException {
        for (String text : List.of("", "\n\n", "\ufeff")) {
            Path file = file(text, UTF_8);

            assertThatIOException()
                    .isThrownBy(() -> Labels.read(file))
                    .withMessageContaining(file.toString())
                    .withMessageContaining("no label");
        }
    }

    @Test
    void read_ofAnotherCount_namesFileAndBothCounts() throws IOException {
        Path file = file("a\nb\n", UTF_8);

        assertThatIOException()
                .isThrownBy(() -> Labels.read(file, 10))
                .withMessageContaining(file.toString())
                .withMessageContaining("2 labels")
                .withMessageContaining("10 classes");
    }

    @Test
    void read_ofAnotherEncoding_namesFile() throws IOException {
        Path file = file("Ärmel\n", ISO_8859_1);

        assertThatIOException()
                .isThrownBy(() -> Labels.read(file))
                .withMessageContaining(file.toString())
                .withMessageContaining("UTF-8");
    }

    @Test
    void read_ofNoFile_namesIt() {
        assertThatIOException()
                .isThrownBy(() -> Labels.read(folder.resolve("none.txt")))
                .withMessageContaining("none.txt: no such");
    }

    @Test
    void read_ofHugeFile_isRefused() throws IOException {
        Path file = folder.resolve("huge.txt");
        Files.write(file, new byte[(1 << 24) + 1]);

        assertThatIOException().isThrownBy(() -> Labels.read(file)).withMessageContaining("16 MiB");
    }

    @Test
    void construction_ofBlankName_isRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Labels(List.of()));
        assertThatIllegalArgumentException().isThrownBy(() -> new Labels(List.of("a", " ")));
    }

    private Path file(String text, Charset charset) throws IOException {
        return Files.write(folder.resolve("labels.txt"), text.getBytes(charset));
    }
}
