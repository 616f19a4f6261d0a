package io.github.convzoo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.byLessThan;

import io.github.convzoo.Samples;
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
                .withMessageStartingWith("class 'class 1' has no image: at least two are needed");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Split.stratified(Made.of(0, 0, 1), 0.5, 1))
                .withMessageStartingWith("class 'class 1' has one image: ");
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

    @Test
    void ofFolder_ofWhatDoesNotFit_namesFolderAndClass(@TempDir Path folder) throws IOException {
        copy(folder, "train/a/1.png", "train/b/1.png");
        assertThatIOException()
                .isThrownBy(() -> Split.ofFolder(folder, 0.5, 1))
                .withMessageStartingWith(folder + ": holds train, but not val");
        copy(folder, "val/a/1.png");
        assertThatIOException()
                .isThrownBy(() -> Split.ofFolder(folder, 0.5, 1))
                .withMessage(folder
                        + ": training and validation must have the same classes, but class 1 is 'b' and missing");
        copy(folder, "val/c/1.png");
        assertThatIOException()
                .isThrownBy(() -> Split.ofFolder(folder, 0.5, 1))
                .withMessageContaining("class 1 is 'b' and 'c'");
        assertThatIOException()
                .isThrownBy(() -> Split.ofFolder(folder.resolve("val"), 0.5, 1))
                .withMessageStartingWith(folder.resolve("val") + ": class 'a' has one image");
    }

    @Test
    void subset_ofTheFirst_keepsTheOrder() {
        assertThat(names(Subset.first(IMAGES, 3))).containsExactly("image 0", "image 1", "image 2");
        assertThat(Subset.first(IMAGES, 3).classes()).isEqualTo(IMAGES.classes());
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
                .withMessageContaining("1 to 57 images");
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
