package io.github.convzoo.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import ai.djl.inference.Predictor;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.Samples;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.Npy;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.zoo.EmbeddingIndex.Match;
import io.github.convzoo.zoo.EmbeddingIndex.Metric;
import io.github.convzoo.zoo.EmbeddingIndex.Source;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class EmbeddingIndexTest {

    @TempDir
    Path folder = Path.of("");

    private Path file() {
        return folder.resolve("vectors.npy");
    }

    private static float[] random(Random random, int dimension) {
        float[] vector = new float[dimension];
        for (int i = 0; i < dimension; i++) {
            vector[i] = (float) random.nextGaussian();
        }
        return vector;
    }

    private EmbeddingIndex index(float[]... rows) throws Exception {
        return index(false, rows);
    }

    private EmbeddingIndex index(boolean normalize, float[]... rows) throws Exception {
        try (EmbeddingIndex.Writer writer =
                EmbeddingIndex.Writer.create(file(), "dla34", new float[rows[0].length], normalize)) {
            for (int i = 0; i < rows.length; i++) {
                writer.append("image " + i + ".png", rows[i]);
            }
            assertThat(writer.size()).isEqualTo(rows.length);
            writer.finish();
        }
        return EmbeddingIndex.open(file());
    }

    private static List<Long> rows(List<Match> matches) {
        return matches.stream().map(Match::row).toList();
    }

    private static double score(float[] query, float[] row, Metric metric) {
        double dot = 0;
        double ours = 0;
        double theirs = 0;
        double distance = 0;
        for (int i = 0; i < query.length; i++) {
            dot += (double) query[i] * row[i];
            ours += (double) query[i] * query[i];
            theirs += (double) row[i] * row[i];
            distance += Math.pow((double) query[i] - row[i], 2);
        }
        return switch (metric) {
            case COSINE -> dot / Math.sqrt(ours * theirs);
            case DOT -> dot;
            case EUCLIDEAN -> Math.sqrt(distance);
        };
    }

    @ParameterizedTest
    @EnumSource(Metric.class)
    void search_findsWhatBruteForceInDoubleFinds(Metric metric) throws Exception {
        Random random = new Random(5);
        // Two blocks and a part of one; not a multiple of eight.
        float[][] rows =
                IntStream.range(0, 10_000).mapToObj(i -> random(random, 37)).toArray(float[][]::new);
        EmbeddingIndex index = index(rows);
        assertThat(index.size()).isEqualTo(10_000);
        assertThat(index.dimension()).isEqualTo(37);
        List<float[]> queries = List.of(random(random, 37), random(random, 37), rows[77]);
        List<List<Match>> found = index.search(queries, 12, metric);
        for (int q = 0; q < queries.size(); q++) {
            float[] query = queries.get(q);
            Comparator<Integer> better = Comparator.comparingDouble(i -> score(query, rows[i], metric));
            List<Integer> expected = IntStream.range(0, rows.length)
                    .boxed()
                    .sorted(metric == Metric.EUCLIDEAN ? better : better.reversed())
                    .limit(12)
                    .toList();
            assertThat(rows(found.get(q)))
                    .containsExactlyElementsOf(
                            expected.stream().map(Integer::longValue).toList());
            for (Match match : found.get(q)) {
                assertThat((double) match.score())
                        .isCloseTo(score(query, rows[(int) match.row()], metric), within(1e-5));
                assertThat(match.name()).isEqualTo("image " + match.row() + ".png");
            }
        }
    }

    @Test
    void search_byDefault_isByCosine() throws Exception {
        EmbeddingIndex index = index(new float[] {10, 10}, new float[] {1, 0.1f}, new float[] {-3, 0});
        assertThat(index.search(new float[] {2, 0}, 3)).extracting(Match::row).containsExactly(1L, 0L, 2L);
        assertThat(index.search(new float[] {2, 0}, 3)).last().satisfies(match -> assertThat(match.score())
                .isEqualTo(-1));
    }

    @ParameterizedTest
    @EnumSource(Metric.class)
    void ties_areInTheOrderOfRows_whateverTheNumberOfThreads(Metric metric) throws Exception {
        float[] same = {0.3f, 0.7f, -0.2f};
        float[][] rows = IntStream.range(0, 200_000)
                .mapToObj(i -> {
                    int thousands = i / 1000;
                    return i % 1000 == 999 ? new float[] {0.3f, 0.7f, -0.1f * thousands} : same;
                })
                .toArray(float[][]::new);
        EmbeddingIndex index = index(rows);
        List<List<Match>> one = index.search(List.of(same), 2000, metric, 1);
        for (int threads : new int[] {2, 3, 8}) {
            assertThat(index.search(List.of(same), 2000, metric, threads)).isEqualTo(one);
        }
        if (metric != Metric.DOT) {
            assertThat(rows(one.get(0)).stream()
                            .filter(row -> row % 1000 != 999)
                            .limit(1500))
                    .containsExactlyElementsOf(LongStream.range(0, 1501)
                            .filter(row -> row % 1000 != 999)
                            .limit(1500)
                            .boxed()
                            .toList());
        }
    }

    @Test
    void k_beyondTheSize_givesAll() throws Exception {
        EmbeddingIndex index = index(new float[] {1, 0}, new float[] {0, 1});
        assertThat(rows(index.search(new float[] {0, 2}, 100))).containsExactly(1L, 0L);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> index.search(new float[] {0, 2}, 0))
                .withMessage("a search has at least 1 match, not 0");
    }

    @Test
    void normalized_dividesByTheLength_andSaysSo() throws Exception {
        EmbeddingIndex index = index(true, new float[] {3, 4}, new float[] {0, -2});
        assertThat(index.source().orElseThrow().normalized()).isTrue();
        assertThat(index.search(List.of(new float[] {1, 0}), 2, Metric.DOT).get(0))
                .containsExactly(new Match(0, "image 0.png", 0.6f), new Match(1, "image 1.png", 0));
    }

    @Test
    void numbersBeyondFloatSquares_areComparedInDouble() throws Exception {
        EmbeddingIndex index =
                index(new float[] {3e30f, 4e30f}, new float[] {1e-30f, 0}, new float[] {0, 1e-20f}, new float[] {1, 1});
        List<Match> found = index.search(new float[] {1, 0}, 4);
        assertThat(rows(found)).containsExactly(1L, 3L, 0L, 2L);
        assertThat(found.get(0).score()).isEqualTo(1);
        assertThat(found.get(2).score()).isCloseTo(0.6f, within(1e-6f));
        assertThat(index.search(List.of(new float[] {0, 0}), 1, Metric.EUCLIDEAN)
                        .get(0)
                        .get(0)
                        .row())
                .isEqualTo(1);
    }

    @Test
    void numbersWhoseSquaresLoseDigits_areComparedInDouble() throws Exception {
        EmbeddingIndex index = index(new float[] {3e-23f, 4e-23f});
        assertThat(index.search(new float[] {1, 0}, 1).get(0).score()).isCloseTo(0.6f, within(1e-6f));
    }

    @Test
    void writerThatFailsHalfWay_leavesNoSourceOfTheOldFiles() throws Exception {
        index(new float[] {1, 2}, new float[] {3, 4});
        try (EmbeddingIndex.Writer writer = EmbeddingIndex.Writer.create(file(), "dla34", new float[2], false)) {
            writer.append("a", new float[] {1, 2});
            Path names = folder.resolve("names.txt");
            Files.delete(names);
            Files.createFile(Files.createDirectory(names).resolve("obstacle"));
            assertThatExceptionOfType(CheckpointException.class).isThrownBy(writer::finish);
        }
        assertThat(folder.resolve("vectors.json")).doesNotExist();
        assertThat(EmbeddingIndex.open(file(), Optional.empty()).size()).isEqualTo(2);
    }

    @Test
    void vectorsWithoutDirection_areRefusedByRowAndName() throws Exception {
        EmbeddingIndex index = index(new float[] {1, 0}, new float[] {0, 0});
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> index.search(new float[] {1, 1}, 1))
                .withMessage(file() + ": row 1 (image 1.png) is zero, so it has no direction to compare; remove it, or"
                        + " use another metric");
        assertThat(rows(index.search(List.of(new float[] {1, 1}), 2, Metric.DOT).get(0)))
                .containsExactly(0L, 1L);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> index.search(new float[] {0, 0}, 1))
                .withMessage("the query is zero, so it has no direction to compare");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> index.search(new float[] {0, Float.NaN}, 1))
                .withMessage("the query has a number that is not finite");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> index.search(new float[] {0, 1, 2}, 1))
                .withMessage("the query has 3 numbers, but the vectors of " + file()
                        + " have 2; use the model that computed them");
    }

    @ParameterizedTest
    @CsvSource({"NaN, COSINE", "NaN, DOT", "Infinity, COSINE", "-Infinity, DOT", "NaN, EUCLIDEAN", "Infinity, EUCLIDEAN"
    })
    void vectorThatIsNotFinite_isRefusedByRow(float number, Metric metric) throws Exception {
        Npy.write(file(), Samples.tensor("", new float[] {1, 2, 3, number}, 2, 2));
        EmbeddingIndex index = EmbeddingIndex.open(file());
        assertThat(index.source()).isEmpty();
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> index.search(List.of(new float[] {1, 1}), 1, metric))
                .withMessage(file() + ": row 1 has a number that is not finite; compute it again, or remove it");
    }

    @Test
    void matchesWithoutNames_haveTheRow() throws Exception {
        Npy.write(file(), Samples.tensor("", new float[] {1, 2, 3, 1}, 2, 2));
        assertThat(EmbeddingIndex.open(file()).search(new float[] {3, 1}, 1)).containsExactly(new Match(1, "1", 1));
    }

    @ParameterizedTest
    @CsvSource({
        "'a\nb\n', true",
        "'a\nb', true",
        "'a\r\nb\r\n', true",
        "'a\nb\nc\n', false",
        "'a\n', false",
        "'', false"
    })
    void names_mustBeAsManyAsVectors(String names, boolean fit) throws Exception {
        Npy.write(file(), Samples.tensor("", new float[] {1, 2, 3, 1}, 2, 2));
        Path other = folder.resolve("other.txt");
        Files.writeString(other, names);
        if (fit) {
            EmbeddingIndex index = EmbeddingIndex.open(file(), Optional.of(other));
            assertThat(index.name(0)).isEqualTo("a");
            assertThat(index.name(1)).isEqualTo("b");
        } else {
            assertThatIOException()
                    .isThrownBy(() -> EmbeddingIndex.open(file(), Optional.of(other)))
                    .withMessage("%s: has %d names, but %s has 2 vectors; write both again, or pass the right names"
                            .formatted(other, names.lines().count(), file()));
        }
    }

    @Test
    void namesInAnotherEncoding_areRefused() throws Exception {
        Npy.write(file(), Samples.tensor("", new float[] {1, 2}, 1, 2));
        Files.write(folder.resolve("names.txt"), new byte[] {'a', (byte) 0xe4, '\n'});
        assertThatIOException()
                .isThrownBy(() -> EmbeddingIndex.open(file()))
                .withMessage(folder.resolve("names.txt") + ": not UTF-8 (at byte 1); save it as UTF-8");
    }

    private void write(String file, String... names) throws Exception {
        try (EmbeddingIndex.Writer writer =
                EmbeddingIndex.Writer.create(folder.resolve(file), "dla34", new float[] {1}, false)) {
            for (String name : names) {
                writer.append(name, new float[] {1});
            }
            writer.finish();
        }
    }

    private String firstName(String file) throws Exception {
        return EmbeddingIndex.open(folder.resolve(file)).name(0);
    }

    /** Makes an index what early builds wrote: with the names in names.txt, and without their SHA-256. */
    private void writeAsEarlyBuild(String base, String... names) throws Exception {
        write(base + ".npy", names);
        Path own = EmbeddingIndex.namesFile(folder.resolve(base + ".npy"));
        Files.move(own, folder.resolve("names.txt"), StandardCopyOption.REPLACE_EXISTING);
        Path json = folder.resolve(base + ".json");
        Files.writeString(json, Files.readString(json).replaceFirst("\"names_sha256\":\"[0-9a-f]{64}\",", ""));
        assertThat(json).content().doesNotContain("sha256");
    }

    @Test
    void indexesInOneFolder_haveNamesOfTheirOwn() throws Exception {
        write("vectors.npy", "v");
        write("a.npy", "a");
        write("b.NPY", "b");
        write("a.npy", "again");
        assertThat(firstName("vectors.npy")).isEqualTo("v");
        assertThat(firstName("a.npy")).isEqualTo("again");
        assertThat(firstName("b.NPY")).isEqualTo("b");
        assertThat(folder.resolve("names.txt")).hasContent("v\n");
        assertThat(folder.resolve("a.names.txt")).hasContent("again\n");
        assertThat(EmbeddingIndex.namesFile(folder.resolve("b.NPY"))).isEqualTo(folder.resolve("b.names.txt"));
        Files.delete(folder.resolve("a.names.txt"));
        // The names of vectors.npy are not those of a.npy.
        assertThat(firstName("a.npy")).isEqualTo("0");
    }

    @Test
    void namesThatChanged_areRefusedUnlessPassed() throws Exception {
        write("a.npy", "x".repeat(100_000), "b");
        Path names = folder.resolve("a.names.txt");
        Files.writeString(names, "c\nb\n");
        assertThatIOException()
                .isThrownBy(() -> firstName("a.npy"))
                .withMessage("%s: not the names that %s was written with; write both again, or if you edited the names,"
                                .formatted(names, folder.resolve("a.npy"))
                        + " pass the file (--names)");
        assertThat(EmbeddingIndex.open(folder.resolve("a.npy"), Optional.of(names))
                        .name(0))
                .isEqualTo("c");
    }

    @Test
    void indexOfAnEarlyBuild_hasTheSharedNames_unlessTheyMayBeAnothers() throws Exception {
        writeAsEarlyBuild("a", "a");
        assertThat(firstName("a.npy")).isEqualTo("a");
        write("c.npy", "c");
        assertThat(firstName("a.npy")).isEqualTo("a");
        Npy.write(folder.resolve("labels.npy"), Samples.tensor("", new float[] {1, 2}, 1, 2));
        assertThat(firstName("a.npy")).isEqualTo("a");

        writeAsEarlyBuild("b", "b");
        Path names = folder.resolve("names.txt");
        assertThatIOException()
                .isThrownBy(() -> firstName("a.npy"))
                .withMessage(names + ": may have the names of a.npy or of b.npy; write the indexes again, or pass the"
                        + " names of this one (--names)");
        // Writing one of them again settles the other.
        write("b.npy", "b");
        assertThat(firstName("b.npy")).isEqualTo("b");
        assertThat(firstName("a.npy")).isEqualTo("b");
        assertThat(names).hasContent("b\n");
    }

    @Test
    void namesOfAnother_areNotReplaced() throws Exception {
        writeAsEarlyBuild("a", "a");
        Path names = folder.resolve("names.txt");
        assertThatIOException()
                .isThrownBy(() -> write("vectors.npy", "v"))
                .withMessage(names + ": exists, but vectors.npy does not, so these may be other names; move or remove"
                        + " the file, or name the vectors differently");
        Npy.write(file(), Samples.tensor("", new float[] {1, 2}, 1, 2));
        assertThatIOException()
                .isThrownBy(() -> write("vectors.npy", "v"))
                .withMessage(names + ": may have the names of a.npy; move or remove the file, or write the vectors to"
                        + " another folder");
        assertThat(names).hasContent("a\n");
        write("a.npy", "a");
        write("vectors.npy", "v");
        write("vectors.npy", "w");
        assertThat(firstName("vectors.npy")).isEqualTo("w");
        Files.writeString(folder.resolve("list.names.txt"), "mine\n");
        assertThatIOException()
                .isThrownBy(() -> write("list.npy", "v"))
                .withMessageStartingWith(folder.resolve("list.names.txt") + ": exists, but list.npy does not");
        Files.writeString(folder.resolve("d.json"), "{}");
        assertThatIOException()
                .isThrownBy(() -> write("d.npy", "v"))
                .withMessageStartingWith(folder.resolve("d.json") + ": does not say that it is");
        assertThat(folder.resolve("d.npy")).doesNotExist();
    }

    @Test
    void names_ofAnyLengthAndLanguage_areReadAsWritten() throws Exception {
        List<String> names = List.of("\u00e4 b.png", "\u732b.png", "x".repeat(200_000), " ", "");
        try (EmbeddingIndex.Writer writer = EmbeddingIndex.Writer.create(file(), "dla34", new float[] {1}, false)) {
            for (String name : names) {
                writer.append(name, new float[] {1});
            }
            writer.finish();
        }
        EmbeddingIndex index = EmbeddingIndex.open(file());
        assertThat(IntStream.range(0, names.size()).mapToObj(index::name)).containsExactlyElementsOf(names);
    }

    @Test
    void writer_refusesWhatCannotBeReadBack() throws Exception {
        try (EmbeddingIndex.Writer writer = EmbeddingIndex.Writer.create(file(), "dla34", new float[] {1, 2}, true)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> writer.append("a\nb", new float[] {1, 2}))
                    .withMessage(
                            "the name a\\nb has a line break, but names are written one per line; rename the file");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> writer.append("a\ud800", new float[] {1, 2}))
                    .withMessageContaining("cannot be written as UTF-8");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> writer.append("a", new float[] {1, Float.POSITIVE_INFINITY}))
                    .withMessage(
                            "a: the embedding has a number that is not finite; the model's weights may be damaged");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> writer.append("a", new float[] {0, 0}))
                    .withMessage("a: the embedding is zero, so it cannot be normalized; leave the image out");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> writer.append("a", new float[] {1, 2, 3}))
                    .withMessage("a row has 2 numbers, not 3");
            assertThatIllegalStateException()
                    .isThrownBy(writer::finish)
                    .withMessage("an index needs at least one vector");
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void writer_givesTheBytesOfNumpy_andReplacesOnlyWhenFinished() throws Exception {
        Random random = new Random(1);
        float[] all = random(random, 700 * 600);
        index(new float[] {1, 2}, new float[] {3, 4});
        byte[] before = Files.readAllBytes(file());
        try (EmbeddingIndex.Writer writer = EmbeddingIndex.Writer.create(file(), "dla34", new float[600], false)) {
            for (int i = 0; i < 700; i++) {
                writer.append("n" + i, Arrays.copyOfRange(all, i * 600, (i + 1) * 600));
            }
            assertThat(file()).hasBinaryContent(before);
            assertThat(folder.resolve("names.txt")).hasContent("image 0.png\nimage 1.png\n");
            writer.finish();
        }
        Path expected = folder.resolve("expected.npy");
        Npy.write(expected, Samples.tensor("", all, 700, 600));
        assertThat(file()).hasSameBinaryContentAs(expected);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(each -> each.getFileName().toString()))
                    .containsExactlyInAnyOrder("vectors.npy", "vectors.json", "names.txt", "expected.npy");
        }
        assertThat(EmbeddingIndex.open(file()).name(699)).isEqualTo("n699");
    }

    @Test
    void source_recognizesItsModelInAnyRuntime_andRefusesOthers() throws Exception {
        LoadOptions plain = LoadOptions.published();
        float[] probe = probe(plain);
        try (EmbeddingIndex.Writer writer = EmbeddingIndex.Writer.create(file(), "peleenet.fmnist", probe, false)) {
            writer.append("a", probe);
            writer.finish();
        }
        Source source = EmbeddingIndex.open(file()).source().orElseThrow();
        assertThat(source.model()).isEqualTo("peleenet.fmnist");
        assertThat(source.dimension()).isEqualTo(probe.length);
        assertThat(source.count()).isEqualTo(1);
        assertThat(source.normalized()).isFalse();
        source.requireModel("peleenet.fmnist", probe);
        assertThat(source.similarity(probe)).isCloseTo(1, within(1e-12));
        float[] otherSize = probe(plain.withInputSize(96));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> source.requireModel("peleenet.fmnist", otherSize))
                .withMessageMatching(
                        "the index was written by peleenet\\.fmnist, and peleenet\\.fmnist has other weights"
                                + " or preprocessing now: its vector of the same image differs"
                                + " \\(cosine 0\\.\\d{4}\\); pass the model that wrote it");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> source.requireModel("dla34", new float[512]))
                .withMessage("the index has vectors of 704 numbers from peleenet.fmnist, but those of dla34 have 512;"
                        + " pass the model that wrote it");
    }

    private static float[] probe(LoadOptions options) throws Exception {
        try (ZooModel<RgbImage, float[]> model = ConvZoo.loadEmbeddings("peleenet.fmnist", RgbImage.class, options);
                Predictor<RgbImage, float[]> predictor = model.newPredictor()) {
            return EmbeddingIndex.probe(predictor);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | does not say that it is convzoo-embeddings-1; move it elsewhere if it does not belong to the"
                        + " vectors",
                "[1] | is damaged; write the index again, or remove the file",
                "{'format':'convzoo-embeddings-1'} | is damaged; write the index again, or remove the file",
                "{'format':'convzoo-embeddings-1','model':'m','dimension':2,'count':9,'normalized':true,'probe':[1]}"
                        + " | is for 9 vectors of 2 numbers, but",
                "{'format':'convzoo-embeddings-1','model':'m','dimension':3,'count':1,'normalized':true,'probe':[1]}"
                        + " | is for 1 vectors of 3 numbers, but",
            })
    void sourceThatDoesNotFit_isRefused(String json, String message) throws Exception {
        Npy.write(file(), Samples.tensor("", new float[] {1, 2}, 1, 2));
        Files.writeString(folder.resolve("vectors.json"), json.replace('\'', '"'));
        assertThatIOException()
                .isThrownBy(() -> EmbeddingIndex.open(file()))
                .withMessageStartingWith(folder.resolve("vectors.json") + ": " + message);
    }

    @Test
    void fileThatIsNoMatrixOfFloats_isRefused() throws Exception {
        assertRefused("no such file; check the path");
        Npy.write(file(), Samples.tensor("", new float[] {1, 2}, 2));
        assertRefused("has the shape [2], but a matrix is needed: one row per vector (at byte 8)");
        Npy.write(file(), Samples.tensor("", new float[0], 0, 2));
        assertThatIOException()
                .isThrownBy(() -> EmbeddingIndex.open(file()))
                .withMessage(file() + ": has no vectors; write it again with images");
        Files.write(file(), header("'<f8'", "False", "(1, 2)", 16));
        assertRefused("has rows of type <f8, but rows of float32 are needed; write it as"
                + " numpy.ascontiguousarray(array, dtype='<f4') (at byte 8)");
        Files.write(file(), header("'<f4'", "True", "(1, 2)", 8));
        assertRefused("has columns of type <f4, but rows of float32 are needed; write it as"
                + " numpy.ascontiguousarray(array, dtype='<f4') (at byte 8)");
        Files.write(file(), header("'<f4'", "False", "(3, 2)", 23));
        assertRefused("3 rows of 8 bytes each are announced, but there are 23 bytes; it is truncated or has more than"
                + " one array (at byte 128)");
        Files.write(file(), header("'<f4'", "False", "(9223372036854775807, 2)", 16));
        assertRefused("9223372036854775807 rows of 8 bytes each are announced, but there are 16 bytes; it is truncated"
                + " or has more than one array (at byte 128)");
        // Times 8, this is 16 beyond 2^64.
        Files.write(file(), header("'<f4'", "False", "(2305843009213693954, 2)", 16));
        assertRefused("2305843009213693954 rows of 8 bytes each are announced, but there are 16 bytes; it is truncated"
                + " or has more than one array (at byte 128)");
        Files.writeString(file(), "not a matrix");
        assertRefused("this is not an .npy file; write one with numpy.save (at byte 0)");
    }

    private void assertRefused(String problem) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> EmbeddingIndex.open(file()))
                .withMessage(file() + ": " + problem);
    }

    /** A file of version 1.0 with a header of 128 bytes. */
    private static byte[] header(String descr, String fortran, String shape, int data) {
        String dictionary = "{'descr': %s, 'fortran_order': %s, 'shape': %s, }".formatted(descr, fortran, shape);
        ByteBuffer bytes = ByteBuffer.allocate(128 + data).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put("\u0093NUMPY\1\0".getBytes(StandardCharsets.ISO_8859_1)).putShort((short) 118);
        bytes.put((dictionary + " ".repeat(117 - dictionary.length()) + "\n").getBytes(StandardCharsets.ISO_8859_1));
        return bytes.array();
    }

    @ParameterizedTest
    @CsvSource({"2", "3"})
    void laterVersionsOfTheFormat_areRead(int version) throws Exception {
        String dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }\n";
        ByteBuffer bytes = ByteBuffer.allocate(12 + dictionary.length() + 8).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put("\u0093NUMPY".getBytes(StandardCharsets.ISO_8859_1));
        bytes.put((byte) version).put((byte) 0).putInt(dictionary.length());
        bytes.put(dictionary.getBytes(StandardCharsets.ISO_8859_1)).putFloat(3).putFloat(4);
        Files.write(file(), bytes.array());
        assertThat(EmbeddingIndex.open(file()).search(List.of(new float[] {1, 2}), 1, Metric.DOT))
                .containsExactly(List.of(new Match(0, "0", 11)));
    }

    @Test
    void fileBeyond2GiB_isSearchedToItsEnd() throws Exception {
        assumeThat(Files.getFileStore(folder).getUsableSpace())
                .as("free space, if the file system has no sparse files")
                .isGreaterThan(4L << 30);
        int dimension = 1 << 16;
        long count = (1L << 31) / (4L * dimension) + 2;
        byte[] header = header("'<f4'", "False", "(" + count + ", " + dimension + ")", 0);
        try (FileChannel out = FileChannel.open(
                file(), StandardOpenOption.CREATE_NEW, StandardOpenOption.SPARSE, StandardOpenOption.WRITE)) {
            out.write(ByteBuffer.wrap(header));
            for (long row : new long[] {1, count - 2, count - 1}) {
                ByteBuffer number = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
                // In the last column, so that the file is complete.
                out.write(number.putFloat((float) (row + 1)).flip(), header.length + (row + 1) * 4 * dimension - 4);
            }
        }
        float[] query = new float[dimension];
        query[dimension - 1] = 1;
        EmbeddingIndex index = EmbeddingIndex.open(file());
        assertThat(index.size()).isEqualTo(count);
        assertThat(index.search(List.of(query), 4, Metric.DOT).get(0))
                .containsExactly(
                        new Match(count - 1, Long.toString(count - 1), count),
                        new Match(count - 2, Long.toString(count - 2), count - 1),
                        new Match(1, "1", 2),
                        new Match(0, "0", 0));
    }

    @Test
    void fileThatIsTruncatedWhileOpen_isRefused() throws Exception {
        Random random = new Random(3);
        float[][] rows =
                IntStream.range(0, 4000).mapToObj(i -> random(random, 512)).toArray(float[][]::new);
        EmbeddingIndex index = index(rows);
        try (FileChannel channel = FileChannel.open(file(), StandardOpenOption.WRITE)) {
            channel.truncate(3_000_000);
        }
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> index.search(rows[0], 5))
                .withMessageContaining(file() + ": its file was truncated while in use");
    }
}
