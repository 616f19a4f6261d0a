package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.convzoo.Samples;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExplainCommandTest {

    private static final Path BOOT = Samples.resource("fashion-mnist/ankle-boot.png");
    private static final Path TROUSER = Samples.resource("fashion-mnist/trouser.png");
    private static final String MODEL = "peleenet.fmnist";

    @TempDir
    Path folder = Path.of("");

    @Test
    void explain_ofOneImage_saysTheClassAndWhere() {
        assertThat(Run.succeeding("explain", BOOT, "--model", MODEL).out().lines())
                .hasSize(2)
                .first()
                .asString()
                .matches(" 99\\.\\d\\d %  Ankle boot \\(predicted\\)");
        assertThat(Run.succeeding("explain", BOOT, "--model", MODEL, "--class", "sandal")
                        .out()
                        .lines())
                .anyMatch(line -> line.endsWith(" %  Sandal (not the predicted class)"))
                .anyMatch(line -> line.matches("most evidence: column [12] of 2, row [12] of 2 \\(pixels \\d+ to \\d+"
                        + " across, \\d+ to \\d+ down\\); --output draws it"));
    }

    @Test
    void output_ofOneImage_isAPicture() throws Exception {
        Path picture = folder.resolve("boot.png");
        assertThat(Run.succeeding(
                                "explain",
                                BOOT,
                                "--model",
                                MODEL,
                                "--layer",
                                "features.transition2",
                                "--output",
                                picture)
                        .out())
                .contains("Ankle boot (predicted)", "written: " + picture);
        BufferedImage image = ImageIO.read(picture.toFile());
        assertThat(image.getWidth()).isGreaterThanOrEqualTo(320);
        assertThat(image.getHeight()).isGreaterThan(image.getWidth());
        Run again = Run.of("explain", BOOT, "--model", MODEL, "--output", picture);
        assertThat(again.err()).isEqualToIgnoringNewLines("convzoo: replaced " + picture);
    }

    @Test
    void output_ofSeveralImages_isAFolderWithOnePictureEach() throws Exception {
        Path copy = Files.createDirectory(folder.resolve("in")).resolve("ankle-boot.jpg");
        Files.copy(BOOT, copy);
        Path out = folder.resolve("out");
        Run.succeeding("explain", BOOT, TROUSER, copy, "--model", MODEL, "--output", out);
        try (Stream<Path> files = Files.list(out)) {
            assertThat(files.map(each -> each.getFileName().toString()))
                    .containsExactlyInAnyOrder(
                            "ankle-boot-explained.png", "trouser-explained.png", "ankle-boot-2-explained.png");
        }
        Run.refused(
                Main.MISUSED,
                List.of("explain", BOOT, TROUSER, "--model", MODEL, "--output", "all.png"),
                "--output: all.png is one picture, but there are several images; pass a folder, whose name does not end"
                        + " in .png");
    }

    @Test
    void output_thatIsTheImage_isRefused() throws Exception {
        Path copy = folder.resolve("boot.png");
        Files.copy(BOOT, copy);
        Run.refused(
                Main.MISUSED,
                List.of("explain", copy, "--model", MODEL, "--output", copy),
                "is the image itself; choose another file");
        assertThat(copy).hasSameBinaryContentAs(BOOT);
    }

    @Test
    void json_hasTheMapAndItsArea() {
        Run run = Run.of("explain", BOOT, TROUSER, "--model", MODEL, "--json", "--class", "9");
        assertThat(run.status()).isZero();
        assertThat(run.err())
                .isEqualToIgnoringNewLines(
                        "convzoo: " + TROUSER + ": no place in the image is evidence for this class");
        JsonArray all = JsonParser.parseString(run.out()).getAsJsonArray();
        assertThat(all).hasSize(2);
        JsonObject boot = all.get(0).getAsJsonObject();
        assertThat(boot.get("image").getAsString()).isEqualTo(BOOT.toString());
        assertThat(boot.get("classNumber").getAsInt()).isEqualTo(9);
        assertThat(boot.get("label").getAsString()).isEqualTo("Ankle boot");
        assertThat(boot.get("probability").getAsDouble()).isGreaterThan(0.99);
        assertThat(boot.get("predicted").getAsBoolean()).isTrue();
        assertThat(all.get(1).getAsJsonObject().get("predicted").getAsBoolean()).isFalse();
        JsonArray map = boot.getAsJsonArray("map");
        assertThat(map).hasSize(2).allSatisfy((JsonElement row) -> assertThat(row.getAsJsonArray())
                .hasSize(2));
        // A 28 x 28 image, resized to 56 x 56 and padded to 64 x 64.
        JsonObject area = boot.getAsJsonObject("area");
        assertThat(area.get("left").getAsDouble()).isCloseTo(-2, within(1e-9));
        assertThat(area.get("width").getAsDouble()).isCloseTo(32, within(1e-9));
    }

    @Test
    void imageThatCannotBeRead_isReported_andTheOthersExplained() throws Exception {
        Path broken = Files.writeString(folder.resolve("broken.png"), "no image");
        Run run = Run.of("explain", broken, BOOT, "--model", MODEL);
        assertThat(run.status()).isEqualTo(Main.FAILED);
        assertThat(run.err()).startsWith("convzoo: " + broken);
        assertThat(run.out()).contains("Ankle boot (predicted)");
    }

    @Test
    void mapOfOnePosition_isPointedOut() {
        Run run = Run.of("explain", BOOT, "--model", MODEL, "--input-size", 32);
        assertThat(run.status()).isZero();
        assertThat(run.err())
                .isEqualToIgnoringNewLines("convzoo: " + BOOT + ": the map has a single position, so it does not show"
                        + " where; choose an earlier layer with --layer, or a larger --input-size");
    }

    @Test
    void invalidUse_isRefused() {
        Run.refused(
                Main.MISUSED,
                List.of("explain", BOOT, "--model", MODEL, "--class", "boot"),
                "--class: unknown class boot; pass a number from 0 to 9, or a name; similar: ");
        Run.refused(
                Main.MISUSED,
                List.of("explain", BOOT, "--model", MODEL, "--layer", "features.transition9"),
                "peleenet has no layer features.transition9; similar: features.transition1");
        Run.refused(
                Main.MISUSED,
                List.of("explain", BOOT, "--model", MODEL, "--layer", "features", "--compiled"),
                "--layer and --compiled are mutually exclusive");
        Run.refused(Main.MISUSED, List.of("explain", "--model", MODEL), "no images given");
    }
}
