package io.github.convzoo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.convzoo.Samples;
import io.github.convzoo.image.ImageDecoder;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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

        ImageDecoder stored = new ImageDecoder().withOrientation(false);
        assertThat(images.image(0))
                .isEqualTo(new ImageDecoder().decode(Samples.resource("image/orientation_6.jpg")))
                .isEqualTo(ImageList.of(list, root, List.of("0")).image(0));
        assertThat(ImageList.of(list, root, stored).image(0))
                .isEqualTo(stored.decode(Samples.resource("image/orientation_6.jpg")))
                .isEqualTo(ImageList.of(list, root, List.of("0"), stored).image(0));
        assertThatIOException()
                .isThrownBy(() -> images.image(1))
                .withMessageStartingWith(root.resolve("missing.jpg") + ": no such file");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a.png 0;b.png|:2: 'b.png' has no label",
                "a.png 0;;b.png x|:3: label 'x' is not a number",
                "a.png x;b.png 0|:2: label '0' is a number",
                "a.png 1000000|:1: label 1000000 is not one of 0 to 999999",
                "a.png 99999999999999999999|:1: label 99999999999999999999 is not one of",
                "'  ;  '|: no images listed",
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
                .withMessageStartingWith(list + ":1: label 'z' is not one of the 2 classes");
        Files.writeString(list, "a.png y\nb.png x\n");
        assertThatIOException()
                .isThrownBy(() -> ImageList.of(list, folder, List.of("x", "y", "x")))
                .withMessageStartingWith(list + ":2: 'x' is the name of classes 0 and 2; ");
        assertThatIllegalArgumentException().isThrownBy(() -> ImageList.of(list, folder, List.of()));
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void of_aListWithoutEnd_isRefused() throws IOException {
        Files.createSymbolicLink(list, Path.of("/dev/zero"));
        assertThatIOException()
                .isThrownBy(() -> ImageList.of(list, folder))
                .withMessage(list + ": not a regular file; pass a list of images");
    }

    @ParameterizedTest
    @CsvSource({"268435456, not UTF-8 after line 0", "268435457, more than 256 MiB"})
    void of_aListAtTheLimit_isRead_andBeyondIsRefused(long bytes, String message) throws IOException {
        // A sparse file. It is not text from its first byte on, so that the test need not read the rest.
        try (RandomAccessFile file = new RandomAccessFile(list.toFile(), "rw")) {
            file.write(0xff);
            file.setLength(bytes);
        }
        assertThatIOException().isThrownBy(() -> ImageList.of(list, folder)).withMessageContaining(message);
    }

    @Test
    void of_unreadableList_isRefused() throws IOException {
        assertThatIOException()
                .isThrownBy(() -> ImageList.of(list, folder))
                .withMessageStartingWith(list + ": cannot be read");
        Files.write(list, "a.png 0\n\u00fc.png 0\n".getBytes(StandardCharsets.ISO_8859_1));
        assertThatIOException()
                .isThrownBy(() -> ImageList.of(list, folder))
                .withMessageStartingWith(list + ": not UTF-8");
        Files.writeString(list, "a\0b.png 0\n");
        assertThatIOException()
                .isThrownBy(() -> ImageList.of(list, folder))
                .withMessageStartingWith(list + ":1: ")
                .withMessageContaining("is not a path");
    }

    /** Each list names a b.png of class 1 and c.png of class 0. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "a b.png,1;c.png,0",
                "filename,label;a b.png,1;c.png,0",
                "Image_ID,Class;a b.png,1;c.png,0",
                "label,image;1,a b.png;0,c.png",
                "'a b.png','1';'c.png','0'",
                "a b.png , 1;c.png , 0",
                "a b.png^1;c.png^0",
                "path^label;a b.png^1;c.png^0",
                "path\tlabel;a b.png\t1;c.png\t0",
                "id,width,label;a b.png,20,1;c.png,30,0",
                "'a b.png' 1;'c.png' 0",
                "image class;a b.png 1;c.png 0",
                "'filename','label';'a b.png',1;c.png,0",
            })
    void of_otherSeparators_readsTheSame(String text) throws IOException {
        Files.writeString(list, text.replace(';', '\n').replace('^', ';').replace('\'', '"') + "\n");
        ImageList images = ImageList.of(list, folder);

        assertThat(images.name(0)).isEqualTo(folder.resolve("a b.png").toString());
        assertThat(images.name(1)).isEqualTo(folder.resolve("c.png").toString());
        assertThat(labels(images)).containsExactly(1, 0);
        assertThat(images.size()).isEqualTo(2);
        if (!text.split(";", 2)[0].contains("b.png")) {
            assertThat(images.notes())
                    .singleElement()
                    .asString()
                    .startsWith(list + ": the first line, '")
                    .endsWith("', was read as a header");
        } else {
            assertThat(images.notes()).isEmpty();
        }
    }

    /** Spaces in all lines, so that the suffixes of the paths decide; the header has none. */
    @Test
    void of_headerAndPathsWithSpaces_goesByTheSuffixes() throws IOException {
        Files.writeString(list, "file name,class id\na b.png,1\nc d.png,0\n");
        ImageList images = ImageList.of(list, folder);

        assertThat(labels(images)).containsExactly(1, 0);
        assertThat(images.name(1)).isEqualTo(folder.resolve("c d.png").toString());
    }

    @Test
    void of_quotedNames_keepsSeparatorsAndQuotes() throws IOException {
        Files.writeString(list, "\"a, b.png\",\"Boot, \"\"low\"\"\"\nc.png,Bag\n");
        ImageList images = ImageList.of(list, folder);

        assertThat(images.classes()).containsExactly("Bag", "Boot, \"low\"");
        assertThat(images.name(0)).isEqualTo(folder.resolve("a, b.png").toString());
    }

    @Test
    void of_commasInPathsOrNames_areNoSeparators() throws IOException {
        Files.writeString(list, "a,b.png 0\nc,d.png 1\n");
        assertThat(ImageList.of(list, folder).name(1))
                .isEqualTo(folder.resolve("c,d.png").toString());
        Files.writeString(list, "a.png\ttench, Tinca tinca\nb.png\tcrane, bird\n");
        assertThat(ImageList.of(list, folder).classes()).containsExactly("crane, bird", "tench, Tinca tinca");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a.x b,0;c.x d,1|:1: 'a.x b,0' can be read as separated by commas (label '0') or by tabs or spaces"
                        + " (label 'b,0')",
                "a.png tench, Tinca;b.png crane, bird|:1: 'a.png tench, Tinca' can be read as separated by commas"
                        + " (label 'Tinca') or by tabs or spaces (label 'Tinca')",
                "a.png,3,0;b.png,4,1|:1: 'a.png,3,0' has 3 columns, so path and label are ambiguous",
                "a.png,0;b,c.png,1|:2: 'b,c.png,1' has 3 columns, but the lines before it have 2",
                "a.png,0;b.png,|:2: 'b.png,' has no label",
                "filename,label|: no images listed",
            })
    void of_unclearLists_areRefused(String text, String problem) throws IOException {
        Files.writeString(list, text.replace(';', '\n'));

        assertThatIOException().isThrownBy(() -> ImageList.of(list, folder)).withMessageStartingWith(list + problem);
    }

    private static int[] labels(LabeledImages images) {
        return IntStream.range(0, images.size()).map(images::label).toArray();
    }
}
