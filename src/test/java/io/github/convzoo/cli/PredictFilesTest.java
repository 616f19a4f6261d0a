package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.convzoo.Samples;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Results of {@code predict} in files, and runs that resume them. */
class PredictFilesTest {

    private static final List<String> KINDS = List.of("ankle-boot", "trouser");

    @TempDir
    Path folder = Path.of("");

    private Path images = Path.of("");
    private Path results = Path.of("");

    @BeforeEach
    void copyImages() throws IOException {
        images = Files.createDirectory(folder.resolve("images"));
        results = folder.resolve("results.jsonl");
        for (int i = 0; i < 9; i++) {
            String kind = KINDS.get(i % KINDS.size());
            Files.copy(Samples.resource("fashion-mnist/" + kind + ".png"), images.resolve(i + ".png"));
        }
        Files.writeString(images.resolve("4.png"), "damaged");
    }

    private List<Object> args(Object... more) {
        List<Object> args = new ArrayList<>(List.of("predict", images, "--model", "peleenet.fmnist", "--top-k", 2));
        args.addAll(List.of(more));
        return args;
    }

    private Run predict(Object... more) {
        return Run.of(args(more).toArray());
    }

    private byte[] unbroken() throws IOException {
        Run run = predict("--jsonl", results);
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        run.assertOneErrorLine("4.png");
        assertThat(run.written()).containsExactly(results + ": 9 images, 1 of them errors");
        return Files.readAllBytes(results);
    }

    @Test
    void jsonl_withAFile_writesTheLinesThatItPrintsWithoutOne() throws IOException {
        String lines = new String(unbroken(), StandardCharsets.UTF_8);
        assertThat(predict("--jsonl").out()).isEqualTo(lines);
        List<JsonObject> objects = lines.lines()
                .map(line -> JsonParser.parseString(line).getAsJsonObject())
                .toList();
        assertThat(objects).hasSize(9);
        assertThat(objects.get(0).getAsJsonArray("predictions")).hasSize(2);
        assertThat(objects.get(4).get("error").getAsString()).contains("4.png");
    }

    @Test
    void resume_afterAKillAtAnyByte_endsWithTheFileOfAnUnbrokenRun() throws IOException {
        byte[] whole = unbroken();
        for (int length = 0; length <= whole.length; length += whole.length / 12) {
            Files.write(results, Arrays.copyOf(whole, length));
            Run run = predict("--jsonl", results, "--resume");
            assertThat(Files.readAllBytes(results)).isEqualTo(whole);
            // A failure before the kill still counts.
            assertThat(run.status()).isEqualTo(1);
        }
    }

    @Test
    void resume_ofAFinishedRun_addsNothing_andReportsItsErrors() throws IOException {
        byte[] whole = unbroken();
        Run run = predict("--jsonl", results, "--resume");
        assertThat(run.status()).isEqualTo(1);
        run.assertOneErrorLine("resuming after 9 results in " + results + ", 1 of them errors");
        assertThat(run.written()).containsExactly(results + ": 9 images, 1 of them errors");
        assertThat(Files.readAllBytes(results)).isEqualTo(whole);
    }

    /** Nothing is written after it that could cover it. */
    @Test
    void resume_ofAFinishedRunWithAPartialLine_cutsItOff() throws IOException {
        byte[] whole = unbroken();
        Files.writeString(results, "{\"image\":\"9.png\"", StandardOpenOption.APPEND);
        predict("--jsonl", results, "--resume");
        assertThat(Files.readAllBytes(results)).isEqualTo(whole);
    }

    @Test
    void resume_withoutAFile_starts() throws IOException {
        assertThat(predict("--jsonl", results, "--resume").err()).doesNotContain("resuming");
        assertThat(Files.readAllLines(results)).hasSize(9);
    }

    @Test
    void resume_withMoreImages_addsThem_andOneGivenTwice_hasTwoResults() throws IOException {
        unbroken();
        Files.copy(images.resolve("0.png"), images.resolve("00.png"));
        predict(images.resolve("1.png"), "--jsonl", results, "--resume");
        List<String> lines = Files.readAllLines(results);
        assertThat(lines).hasSize(11);
        assertThat(lines.get(9)).contains("00.png");
        assertThat(lines.get(10)).contains("1.png\"");
    }

