package io.github.convzoo.zoo;

import ai.djl.inference.Predictor;
import ai.djl.translate.TranslateException;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.NpyMatrix;
import io.github.convzoo.image.RgbImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Embeddings of images in files, searched exactly: every vector is compared.
 *
 * <p>An index is {@code NAME.npy}, one row of float32 per image; {@code NAME.names.txt}, the images' names, one per
 * line ({@code names.txt} for {@code vectors.npy}); and {@code NAME.json}, a {@link Source} with the SHA-256 of the
 * names. NumPy reads and writes the first, any editor the second. The rows are memory-mapped, so that an index may be
 * larger than memory. {@link Writer} writes all three.
 *
 * <p>Thread-safe. Results do not depend on the number of threads.
 */
public final class EmbeddingIndex {

    /** The number of floats that a thread compares at a time: they fit in a cache. */
    private static final int BLOCK = 1 << 17;

    /** Sums of squares below this lose digits in float32. */
    private static final float LEAST_SQUARE = 1e-28f;

    private static final int PROBE_SIDE = 256;

    private final NpyMatrix vectors;
    private final @Nullable NameLines names;
    private final Optional<Source> source;

    private EmbeddingIndex(NpyMatrix vectors, @Nullable NameLines names, Optional<Source> source) {
        this.vectors = vectors;
        this.names = names;
        this.source = source;
    }

    /** How similar two vectors are. */
    public enum Metric {
        /** The cosine of the angle between them, from -1 to 1; larger is more similar. */
        COSINE,
        /** The dot product; larger is more similar. The cosine, if all vectors have length 1. */
        DOT,
        /** The Euclidean distance; smaller is more similar. */
        EUCLIDEAN;

