package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.weights.StateDict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

    private static List<Object> args(Object... more) {
        List<Object> args = new ArrayList<>(List.of(
                "predict", "--model", "peleenet", "--weights", Samples.PELEENET, "--input-size", 32, "--no-resize"));
        args.addAll(List.of(more));
        return args;
    }
}
