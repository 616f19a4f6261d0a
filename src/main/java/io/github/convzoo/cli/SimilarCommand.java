package io.github.convzoo.cli;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.plot.ImageGrid;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.EmbeddingIndex;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "similar",
        description = "Find the images most similar to a given one.",
        footer = {
            "",
            "The index has the embeddings of images: vectors.npy from convzoo embed, or any float32 matrix from NumPy."
                    + " Every vector is compared, so the result is exact. An image that is in the index finds itself"
                    + " first.",
            "",
            "Examples:",
            "  convzoo similar query.jpg --index vectors.npy --model dla34",
            "  convzoo similar query.jpg --index vectors.npy --model run --top-k 20 --grid similar.png",
            "  convzoo similar queries/ --index vectors.npy --names names.txt --model run --jsonl"
        })
final class SimilarCommand implements Callable<Integer> {

    /** More queries take more time per pass over the index, but few passes. */
    private static final int QUERIES_PER_PASS = 32;

    @Spec
    CommandSpec spec = CommandSpec.create();

    @ParentCommand
    Main main = Main.inProcess();

    @Parameters(
            arity = "0..*",
            paramLabel = "QUERY",
            description = "Image files (" + ImageDecoder.FORMATS + "), folders of images, or URLs; - for an image from"
                    + " standard input.")
    List<String> images = new ArrayList<>();

    @Option(names = "--recursive", description = "Also search subfolders for queries.")
    boolean recursive;

    @Option(
            names = "--index",
            paramLabel = "VECTORS.npy",
            required = true,
            description = "The embeddings: float32, one row per image.")
    Path index = Path.of("");

    @Option(
            names = "--names",
            paramLabel = "FILE",
            description = "The images' names, one per line. Default: those that embed wrote next to the index, else row"
                    + " numbers.")
    @Nullable Path names;

    @Mixin
    ModelOptions model = new ModelOptions();

    @Option(
            names = "--top-k",
            paramLabel = "K",
            defaultValue = "10",
            description = "The number of images to show for each query, at least 1. Default: 10.")
    int topK = 10;

    @Option(
            names = "--metric",
            paramLabel = "cosine|dot|euclidean",
            description =
                    "How similarity is measured: cosine similarity, dot product (both: larger is more similar), or"
                            + " Euclidean distance (smaller is). Default: cosine.")
    @Nullable String metric;

    @Option(
            names = "--grid",
            paramLabel = "FILE",
            description = "Draw each query and its similar images as a picture (.png). Names must be files, relative to"
                    + " here or to the index. An existing file is replaced.")
    @Nullable Path grid;

    @Mixin
    InputOptions input = new InputOptions();

    @Option(names = "--json", description = "Print one JSON array at the end.")
    boolean json;

    @Option(names = "--jsonl", description = "Print one JSON object per line and query.")
    boolean jsonl;

    @Mixin
    CompileOptions compile = new CompileOptions();

    @Mixin
    ComputeOptions compute = new ComputeOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    private record Similar(String query, List<EmbeddingIndex.Match> matches) {}

    private record Failure(String query, String error) {}

    @Override
    public Integer call() throws Exception {
        Optional<Device> device = compute.apply();
        if (json && jsonl) {
            throw new IllegalArgumentException("--json and --jsonl are mutually exclusive; choose one");
        }
        if (topK < 1) {
            throw new IllegalArgumentException("--top-k must be at least 1, not " + topK);
        }
        if (images.isEmpty()) {
            throw new IllegalArgumentException("no images given; pass files, folders, or URLs");
        }
        ImageNames queries = new ImageNames(images, Optional.empty(), recursive, main.in);
        EmbeddingIndex.Metric by = metric == null ? EmbeddingIndex.Metric.COSINE : EmbeddingIndex.Metric.of(metric);
        PrintWriter err = spec.commandLine().getErr();
        if (grid != null) {
            OutputFile.requirePng("--grid", grid);
        }
        OutputFile.Existing existing = OutputFile.Existing.among(grid);
        EmbeddingIndex searched =
                names == null ? EmbeddingIndex.open(index) : EmbeddingIndex.open(index, Optional.of(names));
        model.requireModel();
        ModelOptions.Opened opened = model.open(model.options(main, common, err), input, null, compile, device);
        try (ZooModel<RgbImage, float[]> loaded =
                        ConvZoo.loadEmbeddings(opened.model(), RgbImage.class, opened.options());
                Predictor<RgbImage, float[]> predictor = loaded.newPredictor()) {
            requireSameModel(searched, predictor, err);
            Run run = new Run(searched, by, predictor, model.decoder(opened), queries);
            run.takeAll();
            run.search();
            if (json) {
                run.out.println(Json.of(run.results));
            }
            if (grid != null && !run.entries.isEmpty()) {
                OutputFile.writePng(grid, () -> ImageGrid.draw(run.entries));
                existing.sayReplaced(err);
                OutputFile.sayWritten(grid, Count.of(run.entries.size(), "image"), err);
            }
            if (run.missing > 0) {
                err.println("convzoo: " + grid + ": " + Count.of(run.missing, "similar image")
                        + " not drawn, because the name is not a readable file here or next to the index");
            }
            return run.failed ? Main.FAILED : Main.DONE;
        }
    }

