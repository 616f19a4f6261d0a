package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.ZooModel;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.Safetensors;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.data.FashionMnist;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.network.Variant;
import io.github.convzoo.plot.ConfusionPicture;
import io.github.convzoo.train.ConfusionMatrix;
import io.github.convzoo.train.ConfusionMatrixes;
import io.github.convzoo.weights.StateDict;
import io.github.convzoo.weights.WeightSaver;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvalCommandTest {

    private final Path folder;

    EvalCommandTest(@TempDir Path folder) {
        this.folder = folder;
    }

    @Test
    void eval_ofFashionMnist_countsWhatPyTorchCounts() {
        JsonObject result = Run.succeeding(
                        fashionMnist("--json", "--num-classes", 10).toArray())
                .json()
                .getAsJsonObject();

        assertThat(result.get("correct").getAsInt()).isEqualTo(90);
        assertThat(result.get("total").getAsInt()).isEqualTo(100);
        assertThat(result.get("top1").getAsDouble()).isEqualTo(0.9);
        assertThat(result.get("top5").getAsDouble()).isBetween(0.95, 1.0);
        assertThat(result.get("imagesPerSecond").getAsDouble()).isPositive();
    }

    @Test
    void eval_forPeople_printsPercents() {
        List<String> lines = Run.succeeding(fashionMnist("--batch-size", 7).toArray())
                .out()
                .lines()
                .toList();

        assertThat(lines).hasSize(5);
        assertThat(lines.get(0)).isEqualTo("top-1     90.00 %");
        assertThat(lines.get(1)).matches("top-5     \\d+\\.00 %");
        assertThat(lines.get(2)).isEqualTo("correct   90 of 100");
        assertThat(lines.get(3)).matches("loss      0\\.\\d{4}");
        assertThat(lines.get(4)).matches("speed     [\\d,]+\\.\\d images/s");
    }

    @Test
    void eval_atALargerSize_readsLargerImages() {
        JsonObject result = Run.succeeding(
                        fashionMnist("--json", "--input-size", 48).toArray())
                .json()
                .getAsJsonObject();

        assertThat(result.get("total").getAsInt()).isEqualTo(100);
        assertThat(result.get("correct").getAsInt()).isBetween(10, 89);
    }

    @Test
    void eval_ofAnImageFolder_numbersItsClassesByName() throws IOException {
        // Class 0 is none of these images', class 1 is.
        copy("ankle-boot.png", "a/1.png");
        copy("trouser.png", "b/1.png");
        copy("trouser.png", "b/2.png");
        Run.refused(
                1,
                imageFolder(folder, "--input-size", 32),
                folder + ": has 2 classes, but the network has 10; pass --labels");
        for (int i = 2; i < 10; i++) {
            copy("ankle-boot.png", "c" + i + "/1.png");
        }
        List<Object> args = new ArrayList<>(imageFolder(folder, "--input-size", 32, "--json"));
        JsonObject result = Run.succeeding(args.toArray()).json().getAsJsonObject();
        // As for train, a folder of class folders is the default.
        int kind = args.indexOf("--dataset");
        args.remove(kind);
        args.remove(kind);
        JsonObject byDefault = Run.succeeding(args.toArray()).json().getAsJsonObject();
        assertThat(byDefault.get("correct")).isEqualTo(result.get("correct"));

        assertThat(result.get("total").getAsInt()).isEqualTo(11);
        // The last class is that of the boots.
        assertThat(result.get("correct").getAsInt()).isEqualTo(3);
    }

    @Test
    void eval_ofSomeOfImageNetsSynsets_numbersThemAsTheNetworkDoes() throws Exception {
        copy("trouser.png", "data/n02102040/1.png");
        copy("ankle-boot.png", "data/n15075141/1.png");
        Path weights = folder.resolve("thousand.safetensors");
        try (ZooModel<NDList, NDList> model = ConvZoo.untrained("peleenet", LoadOptions.published())) {
            WeightSaver.save(weights, model.getBlock());
        }
        List<Object> args = List.of(
                "eval",
                "--model",
                "peleenet",
                "--weights",
                weights,
                "--dataset",
                "image-folder",
                "--data",
                folder.resolve("data"),
                "--input-size",
                64,
                "--per-class",
                "--json");
        Run run = Run.succeeding(args.toArray());

        assertThat(run.found()).isEqualTo("2 images; 2 of the 1,000 classes have images");
        assertThat(run.json().getAsJsonObject().getAsJsonArray("classes"))
                .extracting(each -> each.getAsJsonObject().get("name").getAsString())
                .containsExactly(
                        "n02102040 English springer, English springer spaniel",
                        "n15075141 toilet tissue, toilet paper, bathroom tissue");
        copy("ankle-boot.png", "data/n00007846/1.png");
        Run.refused(
                1,
                args,
                folder.resolve("data") + ": class 'n00007846' is not one of the network's 1000 ImageNet synsets");
    }

    @Test
    void eval_withLabels_numbersTheClassesAsTheyDo() throws IOException {
        copy("trouser.png", "data/Trouser/1.png");
        copy("ankle-boot.png", "data/Ankle boot/1.png");
        copy("ankle-boot.png", "data/Bag/1.png");
        Path data = folder.resolve("data");
        Path labels = Files.write(
                folder.resolve("labels.txt"),
                FashionMnist.test(Samples.FASHION_MNIST, 32).classes());
        Object[] args = imageFolder(data, "--input-size", 32, "--labels", labels, "--json", "--per-class")
                .toArray();
        Run run = Run.succeeding(args);
        JsonObject result = run.json().getAsJsonObject();

        assertThat(run.found()).isEqualTo("3 images; 3 of the 10 classes have images");
        assertThat(result.get("correct").getAsInt()).isEqualTo(2);
        assertThat(result.get("total").getAsInt()).isEqualTo(3);
        assertThat(result.getAsJsonArray("classes")).hasSize(10);
        Path list = Files.write(folder.resolve("list.txt"), List.of("Trouser/1.png\tTrouser", "Bag/1.png\tAnkle boot"));
        Run.refused(1, imageList(list, "--root", data), "has 2 classes, but the network has 10");
        result = Run.succeeding(imageList(list, "--root", data, "--labels", labels, "--json")
                        .toArray())
                .json()
                .getAsJsonObject();
        assertThat(result.get("correct").getAsInt()).isEqualTo(2);

        Files.write(labels, List.of("Trouser", "Ankle boot", "Bag"));
        Run.refused(
                1,
                imageFolder(data, "--labels", labels, "--input-size", 32),
                labels + ": has 3 names, but the network has 10");
        Files.write(labels, List.of("Trouser", "Ankle boot"));
        Run.refused(1, imageFolder(data, "--labels", labels, "--input-size", 32), "Bag: not one of the 2 classes");
        Files.write(labels, List.of("Bag", "Bag"));
        Run.refused(
                1, imageFolder(data, "--labels", labels, "--input-size", 32), "Ankle boot: not one of the 2 classes");
        Run.refused(2, fashionMnist("--labels", labels), "--labels: fashion-mnist has fixed class numbers");
        Run.refused(2, fashionMnist("--root", folder), "--root has no effect without --dataset image-list");
    }

    @Test
    void eval_ofMoreClassesThanTheNetworkHas_isRefused() throws IOException {
        for (int i = 0; i < 11; i++) {
            copy("trouser.png", "class" + i + "/1.png");
        }
        Run.refused(1, imageFolder(folder, "--input-size", 32), folder + ": has 11 classes, but the network has 10");
    }

    @Test
    void eval_ofAnImageThatCannotBeRead_namesIt() throws IOException {
        for (int i = 0; i < 10; i++) {
            copy("trouser.png", "a" + i + "/1.png");
        }
        Path bad = Files.writeString(folder.resolve("a0/2.png"), "no image");
        Run.refused(1, imageFolder(folder, "--input-size", 32), bad + ": ");
    }

    @Test
    void eval_withoutData_saysWhatIsMissing() {
        Path none = folder.resolve("none");
        Run.refused(1, imageFolder(none), none + ": not a folder");
        Run.refused(1, imageFolder(folder), folder + ": no folders found");
        List<Object> noFiles = List.of(
                "eval",
                "--model",
                "peleenet",
                "--weights",
                Samples.PELEENET,
                "--dataset",
                "fashion-mnist",
                "--data",
                folder);
        Run.refused(1, noFiles, folder + ": found neither t10k-images-idx3-ubyte");
    }

    @Test
    void eval_withWhatDoesNotFit_saysWhatWould() {
        Run.refused(2, fashionMnist("--batch-size", 0), "--batch-size must be at least 1, not 0");
        Run.refused(2, fashionMnist("--input-size", 28), "peleenet expects", "not 28 x 28");
        Run.refused(2, fashionMnist("--input-size", 33), "peleenet expects", "not 33 x 33");
        Run.refused(1, fashionMnist("--num-classes", 12), "have 10 classes, not 12");
        Run.refused(1, fashionMnist("--num-classes", 0), "has 10 classes, but the network has 0");
        Run.refused(2, fashionMnist("--device", "gpu9999"), "--device gpu9999");
        Run.refused(2, fashionMnist("--threads", -1), "--threads must be at least 1 and at most 1024, not -1");
        Run.refused(2, imageFolder(folder, "--input-size", -5), "--input-size must be at least 1, not -5");
    }

    @Test
    void eval_ofCifar10_countsAsOfTheSameImagesElsewhere() throws IOException {
        JsonObject expected =
                Run.succeeding(fashionMnist("--json").toArray()).json().getAsJsonObject();
        FashionMnist images = FashionMnist.test(Samples.FASHION_MNIST, 32);
        Files.write(folder.resolve("batches.meta.txt"), images.classes());
        writeRecords(images, "test_batch.bin", label -> new byte[] {(byte) label});
        JsonObject result = Run.succeeding(
                        args("cifar10", folder, "--json", "--per-class").toArray())
                .json()
                .getAsJsonObject();

        for (String count : List.of("correct", "total", "skipped", "top1", "top5")) {
            assertThat(result.get(count)).as(count).isEqualTo(expected.get(count));
        }
        // The same numbers; a thread more or less may add them up in another order.
        double loss = expected.get("loss").getAsDouble();
        assertThat(result.get("loss").getAsDouble()).isCloseTo(loss, within(1e-5 * loss));
        assertThat(expected.get("classes").isJsonNull()).isTrue();
        JsonArray classes = result.getAsJsonArray("classes");
        assertThat(classes).hasSize(10);
        int correct = 0;
        int total = 0;
        for (int i = 0; i < 10; i++) {
            JsonObject each = classes.get(i).getAsJsonObject();
            int label = i;
            assertThat(each.get("name").getAsString())
                    .isEqualTo(images.classes().get(i));
            assertThat(each.get("total").getAsLong())
                    .isEqualTo(IntStream.range(0, images.size())
                            .filter(image -> images.label(image) == label)
                            .count());
            correct += each.get("correct").getAsInt();
            total += each.get("total").getAsInt();
            assertThat(each.get("accuracy").getAsDouble())
                    .isEqualTo(each.get("correct").getAsDouble()
                            / each.get("total").getAsInt());
        }
        assertThat(correct).isEqualTo(90);
        assertThat(total).isEqualTo(100);
    }

    @Test
    void eval_ofCifar100_takesTheFineLabels() throws IOException {
        FashionMnist images = FashionMnist.test(Samples.FASHION_MNIST, 32);
        List<String> names = IntStream.range(0, 100).mapToObj(i -> "fine " + i).toList();
        Files.write(folder.resolve("fine_label_names.txt"), names);
        // Every tenth class is one of the network's; nothing is taken for the others.
        writeRecords(images, "test.bin", label -> new byte[] {19, (byte) (10 * label)});
        Map<String, Tensor> tensors = weights();
        float[] weight = Samples.floats(Objects.requireNonNull(tensors.get("classifier.weight")));
        float[] bias = Samples.floats(Objects.requireNonNull(tensors.get("classifier.bias")));
        int features = weight.length / 10;
        float[] wideWeight = new float[100 * features];
        float[] wideBias = new float[100];
        Arrays.fill(wideBias, -1000);
        for (int i = 0; i < 10; i++) {
            System.arraycopy(weight, i * features, wideWeight, 10 * i * features, features);
            wideBias[10 * i] = bias[i];
        }
        tensors.put("classifier.weight", Samples.tensor("classifier.weight", wideWeight, 100, features));
        tensors.put("classifier.bias", Samples.tensor("classifier.bias", wideBias, 100));
        Path wide = Samples.write(folder.resolve("wide.safetensors"), tensors);
        JsonObject result = Run.succeeding(argsOf(wide, "cifar100", folder, "--json", "--per-class")
                        .toArray())
                .json()
                .getAsJsonObject();

        assertThat(result.get("correct").getAsInt()).isEqualTo(90);
        assertThat(result.get("total").getAsInt()).isEqualTo(100);
        JsonArray classes = result.getAsJsonArray("classes");
        assertThat(classes).hasSize(100);
        for (int i = 0; i < 100; i++) {
            assertThat(classes.get(i).getAsJsonObject().get("name").getAsString())
                    .isEqualTo(names.get(i));
            assertThat(classes.get(i).getAsJsonObject().get("accuracy").isJsonNull())
                    .isEqualTo(i % 10 != 0);
        }
        Run.refused(1, args("cifar100", folder), folder + ": has 100 classes, but the network has 10");
    }

    @Test
    void eval_ofAnImageList_hasTheMeanOfWhatPredictSays() throws IOException {
        Path list = list("trouser.png 1", "ankle-boot.png 9");
        JsonObject result =
                Run.succeeding(imageList(list, "--json").toArray()).json().getAsJsonObject();
        JsonArray predictions = Run.succeeding(
                        "predict",
                        folder.resolve("trouser.png"),
                        folder.resolve("ankle-boot.png"),
                        "--model",
                        "peleenet",
                        "--weights",
                        Samples.PELEENET,
                        "--input-size",
                        32,
                        "--top-k",
                        10,
                        "--json")
                .json()
                .getAsJsonArray();
        double expected = -(Math.log(probability(predictions, 0, 1)) + Math.log(probability(predictions, 1, 9))) / 2;

        assertThat(result.get("total").getAsInt()).isEqualTo(2);
        // float32's rounding, of a probability and of logits.
        assertThat(result.get("loss").getAsDouble()).isCloseTo(expected, within(1e-4 * expected));
    }

    private static double probability(JsonArray results, int image, int number) {
        for (JsonElement each : results.get(image).getAsJsonObject().getAsJsonArray("predictions")) {
            if (each.getAsJsonObject().get("classNumber").getAsInt() == number) {
                return each.getAsJsonObject().get("probability").getAsDouble();
            }
        }
        throw new IllegalArgumentException("class " + number + " is not among the predictions");
    }

    @Test
    void eval_ofAnImageList_findsTheImagesBesidesIt() throws IOException {
        list("trouser.png 1");
        Path below = Files.createDirectories(folder.resolve("lists")).resolve("val.txt");
        Files.writeString(below, "../trouser.png 1\n");

        assertThat(Run.succeeding(imageList(below).toArray()).out()).contains("correct   1 of 1");
        Path none = folder.resolve("none.txt");
        Run.refused(1, imageList(none), none + ": cannot be read");
        Run.refused(1, imageList(list("trouser.png 10")), "list.txt: has 11 classes, but the network has 10");
    }

    @Test
    void eval_perClass_printsATable() throws IOException {
        List<String> lines = Run.succeeding(
                        imageList(threeTrousers(), "--per-class").toArray())
                .out()
                .lines()
                .toList();

        assertThat(lines.subList(0, 3)).contains("top-1     66.67 %", "correct   2 of 3");
        assertThat(lines.subList(5, lines.size()))
                .containsExactly(
                        "",
                        "class  images  correct  top-1 %",
                        "-------------------------------",
                        "0           0        0        -",
                        "1           2        2   100.00",
                        "2           0        0        -",
                        "3           1        0     0.00");
    }

    @Test
    void eval_withAConfusionMatrix_writesItAsTableOrPicture() throws IOException {
        Path list = threeTrousers();
        Path table = folder.resolve("confusion.CSV");
        Path picture = folder.resolve("confusion.png");
        Run.succeeding(imageList(list, "--confusion", table).toArray());
        Run.succeeding(imageList(list, "--confusion", picture).toArray());

        assertThat(table)
                .hasContent(
                        """
                actual \\ predicted,0,1,2,3,4,5,6,7,8,9
                0,0,0,0,0,0,0,0,0,0,0
                1,0,2,0,0,0,0,0,0,0,0
                2,0,0,0,0,0,0,0,0,0,0
                3,0,1,0,0,0,0,0,0,0,0
                """);
        ConfusionMatrix expected = ConfusionMatrixes.of(
                List.of("0", "1", "2", "3"),
                10,
                (actual, predicted) -> predicted != 1 ? 0 : actual == 1 ? 2 : actual == 3 ? 1 : 0);
        assertThat(RgbImage.of(ImageIO.read(picture.toFile()))).isEqualTo(RgbImage.of(ConfusionPicture.draw(expected)));
    }

    @Test
    void eval_withAConfusionMatrixOfAnotherKind_isRefusedBeforeItComputes() {
        Path none = folder.resolve("none.txt");
        for (String name : List.of("confusion.jpg", "confusion", "png")) {
            Path file = folder.resolve(name);
            Run.refused(2, imageList(none, "--confusion", file), "--confusion: ", "pass a .png", "not " + file);
        }
    }

    @Test
    void eval_withAConfusionMatrixThatCannotBeWritten_saysWhatWasMeasuredAllTheSame() throws IOException {
        Path list = threeTrousers();
        for (String type : List.of(".csv", ".png")) {
            Path file = folder.resolve("x".repeat(300) + type);
            Run run = Run.of(imageList(list, "--json", "--confusion", file).toArray());

            assertThat(run.status()).isEqualTo(1);
            run.assertOneErrorLine(file + ": it cannot be written");
            assertThat(run.json().getAsJsonObject().get("correct").getAsInt()).isEqualTo(2);

            Path nowhere = folder.resolve("none/confusion" + type);
            Run.refused(
                    1,
                    imageList(folder.resolve("none.txt"), "--confusion", nowhere),
                    nowhere + ": directory " + nowhere.getParent() + " does not exist; create it first");
        }
    }

    @Test
    void eval_thatSkipsBadImages_namesAndCountsThem() throws IOException {
        Path list = list("trouser.png 1", "bad.png 1", "trouser.png 0", "none.png 0");
        Path bad = Files.writeString(folder.resolve("bad.png"), "no image");
        Run.refused(1, imageList(list), "convzoo: " + bad + ": ", "; or pass --on-bad-image skip");
        Run run = Run.of(imageList(list, "--on-bad-image", "skip", "--json").toArray());

        assertThat(run.status()).isZero();
        List<String> errors = run.err().lines().toList();
        assertThat(errors).hasSize(2);
        assertThat(errors.get(0)).startsWith("convzoo: skipped: " + bad + ": ");
        assertThat(errors.get(1)).startsWith("convzoo: skipped: " + folder.resolve("none.png") + ": ");
        JsonObject result = run.json().getAsJsonObject();
        assertThat(result.get("skipped").getAsInt()).isEqualTo(2);
        assertThat(result.get("total").getAsInt()).isEqualTo(2);
        assertThat(result.get("correct").getAsInt()).isEqualTo(1);
        assertThat(Run.of(imageList(list, "--on-bad-image", "skip").toArray()).out())
                .contains("correct   1 of 2" + System.lineSeparator() + "skipped   2" + System.lineSeparator());
        Run.refused(1, imageList(list), bad + ": ");
    }

    @Test
    void eval_ofNothingButBadImages_fails() throws IOException {
        Run run = Run.of(imageList(list("none.png 0"), "--on-bad-image", "skip").toArray());

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).last().isEqualTo("convzoo: none of the images could be read");
    }

    @Test
    void eval_ofANetworkThatGivesNoNumbers_failsAsPredictDoes() throws IOException {
        Map<String, Tensor> tensors = weights();
        float[] bias = new float[10];
        Arrays.fill(bias, Float.NaN);
        tensors.put("classifier.bias", Samples.tensor("classifier.bias", bias, 10));
        Path damaged = Samples.write(folder.resolve("nan.safetensors"), tensors);
        Path list = threeTrousers();
        List<Object> args = argsOf(damaged, "image-list", list, "--input-size", 32);

        Run.refused(1, args, list + ": the network's output is NaN; the weights in " + damaged + " are damaged");
    }

    @Test
    void eval_ofAnUnknownKind_namesThoseThatThereAre() {
        Run.refused(
                2,
                args("IMAGE_LIST", folder),
                "expected image-folder, image-list, fashion-mnist, cifar10 or cifar100, not 'IMAGE_LIST'");
        Run.refused(2, imageList(folder, "--on-bad-image", "ignore"), "--on-bad-image", "ignore");
    }

    /** Three times the same image, of class 1: twice called so, once 3, and nothing is called 0 or 2. */
    private Path threeTrousers() throws IOException {
        return list("trouser.png 1", "trouser.png 3", "trouser.png 1");
    }

    private Path list(String... lines) throws IOException {
        for (String image : List.of("trouser.png", "ankle-boot.png")) {
            if (!Files.exists(folder.resolve(image))) {
                copy(image, image);
            }
        }
        return Files.write(folder.resolve("list.txt"), List.of(lines));
    }

    private static Map<String, Tensor> weights() throws IOException {
        return new LinkedHashMap<>(
                StateDict.of(Checkpoint.read(Samples.PELEENET)).tensors());
    }

    /** Writes images as CIFAR's records: what a label comes to, then the planes. */
    private void writeRecords(FashionMnist images, String file, IntFunction<byte[]> labels) throws IOException {
        ByteArrayOutputStream records = new ByteArrayOutputStream();
        for (int i = 0; i < images.size(); i++) {
            RgbImage image = images.image(i);
            records.writeBytes(labels.apply(images.label(i)));
            for (int shift = 16; shift >= 0; shift -= 8) {
                for (int pixel = 0; pixel < 32 * 32; pixel++) {
                    records.write(image.pixel(pixel % 32, pixel / 32) >> shift);
                }
            }
        }
        Files.write(folder.resolve(file), records.toByteArray());
    }

    @Test
    void eval_withOtherWeights_isRefused() {
        List<Object> args = List.of(
                "eval",
                "--model",
                "dla34",
                "--weights",
                Samples.PELEENET,
                "--dataset",
                "fashion-mnist",
                "--data",
                Samples.FASHION_MNIST);
        Run.refused(1, args, "does not fit dla34");
    }

    private void copy(String image, String to) throws IOException {
        Path file = folder.resolve(to);
        Files.createDirectories(file.getParent());
        Files.copy(Samples.FASHION_MNIST.resolve(image), file);
    }

    @Test
    void eval_ofAFolderInTwoParts_asksForOneOfThem() throws IOException {
        Path parts = ImageFolders.fashion(folder);

        Run.refused(1, args("image-folder", parts), parts + ": has train and val", "pass " + parts.resolve("val"));
    }

    private static List<Object> fashionMnist(Object... more) {
        return args("fashion-mnist", Samples.FASHION_MNIST, more);
    }

    private static List<Object> imageFolder(Path data, Object... more) {
        return args("image-folder", data, more);
    }

    private static List<Object> imageList(Path data, Object... more) {
        List<Object> args = args("image-list", data, "--input-size", 32);
        args.addAll(List.of(more));
        return args;
    }

    private static List<Object> args(String dataset, Path data, Object... more) {
        return argsOf(Samples.PELEENET, dataset, data, more);
    }

    private static List<Object> argsOf(Path weights, String dataset, Path data, Object... more) {
        List<Object> args = new ArrayList<>(
                List.of("eval", "--model", "peleenet", "--weights", weights, "--dataset", dataset, "--data", data));
        args.addAll(List.of(more));
        return args;
    }

    @Test
    void eval_ofANetworkOfFewClasses_printsNoTop5() throws Exception {
        String name = "dla46x_c";
        Path model = Files.createDirectories(folder.resolve("model"));
        for (int classes : new int[] {5, 6}) {
            Path data = folder.resolve("data" + classes);
            copy("trouser.png", "data" + classes + "/0/1.png");
            for (int i = 1; i < classes; i++) {
                copy("ankle-boot.png", "data" + classes + "/" + i + "/1.png");
            }
            Variant variant = Variant.of(name);
            Path weights = model.resolve(classes + ".safetensors");
            Safetensors.write(
                    weights,
                    Samples.state(variant.build(variant.options().withNumClasses(classes)), new Shape(1, 3, 32, 32))
                            .values(),
                    Map.of());
            String out = Run.succeeding(
                            "eval", "--model", name, "--weights", weights, "--data", data, "--input-size", 64)
                    .out();
            assertThat(out.contains("top-5")).isEqualTo(classes > 5);
        }
    }
}
