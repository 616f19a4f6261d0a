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
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

    @Test
    void imageNet_hasAThousandNamesOfWhichOneStandsTwice() {
        Labels labels = Labels.imageNet();

        assertThat(labels.size()).isEqualTo(1000);
        assertThat(labels.name(134)).isEqualTo("crane");
        assertThat(labels.name(517)).isEqualTo("crane");
        assertThat(Set.copyOf(labels.names())).hasSize(999);
        // No identifiers, no stray space, no character that a terminal may lack.
        assertThat(labels.names())
                .allMatch(name -> name.equals(name.strip()) && name.matches("[\\x20-\\x7e]+"))
                .noneMatch(name -> name.matches("n\\d{8}.*"));
        assertThat(Labels.imageNet()).isSameAs(labels);
    }

    /** Indices that anyone knows who has read a few predictions; a list shifted by one or sorted by name fails. */
    @ParameterizedTest
    @CsvSource({
        "0, 'tench, Tinca tinca'",
        "1, 'goldfish, Carassius auratus'",
        "7, cock",
        "207, golden retriever",
        "281, 'tabby, tabby cat'",
        "285, Egyptian cat",
        "388, 'giant panda, panda, panda bear, coon bear, Ailuropoda melanoleuca'",
        "500, cliff dwelling",
        "504, coffee mug",
        "638, maillot",
        "639, 'maillot, tank suit'",
        "657, missile",
        "744, 'projectile, missile'",
        "817, 'sports car, sport car'",
        "954, banana",
        "967, espresso",
        "999, 'toilet tissue, toilet paper, bathroom tissue'"
    })
    void imageNet_isInTheOrderOfTheChallenge(int index, String name) {
        assertThat(Labels.imageNet().name(index)).isEqualTo(name);
    }

    private Path file(String text, Charset charset) throws IOException {
        return Files.write(folder.resolve("labels.txt"), text.getBytes(charset));
    }
}