    private void requireSameModel(EmbeddingIndex opened, Predictor<RgbImage, float[]> predictor, PrintWriter err)
            throws Exception {
        float[] probe = EmbeddingIndex.probe(predictor);
        if (opened.source().isPresent()) {
            opened.source().get().requireModel(model.model, probe);
        } else if (probe.length != opened.dimension()) {
            throw new IllegalArgumentException(index + ": has vectors of " + opened.dimension()
                    + " numbers, but those of " + model.model + " have " + probe.length
                    + "; pass the model that wrote it");
        } else {
            err.println("convzoo: " + Main.oneLine(index.toString()) + ": no description of its model next to it;"
                    + " assuming that " + Main.oneLine(model.model) + " computed the vectors");
        }
    }

    /** Searches for the queries, some at a time. */
    private final class Run {

        private final PrintWriter out = spec.commandLine().getOut();
        private final EmbeddingIndex opened;
        private final EmbeddingIndex.Metric by;
        private final Predictor<RgbImage, float[]> predictor;
        private final ImageDecoder decoder;
        private final ImageNames queries;
        private final List<String> waiting = new ArrayList<>();
        private final List<float[]> vectors = new ArrayList<>();
        private final List<RgbImage> pictures = new ArrayList<>();
        private final List<Similar> results = new ArrayList<>();
        private final List<ImageGrid.Entry> entries = new ArrayList<>();
        private int missing;
        private boolean failed;

        Run(
                EmbeddingIndex opened,
                EmbeddingIndex.Metric by,
                Predictor<RgbImage, float[]> predictor,
                ImageDecoder decoder,
                ImageNames queries) {
            this.opened = opened;
            this.by = by;
            this.predictor = predictor;
            this.decoder = decoder;
            this.queries = queries;
        }

        void takeAll() throws Exception {
            for (Iterator<ImageNames.Entry> all = queries.iterator(); all.hasNext(); ) {
                take(all.next());
            }
        }

        private void take(ImageNames.Entry query) throws Exception {
            RgbImage pixels;
            try {
                pixels = queries.read(query, decoder);
            } catch (IOException e) {
                failed(query.name(), e);
                return;
            }
            waiting.add(query.name());
            vectors.add(vector(predictor.predict(pixels)));
            if (grid != null) {
                pictures.add(pixels);
            }
            if (waiting.size() == QUERIES_PER_PASS) {
                search();
            }
        }

        /** The query as the index has its vectors. */
        private float[] vector(float[] embedding) {
            if (opened.source().isEmpty() || !opened.source().get().normalized()) {
                return embedding;
            }
            return EmbeddingIndex.normalized(embedding);
        }

        private void failed(String name, IOException problem) throws IOException {
            search();
            failed = true;
            String message = Main.oneLine(problem.getMessage());
            spec.commandLine().getErr().println("convzoo: " + message);
            if (jsonl) {
                out.println(Json.line(new Failure(name, message)));
            }
        }

        /** Searches for the waiting queries. */
        void search() throws IOException {
            if (waiting.isEmpty()) {
                return;
            }
            List<List<EmbeddingIndex.Match>> found = opened.search(vectors, topK, by);
            for (int i = 0; i < waiting.size(); i++) {
                Similar result = new Similar(waiting.get(i), found.get(i));
                if (json) {
                    results.add(result);
                } else if (jsonl) {
                    out.println(Json.line(result));
                } else {
                    print(result);
                }
                if (grid != null) {
                    draw(pictures.get(i), result);
                }
            }
            waiting.clear();
            vectors.clear();
            pictures.clear();
        }

        private void print(Similar result) {
            if (!queries.isOne()) {
                out.println(Main.oneLine(result.query));
            }
            for (EmbeddingIndex.Match match : result.matches) {
                out.printf(Locale.ROOT, "%8.4f  %s%n", match.score(), Main.oneLine(match.name()));
            }
        }

        private void draw(RgbImage query, Similar result) {
            ImageGrid.checkCount(entries.size() + 1 + result.matches.size());
            entries.add(new ImageGrid.Entry(query, "query", shortName(result.query), ImageGrid.Verdict.UNKNOWN));
            for (EmbeddingIndex.Match match : result.matches) {
                Optional<RgbImage> image = image(match.name());
                if (image.isEmpty()) {
                    missing++;
                } else {
                    entries.add(new ImageGrid.Entry(
                            image.get(),
                            String.format(Locale.ROOT, "%s %.4f", by, match.score()),
                            shortName(match.name()),
                            ImageGrid.Verdict.UNKNOWN));
                }
            }
        }

        /** The end of a path, which distinguishes it. */
        private static String shortName(String name) {
            return Main.oneLine(name.replaceFirst(".*[/\\\\](?=.)", ""));
        }

        /** The image of a name, if it is a file; a name that is a URL is not fetched. */
        private Optional<RgbImage> image(String name) {
            try {
                Path path = Path.of(name);
                return Stream.of(path, index.toAbsolutePath().resolveSibling(path))
                        .filter(Files::isRegularFile)
                        .findFirst()
                        .map(this::decoded);
            } catch (InvalidPathException e) {
                return Optional.empty();
            }
        }

        private @Nullable RgbImage decoded(Path file) {
            try {
                return decoder.decode(file);
            } catch (IOException e) {
                spec.commandLine().getErr().println("convzoo: " + Main.oneLine(e.getMessage()));
                return null;
            }
        }
    }
}
