package io.github.convzoo.zoo;

import io.github.convzoo.checkpoint.Limits;
import io.github.convzoo.checkpoint.TextFile;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.Labels;
import io.github.convzoo.network.LastActivation;
import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The arguments of DJL's {@code Criteria}. Values may be text or numbers of any kind, because they may come from a
 * properties file or from JSON.
 */
record Arguments(Map<String, ?> values) {

    /** The model's name, which is an argument only for DJL's factories. */
    static final String MODEL = "model";

    /** An argument and its key in {@code Criteria}. */
    enum Key {
        /** A checkpoint file, model folder, or hub repository to load instead of the published weights. */
        WEIGHTS("weights"),
        /** The location of the weights in the checkpoint: a dotted path. */
        KEY("key"),
        /** Entries of the weights to ignore: name patterns, separated by commas. */
        IGNORE("ignore"),
        /** Limits for reading the checkpoint and images: NAME=NUMBER, separated by commas. */
        LIMITS("limits"),
        /** The number of classes. */
        NUM_CLASSES("numClasses"),
        /** The number of input channels. */
        IN_CHANNELS("inChannels"),
        /** The side of the square input, or its height x width. */
        INPUT_SIZE("inputSize"),
        /** The number of classes in a prediction. */
        TOP_K("topK"),
        /** A file of class names. */
        LABELS("labels"),
        /** DPN's test-time pooling. */
        TEST_TIME_POOL("testTimePool"),
        /** Whether to keep images as stored, regardless of their EXIF orientation. */
        IGNORE_ORIENTATION("ignoreOrientation"),
        /** DPN's last activation. */
        LAST_ACTIVATION("lastActivation"),
        /** Feature maps instead of logits: true, or the levels. */
        FEATURES_ONLY("featuresOnly"),
        /** Whether to prepare the model for training. */
        FOR_TRAINING("forTraining"),
        /** Whether to compile for prediction: true, or a runtime. */
        COMPILED("compiled"),
        /** The precision of a compiled model. */
        PRECISION("precision");

        final String text;

        Key(String text) {
            this.text = text;
        }
    }

    private static final Pattern INPUT_SIZE = Pattern.compile("(-?\\d{1,9})(?:\\.0|x(-?\\d{1,9}))?");

    /** Arguments that DJL itself adds. */
    private static final Set<String> DJLS = Set.of(
            "application",
            "engine",
            "model_name",
            "artifact_id",
            "hasParameter",
            "blockFactory",
            "translatorFactory",
            "batchifier",
            "mapLocation",
            "extraFiles",
            "trainParam",
            "dataType");

    /** Settings that DJL Serving reads from serving.properties and passes on with the rest. */
    private static final Pattern SERVINGS =
            Pattern.compile("(engine|translator|job_queue_size|batch_size|max_batch_delay"
                    + "|max_idle_time|minWorkers|maxWorkers|gpu\\.\\w+|cpu\\.\\w+|load_on_devices|rolling_batch"
                    + "|option\\..*"
                    + "|required_memory_mb|reserved_memory_mb|retry_threshold|log_request_metric|metrics_aggregation"
                    + "|chunked_read_timeout|prediction_timeout|model_url|env\\..*)");

    /** Whether a name is the key of an argument. */
    static boolean isKey(String name) {
        return Arrays.stream(Key.values()).anyMatch(key -> key.text.equals(name));
    }

