package io.github.convzoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.inference.Predictor;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.Samples;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.EmbeddingIndex;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class EmbedCommandTest {

    private static final Path BOOT = Samples.resource("fashion-mnist/ankle-boot.png");
    private static final Path TROUSER = Samples.resource("fashion-mnist/trouser.png");

    @TempDir
    Path folder = Path.of("");

    private Path images = Path.of("");
    private Path vectors = Path.of("");

    @BeforeEach
    void copyImages() throws IOException {
        images = Files.createDirectory(folder.resolve("images"));
        vectors = Files.createDirectory(folder.resolve("index")).resolve("vectors.npy");
        Files.copy(BOOT, images.resolve("boot.png"));
        Files.writeString(images.resolve("damaged.png"), "damaged");
        Files.copy(TROUSER, images.resolve("trouser.png"));
    }

    private List<Object> args(Object... more) {
        List<Object> args =
                new ArrayList<>(List.of("embed", images, "--model", "peleenet.fmnist", "--output", vectors));
        args.addAll(List.of(more));
        return args;
    }

    private static float[] embedding(Path image) throws Exception {
        try (ZooModel<Path, float[]> model =
                        ConvZoo.loadEmbeddings("peleenet.fmnist", Path.class, LoadOptions.published());
                Predictor<Path, float[]> predictor = model.newPredictor()) {
            return predictor.predict(image);
        }
    }

    @Test
    void embed_ofAFolder_writesARowPerReadableImage_thatSimilarFinds() throws Exception {
        Run run = Run.of(args().toArray());
        assertThat(run.status()).isEqualTo(1);
        run.assertOneErrorLine("damaged.png: ");
        assertThat(run.out()).isEqualTo(vectors + ": 2 vectors" + System.lineSeparator());

        assertThat(Files.readAllLines(vectors.resolveSibling("names.txt")))
                .containsExactly(
                        images.resolve("boot.png").toString(),
                        images.resolve("trouser.png").toString());
        EmbeddingIndex index = EmbeddingIndex.open(vectors);
        assertThat(index.size()).isEqualTo(2);
        assertThat(index.source()).hasValueSatisfying(source -> {
            assertThat(source.model()).isEqualTo("peleenet.fmnist");
            assertThat(source.normalized()).isFalse();
        });
        float[] boot = embedding(BOOT);
        float[] trouser = embedding(TROUSER);
        List<EmbeddingIndex.Match> found =
                index.search(List.of(boot, trouser), 1, EmbeddingIndex.Metric.EUCLIDEAN).stream()
                        .map(each -> each.get(0))
                        .toList();
        assertThat(found).extracting(EmbeddingIndex.Match::row).containsExactly(0L, 1L);
        assertThat(found).allSatisfy(match -> assertThat(match.score()).isZero());

        Run similar =
                Run.succeeding("similar", TROUSER, "--index", vectors, "--model", "peleenet.fmnist", "--top-k", 1);
        assertThat(similar.out().strip()).isEqualTo("1.0000  " + images.resolve("trouser.png"));
    }

    @Test
    void embed_normalized_writesVectorsOfLengthOne() throws Exception {
        Run.of(args("--normalize").toArray());
        float[] boot = embedding(BOOT);
        double length = 0;
        for (float each : boot) {
            length += (double) each * each;
        }
        EmbeddingIndex index = EmbeddingIndex.open(vectors);
        assertThat(index.search(List.of(boot), 1, EmbeddingIndex.Metric.DOT)
                        .get(0)
                        .get(0)
                        .score())
                .isCloseTo((float) Math.sqrt(length), within(1e-4f * (float) Math.sqrt(length)));
        assertThat(index.source())
                .hasValueSatisfying(source -> assertThat(source.normalized()).isTrue());
    }

    @Test
    void embed_thatCannotSucceed_saysWhy_andKeepsTheEarlierIndex() throws Exception {
        Run.of(args().toArray());
        byte[] before = Files.readAllBytes(vectors);
        Run again = Run.of(args().toArray());
        assertThat(again.err()).contains("convzoo: replaced " + vectors + System.lineSeparator());

        Run none = Run.of("embed", images.resolve("damaged.png"), "--model", "peleenet.fmnist", "--output", vectors);
        assertThat(none.status()).isEqualTo(1);
        assertThat(none.err()).contains("no image could be read, so " + vectors + " was not written");
        assertThat(Run.of(args("--list", folder.resolve("none.txt")).toArray()).err())
                .contains("none.txt: no such file; check the path");
        assertThat(Files.readAllBytes(vectors)).isEqualTo(before);
        try (Stream<Path> files = Files.list(vectors.getParent())) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("vectors.npy", "vectors.json", "names.txt");
        }
        Run.refused(
                2,
                List.of("embed", images, "--model", "peleenet.fmnist", "--output", folder.resolve("a.bin")),
                "--output: vectors go to a .npy file");
        Run.refused(
                2,
                List.of("embed", "--model", "peleenet.fmnist", "--output", vectors),
                "no images given; pass files, folders, or URLs, or --list FILE");
        Run.refused(
                1,
                List.of("embed", images, "--model", "no-model", "--output", folder.resolve("none/a.npy")),
                "a.npy: directory " + folder.resolve("none") + " does not exist; create it first");
    }

    /** Names are lines, and a name on two lines would move those after it to other rows. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void embed_ofANameOnTwoLines_leavesItOut() throws Exception {
        Files.copy(BOOT, images.resolve("a\nb.png"));
        Run run = Run.of(args().toArray());
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).contains("line break").contains("damaged.png");
        assertThat(EmbeddingIndex.open(vectors).size()).isEqualTo(2);
    }
}
