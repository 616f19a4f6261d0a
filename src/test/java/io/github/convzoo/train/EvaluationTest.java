package io.github.convzoo.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.LambdaBlock;
import io.github.convzoo.Samples;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.FashionMnist;
import io.github.convzoo.data.IdxFiles;
import io.github.convzoo.data.ImageFolder;
import io.github.convzoo.data.LabeledImages;
import io.github.convzoo.data.LoaderOptions;
import io.github.convzoo.data.OnBadImage;
import io.github.convzoo.data.Pipeline;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With a network that reads its logits off the image's first row of pixels: 2 to 255, anything less a NaN. */
class EvaluationTest {

    private static final int NAN = 0;
    private static final Preprocessing PREPROCESSING = Preprocessing.unresized(32, 32, Normalization.IMAGENET);

    private final Path folder;
    private final List<Integer> batches = new ArrayList<>();
    private final NDManager manager = NDManager.newBaseManager("PyTorch");

    EvaluationTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @AfterEach
    void close() {
        manager.close();
    }

    @Test
    void of_logits_countsTheBestAndTheFiveBest() throws Exception {
        int[] rising = {10, 20, 30, 40, 50, 60, 70, 80, 90, 100};
        // Of ten classes rising: 9 is best, 5 to 9 are the five best.
        FashionMnist images = images(new int[][] {rising, rising, rising, rising, rising}, 9, 8, 5, 4, 0);
        Evaluation evaluation = evaluate(images, 10, 5);

        assertThat(evaluation.correct()).isEqualTo(1);
        assertThat(evaluation.correctTop5()).isEqualTo(3);
        assertThat(evaluation.total()).isEqualTo(5);
        assertThat(evaluation.top1()).isEqualTo(0.2);
        assertThat(evaluation.top5()).isEqualTo(0.6);
        assertThat(evaluation.seconds()).isPositive();
        assertThat(evaluation.imagesPerSecond()).isCloseTo(5 / evaluation.seconds(), within(1e-9));
    }

    @Test
    void of_ties_favorsTheLowerNumber() throws Exception {
        int[] flat = {50, 50, 50, 50, 50, 50, 50, 50, 50, 50};
        Evaluation evaluation = evaluate(images(new int[][] {flat, flat, flat, flat}, 0, 1, 4, 5), 10, 4);

        assertThat(evaluation.correct()).isEqualTo(1);
        assertThat(evaluation.correctTop5()).isEqualTo(3);
    }

    @Test
    void of_logitsThatAreNoNumbers_countsThemAsWrong() throws Exception {
        int[] none = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
        int[] own = {90, NAN, 80, 70, 60, 50, 40, 30, 20, 10};
        int[] other = {90, NAN, 80, 70, 60, 50, 40, 30, 20, 10};
        Evaluation evaluation = evaluate(images(new int[][] {none, own, other}, 0, 1, 0), 10, 3);

        assertThat(evaluation.correct()).isZero();
        assertThat(evaluation.correctTop5()).isEqualTo(1);
    }

    @Test
    void of_fewerThanFiveClasses_hasAllOfThemAmongTheFive() throws Exception {
        int[] rising = {10, 20, 30};
        int[] broken = {NAN, 20, 30};
        Evaluation evaluation = evaluate(images(new int[][] {rising, rising, broken}, 2, 0, 0), 3, 3);

        assertThat(evaluation.correct()).isEqualTo(1);
        assertThat(evaluation.correctTop5()).isEqualTo(2);
    }

