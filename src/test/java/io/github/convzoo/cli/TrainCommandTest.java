package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import ai.djl.nn.Parameter;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.convzoo.Samples;
import io.github.convzoo.image.Labels;
import io.github.convzoo.train.EpochMetrics;
import io.github.convzoo.train.RunFolder;
import io.github.convzoo.weights.WeightSaver;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TrainCommandTest {

    private static final Set<String> FLAGS = Set.of("--json", "--head-only", "--pretrained", "--no-flip");

    private final Path directory;
    private Path data = Path.of("");
    private Path run = Path.of("");

    TrainCommandTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    @BeforeEach
    void makeData() throws IOException {
        data = ImageFolders.fashion(directory.resolve("data"));
        run = directory.resolve("run");
    }

    /** One epoch of PeleeNet, four steps; but for what is given anew. */
    private List<Object> args(Object... more) {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("--model", "peleenet");
        options.put("--data", data);
        options.put("--output", run);
        options.put("--input-size", 32);
        options.put("--epochs", 1);
        options.put("--batch-size", 16);
        options.put("--crop", "none");
        options.put("--lr", 0.01);
        options.put("--device", "cpu");
        List<Object> flags = new ArrayList<>();
        for (int i = 0; i < more.length; i++) {
            String name = more[i].toString();
            if (FLAGS.contains(name)) {
                flags.add(name);
            } else {
                options.put(name, more[++i]);
            }
        }
        if (flags.contains("--head-only")) {
            options.remove("--crop");
        }
        List<Object> args = new ArrayList<>(List.of("train"));
        options.forEach((name, value) -> args.addAll(List.of(name, value)));
        args.addAll(flags);
        return args;
    }

    private Run trained(Object... more) {
        Run trained = Run.of(args(more).toArray());
        assertThat(trained.status()).as(trained.err()).isZero();
        return trained;
    }

    @Test
    void train_ofAFolder_leavesItsRunAndSaysHowItWent() throws IOException {
        Run trained = trained("--ema", 0.5, "--label-smoothing", 0.1, "--optimizer", "adamw", "--mixup", 0.2);

        assertThat(trained.found())
                .isEqualTo("71 training images of 10 classes, 29 validation images, 4 steps per epoch");
        assertThat(Files.readString(run.resolve("log.txt"))).contains(trained.found());
        assertThat(trained.err()).matches("(?s)epoch 1/1  rate .*  loss .*  val top-1 .* %  \\d+ images/s  .*best\\R");
        assertThat(trained.out().lines()).hasSize(3).last().isEqualTo("folder " + run);
        assertThat(run).isDirectoryContaining("glob:**/log.txt");
        assertThat(Files.readString(run.resolve("log.txt"))).contains("Z epoch 1/1  rate ");
        JsonObject config = JsonParser.parseString(Files.readString(run.resolve("train.json")))
                .getAsJsonObject();
        assertThat(config.get("model").getAsString()).isEqualTo("peleenet");
        assertThat(config.get("optimizer").getAsString()).isEqualTo("adamw");
        assertThat(config.get("dataset").getAsString()).isEqualTo("image-folder");
        assertThat(config.get("on-bad-image").getAsString()).isEqualTo("fail");
        assertThat(config.get("label-smoothing").getAsDouble()).isEqualTo(0.1);
        for (String picture : List.of("curves.png", "confusion.png", "per-class.png")) {
            BufferedImage drawn = ImageIO.read(run.resolve(picture).toFile());
            int[] pixels = drawn.getRGB(0, 0, drawn.getWidth(), drawn.getHeight(), null, 0, drawn.getWidth());
            assertThat(drawn.getWidth()).as(picture).isGreaterThan(200);
            assertThat(drawn.getHeight()).as(picture).isGreaterThan(200);
            assertThat(Arrays.stream(pixels).distinct().limit(5)).as(picture).hasSize(5);
        }
        assertThat(Files.readAllLines(run.resolve("labels.txt"))).hasSize(10).startsWith("Ankle boot", "Bag");
    }

    @Test
    void threads_inAProcessOfItsOwn_areTheEngines() throws Exception {
        for (int threads : new int[] {1, 3}) {
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-cp",
                            System.getProperty("java.class.path"),
                            Main.class.getName(),
                            "predict",
                            Samples.FASHION_MNIST.resolve("trouser.png").toString(),
                            "--model",
                            "peleenet.fmnist",
                            "--threads",
                            Integer.toString(threads),
                            "--device",
                            "cpu",
                            "--verbose")
                    .redirectErrorStream(true)
                    .start();
            List<String> lines = process.inputReader().lines().toList();
            assertThat(process.waitFor()).as(String.join("\n", lines)).isZero();
            assertThat(lines).anyMatch(line -> line.endsWith("Number of intra-op threads is " + threads));
        }
    }

    static Stream<List<Object>> seeded() {
        return Stream.of(
                List.of("--crop", "resized", "--color-jitter", 0.2, "--erase", 0.5, "--cutmix", 1),
                List.of("--head-only", "--weights", Samples.PELEENET));
    }

    @ParameterizedTest
    @MethodSource("seeded")
    void train_withTheSameSeed_givesTheSameBits(List<Object> options) throws IOException {
        Path first = seeded(7, "first", options);
        Path again = seeded(7, "again", options);
        Path other = seeded(8, "other", options);

        assertThat(Files.mismatch(first, again)).isEqualTo(-1);
        assertThat(Files.mismatch(first, other)).isNotEqualTo(-1);
    }

    private Path seeded(int seed, String folder, List<Object> options) {
        run = directory.resolve(folder);
        List<Object> all = new ArrayList<>(List.of("--seed", seed));
        all.addAll(options);
        trained(all.toArray());
        return run.resolve("model.safetensors");
    }

    @Test
    void train_ofTheHeadOnly_leavesTheRestAsItWas() throws IOException {
        Run trained = trained("--weights", Samples.PELEENET, "--head-only", "--epochs", 10, "--lr", 1, "--json");

        // The classes' order is another than that of the weights, so the classifier has to learn.
        assertThat(trained.json().getAsJsonObject().get("bestTop1").getAsDouble())
                .isGreaterThan(0.5);
        JsonObject evaluation = Run.succeeding(
                        "eval",
                        "--model",
                        "peleenet",
                        "--weights",
                        run.resolve("last/model.safetensors"),
                        "--dataset",
                        "image-folder",
                        "--data",
                        data.resolve("val"),
                        "--input-size",
                        32,
                        "--json")
                .json()
                .getAsJsonObject();
        List<EpochMetrics> metrics = new RunFolder(run).metrics();
        assertThat(evaluation.get("top1").getAsDouble())
                .isEqualTo(metrics.get(metrics.size() - 1).valTop1());
        assertThat(tensors(run.resolve("model.safetensors"), "features"))
                .isEqualTo(tensors(Samples.PELEENET, "features"));
        assertThat(tensors(run.resolve("model.safetensors"), "classifier"))
                .isNotEqualTo(tensors(Samples.PELEENET, "classifier"));
    }

    /** Every tensor's statistics whose name begins so, as inspect has them. */
    private static String tensors(Path weights, String prefix) {
        StringBuilder all = new StringBuilder();
        Run.succeeding("inspect", weights, "--json")
                .json()
                .getAsJsonObject()
                .getAsJsonArray("tensors")
                .forEach(each -> {
                    JsonObject tensor = each.getAsJsonObject();
                    if (tensor.get("name").getAsString().startsWith(prefix)) {
                        tensor.remove("file");
                        tensor.remove("type");
                        tensor.remove("offset");
                        all.append(tensor).append('\n');
                    }
                });
        assertThat(all).isNotEmpty();
        return all.toString();
    }

    @Test
    void train_onTwoDevicesWithAFrozenPart_trainsTheRest() {
        List<Object> args = args("--devices", "cpu,cpu", "--weights", Samples.PELEENET, "--freeze", "features.*");
        int device = args.indexOf("--device");
        args.subList(device, device + 2).clear();
        Run trained = Run.of(args.toArray());

        assertThat(trained.status()).as(trained.err()).isZero();
        assertThat(tensors(run.resolve("model.safetensors"), "features"))
                .isEqualTo(tensors(Samples.PELEENET, "features"));
        assertThat(tensors(run.resolve("model.safetensors"), "classifier"))
                .isNotEqualTo(tensors(Samples.PELEENET, "classifier"));
    }

    @Test
    void train_ofAList_takesItsNames() throws IOException {
        List<String> lines = new ArrayList<>();
        try (var files = Files.walk(data.resolve("train"))) {
            files.filter(Files::isRegularFile).sorted().forEach(file -> {
                Path relative = data.relativize(file);
                lines.add(relative + "\t" + relative.getName(1));
            });
        }
        Path list = Files.write(data.resolve("list.txt"), lines);
        data = list;
        trained("--dataset", "image-list", "--val-fraction", 0.3);

        assertThat(Files.readAllLines(run.resolve("labels.txt"))).hasSize(10).contains("T-shirt-top");

        Files.write(
                list, lines.stream().map(line -> line.replaceAll("\t.*", "\t3")).toList());
        run = directory.resolve("other");
        Run.refused(1, args("--dataset", "image-list", "--val-data", list), "class 0 ('0') has no training images");
        assertThat(run).doesNotExist();
    }

    @Test
    void train_fromWeightsWithUnusualPreprocessing_namesTheOptionsThatChangeIt() throws IOException {
        Run run = Run.of(args("--model", "peleenet.fmnist", "--pretrained", "--input-size", 32, "--batch-size", 1000)
                .toArray());
        assertThat(run.err())
                .contains("convzoo: peleenet.fmnist: keeping the preprocessing of the weights, which ")
                .contains("(--");
    }

    @Test
    void folderThatIsNotARun_isRefusedWithoutResume() throws IOException {
        Files.createDirectories(run);
        Files.writeString(run.resolve("notes.txt"), "mine");
        Run.refused(2, args(), run + ": not empty; choose another folder");
    }

    @Test
    void train_withABadImage_failsOrSkipsIt() throws IOException {
        Path bad = Files.writeString(data.resolve("train/Bag/bad.png"), "no image");

        // 72 images are 9 whole batches, so that each is read.
        Run.refused(
                1,
                args("--batch-size", 8),
                bad.toString(),
                "; or skip such images: convzoo train --resume " + run + " --on-bad-image skip");
        run = directory.resolve("skipping");
        Run trained = trained("--batch-size", 8, "--on-bad-image", "skip");
        assertThat(trained.err()).contains("skipped: " + bad).contains("1 image skipped");
        assertThat(Files.readString(run.resolve("log.txt"))).contains("Z skipped: " + bad);
        run = directory.resolve("head");
        trained("--weights", Samples.PELEENET, "--head-only", "--batch-size", 8, "--on-bad-image", "skip");
        assertThat(Files.readString(run.resolve("log.txt"))).containsOnlyOnce("Z skipped: " + bad);
        // The run that failed goes on past it.
        Run more = Run.of("train", "--resume", directory.resolve("run"), "--on-bad-image", "skip", "--device", "cpu");
        assertThat(more.status()).as(more.err()).isZero();
        assertThat(Files.readString(directory.resolve("run/train.json"))).contains("\"on-bad-image\": \"skip\"");
    }

    @Test
    void train_withABadImageInTheFirstStep_leavesTheFolderFree() throws IOException {
        Path bad = Files.writeString(data.resolve("train/Bag/bad.png"), "no image");

        // One step reads each of the 72 images.
        Run.refused(1, args("--batch-size", 72), bad + ": ", "; or remove it, or pass --on-bad-image skip");
        assertThat(run).doesNotExist();
        Run.refused(
                1,
                args("--weights", Samples.PELEENET, "--head-only", "--batch-size", 8),
                bad + ": ",
                "; or remove it, or pass --on-bad-image skip");
        assertThat(run).doesNotExist();
    }

    @Test
    void train_thatDiverges_saysWhereAndWhatIsLeft() {
        Run diverged = Run.of(args("--lr", 1e30, "--schedule", "constant").toArray());

        assertThat(diverged.status()).isEqualTo(1);
        diverged.assertOneErrorLine(
                "epoch 1, batch ",
                ", step ",
                "try a lower learning rate",
                "; the weights before this step are in " + run.resolve("last/diverged.safetensors")
                        + "; start a new run from them with --weights");
        assertThat(run.resolve("last/diverged.safetensors")).exists();
        Run.succeeding("inspect", run.resolve("last/diverged.safetensors"));
    }

    @Test
    void train_thatDivergesInItsFirstStep_leavesTheFolderFree() throws IOException {
        Path broken = directory.resolve("broken.safetensors");
        try (var model = ConvZoo.untrained("peleenet", LoadOptions.published().withNumClasses(10))) {
            for (Parameter each : model.getBlock().getParameters().values()) {
                if (each.getType() == Parameter.Type.BIAS) {
                    each.getArray().addi(Float.NaN);
                }
            }
            WeightSaver.save(broken, model.getBlock());
        }
        for (List<Object> args : List.of(args("--weights", broken), args("--weights", broken, "--head-only"))) {
            Run diverged = Run.of(args.toArray());

            assertThat(diverged.err())
                    .contains(
                            "epoch 1, batch 1, step 0: the loss is NaN before anything was learned",
                            "; start a new run");
            assertThat(diverged.status()).isEqualTo(1);
            assertThat(run).doesNotExist();
        }
        trained();
    }

    @Test
    void train_thatDivergesInALaterEpoch_namesWhatIsGood() throws IOException {
        trained("--schedule", "constant");
        Path config = run.resolve("train.json");
        Files.writeString(config, Files.readString(config).replace("\"lr\": 0.01", "\"lr\": 1e30"));
        Run diverged = Run.of("train", "--resume", run, "--epochs", 2);

        assertThat(diverged.status()).isEqualTo(1);
        assertThat(diverged.err())
                .contains("; the best weights so far are in " + run.resolve("model.safetensors")
                        + ", those of the last epoch are in "
                        + run.resolve("last/model.safetensors"));
    }

    static Stream<List<Object>> fromWeights() {
        return Stream.of(List.of(), List.of("--head-only"));
    }

    @ParameterizedTest
    @MethodSource("fromWeights")
    void resume_withoutTheWeightsOfTheBeginning_resumesToTheSameBits(List<Object> options) throws IOException {
        List<Object> all = new ArrayList<>(List.of("--weights", Samples.PELEENET, "--schedule", "constant"));
        all.addAll(options);
        // With other features than those of the beginning.
        trained("--weights", Samples.PELEENET);
        Path other = run.resolve("model.safetensors");
        List<Object> two = new ArrayList<>(all);
        two.addAll(List.of("--epochs", 2));
        run = directory.resolve("unbroken");
        trained(two.toArray());
        Path unbroken = run;

        for (Path instead : List.of(directory.resolve("gone.pth"), other)) {
            run = directory.resolve("broken-" + instead.getFileName());
            trained(all.toArray());
            JsonObject config = JsonParser.parseString(Files.readString(run.resolve("train.json")))
                    .getAsJsonObject();
            config.addProperty("weights", instead.toString());
            Files.writeString(run.resolve("train.json"), config.toString());
            Run more = Run.of("train", "--resume", run, "--epochs", 2);

            assertThat(more.status()).as(more.err()).isZero();
            for (String file : List.of("last/model.safetensors", "last/state.safetensors")) {
                assertThat(Files.mismatch(unbroken.resolve(file), run.resolve(file)))
                        .as(file)
                        .isEqualTo(-1);
            }
        }
    }

    @Test
    void resume_ofDataThatWereMoved_findsThemWhereItIsTold() throws IOException {
        trained();
        Path moved = Files.move(data, directory.resolve("moved"));
        Run.refused(1, List.of("train", "--resume", run, "--epochs", 2), data.toString());
        assertThat(Files.readString(run.resolve("train.json"))).contains("\"epochs\": 1");
        Run more = Run.of("train", "--resume", run, "--epochs", 2, "--data", moved);

        assertThat(more.status()).as(more.err()).isZero();
        JsonObject config = JsonParser.parseString(Files.readString(run.resolve("train.json")))
                .getAsJsonObject();
        assertThat(config.get("data").getAsString()).isEqualTo(moved.toString());
        assertThat(config.get("epochs").getAsInt()).isEqualTo(2);
        // Where it was begun, for that decides about bits.
        assertThat(config.get("device").getAsString()).isEqualTo("cpu");
    }

    @Test
    void train_withATemperatureThatStaysHigh_warns() {
        Run trained = trained(
                "--model", "alexnet_dy", "--input-size", 64, "--epochs", 2, "--anneal", "30,1,3", "--lr", 0.001);
        assertThat(trained.err())
                .contains("temperature will be 20.0 in the last epoch, but inference uses 1; pass more --epochs, or"
                        + " start");
    }

    @Test
    void resume_afterTheLastEpoch_keepsItsSettings() throws IOException {
        trained();
        Run more = Run.of("train", "--resume", run, "--epochs", 2, "--device", "cpu");

        assertThat(more.status()).as(more.err()).isZero();
        assertThat(more.err()).contains("resumed after 1 epoch and 0 batches").contains("epoch 2/2");
        assertThat(new RunFolder(run).metrics()).hasSize(2);
        Run complete = Run.of("train", "--resume", run, "--device", "cpu");
        assertThat(complete.status()).isZero();
        assertThat(complete.err()).contains("the run is complete; to train longer, pass an --epochs above 2");
        assertThat(Files.readString(run.resolve("train.json"))).contains("\"epochs\": 2");
        String config = Files.readString(run.resolve("train.json"));
        Run.refused(2, List.of("train", "--resume", run, "--lr", 0.1), "--resume keeps the run's options; omit --lr");
        Files.writeString(run.resolve("train.json"), config.replace("\"cosine\"", "\"linear\""));
        Run.refused(1, List.of("train", "--resume", run), "train.json: not the options of a run");
        Files.write(run.resolve("train.json"), new byte[] {(byte) 0xff, 1});
        Run.refused(1, List.of("train", "--resume", run), "train.json: not UTF-8; save it as UTF-8");
        Files.writeString(run.resolve("train.json"), config);
        Files.move(data.resolve("train/Bag"), data.resolve("train/Zebra"));
        Files.move(data.resolve("val/Bag"), data.resolve("val/Zebra"));
        Run.refused(1, List.of("train", "--resume", run, "--epochs", 3), "saved with other images");
        assertThat(Files.readString(run.resolve("train.json"))).isEqualTo(config);
        Files.writeString(run.resolve("train.json"), "{\"model\": [");
        Run.refused(1, List.of("train", "--resume", run), "train.json: not the options of a run");
        Run.refused(1, List.of("train", "--resume", data), "no training run found here");
        Files.writeString(data.resolve("train.json"), "{}");
        Run.refused(1, List.of("train", "--resume", data), "train.json: not the options of a run");
        assertThat(data.resolve("last")).doesNotExist();
    }

    @Test
    void train_ofClassesWhoseNamesBeginWithNumbers_writesLabelsThatEvalFinds() throws IOException {
        for (String part : List.of("train", "val")) {
            List<Path> folders;
            try (Stream<Path> all = Files.list(data.resolve(part))) {
                folders = all.sorted().toList();
            }
            for (int i = 0; i < folders.size(); i++) {
                Files.move(
                        folders.get(i),
                        folders.get(i)
                                .resolveSibling(2 * i + " " + folders.get(i).getFileName()));
            }
        }
        trained("--epochs", 1);
        Path labels = run.resolve("labels.txt");

        // Not in the order of the numbers.
        List<String> names = Labels.read(labels).names();
        assertThat(names).hasSize(10).startsWith("0 Ankle boot");
        assertThat(names.get(1)).startsWith("10 ");
        Run.succeeding("eval", "--model", run, "--data", data.resolve("val"), "--labels", labels);
    }

    @Test
    void resume_withoutTheBestWeights_isRefused_andWithOthersInTheirPlaceContinues() throws IOException {
        trained("--epochs", 1);
        Path best = run.resolve("model.safetensors");
        for (boolean damaged : new boolean[] {true, false}) {
            Files.delete(best);
            if (damaged) {
                Files.write(best, new byte[100]);
            }
            Run.refused(
                    1,
                    List.of("train", "--resume", run, "--epochs", 2),
                    best.toString(),
                    "; these are the best weights so far, of epoch 1: restore the file, or copy "
                            + run.resolve("last/model.safetensors") + " there");
        }
        Files.copy(run.resolve("last/model.safetensors"), best);
        Run more = Run.of("train", "--resume", run, "--epochs", 2);
        assertThat(more.status()).as(more.err()).isZero();
    }

    @Test
    void train_interrupted_savesAndCanBeResumed() throws Exception {
        assumeThat(File.separatorChar).as("there are signals").isEqualTo('/');
        trained("--epochs", 6, "--seed", 1);
        Path unbroken = run;
        run = directory.resolve("interrupted");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        args("--epochs", 6, "--seed", 1).forEach(each -> command.add(each.toString()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String line = process.inputReader().readLine();
        while (line != null && !line.startsWith("epoch 1/6")) {
            line = process.inputReader().readLine();
        }
        // SIGTERM, not the signal of Ctrl-C, which a process that was started in the background is deaf to; they are
        // treated alike. At once, before the other epochs are over.
        assertThat(process.toHandle().destroy()).isTrue();
        String rest = String.join("\n", process.inputReader().lines().toList());
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(rest)
                .contains(
                        "convzoo: stopping and saving after this step",
                        "stopped and saved; resume with: convzoo train --resume " + run);
        // As a shell has it of a process that ended by SIGTERM.
        assertThat(process.exitValue()).isEqualTo(143);

        Run more = Run.of("train", "--resume", run);
        assertThat(more.status()).as(more.err()).isZero();
        assertThat(Files.mismatch(unbroken.resolve("last/state.safetensors"), run.resolve("last/state.safetensors")))
                .isEqualTo(-1);
    }

    @Test
    void train_misused_saysWhatWouldBeRight() throws IOException {
        Run.refused(2, List.of("train"), "pass --output to start a run, or --resume to resume one");
        Run.refused(2, List.of("train", "--output", run), "--model is required to start a run");
        Run.refused(2, List.of("train", "--output", run, "--model", "peleenet"), "--data is required");
        Run.refused(2, args("--model", "peleenett"), "peleenett");
        Run.refused(2, args("--pretrained", "--weights", Samples.PELEENET), "are mutually exclusive");
        Run.refused(2, args("--epochs", 0), "--epochs must be at least 1, not 0");
        Run.refused(2, args("--batch-size", 0), "--batch-size must be at least 1, not 0");
        Run.refused(
                2,
                args("--batch-size", 1000),
                "71 training images",
                "cannot fill a batch of 1000; pass --batch-size 7 or less, so that an epoch has at least 10 steps");
        Run.refused(
                2,
                args("--weights", Samples.PELEENET, "--head-only", "--batch-size", 1000),
                "cannot fill a batch of 1000");
        Run.refused(2, args("--train-size", 5), "--train-size must be from 10, the number of classes, to 71, ");
        Run.refused(2, args("--erase", 2), "--erase must be at least 0 and at most 1, not 2.0");
        Run.refused(
                2, args("--crop", "resized", "--min-scale", 0), "--min-scale must be above 0 and at most 1, not 0.0");
        Run.refused(2, args("--color-jitter", -1), "--color-jitter must be at least 0, not -1.0");
        Run.refused(2, args("--schedule", "step", "--milestones", "7,5"), "--milestones must increase; 5 follows 7");
        Run.refused(2, args("--momentum", 0.8, "--optimizer", "adam"), "--momentum has no effect without");
        Run.refused(
                2,
                args("--lr-factor", 0.5),
                "--lr-factor has no effect without --schedule step, exponential or plateau");
        Run.refused(2, args("--root", data), "--root has no effect without --dataset image-list");
        Path file = Files.writeString(directory.resolve("file"), "");
        Run.refused(
                1, args("--output", file.resolve("run")), file.resolve("run") + ": cannot be created because " + file);
        Run.refused(
                2,
                args("--weights", Samples.PELEENET, "--head-only", "--no-flip"),
                "--head-only computes features once");
        // A folder that starts with a dot is not a class; this one is refused for another reason.
        Run.refused(2, args("--output", data.resolve("train/.runs/1"), "--freeze", "none"), "matches none");
        Run.refused(2, args("--output", data.resolve("train/run")), "is inside " + data.resolve("train"));
        Run.refused(
                2,
                args("--data", data.resolve("val"), "--output", data.resolve("val/run")),
                "--output " + data.resolve("val/run") + " is inside " + data.resolve("val"));
        Run.refused(2, args("--milestones", 3), "--milestones has no effect without --schedule step; omit it");
        Run.refused(2, args("--crop-padding", 3), "--crop-padding has no effect without --crop pad");
        Run.refused(2, args("--warmup-epochs", 1), "less than 1 epoch, not 1.0");
        Run.refused(2, args("--anneal", "30,1,1.5"), "with a whole number of epochs");
        Run.refused(2, args("--val-fraction", 1), "--val-fraction must be above 0 and below 1, not 1.0");
        Run.refused(
                1, args("--val-data", data.resolve("train/Bag")), data + ": has train and val, which are not classes");
        Run.refused(
                1, args("--data", data.resolve("train"), "--val-data", data.resolve("val/Bag")), "no folders found");
        Run.refused(2, args("--lr", -1), "--lr must be above 0, not -1.0");
        Run.refused(2, args("--ema", 1), "must be in (0, 1), not 1.0");
        Run.refused(2, args("--anneal", "30,1,10"), "peleenet has no dynamic convolution");
        Run.refused(2, args("--anneal", "30,1"), "--anneal must be START,END,EPOCHS");
        Run.refused(2, args("--schedule", "step"), "--schedule step needs --milestones");
        Run.refused(2, args("--head-only"), "--head-only needs trained features");
        Run.refused(2, args("--freeze", "nothing.*"), "no parameter matches nothing.*");
        Run.refused(2, args("--save-every", 0), "--save-every must be more than 0 minutes");
        Run.refused(2, args("--devices", "cpu"), "--device and --devices are mutually exclusive");
        Run.refused(2, args("--dataset", "mnist"), "expected image-folder, image-list, fashion-mnist");
        Run.refused(2, args("--input-size", 33), "peleenet expects a height and width");
        Run.refused(1, args("--data", directory.resolve("none")), "not a folder");
        assertThat(run).doesNotExist();
        Files.createDirectories(data.resolve("train/Zebra"));
        Run.refused(1, args(), "Zebra: no images found");
        Files.createDirectories(run);
        Files.writeString(run.resolve("notes.txt"), "mine");
        Files.delete(data.resolve("train/Zebra"));
        Run.refused(2, args(), run + ": not empty");
    }

    @Test
    void train_fromScratchForFewSteps_saysSo() {
        CommandRun fresh =
                CommandRun.of(Map.of(), args().stream().map(String::valueOf).toArray(String[]::new));
        assertThat(fresh.status()).as(fresh.err()).isZero();
        assertThat(fresh.err())
                .containsOnlyOnce("training from scratch for only 4 steps rarely converges")
                .doesNotContain("the default --lr");
    }
}
