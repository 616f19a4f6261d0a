package io.github.convzoo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.convzoo.Samples;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.ImageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

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
        copy(Samples.resource("image/grey.bmp"), "a/5.BMP");
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
    void image_withOrientation_isTakenAsItIsStored() throws IOException {
        copy(TURNED, "a/1.jpg");
        ImageDecoder decoder = new ImageDecoder();

        assertThat(ImageFolder.of(folder).image(0))
                .isEqualTo(decoder.withOrientation(false).decode(TURNED))
                .isNotEqualTo(decoder.decode(TURNED));
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
    void of_imagesThatCannotBeRead_leavesNoneOutUnawares() throws IOException {
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
        assertRefused(folder, folder + ": cannot be listed (java.io.IOException: " + gone + " links to nothing");
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
                .withMessageStartingWith(folder.resolve("b") + ": is none of the 2 classes, such as 'a'");
        assertThatIllegalArgumentException().isThrownBy(() -> ImageFolder.of(folder, List.of("a", "b", "a")));
        assertThatIllegalArgumentException().isThrownBy(() -> ImageFolder.of(folder, List.of()));
    }

    @Test
    void of_classWithoutImages_namesIt() throws IOException {
        copy(BOOT, "a/1.png");
        copy(BOOT, "b/notes.txt");

        assertRefused(folder, folder.resolve("b") + ": holds no image (bmp, gif, jfif, jpe, jpeg, jpg, png)");
    }

    @Test
    void of_whatHoldsNoFolders_isRefused() throws IOException {
        assertRefused(folder, folder + ": holds no folders");
        copy(BOOT, "1.png");
        assertRefused(folder, folder + ": holds no folders");
        assertRefused(folder.resolve("1.png"), folder.resolve("1.png") + ": is no folder");
        assertRefused(folder.resolve("none"), folder.resolve("none") + ": is no folder");
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
