package io.github.convzoo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.byLessThan;

import io.github.convzoo.Samples;
import io.github.convzoo.image.ImageDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SplitTest {

    /** 43 images of class 0, 12 of class 1, 2 of class 2, mixed. */
    private static final Made IMAGES = Made.of(IntStream.range(0, 57)
            .map(i -> i % 20 == 19 ? 2 : i % 4 == 3 ? 1 : 0)
            .toArray());

    private static final int[] PER_CLASS = counts(IMAGES);

    private static int[] counts(LabeledImages images) {
        int[] counts = new int[images.classes().size()];
        for (int i = 0; i < images.size(); i++) {
            counts[images.label(i)]++;
        }
        return counts;
    }

    private static List<String> names(LabeledImages images) {
        return IntStream.range(0, images.size()).mapToObj(images::name).toList();
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.001, 0.1, 0.25, 0.5, 0.9, 0.999})
    void stratified_ofAnyFraction_roundsEachClassAndLosesNothing(double fraction) throws IOException {
        Split split = Split.stratified(IMAGES, fraction, 3);

        int[] expected = Arrays.stream(PER_CLASS)
                .map(n -> (int) Math.max(1, Math.min(n - 1, Math.round(n * fraction))))
                .toArray();
        assertThat(counts(split.validation())).isEqualTo(expected);
        Set<String> together = new HashSet<>(names(split.training()));
        together.addAll(names(split.validation()));
        assertThat(together).hasSize(IMAGES.size());
        assertThat(split.training().size() + split.validation().size()).isEqualTo(IMAGES.size());
        // What a view gives is what the data set has under that name.
        for (int i = 0; i < split.training().size(); i++) {
            int index = Integer.parseInt(split.training().name(i).replaceAll("\\D", ""));
            assertThat(split.training().image(i)).isEqualTo(IMAGES.image(index));
            assertThat(split.training().label(i)).isEqualTo(IMAGES.label(index));
        }
    }

    @Test
    void stratified_ofOneSeed_isTheSameAndOfAnotherIsNot() {
        List<String> first = names(Split.stratified(IMAGES, 0.3, 1).validation());

        assertThat(names(Split.stratified(IMAGES, 0.3, 1).validation())).isEqualTo(first);
        assertThat(names(Split.stratified(IMAGES, 0.3, 2).validation())).isNotEqualTo(first);
    }

    @Test
    void stratified_overManySeeds_takesEveryImageAsOften() {
        int[] taken = new int[10];
        Made images = Made.of(new int[10]);
        for (int seed = 0; seed < 2000; seed++) {
            for (String name : names(Split.stratified(images, 0.3, seed).validation())) {
                taken[Integer.parseInt(name.substring(6))]++;
            }
        }

        // 600 each, with a standard deviation of 20.5: five of them to either side.
        assertThat(Arrays.stream(taken)).allSatisfy(n -> assertThat(n).isBetween(500, 700));
    }

    @Test
    void stratified_ofAClassWithTooFewImages_namesIt() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Split.stratified(Made.of(0, 0, 2, 2), 0.5, 1))
                .withMessageStartingWith("class 'class 1' has no images; at least two are needed");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Split.stratified(Made.of(0, 0, 1), 0.5, 1))
                .withMessageStartingWith("class 'class 1' has one image; ");
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 1, -0.1, Double.NaN})
    void stratified_ofImpossibleFraction_isRefused(double fraction) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Split.stratified(IMAGES, fraction, 1))
                .withMessageContaining("not " + fraction);
    }

    @Test
    void ofFolder_withTrainAndVal_takesThemAsTheyAre(@TempDir Path folder) throws IOException {
        copy(folder, "train/a/1.png", "train/b/1.png", "train/b/2.png", "val/a/3.png", "val/b/3.png");
        Split split = Split.ofFolder(folder, 0.1, 1);

        assertThat(split.training().size()).isEqualTo(3);
        assertThat(names(split.validation()))
                .containsExactly(
                        folder.resolve("val/a/3.png").toString(),
                        folder.resolve("val/b/3.png").toString());
    }

    @Test
    void ofFolder_ofClasses_splitsThem(@TempDir Path folder) throws IOException {
        copy(folder, "a/1.png", "a/2.png", "b/1.png", "b/2.png", "b/3.png", "b/4.png");
        Split split = Split.ofFolder(folder, 0.5, 1);

        assertThat(counts(split.training())).containsExactly(1, 2);
        assertThat(counts(split.validation())).containsExactly(1, 2);
    }

    @ParameterizedTest
    @CsvSource({
        "Train, Val", "train, valid", "train, validation", "training, validation", "training_set, test_set",
                "train, test",
        "training, testing", "train, dev", "TRAIN, VAL", "train-set, val-set", "train_images, val_images",
                "train2017, val2017",
        "Training Data, Test Data"
    })
    void ofFolder_ofPartsByTheirUsualNames_takesThem(String training, String validation, @TempDir Path folder)
            throws IOException {
        copy(folder, training + "/a/1.png", training + "/b/1.png", training + "/b/2.png", validation + "/a/3.png");
        Split split = Split.ofFolder(folder, 0.1, 1);

        assertThat(counts(split.training())).containsExactly(1, 2);
        assertThat(counts(split.validation())).containsExactly(1, 0);
        assertThat(split.training().notes())
                .containsExactly(folder + ": training on " + training + ", validating on " + validation);
        assertThatIOException()
                .isThrownBy(() -> ImageFolder.of(folder))
                .withMessage("%s: has %s and %s, which are not classes; pass %s, or %s to train"
                        .formatted(folder, training, validation, folder.resolve(validation), folder.resolve(training)));
    }

    @Test
    void ofFolder_ofThreeParts_leavesTheTestSetAndSaysSo(@TempDir Path folder) throws IOException {
        copy(folder, "train/a/1.png", "train/b/1.png", "val/a/1.png", "val/b/1.png", "test/a/1.png", "other/1.png");
        Split split = Split.ofFolder(folder, 0.1, 1);

        assertThat(names(split.validation()))
                .allMatch(name -> name.startsWith(folder.resolve("val").toString()));
        assertThat(split.training().notes())
                .containsExactly(folder + ": other is not used", folder + ": test is not used");
    }

    @Test
    void ofFolder_ofClassesThatSoundLikeParts_takesThemForClasses(@TempDir Path folder) throws IOException {
        copy(folder, "train/1.png", "train/2.png", "car/1.png", "car/2.png", "bus/1.png", "bus/2.png");

        assertThat(Split.ofFolder(folder, 0.5, 1).training().classes()).containsExactly("bus", "car", "train");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "train/a/1.png,train/b/1.png|: has train, but no validation folder",
                "val/a/1.png,val/b/1.png|: has val, but no training folder",
                "val/a/1.png,test/b/1.png|: has val and test, but no training folder",
                "train/a/1.png,val/a/1.png,valid/a/1.png|: has train, val and valid, which is ambiguous",
                "train/a/1.png,training/a/1.png,val/a/1.png|: has train, training and val, which is",
                "train/1.png,val/1.png|: has train and val, but train has no subfolders",
                "train/a/1.png,test/1.png|: has train and test, but test has no subfolders",
                "a/train/1.png,a/val/1.png,b/train/1.png|: a has train and val; arrange the folders as train/a, not"
                        + " as a/train",
                "all/train/a/1.png,all/test/a/1.png|: has only all, which has test and train; pass ",
            })
    void ofFolder_ofOtherArrangements_saysWhatWasFound(String files, String problem, @TempDir Path folder)
            throws IOException {
        copy(folder, files.split(",", -1));

        assertThatIOException()
                .isThrownBy(() -> Split.ofFolder(folder, 0.5, 1))
                .withMessageStartingWith(folder + problem);
        assertThatIOException().isThrownBy(() -> ImageFolder.of(folder));
    }

    @Test
    void ofFolder_ofValidationClasses_numbersThemAsTheTrainingOnes(@TempDir Path folder) throws IOException {
        copy(folder, "train/a/1.png", "train/b/1.png", "train/c/1.png", "val/c/1.png", "val/b/1.png");
        Split split = Split.ofFolder(folder, 0.5, 1);

        assertThat(split.validation().classes()).containsExactly("a", "b", "c");
        assertThat(counts(split.validation())).containsExactly(0, 1, 1);
        assertThat(counts(Split.ofFolders(folder.resolve("train"), folder.resolve("val"))
                        .validation()))
                .containsExactly(0, 1, 1);
        copy(folder, "val/d/1.png");
        assertThatIOException()
                .isThrownBy(() -> Split.ofFolder(folder, 0.5, 1))
                .withMessageStartingWith(folder.resolve("val/d") + ": not one of the 3 classes, such as 'a'");
        assertThatIOException()
                .isThrownBy(() -> Split.ofFolder(folder.resolve("val"), 0.5, 1))
                .withMessageStartingWith(folder.resolve("val") + ": class 'b' has one image");
        assertThatIOException()
                .isThrownBy(() -> Split.ofFolder(folder.resolve("none"), 0.5, 1))
                .withMessageStartingWith(folder.resolve("none") + ": not a folder");
    }

    @Test
    void ofFolder_withADecoder_readsBothPartsByIt(@TempDir Path folder) throws IOException {
        for (String name : List.of("parts/train/a/1.jpg", "parts/val/a/1.jpg", "classes/a/1.jpg", "classes/a/2.jpg")) {
            Path file = folder.resolve(name);
            Files.createDirectories(file.getParent());
            Files.copy(Samples.resource("image/orientation_6.jpg"), file);
        }
        ImageDecoder stored = new ImageDecoder().withOrientation(false);
        for (Path each : List.of(folder.resolve("parts"), folder.resolve("classes"))) {
            Split split = Split.ofFolder(each, 0.5, 1, stored);
            Split upright = Split.ofFolder(each, 0.5, 1);

            assertThat(split.training().image(0)).isEqualTo(split.validation().image(0));
            assertThat(upright.training().image(0))
                    .isEqualTo(upright.validation().image(0));
            assertThat(split.training().image(0).width())
                    .isEqualTo(upright.training().image(0).height())
                    .isNotEqualTo(upright.training().image(0).width());
        }
    }

    @Test
    void subset_ofTheFirst_keepsTheOrder() {
        assertThat(names(Subset.first(IMAGES, 3))).containsExactly("image 0", "image 1", "image 2");
        assertThat(Subset.first(IMAGES, 3).classes()).isEqualTo(IMAGES.classes());
        Subset rest = Subset.first(IMAGES, 3).rest().orElseThrow();
        assertThat(rest.size()).isEqualTo(IMAGES.size() - 3);
        assertThat(names(rest)).startsWith("image 3", "image 4");
        assertThat(Subset.first(IMAGES, IMAGES.size()).rest()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 19, 28, 56, 57})
    void subset_stratified_givesEachClassItsShare(int count) {
        Subset subset = Subset.stratified(IMAGES, count, 1);

        int[] counts = counts(subset);
        assertThat(subset.size()).isEqualTo(count);
        for (int c = 0; c < counts.length; c++) {
            assertThat((double) counts[c]).isCloseTo((double) count * PER_CLASS[c] / 57, byLessThan(1.0));
        }
        assertThat(new HashSet<>(names(subset))).hasSize(count);
        assertThat(names(Subset.stratified(IMAGES, count, 1))).isEqualTo(names(subset));
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 58})
    void subset_ofImpossibleCount_isRefused(int count) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Subset.first(IMAGES, count))
                .withMessageContaining("must be 1 to 57");
        assertThatIllegalArgumentException().isThrownBy(() -> Subset.stratified(IMAGES, count, 1));
    }

    private static void copy(Path folder, String... names) throws IOException {
        for (String name : names) {
            Path file = folder.resolve(name);
            Files.createDirectories(file.getParent());
            Files.copy(Samples.resource("fashion-mnist/trouser.png"), file);
        }
    }
}
