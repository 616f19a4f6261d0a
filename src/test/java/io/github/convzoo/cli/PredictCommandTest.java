package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.network.Variant;
import io.github.convzoo.plot.ImageGrid;
import io.github.convzoo.weights.StateDict;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
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
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
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
    void help_ofPredict_namesEveryFormat() {
        assertThat(Run.succeeding("predict", "--help").out().replaceAll("\\s+", " "))
                .contains("JPEG, PNG, GIF, BMP, TIFF, and WebP");
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
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void predict_ofADeviceAmongImages_classifiesTheOthers() {
        Run run = Run.of(args(BOOT, "/dev/zero", TROUSER, "--labels", LABELS, "--top-k", 1)
                .toArray());
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).contains("convzoo: /dev/zero: a pipe or device, not a regular file");
        assertThat(run.out()).contains("Ankle boot", "Trouser");
    }

    @Test
    void predict_overALimitOfImages_namesIt() {
        Run.refused(1, args(BOOT, "--limit", "imagePixels=10"), "raise the limit imagePixels");
        Run.refused(2, args(BOOT, "--limit", "imagePixels=0"), "--limit: the limit must be 1 to");
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
        Run.refused(2, args(BOOT, "--labels", two), "there are 2 labels, but the weights have 10 classes");
        Run.refused(1, args(BOOT, "--labels", folder.resolve("none.txt")), "none.txt: no such");
        Run.refused(1, args(BOOT, "--num-classes", 12), "have 10 classes, not 12; request 10");
        Run.refused(2, args(BOOT, "--num-classes", 0), "at least 1 class, not 0");
        Run.refused(2, args(BOOT, "--top-k", 0), "--top-k must be at least 1, not 0");
        Run.refused(2, args(BOOT, "--threads", 0), "--threads must be at least 1 and at most 1024, not 0");
    }

    @Test
    void predict_onADeviceThatIsNone_saysWhichThereAre() {
        Run.refused(2, args(BOOT, "--device", "tpu"), "--device must be cpu, gpu0, gpu1, ..., not tpu");
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
                "predict", BOOT, "--model", "peleenet", "--weights", Samples.PELEENET, "--input-size", "999999999");
        Run.refused(2, huge, "999999999 x 999999999");
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
                "check that it is a checkpoint of this model");
        Path none = folder.resolve("none.pth");
        Run.refused(1, List.of("predict", BOOT, "--model", "dla34", "--weights", none), none + ": ");
        Run.refused(1, List.of("predict", BOOT, "--model", "dla34", "--weights", LABELS), LABELS + ": ");
        Run.refused(
                2,
                List.of("predict", BOOT, "--model", "dla34.in1kk"),
                "there are no published weights dla34.in1kk; did you mean dla34.in1k?");
        Run.refused(2, List.of("predict", BOOT, "--model", "dla35", "--weights", LABELS), "unknown network dla35");
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
            assertThat(run.err()).contains("convzoo: " + BOOT + ": the network's output is NaN");
        }
        Path other = folder.resolve("images");
        copy(BOOT, "images/Ankle boot/1.png");
        copy(TROUSER, "images/Trouser/2.png");
        List<Object> model = List.of("--model", "peleenet", "--weights", damaged);
        Run.refused(1, with(model, "explain", BOOT), BOOT + ": the network's output is NaN; its weights are damaged");
        Run.refused(
                1,
                with(model, "export", "--format", "onnx", "--output", folder.resolve("exported")),
                "the network's output is NaN for random input; nothing was written. Its weights are damaged");
        tensors.replaceAll((name, tensor) -> name.equals("features.stemblock.stem1.conv.weight")
                ? Samples.tensor(name, nan(tensor.shape()), tensor.shape())
                : tensor);
        Samples.write(damaged, tensors);
        Run.refused(
                2,
                with(model, "quantize", "--data", other, "--labels", LABELS, "--output", folder.resolve("quantized")),
                "the network computes numbers that are not finite for these images; its weights are damaged");
        assertThat(folder.resolve("exported")).doesNotExist();
        assertThat(folder.resolve("quantized")).doesNotExist();
    }

    private static List<Object> with(List<Object> model, Object... others) {
        List<Object> all = new ArrayList<>(List.of(others));
        all.addAll(model);
        return all;
    }

    private static float[] nan(long[] shape) {
        float[] values = new float[Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact))];
        Arrays.fill(values, Float.NaN);
        return values;
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
        Run run = Run.of(
                args(wrong, unknown, "--json", "--top-k", 1, "--grid", grid).toArray());

        assertThat(run.status()).isZero();
        assertThat(run.err()).isEqualToIgnoringNewLines("convzoo: replaced " + grid);
        assertThat(run.written()).containsExactly(grid + ": 2 images");
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
                "--grid: pictures are PNG files; pass a .png file, not " + folder.resolve("grid.jpg"));
        Path image = copy(BOOT, "a/1.png");
        byte[] before = Files.readAllBytes(image);
        Run.refused(
                2,
                args(BOOT, image, "--labels", none, "--grid", folder.resolve("a/../a/1.png")),
                "1.png is also one of the images; choose another file");
        assertThat(image).hasBinaryContent(before);
    }

    @Test
    void predict_withAGridThatCannotBeWritten_givesThePredictionsAllTheSame() {
        Path grid = folder.resolve("x".repeat(300) + ".png");
        Run run = Run.of(args(BOOT, "--json", "--grid", grid).toArray());

        assertThat(run.status()).isEqualTo(1);
        run.assertOneErrorLine(grid + ": it cannot be written");
        assertThat(run.written()).isEmpty();
        assertThat(run.json().getAsJsonArray()).hasSize(1);
    }

    @Test
    void predict_ofAnUnknownHost_namesIt() {
        Run.refused(
                1,
                args("https://nohost.invalid/a.png"),
                "convzoo: https://nohost.invalid/a.png: unknown host nohost.invalid; check the connection");
    }

    @Test
    void predict_withAGridInNoFolder_isRefusedBeforeItComputes() {
        Path grid = folder.resolve("none/grid.png");
        Run.refused(
                1,
                args(folder.resolve("no-image.png"), "--grid", grid),
                "convzoo: " + grid + ": directory " + grid.getParent() + " does not exist; create it first");
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

    @Test
    void predict_ofAFolder_takesItsImagesInOrderAndNothingElse() throws IOException {
        Path images = Files.createDirectory(folder.resolve("images"));
        Files.copy(TROUSER, images.resolve("b.png"));
        Files.copy(BOOT, images.resolve("a.PNG"));
        Files.writeString(images.resolve("notes.txt"), "x");
        Path inner = Files.createDirectory(images.resolve("c"));
        Files.copy(BOOT, inner.resolve("d.png"));

        Path many = Files.createDirectory(folder.resolve("many"));
        for (String name : List.of("07", "03", "09", "01", "05", "08", "02", "06", "04", "00")) {
            Files.copy(BOOT, many.resolve(name + ".png"));
        }
        assertThat(names(Run.succeeding(args(many, "--top-k", 1).toArray())))
                .hasSize(10)
                .isSorted();
        assertThat(names(Run.succeeding(args(images, "--top-k", 1).toArray())))
                .containsExactly(
                        images.resolve("a.PNG").toString(),
                        images.resolve("b.png").toString());
        assertThat(names(
                        Run.succeeding(args(images, "--top-k", 1, "--recursive").toArray())))
                .hasSize(3)
                .contains(inner.resolve("d.png").toString());
        Path empty = Files.createDirectory(folder.resolve("empty"));
        Run run = Run.of(args(empty, BOOT, "--top-k", 1).toArray());
        run.assertOneErrorLine(empty + ": no images found; pass --recursive");
        assertThat(run.status()).isEqualTo(1);
        assertThat(names(run)).containsExactly(BOOT.toString());
    }

    private static List<String> names(Run run) {
        return run.out().lines().filter(line -> !line.contains(" %  ")).toList();
    }

    @Test
    void predict_ofAList_takesEveryLine() throws IOException {
        Path images = Files.createDirectory(folder.resolve("images"));
        Files.copy(TROUSER, images.resolve("b c.png"));
        Path list = Files.writeString(
                folder.resolve("list.txt"), "\ufeff" + BOOT + "\n\n" + images + "\n" + BOOT.toUri() + "\n");

        assertThat(names(Run.succeeding(args("--list", list, "--top-k", 1).toArray())))
                .containsExactly(
                        BOOT.toString(),
                        images.resolve("b c.png").toString(),
                        BOOT.toUri().toString());
        // A byte order mark is one only at the beginning.
        Files.writeString(list, BOOT + "\n\ufeff" + BOOT + "\n");
        Run marked = Run.of(args("--list", list, "--top-k", 1).toArray());
        assertThat(marked.status()).isEqualTo(1);
        assertThat(names(marked)).containsExactly(BOOT.toString());
        Run.refused(1, args("--list", folder.resolve("none.txt")), "none.txt: no such file; check the path");
        for (String nothing : List.of("", "\n \n")) {
            Files.writeString(list, nothing);
            Run.refused(1, args("--list", list), "list.txt: no images listed; put one on each line");
        }
        Run.refused(2, args("-", "--list", "-"), "standard input can be an image (-) or a list of names (--list -)");
    }

    /** A line at the limit is a name that no file has; a longer one could have no end. */
    @Test
    void predict_ofAListWithAnEndlessLine_isRefused() throws IOException {
        Path list = Files.writeString(folder.resolve("list.txt"), BOOT + "\n" + "x".repeat(4_000_000) + "\r\n");
        Run longest = Run.of(args("--list", list, "--top-k", 1).toArray());
        assertThat(longest.status()).isEqualTo(1);
        assertThat(longest.err())
                .doesNotContain("more than 4 million characters")
                .hasSizeLessThan(10_000);
        Files.writeString(list, "x".repeat(4_000_001));
        Run.refused(1, args("--list", list), "list.txt: a line has more than 4 million characters");
    }

    @Test
    void predict_ofStandardInput_readsAnImageOrNames() throws IOException {
        for (String list : List.of("-", "--list")) {
            byte[] input = list.equals("-") ? Files.readAllBytes(BOOT) : (BOOT + "\n").getBytes(StandardCharsets.UTF_8);
            StringWriter out = new StringWriter();
            List<Object> args = list.equals("-") ? args("-", "--top-k", 1) : args("--list", "-", "--top-k", 1);
            int status = Main.run(
                    System::getenv,
                    new ByteArrayInputStream(input),
                    new PrintWriter(out, true),
                    new PrintWriter(new StringWriter(), true),
                    args.stream().map(Object::toString).toArray(String[]::new));
            assertThat(status).isZero();
            assertThat(out.toString().strip()).endsWith(" %  9");
        }
    }

    @Test
    void predict_asJsonLines_printsEachAsItIsKnownAndFailuresAmongThem() throws IOException {
        Path bad = Files.writeString(folder.resolve("bad.png"), "no image");
        Run run = Run.of(args(BOOT, bad, TROUSER, "--top-k", 2, "--jsonl").toArray());

        assertThat(run.status()).isEqualTo(1);
        List<JsonObject> lines = run.out()
                .lines()
                .map(line -> JsonParser.parseString(line).getAsJsonObject())
                .toList();
        assertThat(lines).hasSize(3);
        assertThat(lines.get(0).getAsJsonArray("predictions")).hasSize(2);
        assertThat(lines.get(1).get("image").getAsString()).isEqualTo(bad.toString());
        assertThat(lines.get(1).get("error").getAsString()).startsWith(bad + ": ");
        assertThat(lines.get(1).has("predictions")).isFalse();
        assertThat(lines.get(2).get("image").getAsString()).isEqualTo(TROUSER.toString());
        Run.refused(2, args(BOOT, "--json", "--jsonl"), "--json and --jsonl are mutually exclusive");
    }

    /** Standard output that fails after some bytes, as a full disk or a reader that has read enough. */
    private static final class Failing extends OutputStream {
        private final String reason;
        private int left;

        Failing(int left, String reason) {
            this.left = left;
            this.reason = reason;
        }

        @Override
        public void write(int value) throws IOException {
            if (left-- <= 0) {
                throw new IOException(reason);
            }
        }
    }

    private Run runInto(Failing out, List<Object> args) {
        StringWriter err = new StringWriter();
        int status = Main.run(
                new PrintWriter(new OutputStreamWriter(new ResultStream(out), StandardCharsets.UTF_8), true),
                new PrintWriter(err, true),
                args.stream().map(Object::toString).toArray(String[]::new));
        return new Run(status, "", err.toString(), "", List.of(), List.of());
    }

    @Test
    void predict_intoAFullDisk_failsWithOneLine() {
        for (List<Object> args : List.of(args(BOOT, "--json"), args(BOOT), args(BOOT, TROUSER, "--jsonl"))) {
            Run run = runInto(new Failing(0, "No space left on device"), args);
            assertThat(run.status()).isEqualTo(1);
            assertThat(run.err().lines().filter(line -> !line.contains("no configuration found")))
                    .singleElement()
                    .asString()
                    .startsWith("convzoo: standard output: cannot be written (No space left on device)");
        }
    }

    @Test
    void predict_intoAClosedPipe_endsQuietlyAndEarly() throws IOException {
        Path bad = Files.writeString(folder.resolve("bad.png"), "no image");
        // The failure comes with the first result; the image after it is not even tried.
        Run run = runInto(new Failing(10, "Broken pipe"), args(BOOT, bad, "--jsonl"));
        assertThat(run.status()).isZero();
        assertThat(run.err()).doesNotContain("bad.png").doesNotContain("standard output");
    }

    @Test
    void help_intoAClosedPipe_endsQuietly() {
        for (String help : List.of("--help", "--version")) {
            Run run = runInto(new Failing(10, "Broken pipe"), List.of(help));
            assertThat(run.status()).isZero();
            assertThat(run.err()).isEmpty();
        }
    }

    @Test
    void help_intoAFullDisk_failsWithOneLine() {
        Run run = runInto(new Failing(0, "No space left on device"), List.of("predict", "--help"));
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err().lines())
                .singleElement()
                .asString()
                .startsWith("convzoo: standard output: cannot be written (No space left on device)");
    }

    @Test
    void predict_ofWeightsForGrayImages_makesThemGray() throws IOException {
        Variant variant = Variant.of("dla46x_c");
        Path weights = Samples.write(
                folder.resolve("gray.safetensors"),
                Samples.state(
                        variant.build(variant.options().withNumClasses(2).withInChannels(1)), new Shape(1, 1, 32, 32)));
        Run run = Run.succeeding("predict", BOOT, "--model", "dla46x_c", "--weights", weights, "--input-size", 64);
        assertThat(run.out().lines()).hasSize(2);
    }
}
