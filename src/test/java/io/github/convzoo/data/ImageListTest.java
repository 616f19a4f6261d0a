package io.github.convzoo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.convzoo.Samples;
import io.github.convzoo.image.ImageDecoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImageListTest {

    private final Path folder;
    private final Path list;

    ImageListTest(@TempDir Path folder) {
        this.folder = folder;
        this.list = folder.resolve("val.txt");
    }

    @Test
    void of_numbers_namesTheClassesByThem() throws IOException {
        Files.writeString(list, "b/ILSVRC2012_val_00000001.JPEG 3\n\nx.png  0\r\n with space.png 002 \n");
        ImageList images = ImageList.of(list, folder);

        assertThat(images.classes()).containsExactly("0", "1", "2", "3");
        assertThat(labels(images)).containsExactly(3, 0, 2);
        assertThat(images.name(0))
                .isEqualTo(folder.resolve("b/ILSVRC2012_val_00000001.JPEG").toString());
        assertThat(images.name(1)).isEqualTo(folder.resolve("x.png").toString());
        assertThat(images.name(2)).isEqualTo(folder.resolve("with space.png").toString());
    }

    @Test
    void of_names_numbersTheClassesInTheirOrder() throws IOException {
        Files.writeString(list, "\ufeffa 1.png\tAnkle boot\nb.png\tTrouser\nc.png Bag\nd.png\tAnkle boot\n");
        ImageList images = ImageList.of(list, folder);

        assertThat(images.classes()).containsExactly("Ankle boot", "Bag", "Trouser");
        assertThat(labels(images)).containsExactly(0, 2, 1, 0);
        assertThat(images.name(0)).isEqualTo(folder.resolve("a 1.png").toString());
    }

    @Test
    void of_knownClasses_takesNamesBeforeNumbers() throws IOException {
        Files.writeString(list, "a.png cat\nb.png 1\nc.png 0\nd.png 2\n");
        ImageList images = ImageList.of(list, folder, List.of("dog", "0", "cat"));

        assertThat(labels(images)).containsExactly(2, 1, 1, 2);
        assertThat(images.classes()).containsExactly("dog", "0", "cat");
    }

    @Test
    void image_ofAnEntry_isReadBelowTheRoot() throws IOException {
        Path root = Files.createDirectories(folder.resolve("images"));
        Files.copy(Samples.resource("image/orientation_6.jpg"), root.resolve("a b.jpg"));
        Files.writeString(list, "a b.jpg 0\nmissing.jpg 0\n");
        ImageList images = ImageList.of(list, root);

        assertThat(images.image(0))
                .isEqualTo(
                        new ImageDecoder().withOrientation(false).decode(Samples.resource("image/orientation_6.jpg")));
        assertThatIOException()
                .isThrownBy(() -> images.image(1))
                .withMessageStartingWith(root.resolve("missing.jpg") + ": no such file");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a.png 0;b.png|:2: 'b.png' has no label",
                "a.png 0;;b.png x|:3: label 'x' is no number",
                "a.png x;b.png 0|:2: label '0' is a number",
                "a.png 1000000|:1: label 1000000 is not one of 0 to 999999",
                "a.png 99999999999999999999|:1: label 99999999999999999999 is not one of",
                "'  ;  '|: names no image",
            })
    void of_badLine_namesFileAndLine(String text, String problem) throws IOException {
        Files.writeString(list, text.replace(';', '\n'));

        assertThatIOException().isThrownBy(() -> ImageList.of(list, folder)).withMessageStartingWith(list + problem);
    }

    @Test
    void of_labelBeyondKnownClasses_namesItAndTheLine() throws IOException {
        Files.writeString(list, "a.png 1\nb.png 2\n");
        assertThatIOException()
                .isThrownBy(() -> ImageList.of(list, folder, List.of("x", "y")))
                .withMessage(list + ":2: label 2 is not one of 0 to 1");
        Files.writeString(list, "a.png z\n");
        assertThatIOException()
                .isThrownBy(() -> ImageList.of(list, folder, List.of("x", "y")))
                .withMessageStartingWith(list + ":1: label 'z' is none of the 2 classes");
        assertThatIllegalArgumentException().isThrownBy(() -> ImageList.of(list, folder, List.of("x", "x")));
        assertThatIllegalArgumentException().isThrownBy(() -> ImageList.of(list, folder, List.of()));
    }

    @Test
    void of_unreadableList_isRefused() throws IOException {
        assertThatIOException()
                .isThrownBy(() -> ImageList.of(list, folder))
                .withMessageStartingWith(list + ": cannot be read");
        Files.write(list, "a.png 0\n\u00fc.png 0\n".getBytes(StandardCharsets.ISO_8859_1));
        assertThatIOException()
                .isThrownBy(() -> ImageList.of(list, folder))
                .withMessageStartingWith(list + ": is not UTF-8");
        Files.writeString(list, "a\0b.png 0\n");
        assertThatIOException()
                .isThrownBy(() -> ImageList.of(list, folder))
                .withMessageStartingWith(list + ":1: ")
                .withMessageContaining("is no path");
    }

    private static int[] labels(LabeledImages images) {
        return IntStream.range(0, images.size()).map(images::label).toArray();
    }
}