    @Test
    void of_aLabelBeyondTheClasses_isRefused() throws Exception {
        FashionMnist images = images(new int[][] {{10, 20, 30}}, 3);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> evaluate(images, 3, 1))
                .withMessage("an image has class 3, but the network has 3 classes");
    }

    @Test
    void of_batches_endsWithASmallerOneAndTellsItsProgress() throws Exception {
        int[][] rows = new int[7][];
        int[] labels = new int[7];
        for (int i = 0; i < 7; i++) {
            rows[i] = new int[] {10, 10, 10, 10, 10, 10, 10, 10, 10, 10};
            rows[i][i] = 20;
            labels[i] = i;
        }
        List<Integer> progress = new ArrayList<>();
        Evaluation evaluation =
                Evaluation.of(network(10), manager, loader(images(rows, labels), 3, OnBadImage.FAIL), progress::add);

        assertThat(batches).containsExactly(3, 3, 1);
        assertThat(progress).containsExactly(3, 6, 7);
        // Each image met its own label.
        assertThat(evaluation.correct()).isEqualTo(7);
        assertThat(manager.getManagedArrays()).isEmpty();
    }

    @Test
    void of_anImpossibleBatchSize_isRefused() throws Exception {
        FashionMnist images = images(new int[][] {{10, 20}}, 1);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> evaluate(images, 2, 0))
                .withMessage("the batch size must be at least 1, not 0");
    }

    @Test
    void of_anImageThatCannotBeRead_namesIt() throws Exception {
        Files.createDirectories(folder.resolve("a"));
        for (int i = 0; i < 9; i++) {
            Files.copy(Samples.resource("fashion-mnist/trouser.png"), folder.resolve("a/" + i + ".png"));
        }
        Path broken = Files.writeString(folder.resolve("a/5.png"), "no image");
        ImageFolder images = ImageFolder.of(folder);

        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> evaluate(images, 10, 9))
                .withMessageStartingWith(broken + ": ");
        assertThat(manager.getManagedArrays()).isEmpty();
    }

    @Test
    void of_badImagesThatAreSkipped_countsTheOthers() throws Exception {
        Files.createDirectories(folder.resolve("a"));
        for (int i = 0; i < 3; i++) {
            Files.copy(Samples.resource("fashion-mnist/trouser.png"), folder.resolve("a/" + i + ".png"));
        }
        Files.writeString(folder.resolve("a/1.png"), "no image");
        BatchLoader loader = loader(ImageFolder.of(folder), 3, OnBadImage.SKIP);

        assertThat(Evaluation.of(network(2), manager, loader, done -> {}).total())
                .isEqualTo(2);
        assertThat(loader.badImages()).isEqualTo(1);
    }

    @Test
    void of_nothingButBadImages_isRefused() throws Exception {
        Files.createDirectories(folder.resolve("a"));
        Files.writeString(folder.resolve("a/1.png"), "no image");
        BatchLoader loader = loader(ImageFolder.of(folder), 3, OnBadImage.SKIP);

        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Evaluation.of(network(2), manager, loader, done -> {}))
                .withMessage("none of the images could be read");
    }

    @Test
    void of_logits_hasTheMeanCrossEntropy() throws Exception {
        // Logits are sqrt(level - 1.5).
        Evaluation evaluation = evaluate(images(new int[][] {{65, 5}, {65, 5}}, 0, 1), 2, 2);
        double first = Math.sqrt(63.5);
        double second = Math.sqrt(3.5);
        double sum = Math.log(Math.exp(first) + Math.exp(second));

        assertThat(evaluation.loss()).isCloseTo(((sum - first) + (sum - second)) / 2, within(1e-4));
    }

    private Evaluation evaluate(LabeledImages images, int classes, int batchSize)
            throws IOException, InterruptedException {
        return Evaluation.of(network(classes), manager, loader(images, batchSize, OnBadImage.FAIL), done -> {});
    }

    private static BatchLoader loader(LabeledImages images, int batchSize, OnBadImage onBadImage) {
        LoaderOptions options = LoaderOptions.evaluation(batchSize).withOnBadImage(onBadImage);
        return new BatchLoader(images, Pipeline.evaluation(PREPROCESSING), options, bad -> {});
    }

    private Block network(int classes) {
        return new LambdaBlock(inputs -> {
            NDArray input = inputs.singletonOrThrow();
            batches.add((int) input.getShape().get(0));
            // The padding's two rows and columns before; black is at -mean / std of the first channel.
            NDArray levels = input.get(":, 0, 2, 2:" + (2 + classes))
                    .mul(0.229)
                    .add(0.485)
                    .mul(255);
            return new NDList(levels.sub(1.5).sqrt());
        });
    }

    private FashionMnist images(int[][] rows, int... labels) throws IOException {
        byte[][] images = new byte[rows.length][28 * 28];
        for (int i = 0; i < rows.length; i++) {
            for (int c = 0; c < rows[i].length; c++) {
                images[i][c] = (byte) rows[i][c];
            }
        }
        IdxFiles.write(folder, images, labels);
        return FashionMnist.test(folder, 32);
    }
}
