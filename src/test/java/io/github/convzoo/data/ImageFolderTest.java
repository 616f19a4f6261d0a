package io.github.convzoo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.convzoo.Samples;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.ImageException;
import io.github.convzoo.image.Labels;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageFolderTest {

    private static final Path BOOT = Samples.resource("fashion-mnist/ankle-boot.png");
    private static final Path TROUSER = Samples.resource("fashion-mnist/trouser.png");
    private static final Path TURNED = Samples.resource("image/orientation_6.jpg");

    private final Path folder;

    ImageFolderTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void of_foldersOfImages_numbersTheClassesInTheOrderOfTheirNames() throws IOException {
        copy(TROUSER, "b/1.png");
        copy(BOOT, "a/2.png");
        copy(TROUSER, "a/10.png");
        copy(BOOT, "B/x.png");
        ImageFolder images = ImageFolder.of(folder);

        // As Python sorts: upper case first, digits one by one.
        assertThat(images.classes()).containsExactly("B", "a", "b");
        assertThat(images.size()).isEqualTo(4);
        assertThat(images.label(0)).isZero();
        assertThat(images.label(1)).isEqualTo(1);
        assertThat(images.label(2)).isEqualTo(1);
        assertThat(images.label(3)).isEqualTo(2);
        ImageDecoder decoder = new ImageDecoder();
        assertThat(images.image(0)).isEqualTo(decoder.decode(BOOT));
        assertThat(images.image(1)).isEqualTo(decoder.decode(TROUSER));
        assertThat(images.image(2)).isEqualTo(decoder.decode(BOOT));
        assertThat(images.image(3)).isEqualTo(decoder.decode(TROUSER));
    }

    @Test
    void of_nestedFolders_findsImagesAtAnyDepth() throws IOException {
        copy(BOOT, "a/deep/deeper/1.png");
        copy(BOOT, "a/2.png");
        ImageFolder images = ImageFolder.of(folder);

        assertThat(images.classes()).containsExactly("a");
        assertThat(images.size()).isEqualTo(2);
    }

    @Test
    void of_otherFiles_takesOnlyImagesByTheirSuffix() throws IOException {
        copy(BOOT, "a/1.PNG");
        copy(TURNED, "a/2.JpEg");
        copy(TURNED, "a/3.jpg");
        copy(Samples.resource("image/palette.gif"), "a/4.gif");
        copy(Samples.resource("image/gray.bmp"), "a/5.BMP");
        copy(BOOT, "a/notes.txt");
        copy(BOOT, "a/png");
        copy(BOOT, "beside.png");
        copy(BOOT, "a/._1.png");
        copy(BOOT, ".thumbnails/1.png");
        copy(BOOT, "a/.ipynb_checkpoints/1.png");
        Files.createDirectories(folder.resolve("a/folder.png"));

        assertThat(ImageFolder.of(folder).size()).isEqualTo(5);
    }

    @Test
    @EnabledOnOs(
            value = {OS.LINUX, OS.MAC},
            disabledReason = "making links takes a privilege on Windows")
    void of_linkedFolders_looksBehindTheLinks() throws IOException {
        Path elsewhere = folder.resolve("elsewhere");
        Path data = folder.resolve("data");
        Files.createDirectories(elsewhere.resolve("deep"));
        Files.copy(BOOT, elsewhere.resolve("deep/1.png"));
        copy(BOOT, "data/real/1.png");
        Files.createSymbolicLink(data.resolve("linked"), elsewhere);
        Files.createSymbolicLink(data.resolve("real/more"), elsewhere);
        ImageFolder images = ImageFolder.of(data);

        assertThat(images.classes()).containsExactly("linked", "real");
        assertThat(images.size()).isEqualTo(3);
    }

    @Test
    @EnabledOnOs(
            value = {OS.LINUX, OS.MAC},
            disabledReason = "making links takes a privilege on Windows")
    void of_linksInACircle_isRefused() throws IOException {
        copy(BOOT, "a/1.png");
        Files.createSymbolicLink(folder.resolve("a/again"), folder.resolve("a"));

        assertRefused(folder, folder.resolve("a") + ": cannot be listed");
    }

    @Test
    void image_withOrientation_isUprightUnlessTheDecoderLeavesIt() throws IOException {
        copy(TURNED, "a/1.jpg");
        ImageDecoder decoder = new ImageDecoder();
        ImageDecoder stored = decoder.withOrientation(false);

        assertThat(ImageFolder.of(folder).image(0))
                .isEqualTo(decoder.decode(TURNED))
                .isEqualTo(ImageFolder.of(folder, List.of("a")).image(0))
                .isNotEqualTo(stored.decode(TURNED));
        assertThat(ImageFolder.of(folder, stored).image(0))
                .isEqualTo(stored.decode(TURNED))
                .isEqualTo(ImageFolder.of(folder, List.of("a"), stored).image(0));
    }

    @Test
    void of_wholeNumbers_numbersByTheirValues() throws IOException {
        for (String name : List.of("0", "1", "2", "10", "11", "09", "100", "9")) {
            copy(BOOT, name + "/1.png");
        }
        // As timm's natural order; of the same value the shorter one comes first or last as text decides.
        assertThat(ImageFolder.of(folder).classes()).containsExactly("0", "1", "2", "09", "9", "10", "11", "100");
        copy(BOOT, "x/1.png");
        // As torchvision's.
        assertThat(ImageFolder.of(folder).classes()).containsExactly("0", "09", "1", "10", "100", "11", "2", "9", "x");
    }

    @Test
    void of_numbersTooLongForANumber_stillNumbersByValue() throws IOException {
        copy(BOOT, "123456789012345678901234567890/1.png");
        copy(BOOT, "23456789012345678901234567890/1.png");

        assertThat(ImageFolder.of(folder).classes())
                .containsExactly("23456789012345678901234567890", "123456789012345678901234567890");
    }

    @Test
    void of_names_ordersByCodePoints() throws IOException {
        // As UTF-16 the second would come first.
        copy(BOOT, "\uff21/1.png");
        copy(BOOT, "\ud83d\ude00/1.png");

        assertThat(ImageFolder.of(folder).classes()).containsExactly("\uff21", "\ud83d\ude00");
    }

    @Test
    void of_knownClassesWithOneNameTwice_refusesOnlyWhatIsAmbiguous() throws IOException {
        copy(BOOT, "missile/1.png");
        assertThat(ImageFolder.of(folder, Labels.imageNet().names()).label(0)).isEqualTo(657);
        copy(BOOT, "n02012849/1.png");
        copy(BOOT, "n03126707/1.png");
        ImageFolder images = ImageFolder.of(folder, Labels.imageNet().names());
        assertThat(List.of(images.label(0), images.label(1), images.label(2))).containsExactly(657, 134, 517);
        copy(BOOT, "crane/1.png");

        assertThatIOException()
                .isThrownBy(() -> ImageFolder.of(folder, Labels.imageNet().names()))
                .withMessageStartingWith(folder.resolve("crane") + ": 'crane' is the name of classes 134 and 517; use");
    }

    @Test
    void of_classesNamedByIdentifierAndWords_knowsThemByTheIdentifier() throws IOException {
        copy(BOOT, "n01443537/1.png");
        ImageFolder images =
                ImageFolder.of(folder, List.of("n01440764 tench, Tinca tinca", "n01443537, goldfish", "other"));

        assertThat(images.label(0)).isEqualTo(1);
    }

    @Test
    void of_accentsComposedInAnotherWay_areTheSameName() throws IOException {
        copy(BOOT, "e\u0301te\u0301/1.png");

        assertThat(ImageFolder.of(folder, List.of("x", "\u00e9t\u00e9")).label(0))
                .isEqualTo(1);
        // Of two that read the same none is taken for the other.
        copy(BOOT, "\u00e9t\u00e9/1.png");
        assertThat(ImageFolder.of(folder).classes()).hasSize(2);
        assertThat(ImageFolder.of(folder, List.of("\u00e9t\u00e9", "e\u0301te\u0301"))
                        .label(0))
                .isEqualTo(1);
    }

    @Test
    @EnabledOnOs(
            value = {OS.LINUX, OS.MAC},
            disabledReason = "Windows allows no such names")
    void of_namesThatLabelFilesCannotKeep_areRefused() throws IOException {
        for (String name : List.of("cat ", " cat", "a\nb", "a\tb")) {
            Path made = Files.createDirectories(folder.resolve(name));
            Files.copy(BOOT, made.resolve("1.png"));
            assertThatIOException()
                    .isThrownBy(() -> ImageFolder.of(folder))
                    .withMessageContaining("which label files cannot store; rename it");
            Files.delete(made.resolve("1.png"));
            Files.delete(made);
        }
    }

    /** What the locale makes of a name's bytes has a replacement character here in every locale. */
    @Test
    @EnabledOnOs(value = OS.LINUX, disabledReason = "elsewhere names of files are characters")
    void className_ofBytesBeyondTheLocale_isWhatADataSetCallsTheClass() throws IOException {
        Path made = Files.createDirectories(Path.of(URI.create(folder.toUri() + "caf%E9")));
        Files.copy(BOOT, made.resolve("1.png"));

        assertThat(ImageFolder.className(made)).isEqualTo("caf\u00e9");
        assertThat(ImageFolder.of(folder).classes()).containsExactly(ImageFolder.className(made));
        assertThat(ImageFolder.className(Path.of(URI.create(folder.toUri() + "%E7%8C%AB"))))
                .isEqualTo("\u732b");
    }

    /** In a process whose locale is C, where all Chinese names of one length read the same. */
    @ParameterizedTest
    @ValueSource(strings = {"C", "C.UTF-8", "en_US.ISO-8859-1"})
    @EnabledOnOs(value = OS.LINUX, disabledReason = "elsewhere names of files are characters")
    void of_namesBeyondTheLocale_areAsManyClasses(String locale) throws Exception {
        String script = "mkdir 猫 狗 鱼 && for c in *; do cp \"$1\" $c/$c.png; done;"
                + " d=$(printf 'caf\\351') && mkdir $d && cp \"$1\" $d/x.png; echo '猫/猫.png 猫' > list.txt;"
                + " LC_ALL=$2 exec \"$3\" -cp \"$4\" io.github.convzoo.data.ClassesMain .";
        Process process = new ProcessBuilder(
                        "sh",
                        "-c",
                        script,
                        "sh",
                        BOOT.toString(),
                        locale,
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        System.getProperty("java.class.path"))
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(said.lines())
                .containsExactly(
                        "[café, 狗, 猫, 鱼]",
                        "0 1 2 3",
                        "[the name of a folder in . is not UTF-8, so it was read as Latin-1: 'café']",
                        "28 x 28");
        assertThat(process.waitFor()).isZero();
        try (Stream<Path> files = Files.walk(folder)) {
            // The test's own locale may have no names for them.
            assertThat(files).hasSize(10);
        }
        new ProcessBuilder("sh", "-c", "rm -r ./*")
                .directory(folder.toFile())
                .start()
                .waitFor();
    }

    @Test
    void of_singleFolderOfFolders_namesTheOneToGive() throws IOException {
        copy(BOOT, "flowers/rose/1.png");
        copy(BOOT, "flowers/tulip/1.png");

        assertRefused(
                folder,
                folder + ": has a single folder, flowers, whose images are in subfolders; pass "
                        + folder.resolve("flowers"));
        copy(BOOT, "more/rose/1.png");
        assertThat(ImageFolder.of(folder).notes())
                .singleElement()
                .asString()
                .startsWith(folder + ": images are only in subfolders of the class folders");
        copy(BOOT, "more/2.png");
        assertThat(ImageFolder.of(folder).notes()).isEmpty();
    }

    @Test
    void image_thatCannotBeRead_isNamed() throws IOException {
        copy(BOOT, "a/1.png");
        Path broken = Files.writeString(folder.resolve("a/2.png"), "no image");
        ImageFolder images = ImageFolder.of(folder);

        assertThat(images.size()).isEqualTo(2);
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> images.image(1))
                .withMessageStartingWith(broken + ": ");
    }

    @Test
    @EnabledOnOs(
            value = {OS.LINUX, OS.MAC},
            disabledReason = "making links takes a privilege on Windows")
    void of_imagesThatCannotBeRead_skipsNoneSilently() throws IOException {
        copy(BOOT, "a/1.png");
        Path webp = Files.writeString(folder.resolve("a/2.webp"), "RIFF0000WEBPVP8 ");
        Path dead = Files.createSymbolicLink(folder.resolve("a/3.jpg"), folder.resolve("none.jpg"));
        ImageFolder images = ImageFolder.of(folder);

        assertThat(images.size()).isEqualTo(3);
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> images.image(1))
                .withMessageStartingWith(webp + ": ");
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> images.image(2))
                .withMessageStartingWith(dead + ": no such file");
        Path gone = Files.createSymbolicLink(folder.resolve("b"), folder.resolve("unmounted"));
        assertRefused(folder, folder + ": cannot be listed (" + gone + " is a broken link");
    }

    @Test
    void of_knownClasses_numbersThemAsTheyAre() throws IOException {
        copy(BOOT, "b/1.png");
        copy(TROUSER, "a/1.png");
        ImageFolder images = ImageFolder.of(folder, List.of("c", "b", "a"));

        assertThat(images.classes()).containsExactly("c", "b", "a");
        assertThat(images.size()).isEqualTo(2);
        assertThat(images.label(0)).isEqualTo(2);
        assertThat(images.label(1)).isEqualTo(1);
        assertThatIOException()
                .isThrownBy(() -> ImageFolder.of(folder, List.of("a", "c")))
                .withMessageStartingWith(folder.resolve("b") + ": not one of the 2 classes, such as 'a'");
        assertThatIOException()
                .isThrownBy(() -> ImageFolder.of(folder, List.of("a", "b", "a")))
                .withMessageStartingWith(folder.resolve("a") + ": 'a' is the name of classes 0 and 2; ");
        assertThatIllegalArgumentException().isThrownBy(() -> ImageFolder.of(folder, List.of()));
    }

    @Test
    void of_classWithoutImages_namesIt() throws IOException {
        copy(BOOT, "a/1.png");
        copy(BOOT, "b/notes.txt");

        assertRefused(
                folder,
                folder.resolve("b") + ": no images found (bmp, gif, jfif, jpe, jpeg, jpg, png, tif, tiff, webp)");
    }

    @Test
    void of_whatHoldsNoFolders_isRefused() throws IOException {
        assertRefused(folder, folder + ": no folders found");
        copy(BOOT, "1.png");
        assertRefused(folder, folder + ": no folders found");
        assertRefused(folder.resolve("1.png"), folder.resolve("1.png") + ": not a folder");
        assertRefused(folder.resolve("none"), folder.resolve("none") + ": not a folder");
    }

    private void copy(Path image, String to) throws IOException {
        Path file = folder.resolve(to);
        Files.createDirectories(file.getParent());
        Files.copy(image, file);
    }

    private static void assertRefused(Path folder, String message) {
        assertThatIOException().isThrownBy(() -> ImageFolder.of(folder)).withMessageStartingWith(message);
    }
}
