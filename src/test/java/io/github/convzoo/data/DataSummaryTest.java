package io.github.convzoo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.github.convzoo.Samples;
import io.github.convzoo.image.Labels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataSummaryTest {

    private final Path folder;

    DataSummaryTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void of_split_countsWhatThereIs() {
        Made images = Made.of(0, 1, 0, 1, 0, 1);

        assertThat(DataSummary.of(new Split(images, Subset.first(images, 1)), 4))
                .containsExactly(
                        "6 training images of 2 classes, 1 validation image, 4 steps per epoch",
                        "no validation images for 1 class: 'class 1'");
        assertThat(DataSummary.of(new Split(images, images), 1))
                .containsExactly("6 training images of 2 classes, 6 validation images, 1 step per epoch");
    }

    @Test
    void of_oneClass_saysThatItIsAloneAndWhatItIsCalled() {
        Made images = Made.of(0, 0);

        assertThat(DataSummary.of(new Split(images, images), 1))
                .hasSize(2)
                .last()
                .asString()
                .startsWith("there is only one class, 'class 0'; check that the path is the folder");
        assertThat(DataSummary.of(images)).hasSize(2).first().isEqualTo("2 images of 1 class");
    }

    @Test
    void of_images_saysHowManyClassesHaveSome() {
        assertThat(DataSummary.of(Made.of(0, 0, 2, 2))).containsExactly("4 images; 2 of the 3 classes have images");
        assertThat(DataSummary.of(Made.of(2, 2)).get(0)).isEqualTo("2 images; 1 of the 3 classes has images");
        assertThat(DataSummary.of(Made.of(0, 1))).containsExactly("2 images of 2 classes");
    }

    @Test
    void of_manyMissingClasses_namesTheFirst() {
        Made images = Made.of(0, 1, 2, 3, 4, 5, 6, 7);

        assertThat(DataSummary.of(new Split(images, Subset.first(images, 1)), 1).get(1))
                .isEqualTo("no validation images for 7 classes: 'class 1', 'class 2', 'class 3', 'class 4',"
                        + " 'class 5' and 2 more");
    }

    @Test
    void of_notesOfBothParts_saysEachOnce() throws IOException {
        copy("train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/2.png");

        assertThat(DataSummary.of(Split.ofFolder(folder, 0.5, 1), 2))
                .containsExactly(
                        "2 training images of 2 classes, 2 validation images, 2 steps per epoch",
                        folder + ": training on train, validating on test");
    }

    @Test
    void imageNetClasses_ofSynsets_numbersThemAsTheNetworkDoes() throws IOException {
        copy("n02102040/1.png", "n01440764/1.png", "n15075141/1.png");
        ImageFolder found = ImageFolder.of(folder);
        LabeledImages images = ImageNetClasses.of(found);

        assertThat(ImageNetClasses.areIn(found)).isTrue();
        assertThat(images.classes()).hasSize(1000).doesNotHaveDuplicates();
        assertThat(images.label(0)).isZero();
        assertThat(images.label(1)).isEqualTo(217);
        assertThat(images.label(2)).isEqualTo(999);
        assertThat(images.classes().get(217))
                .isEqualTo("n02102040 " + Labels.imageNet().name(217));
        assertThat(images.image(1)).isEqualTo(found.image(1));
        assertThat(images.name(1)).isEqualTo(found.name(1));
        assertThat(DataSummary.of(images)).containsExactly("3 images; 3 of the 1,000 classes have images");
        copy("n00007846/1.png");
        assertThatIOException()
                .isThrownBy(() -> ImageNetClasses.of(ImageFolder.of(folder)))
                .withMessageStartingWith("class 'n00007846' is not one of the network's 1000 ImageNet synsets");
        copy("cat/1.png");
        assertThat(ImageNetClasses.areIn(ImageFolder.of(folder))).isFalse();
    }

    private void copy(String... names) throws IOException {
        for (String name : names) {
            Path file = folder.resolve(name);
            Files.createDirectories(file.getParent());
            Files.copy(Samples.resource("fashion-mnist/trouser.png"), file);
        }
    }
}
