package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.plot.ImageGrid;
import io.github.convzoo.weights.StateDict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PredictCommandTest {

    private static final Path BOOT = Samples.resource("fashion-mnist/ankle-boot.png");
    private static final Path TROUSER = Samples.resource("fashion-mnist/trouser.png");
    private static final Path LABELS = Samples.resource("fashion-mnist/labels.txt");

    private final Path folder;

    PredictCommandTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void predict_ofOneImage_namesItsBestClassesFirst() {
        List<String> lines = Run.succeeding(args(BOOT, "--labels", LABELS).toArray())
                .out()
                .lines()
                .toList();

        assertThat(lines).hasSize(5).allMatch(line -> line.matches("[ \\d]{3}\\.\\d\\d %  .+"));
        assertThat(lines.get(0)).matches(" 9\\d\\.\\d\\d %  Ankle boot");
    }

    @Test
    void predict_ofSeveralImages_namesEach() {
        List<String> lines = Run.succeeding(
                        args(BOOT, TROUSER, "--labels", LABELS, "--top-k", 1).toArray())
                .out()
                .lines()
                .toList();

        assertThat(lines).hasSize(4);
        assertThat(lines.get(0)).isEqualTo(BOOT.toString());
        assertThat(lines.get(1)).endsWith("  Ankle boot");
        assertThat(lines.get(2)).isEqualTo(TROUSER.toString());
        assertThat(lines.get(3)).endsWith("  Trouser");
    }

    @Test
    void predict_asJson_hasEveryClassAskedFor() {
        JsonArray results = Run.succeeding(args(BOOT, TROUSER, "--labels", LABELS, "--top-k", 20, "--json")
                        .toArray())
                .json()
                .getAsJsonArray();

        assertThat(results).hasSize(2);
        JsonObject boot = results.get(0).getAsJsonObject();
        assertThat(boot.get("image").getAsString()).isEqualTo(BOOT.toString());
        JsonArray predictions = boot.getAsJsonArray("predictions");
        assertThat(predictions).hasSize(10);
        double sum = 0;
        double last = 1;
        for (JsonElement each : predictions) {
            double probability = each.getAsJsonObject().get("probability").getAsDouble();
            assertThat(probability).isLessThanOrEqualTo(last);
            last = probability;
            sum += probability;
        }
        assertThat(sum).isCloseTo(1, within(1e-6));
        JsonObject best = predictions.get(0).getAsJsonObject();
        assertThat(best.get("label").getAsString()).isEqualTo("Ankle boot");
        assertThat(best.get("classNumber").getAsInt()).isEqualTo(9);
    }

    @Test
    void predict_withoutLabels_namesClassesByNumber() {
        assertThat(Run.succeeding(args(TROUSER, "--top-k", 1).toArray()).out().strip())
                .endsWith("%  1");
    }

    @Test
    void predict_withABadImageAmongGoodOnes_classifiesTheOthersAndFails() throws IOException {
        Path bad = Files.writeString(folder.resolve("bad.png"), "no image");
        Path none = folder.resolve("none.png");
        Run run = Run.of(args(BOOT, bad, TROUSER, "--top-k", 1, "--json").toArray());

        assertThat(run.status()).isEqualTo(1);
        run.assertOneErrorLine("convzoo: " + bad + ": ");
        List<String> names = new ArrayList<>();
        run.json()
                .getAsJsonArray()
                .forEach(each -> names.add(each.getAsJsonObject().get("image").getAsString()));
        assertThat(names).containsExactly(BOOT.toString(), TROUSER.toString());

        Run.refused(1, args(none), none + ": no such file; check the path");
    }

    @Test
    void predict_withoutResizing_isWhatTheNetworkWasTrainedOn() {
        // Resized to 37 pixels and cropped, the same image gives other numbers.
        String trained = Run.succeeding(args(BOOT, "--json").toArray()).out();
        List<Object> resized = new ArrayList<>(args(BOOT, "--json"));
        resized.remove("--no-resize");

        assertThat(Run.succeeding(resized.toArray()).out()).isNotEqualTo(trained);
    }

    @Test
    void predict_withWhatDoesNotFit_saysWhatWould() throws IOException {
        Path two = Files.writeString(folder.resolve("two.txt"), "a\nb\n");
        Run.refused(2, args(BOOT, "--labels", two), "there are 2 labels, and the weights have 10 classes");
        Run.refused(1, args(BOOT, "--labels", folder.resolve("none.txt")), "none.txt: no such");
        Run.refused(1, args(BOOT, "--num-classes", 12), "have 10 classes, not 12; ask for 10");
        Run.refused(2, args(BOOT, "--num-classes", 0), "at least 1 class, not 0");
        Run.refused(2, args(BOOT, "--top-k", 0), "at least 1 class, not 0");
        Run.refused(2, args(BOOT, "--threads", 0), "--threads must be at least 1 and at most 1024, not 0");
    }

    @Test
    void predict_onADeviceThatIsNone_saysWhichThereAre() {
        Run.refused(2, args(BOOT, "--device", "tpu"), "--device must be cpu, gpu0, gpu1 ..., not tpu");
        Run.refused(2, args(BOOT, "--device", "gpu-1"), "not gpu-1");
        Run.refused(2, args(BOOT, "--device", "gpu9999"), "--device gpu9999: ");
        assertThat(Run.succeeding(args(BOOT, "--device", "cpu", "--threads", 1).toArray())
                        .out())
                .isNotEmpty();
    }

    @Test
    void predict_atAnImpossibleSize_saysWhichArePossible() {
        List<Object> small =
                List.of("predict", BOOT, "--model", "peleenet", "--weights", Samples.PELEENET, "--input-size", 0);
        Run.refused(2, small, "--input-size must be at least 1, not 0");
        List<Object> huge = List.of(
                "predict", BOOT, "--model", "peleenet", "--weights", Samples.PELEENET, "--input-size", "2147483647");
        Run.refused(2, huge, "2147483647 x 2147483647");
        List<Object> odd =
                List.of("predict", BOOT, "--model", "peleenet", "--weights", Samples.PELEENET, "--input-size", 33);
        Run.refused(2, odd, "peleenet expects", "not 33 x 33");
    }

    @Test
    void predict_withWeightsOfNoUse_saysWhy() {
        Run.refused(
                1,
                List.of("predict", BOOT, "--model", "dla34", "--weights", Samples.PELEENET),
                Samples.PELEENET + ": does not fit dla34; missing: ",
                "; unknown: ",
                "is it the checkpoint of another model?");
        Path none = folder.resolve("none.pth");
        Run.refused(1, List.of("predict", BOOT, "--model", "dla34", "--weights", none), none + ": ");
        Run.refused(1, List.of("predict", BOOT, "--model", "dla34", "--weights", LABELS), LABELS + ": ");
        Run.refused(2, List.of("predict", BOOT, "--model", "dla35", "--weights", LABELS), "there is no network dla35");
    }

    @Test
    void predict_withWeightsThatGiveNoNumbers_fails() throws IOException {
        Map<String, Tensor> tensors = new LinkedHashMap<>(
                StateDict.of(Checkpoint.read(Samples.PELEENET)).tensors());
        float[] bias = new float[10];
        Arrays.fill(bias, Float.NaN);
        tensors.put("classifier.bias", Samples.tensor("classifier.bias", bias, 10));
        Path damaged = Samples.write(folder.resolve("nan.safetensors"), tensors);

        for (String form : List.of("--json", "--verbose")) {
            Run run = Run.of("predict", BOOT, "--model", "peleenet", "--weights", damaged, form);
            assertThat(run.status()).isEqualTo(1);
            assertThat(run.err()).contains("convzoo: " + BOOT + ": the network gives NaN");
        }
    }

    @Test
    void predict_withAGrid_drawsTheImagesAndWhatIsTrueOfThem() throws IOException {
        Path right = copy(BOOT, "Ankle boot/1.png");
        Path wrong = copy(BOOT, "Trouser/2.png");
        Path unknown = copy(TROUSER, "mine/3.png");
        Path grid = folder.resolve("grid.png");
        Run run = Run.succeeding(args(right, wrong, unknown, "--labels", LABELS, "--json", "--grid", grid)
                .toArray());

        String boot = caption(run, 0, "Ankle boot");
        assertShows(
                grid,
                entry(BOOT, boot, "true: Ankle boot", ImageGrid.Verdict.RIGHT),
                entry(BOOT, boot, "true: Trouser", ImageGrid.Verdict.WRONG),
                entry(TROUSER, caption(run, 2, "Trouser"), "", ImageGrid.Verdict.UNKNOWN));
    }

    @Test
    void predict_withAGridAndNoLabels_takesNumbersForClasses() throws IOException {
        Path wrong = copy(BOOT, "1/1.png");
        // Beyond the ten classes.
        Path unknown = copy(TROUSER, "10/2.png");
        Path grid = Files.writeString(folder.resolve("grid.PNG"), "of the last time");
        Run run = Run.succeeding(
                args(wrong, unknown, "--json", "--top-k", 1, "--grid", grid).toArray());

        assertShows(
                grid,
                entry(BOOT, caption(run, 0, "9"), "true: 1", ImageGrid.Verdict.WRONG),
                entry(TROUSER, caption(run, 1, "1"), "", ImageGrid.Verdict.UNKNOWN));
    }

    @Test
    void predict_withAGridAndBadImages_leavesThemOut() throws IOException {
        Path bad = Files.writeString(folder.resolve("bad.png"), "no image");
        Path grid = folder.resolve("grid.png");
        Run.refused(1, args(bad, "--grid", grid), bad + ": ");
        assertThat(grid).doesNotExist();

        Run run = Run.of(args(bad, BOOT, "--json", "--grid", grid).toArray());
        assertThat(run.status()).isEqualTo(1);
        run.assertOneErrorLine("convzoo: " + bad + ": ");
        assertShows(grid, entry(BOOT, caption(run, 0, "9"), "", ImageGrid.Verdict.UNKNOWN));
    }

    @Test
    void predict_withAGridThatCannotBe_saysSoBeforeItComputes() throws IOException {
        // Labels that are not there would be the first to be missed.
        Path none = folder.resolve("none.txt");
        Run.refused(
                2,
                args(BOOT, "--labels", none, "--grid", folder.resolve("grid.jpg")),
                "--grid: pictures are written as PNG; name a .png file, not " + folder.resolve("grid.jpg"));
        Path image = copy(BOOT, "a/1.png");
        byte[] before = Files.readAllBytes(image);
        Run.refused(
                2,
                args(BOOT, image, "--labels", none, "--grid", folder.resolve("a/../a/1.png")),
                "1.png is one of the images, and would be lost; name another file");
        assertThat(image).hasBinaryContent(before);
    }

    @Test
    void predict_withAGridThatCannotBeWritten_givesThePredictionsAllTheSame() {
        Path grid = folder.resolve("none/grid.png");
        Run run = Run.of(args(BOOT, "--json", "--grid", grid).toArray());

        assertThat(run.status()).isEqualTo(1);
        run.assertOneErrorLine(grid + ": there is no directory " + grid.getParent());
        assertThat(run.json().getAsJsonArray()).hasSize(1);
    }

    private Path copy(Path image, String to) throws IOException {
        Path file = folder.resolve(to);
        Files.createDirectories(file.getParent());
        return Files.copy(image, file);
    }

    /** The best class of an image and its probability, from what was printed. */
    private static String caption(Run run, int image, String label) {
        JsonObject best = run.json()
                .getAsJsonArray()
                .get(image)
                .getAsJsonObject()
                .getAsJsonArray("predictions")
                .get(0)
                .getAsJsonObject();
        assertThat(best.get("label").getAsString()).isEqualTo(label);
        return String.format(
                Locale.ROOT, "%.2f %%  %s", 100 * best.get("probability").getAsDouble(), label);
    }

    private static ImageGrid.Entry entry(Path image, String prediction, String truth, ImageGrid.Verdict verdict)
            throws IOException {
        return new ImageGrid.Entry(new ImageDecoder().decode(image), prediction, truth, verdict);
    }

    private static void assertShows(Path grid, ImageGrid.Entry... entries) throws IOException {
        RgbImage expected = RgbImage.of(ImageGrid.draw(List.of(entries)));
        assertThat(RgbImage.of(ImageIO.read(grid.toFile()))).isEqualTo(expected);
    }

    private static List<Object> args(Object... more) {
        List<Object> args = new ArrayList<>(List.of(
                "predict", "--model", "peleenet", "--weights", Samples.PELEENET, "--input-size", 32, "--no-resize"));
        args.addAll(List.of(more));
        return args;
    }
}