    /**
     * Refuses unknown arguments, such as misspelled ones.
     *
     * @param home the model folder, if there is one: the file that an export wrote there for DJL's translator may have
     *     other arguments, because the folder's configuration says the same
     * @throws IllegalArgumentException naming the unknown arguments and the known ones
     */
    void refuseUnknown(@Nullable Path home) {
        Properties serving = serving(home);
        List<String> known = Arrays.stream(Key.values()).map(key -> key.text).toList();
        List<String> unknown = values.keySet().stream()
                .filter(key -> !known.contains(key)
                        && !key.equals(MODEL)
                        && !DJLS.contains(key)
                        && !SERVINGS.matcher(key).matches()
                        && !String.valueOf(values.get(key)).equals(serving.getProperty(key)))
                .sorted()
                .toList();
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException(
                    "unknown argument " + String.join(", ", unknown) + "; choose from " + String.join(", ", known));
        }
    }

    /**
     * The settings that an export wrote for DJL's own translator, which DJL passes to every loader of the folder; empty
     * if the file is missing or was written by something else.
     */
    private static Properties serving(@Nullable Path home) {
        Properties properties = new Properties();
        if (home == null) {
            return properties;
        }
        Path file = home.resolve(ModelFolder.SERVING);
        try {
            if (Files.isRegularFile(file)) {
                String text = TextFile.read(file);
                if (text.startsWith(ModelFolder.SERVING_MARK)) {
                    properties.load(new StringReader(text));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
        return properties;
    }

    /**
     * Converts the arguments to options.
     *
     * @param home the base of relative paths; null for the working directory
     * @throws IllegalArgumentException if a value is invalid; the message names its argument
     */
    LoadOptions options(@Nullable Path home) {
        LoadOptions options = LoadOptions.published();
        String weights = text(Key.WEIGHTS);
        if (weights != null) {
            options = weights.startsWith(ModelName.HUB)
                    ? LoadOptions.of(weights)
                    : LoadOptions.of(path(home, Key.WEIGHTS));
        }
        options = reading(options);
        Integer numClasses = whole(Key.NUM_CLASSES);
        if (numClasses != null) {
            options = options.withNumClasses(numClasses);
        }
        Integer inChannels = whole(Key.IN_CHANNELS);
        if (inChannels != null) {
            options = options.withInChannels(inChannels);
        }
        options = sized(options);
        Integer topK = whole(Key.TOP_K);
        if (topK != null) {
            options = options.withTopK(topK);
        }
        String lastActivation = text(Key.LAST_ACTIVATION);
        if (lastActivation != null) {
            options = options.withLastActivation(LastActivation.of(lastActivation));
        }
        if (flag(Key.IGNORE_ORIENTATION)) {
            options = options.withUpright(false);
        }
        options = options.withTestTimePool(flag(Key.TEST_TIME_POOL));
        String compiled = text(Key.COMPILED);
        if (compiled != null && !compiled.equals("false")) {
            options =
                    options.compiled(compiled.equals("true") ? CompiledRuntime.FASTEST : CompiledRuntime.of(compiled));
        }
        String precision = text(Key.PRECISION);
        if (precision != null) {
            options = options.withPrecision(CompiledPrecision.of(precision));
        }
        return flag(Key.FOR_TRAINING) ? options.forTraining() : options;
    }

    private LoadOptions sized(LoadOptions options) {
        String text = text(Key.INPUT_SIZE);
        if (text == null) {
            return options;
        }
        // Numbers from JSON have a fraction.
        Matcher matcher = INPUT_SIZE.matcher(text);
        if (!matcher.matches()) {
            throw wrong(Key.INPUT_SIZE, "a whole number, or height x width such as 192x320", text, null);
        }
        int height = Integer.parseInt(matcher.group(1));
        return matcher.group(2) == null
                ? options.withInputSize(height)
                : options.withInputSize(height, Integer.parseInt(matcher.group(2)));
    }

    private LoadOptions reading(LoadOptions options) {
        LoadOptions changed = options;
        String key = text(Key.KEY);
        if (key != null) {
            changed = changed.withKey(key);
        }
        List<String> ignored = texts(Key.IGNORE);
        if (!ignored.isEmpty()) {
            changed = changed.withIgnored(ignored.toArray(String[]::new));
        }
        Limits limits = Limits.DEFAULT;
        for (String limit : texts(Key.LIMITS)) {
            if (ImageDecoder.isLimit(limit)) {
                changed = changed.withDecoder(changed.decoder.withLimit(limit));
            } else {
                limits = limits.with(limit);
            }
        }
        return changed.withLimits(limits);
    }

    /** The comma-separated parts of a text; a list's own text has brackets. */
    private List<String> texts(Key key) {
        String text = text(key);
        return text == null
                ? List.of()
                : Arrays.stream(text.replaceAll("^\\[|\\]$", "").split(",", -1))
                        .map(String::strip)
                        .filter(each -> !each.isEmpty())
                        .toList();
    }

    /**
     * The options with the class names, which only a classifier needs.
     *
     * @param home the base of relative paths; null for the working directory
     * @throws IOException if the labels cannot be read
     * @throws IllegalArgumentException if a value is invalid; the message names its argument
     */
    LoadOptions labeled(@Nullable Path home) throws IOException {
        return text(Key.LABELS) == null ? options(home) : options(home).withLabels(Labels.read(path(home, Key.LABELS)));
    }

    /**
     * {@return the levels of the requested feature maps, empty for the default ones; null if no feature maps are
     * requested}
     *
     * @throws IllegalArgumentException if the value is neither true, false nor numbers
     */
    int @Nullable [] featureLevels() {
        String text = text(Key.FEATURES_ONLY);
        if (text == null || text.equalsIgnoreCase("false")) {
            return null;
        }
        if (text.equalsIgnoreCase("true")) {
            return new int[0];
        }
        try {
            // A list's own text has brackets, and JSON's numbers have fractions.
            return Arrays.stream(text.replaceAll("[\\[\\]\\s]", "").split(",", -1))
                    .mapToInt(each -> Integer.parseInt(each.replaceFirst("\\.0$", "")))
                    .toArray();
        } catch (NumberFormatException e) {
            throw wrong(Key.FEATURES_ONLY, "true, false or levels such as 2,3,4", text, e);
        }
    }

    private Path path(@Nullable Path home, Key key) {
        try {
            Path path = values.get(key.text) instanceof URI uri
                    ? Path.of(uri)
                    : values.get(key.text) instanceof Path given ? given : PathText.path(String.valueOf(text(key)));
            return home == null ? path : home.resolve(path);
        } catch (IllegalArgumentException | FileSystemNotFoundException e) {
            throw wrong(key, "a file", text(key), e);
        }
    }

    private boolean flag(Key key) {
        String text = text(key);
        if (text == null || text.equalsIgnoreCase("false")) {
            return false;
        }
        if (text.equalsIgnoreCase("true")) {
            return true;
        }
        throw wrong(key, "true or false", text, null);
    }

    private @Nullable Integer whole(Key key) {
        String text = text(key);
        try {
            return text == null ? null : Integer.valueOf(text.replaceFirst("\\.0$", ""));
        } catch (NumberFormatException e) {
            throw wrong(key, "a whole number", text, e);
        }
    }

    private @Nullable String text(Key key) {
        Object value = values.get(key.text);
        if (value instanceof int[] numbers) {
            return Arrays.toString(numbers);
        }
        return value == null ? null : value.toString().strip();
    }

    private static IllegalArgumentException wrong(
            Key key, String expected, @Nullable String actual, @Nullable Exception cause) {
        return new IllegalArgumentException(
                "the argument " + key.text + " must be " + expected + ", not " + actual, cause);
    }
}