    @Test
    void resume_withFewerImages_saysSo() throws IOException {
        unbroken();
        Files.delete(images.resolve("8.png"));
        assertThat(predict("--jsonl", results, "--resume").err())
                .contains(results + " has results of images that were not given: 1");
    }

    @Test
    void resume_withAnotherModelOrOtherOptions_isRefused() throws IOException {
        byte[] whole = unbroken();
        for (List<Object> other : List.<List<Object>>of(
                List.of("--top-k", 3),
                List.of("--labels", Files.writeString(folder.resolve("labels.txt"), "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n")),
                List.of("--mean", "0.9,0.9,0.9", "--std", "0.1,0.1,0.1"))) {
            List<Object> args = new ArrayList<>(List.of("predict", images, "--model", "peleenet.fmnist"));
            args.addAll(List.of("--jsonl", results, "--resume"));
            args.addAll(other);
            if (!other.contains("--top-k")) {
                args.addAll(List.of("--top-k", 2));
            }
            Run run = Run.of(args.toArray());
            assertThat(run.status()).as(run.err()).isEqualTo(2);
            assertThat(run.err()).contains("was written with another model or other options");
            assertThat(Files.readAllBytes(results)).isEqualTo(whole);
        }
    }

    @Test
    void resume_firstImageGone_saysThatItCannotCheck() throws IOException {
        unbroken();
        Files.delete(images.resolve("0.png"));
        assertThat(predict("--jsonl", results, "--resume").err()).contains("cannot check that " + results);
    }

    @Test
    void resume_ofAFileThatIsNotOfResults_isRefused_andKeepsIt() throws IOException {
        for (String text : List.of(
                "{\"image\":1.5}\n",
                "[]\n",
                "x: y\n",
                "\n",
                "{\"image\":\"a\",\"predictions\":[{}]}\n",
                "{\"image\":\"a\",\"predictions\":[{\"classNumber\":99999999999,\"label\":\"x\","
                        + "\"probability\":1}]}\n",
                // Without a line end.
                "{\"precious\":1}",
                "precious",
                "{\"imag\"",
                "{\"image\":" + "1".repeat(1 << 24))) {
            Files.writeString(results, text);
            Run.refused(
                    1, args("--jsonl", results, "--resume"), results + ": line 1 is not a result of convzoo predict");
            assertThat(results).hasContent(text);
        }
    }

    @Test
    void resume_withAnotherClassOfTheSameProbability_isRefused() throws IOException {
        unbroken();
        String text = Files.readString(results);
        for (int number : new int[] {-1, 10}) {
            Files.writeString(results, text.replaceFirst("\"classNumber\":[0-9]+", "\"classNumber\":" + number));
            Run.refused(2, args("--jsonl", results, "--resume"), "was written with another model or other options");
        }
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void jsonl_intoADevice_isRefused() throws IOException {
        Path device = Files.createSymbolicLink(folder.resolve("device.jsonl"), Path.of("/dev/zero"));
        Run.refused(2, args("--jsonl", device, "--resume"), device + ": not a regular file; choose another file");
    }

    @Test
    void jsonl_intoAFileThatExists_isRefused() throws IOException {
        byte[] whole = unbroken();
        Run.refused(2, args("--jsonl", results), "already exists; pass --resume to continue it");
        assertThat(Files.readAllBytes(results)).isEqualTo(whole);
    }

    /** The option takes a file if one follows it, and an image might. */
    @Test
    void jsonl_beforeAnImage_isRefused() throws IOException {
        Path image = images.resolve("0.png");
        byte[] before = Files.readAllBytes(image);
        Run.refused(
                2,
                List.of("predict", "--model", "peleenet.fmnist", "--jsonl", image),
                "--jsonl: results go to a .jsonl file, not " + image + "; to print them, put --jsonl after the images");
        assertThat(Files.readAllBytes(image)).isEqualTo(before);
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findAny().isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"--jsonl", "--csv"})
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void interrupted_leavesNoPartialFile_andSaysHowManyAreDone(String option) throws Exception {
        Path list = folder.resolve("list.txt");
        Files.writeString(list, (images.resolve("1.png") + "\n").repeat(50_000));
        Path parent = Files.createDirectory(folder.resolve("out"));
        Path out = parent.resolve("results." + option.substring(2));
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        "predict",
                        "--list",
                        list.toString(),
                        "--model",
                        "peleenet.fmnist",
                        option,
                        out.toString())
                .redirectErrorStream(true)
                .start();
        try {
            // It exists, under whatever name, once the model is loaded.
            while (isEmpty(parent) && process.isAlive()) {
                Thread.sleep(20);
            }
            Thread.sleep(1000);
            process.toHandle().destroy();
            String said = String.join("\n", process.inputReader().lines().toList());
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isEqualTo(143);
            assertThat(said).contains("convzoo: stopped after ");
            if (option.equals("--csv")) {
                assertThat(said).endsWith("; " + out + " was not written");
                assertThat(parent).isEmptyDirectory();
            } else {
                assertThat(said).endsWith("; continue with --resume");
                long lines = Files.readAllLines(out).size();
                assertThat(said).contains("stopped after " + Count.of(lines, "image"));
            }
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    @EnabledOnOs({OS.LINUX})
    void fileWhoseNameIsNoText_isReported_andTheOthersPredicted() throws Exception {
        Process moved = new ProcessBuilder("sh", "-c", "mv 4.png \"$(printf 'l\\344t.png')\"")
                .directory(images.toFile())
                .start();
        assertThat(moved.waitFor()).isZero();

        Run run = predict("--jsonl");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.out().lines()).hasSize(9);
        run.assertOneErrorLine("t.png: the name of the file is not text in the encoding ");
    }