        /**
         * {@return a metric by name}
         *
         * @param name cosine, dot, or euclidean, in any case
         * @throws IllegalArgumentException if there is no such metric
         */
        public static Metric of(String name) {
            for (Metric each : values()) {
                if (each.name().equalsIgnoreCase(name)) {
                    return each;
                }
            }
            throw new IllegalArgumentException("unknown metric " + name + "; use cosine, dot, or euclidean");
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * A vector that was found.
     *
     * @param row its row in the index
     * @param name its image's name; the row's number if the index has no names
     * @param score the similarity, or the distance for {@link Metric#EUCLIDEAN}
     */
    public record Match(long row, String name, float score) {}

    /**
     * The model that computed the vectors.
     *
     * @param model its name, for messages
     * @param dimension the length of a vector
     * @param count the number of vectors
     * @param normalized whether each was divided by its length
     * @param probe the model's embedding of {@link #probeImage}, by which it is recognized
     */
    public record Source(String model, int dimension, long count, boolean normalized, List<Float> probe) {

        /** Vectors of the same model, whatever the runtime: rounding changes the sixth digit. */
        private static final double SAME = 0.9999;

        /**
         * Compares a model with the one that computed the vectors.
         *
         * @param vector the model's embedding of {@link #probeImage}
         * @return the cosine of the angle between the two embeddings; 0 if their lengths differ
         */
        public double similarity(float[] vector) {
            if (vector.length != probe.size()) {
                return 0;
            }
            double dot = 0;
            double ours = 0;
            double theirs = 0;
            for (int i = 0; i < vector.length; i++) {
                dot += (double) vector[i] * probe.get(i);
                ours += (double) probe.get(i) * probe.get(i);
                theirs += (double) vector[i] * vector[i];
            }
            return ours > 0 && theirs > 0 ? dot / Math.sqrt(ours * theirs) : 0;
        }

        /**
         * Refuses another model, or the same with other weights or preprocessing.
         *
         * @param name the model's name
         * @param vector the model's embedding of {@link #probeImage}
         * @throws IllegalArgumentException if its embedding differs by more than rounding
         */
        public void requireModel(String name, float[] vector) {
            if (vector.length != dimension) {
                throw new IllegalArgumentException("the index has vectors of " + dimension + " numbers from " + model
                        + ", but those of " + name + " have " + vector.length + "; pass the model that wrote it");
            }
            double similarity = similarity(vector);
            if (!(similarity >= SAME)) {
                throw new IllegalArgumentException(String.format(
                        Locale.ROOT,
                        "the index was written by %s, and %s has %s: its vector of the same image differs (cosine"
                                + " %.4f); pass the model that wrote it",
                        model,
                        name,
                        name.equals(model) ? "other weights or preprocessing now" : "other weights or preprocessing",
                        similarity));
            }
        }
    }

    /**
     * {@return the file with the names of an index: {@code names.txt} next to {@code vectors.npy}, and {@code
     * NAME.names.txt} next to {@code NAME.npy}}
     *
     * @param vectors the {@code .npy} file
     */
    public static Path namesFile(Path vectors) {
        return IndexFiles.of(vectors).names();
    }

    /**
     * Opens an index with the names next to it, if there are any. They must be those that the index was written with.
     *
     * @param vectors the {@code .npy} file
     * @return the index
     * @throws CheckpointException if the vectors cannot be read, or are not a matrix of float32
     * @throws IOException if the names or the source cannot be read, their count differs, the names have changed, or
     *     they may be another index's
     */
    public static EmbeddingIndex open(Path vectors) throws IOException {
        NpyMatrix matrix = NpyMatrix.open(vectors);
        IndexFiles files = IndexFiles.of(vectors);
        Optional<SourceFile.Content> described = SourceFile.read(files.source());
        Optional<String> written = described.flatMap(SourceFile.Content::namesSha256);
        Optional<Path> names = files.findNames(written.isPresent());
        EmbeddingIndex index = open(files, matrix, names, described);
        if (index.names != null && written.isPresent() && !written.get().equals(index.names.sha256())) {
            throw new IOException("%s: not the names that %s was written with; write both again, or if you edited the"
                            .formatted(names.orElseThrow(), vectors)
                    + " names, pass the file (--names)");
        }
        return index;
    }

    /**
     * Opens an index with any names.
     *
     * @param vectors the {@code .npy} file
     * @param names the file with one name per line; empty for none
     * @return the index
     * @throws CheckpointException if the vectors cannot be read, or are not a matrix of float32
     * @throws IOException if the names or the source cannot be read, or their count differs
     */
    public static EmbeddingIndex open(Path vectors, Optional<Path> names) throws IOException {
        NpyMatrix matrix = NpyMatrix.open(vectors);
        IndexFiles files = IndexFiles.of(vectors);
        return open(files, matrix, names, SourceFile.read(files.source()));
    }

    private static EmbeddingIndex open(
            IndexFiles files, NpyMatrix matrix, Optional<Path> names, Optional<SourceFile.Content> described)
            throws IOException {
        Path vectors = files.vectors();
        if (matrix.rows() == 0) {
            throw new IOException(vectors + ": has no vectors; write it again with images");
        }
        @Nullable NameLines lines = names.isPresent() ? NameLines.read(names.get()) : null;
        if (lines != null && lines.count() != matrix.rows()) {
            throw new IOException("%s: has %d names, but %s has %d vectors; write both again, or pass the right names"
                    .formatted(names.get(), lines.count(), vectors, matrix.rows()));
        }
        Optional<Source> source = described.map(SourceFile.Content::source);
        if (source.isPresent()
                && (source.get().count() != matrix.rows() || source.get().dimension() != matrix.columns())) {
            throw new IOException("%s: is for %d vectors of %d numbers, but %s has %d of %d; write both again"
                    .formatted(
                            files.source(),
                            source.get().count(),
                            source.get().dimension(),
                            vectors,
                            matrix.rows(),
                            matrix.columns()));
        }
        return new EmbeddingIndex(matrix, lines, source);
    }

    /**
     * {@return an image by which models are recognized: always the same colored pattern without any meaning, 256 x 256
     * pixels}
     */
    public static RgbImage probeImage() {
        byte[] samples = new byte[PROBE_SIDE * PROBE_SIDE * 3];
        for (int y = 0; y < PROBE_SIDE; y++) {
            for (int x = 0; x < PROBE_SIDE; x++) {
                int at = 3 * (y * PROBE_SIDE + x);
                samples[at] = (byte) (x * x / PROBE_SIDE + y);
                samples[at + 1] = (byte) ((x ^ y) * 5);
                samples[at + 2] = (byte) (x / 32 % 2 == y / 32 % 2 ? 255 - y : x / 2);
            }
        }
        return RgbImage.of(PROBE_SIDE, PROBE_SIDE, samples);
    }

    /**
     * Computes a model's embedding of {@link #probeImage}.
     *
     * @param predictor of a model from {@link ConvZoo#loadEmbeddings(String, Class, LoadOptions)}
     * @return the vector
     * @throws TranslateException if the model fails
     */
    public static float[] probe(Predictor<RgbImage, float[]> predictor) throws TranslateException {
        return predictor.predict(probeImage());
    }

    /**
     * Divides a vector by its length.
     *
     * @param vector finite numbers, not all zero
     * @return a vector of length 1
     * @throws IllegalArgumentException if the vector is zero or not finite
     */
    public static float[] normalized(float[] vector) {
        double square = VectorMath.exactDot(vector, vector, 0);
        if (!(square > 0 && Double.isFinite(square))) {
            throw new IllegalArgumentException("a vector that is zero or not finite cannot be normalized");
        }
        return VectorMath.scaled(vector, 1 / Math.sqrt(square));
    }

    /** {@return the number of vectors, at least 1} */
    public long size() {
        return vectors.rows();
    }

    /** {@return the length of a vector, in floats} */
    public int dimension() {
        return vectors.columns();
    }

    /** {@return the model that computed the vectors; empty if the index was written without it} */
    public Optional<Source> source() {
        return source;
    }

    /**
     * {@return the name of an image; the row's number if the index has no names}
     *
     * @param row a row of the index
     * @throws IndexOutOfBoundsException if there is no such row
     */
    public String name(long row) {
        if (row < 0 || row >= size()) {
            throw new IndexOutOfBoundsException("row " + row + " of " + size());
        }
        return names == null ? Long.toString(row) : names.get((int) row);
    }

    /**
     * Finds the vectors with the largest cosine similarity.
     *
     * @param query a vector of the index's dimension, not zero
     * @param k the number of matches, at least 1
     * @return the k most similar vectors, the most similar first, and the lower row first if they are equally similar;
     *     all if there are fewer
     * @throws CheckpointException if the file was truncated, or a vector has no direction or is not finite
     * @throws IOException if the thread is interrupted
     * @throws IllegalArgumentException if the query has another dimension, is zero, or is not finite
     */
    public List<Match> search(float[] query, int k) throws IOException {
        return search(List.of(query), k, Metric.COSINE).get(0);
    }

    /**
     * Finds the most similar vectors for several queries, in one pass over the index.
     *
     * @param queries vectors of the index's dimension
     * @param k the number of matches of each, at least 1
     * @param metric the similarity
     * @return for each query, the k most similar vectors, the most similar first, and the lower row first if they are
     *     equally similar; all if there are fewer
     * @throws CheckpointException if the file was truncated, or a vector is not finite, or has no direction for {@link
     *     Metric#COSINE}
     * @throws IOException if the thread is interrupted
     * @throws IllegalArgumentException if a query has another dimension or is not finite, or is zero for {@link
     *     Metric#COSINE}
     */
    public List<List<Match>> search(List<float[]> queries, int k, Metric metric) throws IOException {
        return search(queries, k, metric, Runtime.getRuntime().availableProcessors());
    }

    List<List<Match>> search(List<float[]> queries, int k, Metric metric, int threads) throws IOException {
        if (k < 1) {
            throw new IllegalArgumentException("a search has at least 1 match, not " + k);
        }
        for (float[] query : queries) {
            requireQuery(query, metric);
        }
        int most = (int) Math.min(k, size());
        long blockRows = Math.max(1, BLOCK / dimension());
        long blocks = (size() - 1) / blockRows + 1;
        AtomicLong next = new AtomicLong();
        List<List<BestRows>> parts = run((int) Math.min(threads, blocks), () -> {
            List<BestRows> best =
                    queries.stream().map(query -> new BestRows(most)).toList();
            float[] block = new float[(int) blockRows * dimension()];
            for (long i = next.getAndIncrement(); i < blocks; i = next.getAndIncrement()) {
                long first = i * blockRows;
                int count = (int) Math.min(blockRows, size() - first);
                vectors.read(first, count, block);
                for (int q = 0; q < queries.size(); q++) {
                    compare(queries.get(q), block, first, count, metric, best.get(q));
                }
            }
            return best;
        });
        List<List<Match>> results = new ArrayList<>();
        for (int q = 0; q < queries.size(); q++) {
            BestRows all = new BestRows(most);
            for (List<BestRows> part : parts) {
                all.addAll(part.get(q));
            }
            results.add(all.sorted((row, score) ->
                    new Match(row, name(row), metric == Metric.EUCLIDEAN ? (float) -score : (float) score)));
        }
        return results;
    }

    private void requireQuery(float[] query, Metric metric) {
        if (query.length != dimension()) {
            throw new IllegalArgumentException("the query has " + query.length + " numbers, but the vectors of "
                    + vectors.path() + " have " + dimension() + "; use the model that computed them");
        }
        double square = VectorMath.exactDot(query, query, 0);
        if (!Double.isFinite(square)) {
            throw new IllegalArgumentException("the query has a number that is not finite");
        }
        if (square == 0 && metric == Metric.COSINE) {
            throw new IllegalArgumentException("the query is zero, so it has no direction to compare");
        }
    }

    /** Work of a thread that may fail like reading. */
    @FunctionalInterface
    private interface Work<T> {
        T run() throws IOException;
    }

    /** Runs the same work on several threads, and waits for all. */
    private static <T> List<T> run(int threads, Work<T> work) throws IOException {
        if (threads == 1) {
            return List.of(work.run());
        }
        ExecutorService executor = Executors.newFixedThreadPool(threads, task -> {
            Thread thread = new Thread(task, "convzoo-search");
            thread.setDaemon(true);
            return thread;
        });
        try {
            List<Future<T>> running = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                running.add(executor.submit(work::run));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> each : running) {
                results.add(each.get());
            }
            return results;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("the search was interrupted", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException problem) {
                throw problem;
            }
            throw new IllegalStateException("the search failed", e.getCause());
        } finally {
            executor.shutdownNow();
        }
    }

    /** Adds the similarities of a block's rows; distances are negated, so that larger is always better. */
    private void compare(float[] query, float[] block, long first, int count, Metric metric, BestRows best)
            throws CheckpointException {
        double queryLength = metric == Metric.COSINE ? Math.sqrt(VectorMath.exactDot(query, query, 0)) : 1;
        for (int i = 0; i < count; i++) {
            int from = i * query.length;
            double score =
                    switch (metric) {
                        case COSINE -> {
                            float square = VectorMath.dotWithItself(block, from, query.length);
                            yield square < LEAST_SQUARE || square == Float.POSITIVE_INFINITY
                                    ? Double.NaN
                                    : VectorMath.dot(query, block, from) / (queryLength * Math.sqrt(square));
                        }
                        case DOT -> VectorMath.dot(query, block, from);
                        case EUCLIDEAN -> -Math.sqrt(VectorMath.squareDistance(query, block, from));
                    };
            if (!Double.isFinite(score)) {
                score = exact(query, queryLength, block, from, first + i, metric);
            }
            best.add(first + i, metric == Metric.COSINE ? Math.max(-1, Math.min(1, (float) score)) : (float) score);
        }
    }

    /** The score in double, for numbers beyond the range of float; refuses vectors without one. */
    private double exact(float[] query, double queryLength, float[] block, int from, long row, Metric metric)
            throws CheckpointException {
        double square = 0;
        for (int i = from; i < from + query.length; i++) {
            square += (double) block[i] * block[i];
        }
        if (!Double.isFinite(square)) {
            throw broken(row, "has a number that is not finite; compute it again, or remove it");
        }
        return switch (metric) {
            case COSINE -> {
                if (square == 0) {
                    throw broken(row, "is zero, so it has no direction to compare; remove it, or use another metric");
                }
                yield VectorMath.exactDot(query, block, from) / (queryLength * Math.sqrt(square));
            }
            case DOT -> VectorMath.exactDot(query, block, from);
            case EUCLIDEAN -> {
                double sum = 0;
                for (int i = 0; i < query.length; i++) {
                    double difference = (double) query[i] - block[from + i];
                    sum += difference * difference;
                }
                yield -Math.sqrt(sum);
            }
        };
    }

    private CheckpointException broken(long row, String problem) {
        return new CheckpointException(
                vectors.path(),
                -1,
                null,
                "row " + row + (names == null ? "" : " (" + name(row) + ")") + " " + problem,
                null);
    }

    /**
     * Writes an index: vectors and names one by one, under temporary names until {@link #finish}.
     *
     * <p>Not thread-safe.
     */
    public static final class Writer implements AutoCloseable {

        private final Path source;
        private final String model;
        private final float[] probe;
        private final boolean normalized;
        private final NpyMatrix.Writer matrix;
        private final NameLines.Writer names;

        private Writer(
                Path source,
                String model,
                float[] probe,
                boolean normalized,
                NpyMatrix.Writer matrix,
                NameLines.Writer names) {
            this.source = source;
            this.model = model;
            this.probe = probe;
            this.normalized = normalized;
            this.matrix = matrix;
            this.names = names;
        }

        /**
         * Starts an index. Existing files are replaced, but not before {@link #finish}.
         *
         * @param vectors the {@code .npy} file; the others are next to it
         * @param model the model's name, for messages
         * @param probe the model's embedding of {@link #probeImage}, from {@link #probe}; every vector has its length
         * @param normalize whether to divide each vector by its length
         * @return the writer; close it
         * @throws CheckpointException if the folder cannot be written to
         * @throws IOException if the files next to the vectors are not this index's
         */
        public static Writer create(Path vectors, String model, float[] probe, boolean normalize) throws IOException {
            IndexFiles files = IndexFiles.of(vectors);
            files.requireOwnNames();
            NpyMatrix.Writer matrix = NpyMatrix.Writer.create(vectors, probe.length);
            try {
                NameLines.Writer names = NameLines.Writer.create(files.names());
                return new Writer(files.source(), model, probe.clone(), normalize, matrix, names);
            } catch (CheckpointException e) {
                matrix.close();
                throw e;
            }
        }

        /**
         * Appends a vector.
         *
         * @param name the image's name, on one line
         * @param vector its embedding
         * @throws CheckpointException if it cannot be written
         * @throws IllegalArgumentException if the name has a line break, the vector has another length or is not
         *     finite, or is zero and should be normalized
         */
        public void append(String name, float[] vector) throws CheckpointException {
            NameLines.requireOneLine(name);
            double square = VectorMath.exactDot(vector, vector, 0);
            if (!Double.isFinite(square)) {
                throw new IllegalArgumentException(
                        name + ": the embedding has a number that is not finite; the model's weights may be damaged");
            }
            if (normalized && square == 0) {
                throw new IllegalArgumentException(
                        name + ": the embedding is zero, so it cannot be normalized; leave the image out");
            }
            matrix.append(normalized ? EmbeddingIndex.normalized(vector) : vector);
            names.append(name);
        }

        /** {@return the number of vectors so far} */
        public long size() {
            return matrix.rows();
        }

        /**
         * Completes the files and moves them into place.
         *
         * @throws CheckpointException if that fails
         * @throws IllegalStateException if there is no vector
         */
        public void finish() throws CheckpointException {
            if (matrix.rows() == 0) {
                throw new IllegalStateException("an index needs at least one vector");
            }
            // Without it, files that do not belong together are not taken for an index of its model.
            SourceFile.delete(source);
            String namesSha256 = names.finish();
            matrix.finish();
            List<Float> numbers = new ArrayList<>(probe.length);
            for (float each : probe) {
                numbers.add(each);
            }
            SourceFile.write(source, new Source(model, probe.length, matrix.rows(), normalized, numbers), namesSha256);
        }

        /** Discards what was written, unless it is finished. */
        @Override
        public void close() throws CheckpointException {
            try (matrix) {
                names.close();
            }
        }
    }
}
