package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.convzoo.Samples;
import io.github.convzoo.train.RunFolder;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirDeletionStrategy.IgnoreFailures;

/**
 * Half of the images are turned by their EXIF data, half are not, and the classes differ by which side is up. So
 * whoever takes orientation the other way is wrong about every turned image, and only about these.
 */
class OrientationTest {

    private static final int SIDE = 32;
    private static final List<String> CLASSES = List.of("down", "up");

    /** EXIF's 3: to be turned by 180 degrees. */
    private static final byte[] TURNED = {
        (byte) 0xFF,
        (byte) 0xE1,
        0,
        34,
        'E',
        'x',
        'i',
        'f',
        0,
        0, // APP1
        'M',
        'M',
        0,
        42,
        0,
        0,
        0,
        8, // TIFF, big-endian
        0,
        1,
        0x01,
        0x12,
        0,
        3,
        0,
        0,
        0,
        1,
        0,
        3,
        0,
        0, // one entry: orientation, a short, 3
        0,
        0,
        0,
        0 // no other directory
    };

    private final Path directory;

    OrientationTest(@TempDir(deletionStrategy = IgnoreFailures.class) Path directory) {
        this.directory = directory;
    }

    /** Bright above or below, as a viewer that does not know EXIF shows it. */
    private static byte[] jpeg(boolean brightAbove, boolean turned, Random random) throws IOException {
        BufferedImage image = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                int level = (y < SIDE / 2 == brightAbove ? 170 : 30) + random.nextInt(50);
                image.setRGB(x, y, level * 0x10101);
            }
        }
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        ImageIO.write(image, "jpg", plain);
        byte[] bytes = plain.toByteArray();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        // Behind the start of the image.
        out.write(bytes, 0, 2);
        if (turned) {
            out.write(TURNED);
        }
        out.write(bytes, 2, bytes.length - 2);
        return out.toByteArray();
    }

    /**
     * Images whose class is what one sees.
     *
     * @param upright whether by somebody who turns them upright; else by somebody who takes them as they are stored
     */
    private Path images(String name, boolean upright) throws IOException {
        Path folder = directory.resolve(name);
        Random random = new Random(1);
        for (String part : List.of("train", "val")) {
            for (String label : CLASSES) {
                Path files = Files.createDirectories(folder.resolve(part).resolve(label));
                for (int i = 0; i < 16; i++) {
                    boolean turned = i % 2 == 0;
                    boolean storedUp = label.equals("up") != (turned && upright);
                    Files.write(files.resolve(i + ".jpg"), jpeg(storedUp, turned, random));
                }
            }
        }
        return folder;
    }

    private Path train(Path data, Object... more) {
        Path run = directory.resolve("run-" + data.getFileName());
        List<Object> args = new ArrayList<>(List.of("train", "--model", "peleenet", "--weights", Samples.PELEENET));
        args.addAll(List.of("--data", data, "--output", run, "--input-size", SIDE, "--batch-size", 16));
        args.addAll(List.of("--crop", "none", "--lr", 0.02, "--epochs", 12, "--device", "cpu"));
        args.addAll(List.of(more));
        Run trained = Run.of(args.toArray());
        assertThat(trained.status()).as(trained.err()).isZero();
        return run;
    }

    private static double evaluated(Path run, Path data, Object... more) {
        List<Object> args = new ArrayList<>(List.of("eval", "--model", run, "--dataset", "image-folder", "--json"));
        args.addAll(List.of("--data", data.resolve("val"), "--device", "cpu"));
        args.addAll(List.of(more));
        JsonObject result = Run.succeeding(args.toArray()).json().getAsJsonObject();
        return result.get("top1").getAsDouble();
    }

    private static double predicted(Path run, Path data, Object... more) {
        int right = 0;
        int all = 0;
        for (String label : CLASSES) {
            List<Object> args =
                    new ArrayList<>(List.of("predict", data.resolve("val").resolve(label)));
            args.addAll(List.of("--model", run, "--json", "--device", "cpu"));
            args.addAll(List.of(more));
            for (JsonElement each : Run.succeeding(args.toArray()).json().getAsJsonArray()) {
                JsonObject best = each.getAsJsonObject()
                        .getAsJsonArray("predictions")
                        .get(0)
                        .getAsJsonObject();
                right += best.get("label").getAsString().equals(label) ? 1 : 0;
                all++;
            }
        }
        assertThat(all).isEqualTo(32);
        return (double) right / all;
    }

    private static double validated(Path run) throws IOException {
        return new RunFolder(run)
                .metrics().stream().mapToDouble(each -> each.valTop1()).max().orElseThrow();
    }

    @Test
    void run_onTurnedImages_takesThemUprightInTrainEvalAndPredict() throws IOException {
        Path upright = images("upright", true);
        Path run = train(upright);

        assertThat(validated(run)).isEqualTo(1);
        assertThat(evaluated(run, upright)).isEqualTo(1);
        assertThat(predicted(run, upright)).isEqualTo(1);
        // The turned half is wrong wherever orientation is taken otherwise.
        assertThat(evaluated(run, upright, "--ignore-orientation")).isEqualTo(0.5);
        assertThat(predicted(run, upright, "--ignore-orientation")).isEqualTo(0.5);
    }

    @Test
    void run_thatIgnoresOrientation_isFollowedByEvalAndPredict() throws IOException {
        Path stored = images("stored", false);
        Path run = train(stored, "--ignore-orientation");

        assertThat(validated(run)).isEqualTo(1);
        assertThat(evaluated(run, stored)).isEqualTo(1);
        assertThat(predicted(run, stored)).isEqualTo(1);
        assertThat(predicted(run.resolve("last"), stored)).isEqualTo(evaluated(run.resolve("last"), stored));
        // Seen upright, the turned half belongs to the other class.
        Path upright = images("upright", true);
        assertThat(evaluated(run, upright)).isEqualTo(0.5);
        assertThat(predicted(run, upright)).isEqualTo(0.5);
    }
}
