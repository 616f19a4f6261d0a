package io.github.convzoo.train;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.github.convzoo.checkpoint.ReplacedFile;
import io.github.convzoo.checkpoint.TextFile;
import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a training run leaves. Each file is replaced as a whole: a crash leaves the one before it. The folder is a model folder
 * with the best weights, and {@code last} in it one with the last ones, if the run knows the model's configuration.
 *
 * <ul>
 *   <li>{@code config.json}, {@code last/config.json}: the model's configuration, the same
 *   <li>{@code train.json}: what the run was started with
 *   <li>{@code labels.txt}: the classes' names, one a line
 *   <li>{@code model.safetensors}: the weights that validated best, the moving average's if there is one
 *   <li>{@code last/state.safetensors}: everything that resuming needs
 *   <li>{@code last/model.safetensors}: the same of the last whole epoch
 *   <li>{@code last/start.safetensors}: the weights that features are computed with, where the classifier alone learns
 *   <li>{@code last/diverged.safetensors}: the weights before a step whose loss or gradient was not finite
 *   <li>{@code metrics.csv}, {@code metrics.jsonl}: a line an epoch
 *   <li>{@code confusion.csv}, {@code per-class.csv}: of the best weights
 * </ul>
 *
 * @param path the folder
 */
public record RunFolder(Path path) {

    /** What the run was started with. */
    public static final String OPTIONS = "train.json";

    /** The classes' names, one a line. */
    public static final String LABELS = "labels.txt";

    /** The confusion matrix of the best weights. */
    public static final String CONFUSION = "confusion.csv";

    /** Each class's accuracy with the best weights. */
    public static final String PER_CLASS = "per-class.csv";

    private static final String METRICS = "metrics.csv";
    private static final String METRICS_LINES = "metrics.jsonl";
    private static final String LOCK = ".lock";

    /** The best weights of a run before its folder was a model folder. */
    private static final String EARLIER_BEST = "best.safetensors";

    private static final int SUFFIX_DIGITS = 16;

    /**
     * Makes the folder of a new run.
     *
     * @param path a folder that is empty or not there
     * @return the folder, ready
     * @throws IllegalArgumentException as of {@link #requireFree}
     * @throws IOException as of {@link #requireFree}
     */
    public static RunFolder create(Path path) throws IOException {
        requireFree(path);
        RunFolder folder = new RunFolder(path);
        folder.makeFolders();
        return folder;
    }

    /**
     * Refuses a folder that no new run can have, without making it.
     *
     * @param path a folder that is empty or not there
     * @throws IllegalArgumentException if there is something in it, or it is not a folder
     * @throws IOException if it cannot be made or listed
     */
    public static void requireFree(Path path) throws IOException {
        Path there = path.toAbsolutePath();
        while (there.getParent() != null && !Files.exists(there)) {
            there = there.getParent();
        }
        if (!there.equals(path.toAbsolutePath()) && !Files.isDirectory(there)) {
            throw new IOException(path + ": cannot be made, because " + there + " is not a folder; name another");
        }
        if (!Files.isWritable(there)) {
            throw new IOException(
                    path + ": cannot be made, because " + there + " is not writable; check its permissions");
        }
        if (Files.exists(path)) {
            if (!Files.isDirectory(path)) {
                throw new IllegalArgumentException(path + ": is not a folder; name one for the run");
            }
            // A process that was killed early leaves its lock.
            try (Stream<Path> inside = Files.walk(path)) {
                if (inside.anyMatch(each -> Files.isRegularFile(each) && !isLeftover(each) && !each.endsWith(LOCK))) {
                    throw new IllegalArgumentException(
                            path + ": is not empty; resume the run in it with --resume, or name another folder");
                }
            } catch (FileSystemException | UncheckedIOException e) {
                throw new IOException(path + ": cannot be listed (" + e + "); check its permissions", e);
            }
        }
    }

    void makeFolders() throws IOException {
        try {
            Files.createDirectories(last());
        } catch (FileSystemException e) {
            throw new IOException(path + ": cannot be made a run's folder (" + e + "); check its permissions", e);
        }
    }

    /**
     * Opens the folder of a run that was begun.
     *
     * @param path the folder
     * @return the folder
     * @throws IOException if no run was begun in it, or by a version that arranged the folder in another way
     */
    public static RunFolder open(Path path) throws IOException {
        RunFolder folder = new RunFolder(path);
        if (!Files.isRegularFile(folder.options())) {
            if (Files.isRegularFile(path.resolve(EARLIER_BEST)) || folder.holdsEarlierOptions()) {
                throw new IOException(path + ": is a run of an earlier version of ConvZoo, which kept its options in "
                        + ModelFolder.CONFIG + "; finish it with that version, or start a new run from its weights with"
                        + " --weights");
            }
            throw new IOException(path + ": no training run was begun here: there is no " + OPTIONS);
        }
        return folder;
    }