    @Test
    void outputs_thatDoNotGoTogether_areRefused() {
        Run.refused(
                2,
                args("--jsonl", results, "--csv", folder.resolve("a.csv")),
                "--jsonl and --csv are mutually exclusive");
        Run.refused(2, args("--resume"), "--resume needs --jsonl FILE");
        Run.refused(2, args("--jsonl", "--resume"), "--resume needs --jsonl FILE");
        Run.refused(2, args("--csv", folder.resolve("a.txt")), "--csv: tables are CSV files");
        Run.refused(2, args("--csv", folder), "--csv: " + folder + " is a folder");
        Run.refused(2, args("--batch-size", 0), "--batch-size or --workers: the batch size must be at least 1");
        Run.refused(1, args("--csv", folder.resolve("none/a.csv")), "none does not exist; create it first");
        Run.refused(1, args("--jsonl", folder.resolve("none/a.jsonl")), "none does not exist; create it first");
        assertThat(results).doesNotExist();
    }

    @Test
    void lines_openTwice_areRefused() throws IOException {
        try (ResultLines first = new ResultLines(results, true)) {
            assertThat(first.finished()).isZero();
            assertThatIOException()
                    .isThrownBy(() -> new ResultLines(results, true))
                    .withMessageContaining("another process is writing this file");
        }
        Files.writeString(results, "x");
        assertThatIllegalArgumentException().isThrownBy(() -> new ResultLines(results, false));
    }

    @Test
    void csv_hasARowPerImage() throws IOException {
        Path csv = Files.writeString(folder.resolve("results.csv"), "earlier");
        Path odd = Files.copy(images.resolve("1.png"), images.resolve("a, \"b\".png"));
        Run run = predict("--csv", csv);

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        List<String> rows = Files.readAllLines(csv);
        assertThat(rows).hasSize(11);
        assertThat(rows.get(0)).isEqualTo("image,error,class_1,label_1,probability_1,class_2,label_2,probability_2");
        assertThat(rows.get(1)).matches(".*0\\.png,,9,Ankle boot,0\\.99\\d+,\\d,[A-Z].*,[0-9.E-]+");
        assertThat(rows.get(5)).startsWith(images.resolve("4.png") + ",").endsWith(",,,,,,");
        assertThat(rows.get(10)).startsWith("\"" + odd.toString().replace("\"", "\"\"") + "\",,1,Trouser,");
        assertThat(Files.readString(csv)).contains("\r\n");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactlyInAnyOrder(images, csv);
        }
    }

    @Test
    void csv_failingRun_keepsTheEarlierTable() throws IOException {
        Path csv = Files.writeString(folder.resolve("results.csv"), "earlier");
        Run run = Run.of("predict", "--list", folder.resolve("none.txt"), "--model", "peleenet.fmnist", "--csv", csv);
        assertThat(run.status()).isEqualTo(1);
        assertThat(csv).hasContent("earlier");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactlyInAnyOrder(images, csv);
        }
    }
}
