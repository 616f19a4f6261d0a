package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.inference.Predictor;
import ai.djl.repository.zoo.ZooModel;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.convzoo.Samples;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.EmbeddingIndex;
import io.github.convzoo.zoo.LoadOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SimilarCommandTest {

    private static final Path BOOT = Samples.resource("fashion-mnist/ankle-boot.png");
    private static final Path TROUSER = Samples.resource("fashion-mnist/trouser.png");
    private static final String MODEL = "peleenet.fmnist";

    @TempDir
    static Path shared = Path.of("");

    @TempDir
    Path folder = Path.of("");

    private static Path index(boolean normalize) {
        return shared.resolve(normalize ? "normalized/vectors.npy" : "vectors.npy");
    }

    @BeforeAll
    static void writeIndexes() throws Exception {
        Files.createDirectory(shared.resolve("normalized"));
        try (ZooModel<RgbImage, float[]> model =
                        ConvZoo.loadEmbeddings(MODEL, RgbImage.class, LoadOptions.published());
                Predictor<RgbImage, float[]> predictor = model.newPredictor()) {
            for (boolean normalize : new boolean[] {false, true}) {
                try (EmbeddingIndex.Writer writer = EmbeddingIndex.Writer.create(
                        index(normalize), MODEL, EmbeddingIndex.probe(predictor), normalize)) {
                    writer.append("nowhere.png", predictor.predict(EmbeddingIndex.probeImage()));
                    for (Path image : List.of(TROUSER, BOOT)) {
                        writer.append(image.toString(), predictor.predict(new ImageDecoder().decode(image)));
                    }
                    writer.finish();
                }
            }
        }
    }

    @Test
    void similar_printsTheMostSimilarFirst() {
        assertThat(Run.succeeding("similar", BOOT, "--index", index(false), "--model", MODEL, "--top-k", 2)
                        .out()
                        .lines())
                .hasSize(2)
                .first()
                .isEqualTo("  1.0000  " + BOOT);
        assertThat(Run.succeeding(
                                "similar",
                                TROUSER,
                                BOOT,
                                "--index",
                                index(true),
                                "--model",
                                MODEL,
                                "--metric",
                                "euclidean")
                        .out()
                        .lines())
                .hasSize(8)
                .startsWith(TROUSER.toString(), "  0.0000  " + TROUSER)
                .contains("  0.0000  " + BOOT);
    }

    @Test
    void json_hasRowsNamesAndScores() {
        String out = Run.succeeding("similar", BOOT, "--index", index(false), "--model", MODEL, "--json", "--compiled")
                .out();
        JsonArray all = JsonParser.parseString(out).getAsJsonArray();
        JsonObject only = all.get(0).getAsJsonObject();
        assertThat(only.get("query").getAsString()).isEqualTo(BOOT.toString());
        assertThat(only.getAsJsonArray("matches")).hasSize(3);
        JsonObject first = only.getAsJsonArray("matches").get(0).getAsJsonObject();
        assertThat(first.get("row").getAsLong()).isEqualTo(2);
        assertThat(first.get("name").getAsString()).isEqualTo(BOOT.toString());
        assertThat(first.get("score").getAsDouble()).isGreaterThan(0.9999);
    }

    @Test
    void jsonl_hasALinePerQuery_andTheErrorOfEachThatCannotBeRead() throws Exception {
        Path broken = Files.writeString(folder.resolve("broken.png"), "no image");
        Run run = Run.of("similar", BOOT, broken, TROUSER, "--index", index(false), "--model", MODEL, "--jsonl");
        assertThat(run.status()).isEqualTo(Main.FAILED);
        List<JsonObject> lines = run.out()
                .lines()
                .map(line -> JsonParser.parseString(line).getAsJsonObject())
                .toList();
        assertThat(lines).hasSize(3);
        assertThat(lines.get(0).get("query").getAsString()).isEqualTo(BOOT.toString());
        assertThat(lines.get(1).get("error").getAsString()).contains(broken.toString());
        assertThat(lines.get(2).get("query").getAsString()).isEqualTo(TROUSER.toString());
    }

    @Test
    void grid_skipsWhatIsNoFile_andSaysSo() throws Exception {
        Path grid = folder.resolve("grid.png");
        Run run = Run.of("similar", BOOT, "--index", index(false), "--model", MODEL, "--grid", grid);
        assertThat(run.status()).isZero();
        assertThat(run.err())
                .isEqualToIgnoringNewLines("convzoo: " + grid + ": 1 similar image not drawn, because the name is not a"
                        + " readable file here or next to the index");
        assertThat(run.written()).containsExactly(grid + ": 3 images");
        // The query and two others: two by two.
        assertThat(ImageIO.read(grid.toFile()).getWidth()).isEqualTo(8 + 2 * 168);
    }

    @Test
    void otherModel_isRefused_andAnUnknownOneSaid() throws Exception {
        Run.refused(
                Main.MISUSED,
                List.of("similar", BOOT, "--index", index(false), "--model", MODEL, "--input-size", 96),
                "the index was written by peleenet.fmnist, and peleenet.fmnist has other weights or preprocessing now");
        Path copy = Files.copy(index(false), folder.resolve("vectors.npy"));
        Run run = Run.of("similar", BOOT, "--index", copy, "--model", MODEL, "--top-k", 1);
        assertThat(run.out()).isEqualToIgnoringNewLines("  1.0000  2");
        assertThat(run.err())
                .isEqualToIgnoringNewLines(
                        "convzoo: " + copy + ": no description of its model next to it; assuming that"
                                + " peleenet.fmnist computed the vectors");
    }

    @Test
    void invalidUse_isRefused() {
        Run.refused(
                Main.MISUSED,
                List.of("similar", BOOT, "--index", index(false), "--model", MODEL, "--metric", "angle"),
                "unknown metric angle; use cosine, dot, or euclidean");
        Run.refused(
                Main.MISUSED,
                List.of("similar", BOOT, "--index", index(false), "--model", MODEL, "--top-k", 0),
                "--top-k must be at least 1, not 0");
        Run.refused(Main.MISUSED, List.of("similar", BOOT, "--index", index(false)), "--model is required");
        Run.refused(
                Main.FAILED,
                List.of("similar", BOOT, "--index", "none.npy", "--model", MODEL),
                "none.npy: no such file; check the path");
        Run.refused(
                Main.FAILED, List.of("similar", BOOT, "--index", BOOT, "--model", MODEL), "this is not an .npy file");
    }
}