    /** Whether config.json holds a run's options, and so is not a model's configuration. */
    private boolean holdsEarlierOptions() throws IOException {
        Path file = path.resolve(ModelFolder.CONFIG);
        if (!Files.isRegularFile(file)) {
            return false;
        }
        try {
            return JsonParser.parseString(TextFile.read(file)) instanceof JsonObject object
                    && object.has("model")
                    && object.has("epochs")
                    && !object.has("architecture");
        } catch (JsonParseException e) {
            return false;
        }
    }

    /**
     * What the run was started with.
     *
     * @return a JSON file
     */
    public Path options() {
        return path.resolve(OPTIONS);
    }

    /**
     * The classes' names.
     *
     * @return a text file
     */
    public Path labels() {
        return path.resolve(LABELS);
    }

    /**
     * The weights that validated best.
     *
     * @return a safetensors file
     */
    public Path best() {
        return path.resolve(ModelFolder.WEIGHTS);
    }

    /**
     * What the run resumes from.
     *
     * @return a safetensors file
     */
    public Path state() {
        return last().resolve("state.safetensors");
    }

    /**
     * The weights after the last whole epoch.
     *
     * @return a safetensors file
     */
    public Path lastWeights() {
        return last().resolve(ModelFolder.WEIGHTS);
    }

    /**
     * The weights that features are computed with, where the classifier alone learns; whoever makes such a run keeps them.
     *
     * @return a safetensors file
     */
    public Path start() {
        return last().resolve("start.safetensors");
    }

    /**
     * The weights before a step whose loss or gradient was not finite.
     *
     * @return a safetensors file; there only where a step was
     */
    public Path diverged() {
        return last().resolve("diverged.safetensors");
    }

    /** Held by the process that is at work in the folder. */
    Path lock() {
        return last().resolve(LOCK);
    }

    /** The folder of the last weights and of the state. */
    Path last() {
        return path.resolve("last");
    }

    /**
     * Replaces a text file.
     *
     * @param name its name in the folder
     * @param text all of it
     * @throws IOException if it cannot be written; then what was there stays
     */
    public void write(String name, String text) throws IOException {
        ReplacedFile.write(path.resolve(name), text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * The epochs so far.
     *
     * @return in order; empty before the first has ended
     * @throws IOException if they cannot be read
     */
    public List<EpochMetrics> metrics() throws IOException {
        Path file = path.resolve(METRICS_LINES);
        List<EpochMetrics> metrics = new ArrayList<>();
        if (Files.exists(file)) {
            try {
                for (String line : TextFile.read(file).lines().toList()) {
                    if (!line.isBlank()) {
                        metrics.add(EpochMetrics.ofJson(line));
                    }
                }
            } catch (JsonParseException e) {
                throw new IOException(file + ": is damaged in line " + (metrics.size() + 1) + "; remove it", e);
            }
        }
        return metrics;
    }

    /**
     * Removes what a run that failed before it saved anything left, so that the next one finds the folder free. Nothing
     * happens if weights or a state were saved.
     *
     * @throws IOException if a file cannot be removed
     */
    public void removeUnlessSaved() throws IOException {
        for (Path saved : List.of(state(), best(), lastWeights(), diverged())) {
            if (Files.exists(saved)) {
                return;
            }
        }
        for (String name : List.of(OPTIONS, ModelFolder.CONFIG, LABELS, "log.txt")) {
            Files.deleteIfExists(path.resolve(name));
        }
        Files.deleteIfExists(last().resolve(ModelFolder.CONFIG));
        Files.deleteIfExists(start());
        Files.deleteIfExists(lock());
        for (Path folder : List.of(last(), path)) {
            try {
                Files.deleteIfExists(folder);
            } catch (DirectoryNotEmptyException e) {
                // Somebody else's file.
                return;
            }
        }
    }

    /** Removes files that a crash left half-written under temporary names. */
    void removeLeftovers() throws IOException {
        for (Path each : List.of(path, last())) {
            try (Stream<Path> files = Files.list(each)) {
                for (Path file : files.filter(RunFolder::isLeftover).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    private static boolean isLeftover(Path file) {
        return file.getFileName().toString().matches("\\..+\\.[0-9a-f]{1," + SUFFIX_DIGITS + "}\\.tmp");
    }

    void writeMetrics(List<EpochMetrics> metrics) throws IOException {
        StringBuilder csv = new StringBuilder(EpochMetrics.CSV_HEAD).append('\n');
        StringBuilder json = new StringBuilder();
        for (EpochMetrics each : metrics) {
            csv.append(each.toCsv()).append('\n');
            json.append(each.toJson()).append('\n');
        }
        write(METRICS, csv.toString());
        write(METRICS_LINES, json.toString());
    }
}
