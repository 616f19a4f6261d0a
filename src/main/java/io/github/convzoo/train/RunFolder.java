package io.github.convzoo.train;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.github.convzoo.checkpoint.ReplacedFile;
import io.github.convzoo.checkpoint.TextFile;
import io.github.convzoo.message.Reason;
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
 * The folder of a training run. Each file is replaced atomically: after a crash, the previous version remains. The
 * folder is a model folder with the best weights, and {@code last} in it is one with the last weights, if the run knows
 * the model's configuration.
 *
 * <ul>
 * <li>{@code config.json}, {@code last/config.json}: the model's configuration, identical
 * <li>{@code train.json}: the options of the run
 * <li>{@code labels.txt}: the class names, as in {@link io.github.convzoo.image.Labels#toText}
 * <li>{@code model.safetensors}: the weights with the best validation result, those of the moving average if there is
 * one
 * <li>{@code last/state.safetensors}: everything needed to resume
 * <li>{@code last/model.safetensors}: the weights of the last complete epoch
 * <li>{@code last/start.safetensors}: the weights that compute features, if only the classifier is trained
 * <li>{@code last/diverged.safetensors}: the weights before a step whose loss or gradient was not finite
 * <li>{@code metrics.csv}, {@code metrics.jsonl}: one line per epoch
 * <li>{@code confusion.csv}, {@code per-class.csv}: the confusion matrix and per-class accuracy of the best weights
 * </ul>
 *
 * @param path the folder
 */
public record RunFolder(Path path) {

    /** The options of the run. */
    public static final String OPTIONS = "train.json";

    /** The class names. */
    public static final String LABELS = "labels.txt";

    /** The confusion matrix of the best weights. */
    public static final String CONFUSION = "confusion.csv";

    /** The per-class accuracy of the best weights. */
    public static final String PER_CLASS = "per-class.csv";

    private static final String METRICS = "metrics.csv";
    private static final String METRICS_LINES = "metrics.jsonl";
    private static final String LOCK = ".lock";

    /** The best weights in run folders of earlier versions, which were not model folders. */
    private static final String EARLIER_BEST = "best.safetensors";

    private static final int SUFFIX_DIGITS = 16;

    /**
     * Creates the folder of a new run.
     *
     * @param path a folder that is empty or does not exist
     * @return the folder, ready for use
     * @throws IllegalArgumentException as in {@link #requireFree}
     * @throws IOException as in {@link #requireFree}
     */
    public static RunFolder create(Path path) throws IOException {
        requireFree(path);
        RunFolder folder = new RunFolder(path);
        folder.makeFolders();
        return folder;
    }

    /**
     * Refuses a folder that a new run cannot use, without creating it.
     *
     * @param path a folder that is empty or does not exist
     * @throws IllegalArgumentException if it is not empty, or not a folder
     * @throws IOException if it cannot be created or listed
     */
    public static void requireFree(Path path) throws IOException {
        Path there = path.toAbsolutePath();
        while (there.getParent() != null && !Files.exists(there)) {
            there = there.getParent();
        }
        if (!there.equals(path.toAbsolutePath()) && !Files.isDirectory(there)) {
            throw new IOException(path + ": cannot be created because " + there + " is not a folder; choose another");
        }
        if (!Files.isWritable(there)) {
            throw new IOException(
                    path + ": cannot be created because " + there + " is not writable; check its permissions");
        }
        if (Files.exists(path)) {
            if (!Files.isDirectory(path)) {
                throw new IllegalArgumentException(path + ": not a folder; choose a folder for the run");
            }
            // A process that was killed early leaves its lock.
            try (Stream<Path> inside = Files.walk(path)) {
                if (inside.anyMatch(each -> Files.isRegularFile(each) && !isLeftover(each) && !each.endsWith(LOCK))) {
                    throw new IllegalArgumentException(path + ": not empty; "
                            + (Files.isRegularFile(path.resolve(OPTIONS))
                                    ? "resume the run in it with --resume, or choose another folder"
                                    : "choose another folder"));
                }
            } catch (FileSystemException | UncheckedIOException e) {
                throw new IOException(
                        path + ": cannot be listed (" + Reason.within(path, e) + "); check its permissions", e);
            }
        }
    }

    void makeFolders() throws IOException {
        try {
            Files.createDirectories(last());
        } catch (FileSystemException e) {
            throw new IOException(
                    path + ": cannot be set up for a run (" + Reason.within(path, e) + "); check its permissions", e);
        }
    }

    /**
     * Opens the folder of an existing run.
     *
     * @param path the folder
     * @return the folder
     * @throws IOException if it has no run, or one of a version with another folder layout
     */
    public static RunFolder open(Path path) throws IOException {
        RunFolder folder = new RunFolder(path);
        if (!Files.isRegularFile(folder.options())) {
            if (Files.isRegularFile(path.resolve(EARLIER_BEST)) || folder.holdsEarlierOptions()) {
                throw new IOException(path
                        + ": this run is from an earlier version of ConvZoo, which kept its options in "
                        + ModelFolder.CONFIG + "; finish it with that version, or start a new run from its weights with"
                        + " --weights");
            }
            throw new IOException(path + ": no training run found here (no " + OPTIONS + ")");
        }
        return folder;
    }

    /** Whether config.json has a run's options rather than a model's configuration. */
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

    /** {@return the JSON file of the run's options} */
    public Path options() {
        return path.resolve(OPTIONS);
    }

    /** {@return the text file of class names} */
    public Path labels() {
        return path.resolve(LABELS);
    }

    /** {@return the safetensors file of the weights with the best validation result} */
    public Path best() {
        return path.resolve(ModelFolder.WEIGHTS);
    }

    /** {@return the safetensors file of the state to resume from} */
    public Path state() {
        return last().resolve("state.safetensors");
    }

    /** {@return the safetensors file of the weights after the last complete epoch} */
    public Path lastWeights() {
        return last().resolve(ModelFolder.WEIGHTS);
    }

    /**
     * {@return the safetensors file of the weights that compute features, if only the classifier is trained} The
     * creator of the run saves them.
     */
    public Path start() {
        return last().resolve("start.safetensors");
    }

    /**
     * {@return the safetensors file of the weights before a step whose loss or gradient was not finite, which exists
     * only after such a step}
     */
    public Path diverged() {
        return last().resolve("diverged.safetensors");
    }

    /** Locked by the process that uses the folder. */
    Path lock() {
        return last().resolve(LOCK);
    }

    /** The folder of the last weights and the state. */
    Path last() {
        return path.resolve("last");
    }

    /**
     * Replaces a text file.
     *
     * @param name its name in the folder
     * @param text the whole content
     * @throws IOException if it cannot be written; then the previous file remains
     */
    public void write(String name, String text) throws IOException {
        ReplacedFile.write(path.resolve(name), text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * {@return the metrics of the epochs so far, in order; empty before the first has ended}
     *
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
                throw new IOException(file + ": line " + (metrics.size() + 1) + " is damaged; remove the file", e);
            }
        }
        return metrics;
    }

    /**
     * Removes the files of a run that failed before it saved anything, so that the folder is free for the next run.
     * Does nothing if weights or a state were saved.
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
                // A file of someone else.
                return;
            }
        }
    }

    /** Removes partial files with temporary names that a crash left behind. */
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
