package io.github.convzoo.weights;

import ai.djl.ndarray.types.Shape;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.github.convzoo.image.CropMode;
import io.github.convzoo.image.Labels;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.image.Resampling;
import io.github.convzoo.message.Reason;
import io.github.convzoo.network.DpnOptions;
import io.github.convzoo.network.FamilyOptions;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.NetworkOptions;
import io.github.convzoo.network.Variant;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes the parts of timm's {@code config.json} that determine how to use a model.
 *
 * <p>Source: timm 1.0.31, {@code models/_hub.py} and {@code data/config.py}.
 */
final class PretrainedConfig {

    private static final Gson GSON =
            new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

    private static final String OURS = "convzoo";
    private static final String ORIENTATION = "orientation";
    private static final String UPRIGHT = "upright";
    private static final String STORED = "as_stored";
    private static final String RESIZE = "resize";
    private static final String TIMM = "timm";

    /** timm's default, if a configuration omits it. */
    private static final double DEFAULT_CROP = 0.875;

    private static final String DEFAULT_INTERPOLATION = "bicubic";

    /** Arguments of timm's networks that do not change inference results. */
    private static final Set<String> HARMLESS = Set.of(
            "num_classes",
            "in_chans",
            "pretrained",
            "pretrained_cfg",
            "drop_rate",
            "drop_path_rate",
            "drop_block_rate");

    /** In UTF-16 units; the names of all networks take a few hundred. */
    private static final int LONGEST_PROBLEM = 2000;

    private PretrainedConfig() {}

    static ModelConfig parse(String json, String name) throws IOException {
        try {
            if (json.isBlank()) {
                throw new IOException(name + ": empty; expected timm's config.json");
            }
            if (!(JsonParser.parseString(json) instanceof JsonObject root)) {
                throw new IOException(
                        name + ": JSON, but not an object; expected timm's config.json with an architecture");
            }
            return parse(root);
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new IOException(name + ": " + brief(String.valueOf(e.getMessage())), e);
        } catch (JsonParseException | StackOverflowError e) {
            throw new IOException(name + ": not JSON (" + brief(Reason.ofJson(e)) + ")", e);
        }
    }

    private static ModelConfig parse(JsonObject root) {
        if (root.get("architecture") == null) {
            throw new IllegalArgumentException(
                    "has no architecture, so the network is unknown; timm's config.json has one");
        }
        // Older files have everything at the top level.
        JsonObject pretrained = root.has("pretrained_cfg") ? object(root, "pretrained_cfg") : root;
        JsonObject arguments = root.has("model_args") ? object(root, "model_args") : new JsonObject();
        JsonObject ours = root.has(OURS) ? object(root, OURS) : new JsonObject();
        Variant variant = variant(text(root, "architecture"));
        requireKnown(arguments);
        optional(root, "global_pool").filter(pool -> !pool.equals("avg")).ifPresent(pool -> {
            throw new IllegalArgumentException(
                    "global_pool is " + pool + ", which ConvZoo's networks do not support; export the model with avg");
        });
        if (present(pretrained, "label_offset") && whole(pretrained, "label_offset") != 0) {
            throw new IllegalArgumentException("label_offset " + whole(pretrained, "label_offset")
                    + " is not supported; export the model with only its classes");
        }
        int classes = classes(root, pretrained, arguments, variant);
        int channels = channels(pretrained, arguments);
        NetworkOptions options = variant.options().withNumClasses(classes).withInChannels(channels);
        options = options.withFamily(family(options.family(), ours, arguments));
        ModelConfig config = new ModelConfig(
                variant,
                options,
                resized(preprocessing(pretrained), ours),
                larger(pretrained),
                upright(ours),
                labels(root, pretrained, classes),
                optional(pretrained, "tag"),
                optional(pretrained, "license"));
        return config.withOptions(options);
    }

    private static Variant variant(String architecture) {
        // Older published configurations also name the weights there.
        int dot = architecture.indexOf('.');
        try {
            return Variant.of(dot < 0 ? architecture : architecture.substring(0, dot));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "architecture is " + architecture + ", which ConvZoo does not support: " + e.getMessage(), e);
        }
    }

    /** Refuses timm's arguments that change the network, naming them. */
    private static void requireKnown(JsonObject arguments) {
        for (Map.Entry<String, JsonElement> each : arguments.entrySet()) {
            JsonElement value = each.getValue();
            boolean usual =
                    switch (each.getKey()) {
                        case "global_pool" -> value.isJsonNull() || value.equals(new JsonPrimitive("avg"));
                        case "output_stride" -> value.isJsonNull() || value.equals(new JsonPrimitive(32));
                        case DpnOptions.TEST_TIME_POOL -> true;
                        default -> HARMLESS.contains(each.getKey());
                    };
            if (!usual) {
                throw new IllegalArgumentException("model_args has " + each.getKey() + " = " + value
                        + ", which ConvZoo's networks do not support; export the model without it");
            }
        }
    }

    private static int classes(JsonObject root, JsonObject pretrained, JsonObject arguments, Variant variant) {
        // The description of the saved weights takes precedence over that of the weights that they were trained from.
        for (JsonObject each : List.of(root, arguments, pretrained)) {
            if (present(each, "num_classes")) {
                return whole(each, "num_classes");
            }
        }
        return variant.options().numClasses();
    }

    private static int channels(JsonObject pretrained, JsonObject arguments) {
        if (present(arguments, "in_chans")) {
            return whole(arguments, "in_chans");
        }
        return pretrained.get("input_size") instanceof JsonArray size && size.size() == 3
                ? whole(size.get(0), "input_size")
                : 3;
    }

    private static FamilyOptions family(FamilyOptions published, JsonObject ours, JsonObject arguments) {
        FamilyOptions family = published;
        if (present(arguments, DpnOptions.TEST_TIME_POOL)) {
            family = family.with(DpnOptions.TEST_TIME_POOL, text(arguments, DpnOptions.TEST_TIME_POOL));
        }
        for (String key : ours.keySet()) {
            if (!Set.of(ORIENTATION, RESIZE, TIMM).contains(key)) {
                try {
                    family = family.with(key, text(ours, key));
                } catch (IllegalArgumentException e) {
                    throw new IllegalArgumentException(OURS + ": " + e.getMessage(), e);
                }
            }
        }
        return family;
    }

    private static boolean upright(JsonObject ours) {
        if (!ours.has(ORIENTATION)) {
            return true;
        }
        String orientation = text(ours, ORIENTATION);
        return switch (orientation) {
            case UPRIGHT -> true;
            case STORED -> false;
            default ->
                throw new IllegalArgumentException(
                        OURS + "." + ORIENTATION + " must be " + UPRIGHT + " or " + STORED + ", not " + orientation);
        };
    }

    private static Preprocessing resized(Preprocessing preprocessing, JsonObject ours) {
        if (!ours.has(RESIZE)) {
            return preprocessing;
        }
        String resize = text(ours, RESIZE);
        return switch (resize) {
            case "true" -> preprocessing;
            case "false" -> preprocessing.withCropMode(CropMode.UNRESIZED);
            default ->
                throw new IllegalArgumentException(OURS + "." + RESIZE + " must be true or false, not " + resize);
        };
    }

    /** The preprocessing in timm's keys, with timm's defaults for missing ones. */
    static Preprocessing preprocessing(JsonObject config) {
        return preprocessing(config, "input_size", "crop_pct");
    }

    private static Optional<Preprocessing> larger(JsonObject config) {
        if (!present(config, "test_input_size")) {
            return Optional.empty();
        }
        return Optional.of(preprocessing(
                config, "test_input_size", present(config, "test_crop_pct") ? "test_crop_pct" : "crop_pct"));
    }

    private static Preprocessing preprocessing(JsonObject config, String size, String crop) {
        int height = 224;
        int width = 224;
        if (config.get(size) instanceof JsonArray sizes) {
            if (sizes.size() != 3) {
                throw new IllegalArgumentException(size + " must be channels, height and width, not " + sizes);
            }
            height = whole(sizes.get(1), size);
            width = whole(sizes.get(2), size);
        } else if (present(config, size)) {
            height = whole(config, size);
            width = height;
        }
        List<Double> mean = statistics(config, "mean", Normalization.IMAGENET.mean());
        List<Double> std = statistics(config, "std", Normalization.IMAGENET.std());
        int channels = Math.max(mean.size(), std.size());
        String mode = optional(config, "crop_mode").orElse("center");
        if (mode.equalsIgnoreCase(CropMode.UNRESIZED.name())) {
            throw new IllegalArgumentException("unknown crop mode " + mode + "; use center, squash, or border");
        }
        return new Preprocessing(
                height,
                width,
                present(config, crop) ? real(config.get(crop), crop) : DEFAULT_CROP,
                CropMode.of(mode),
                resampling(optional(config, "interpolation").orElse(DEFAULT_INTERPOLATION)),
                new Normalization(repeated(mean, channels), repeated(std, channels)));
    }

    private static Resampling resampling(String interpolation) {
        for (Resampling each : Resampling.values()) {
            if (each.name().equalsIgnoreCase(interpolation)) {
                return each;
            }
        }
        throw new IllegalArgumentException(
                "interpolation " + interpolation + " is not supported; use nearest, bilinear, or bicubic");
    }

    private static List<Double> statistics(JsonObject config, String key, List<Double> otherwise) {
        if (!present(config, key)) {
            return otherwise;
        }
        if (!(config.get(key) instanceof JsonArray values)) {
            return List.of(real(config.get(key), key));
        }
        List<Double> statistics = new ArrayList<>();
        for (JsonElement each : values) {
            statistics.add(real(each, key));
        }
        return statistics;
    }

    private static List<Double> repeated(List<Double> values, int count) {
        return values.size() == 1 ? Collections.nCopies(count, values.get(0)) : values;
    }

    private static Optional<Labels> labels(JsonObject root, JsonObject pretrained, int classes) {
        JsonObject holder = present(root, "label_names") ? root : pretrained;
        String key = present(holder, "label_names") ? "label_names" : "labels";
        if (!present(holder, key)) {
            return Optional.empty();
        }
        JsonElement names = holder.get(key);
        List<String> labels = new ArrayList<>();
        if (names instanceof JsonArray list) {
            for (JsonElement each : list) {
                labels.add(text(each, key));
            }
        } else if (names instanceof JsonObject numbered) {
            // Classes without a name are named by their numbers.
            for (int i = 0; i < classes; i++) {
                labels.add(Integer.toString(i));
            }
            for (Map.Entry<String, JsonElement> each : numbered.entrySet()) {
                int number = number(each.getKey(), key, classes);
                labels.set(number, text(each.getValue(), key));
            }
        } else {
            throw new IllegalArgumentException(
                    key + " must be a list of names, or an object that maps numbers to names");
        }
        if (labels.size() != classes) {
            throw new IllegalArgumentException(
                    "has " + labels.size() + " " + key + " for num_classes " + classes + "; give one name per class");
        }
        return Optional.of(new Labels(labels));
    }

    private static int number(String text, String key, int classes) {
        int number = text.matches("\\d{1,9}") ? Integer.parseInt(text) : -1;
        if (number < 0 || number >= classes) {
            throw new IllegalArgumentException(
                    key + " has a class '" + text + "', but classes are 0 to " + (classes - 1));
        }
        return number;
    }

    static Optional<String> differenceToTimm(ModelConfig config) {
        Optional<String> network = config.variant().differenceToTimm(config.options());
        return network.isPresent() || config.preprocessing().cropMode() != CropMode.UNRESIZED
                ? network
                : Optional.of("timm resizes images, but this model does not");
    }

    static String toJson(ModelConfig config) {
        NetworkOptions options = config.options();
        Variant variant = config.variant();
        Preprocessing preprocessing = config.preprocessing();
        Network network = variant.build();
        JsonObject root = new JsonObject();
        root.addProperty("architecture", variant.modelName());
        root.addProperty("num_classes", options.numClasses());
        root.addProperty("num_features", features(variant));
        root.addProperty("global_pool", "avg");
        config.labels().ifPresent(labels -> root.add("label_names", GSON.toJsonTree(labels.names())));
        JsonObject arguments = new JsonObject();
        arguments.addProperty("num_classes", options.numClasses());
        arguments.addProperty("in_chans", options.inChannels());
        root.add("model_args", arguments);

        JsonObject pretrained = new JsonObject();
        config.tag().ifPresent(tag -> pretrained.addProperty("tag", tag));
        pretrained.add("input_size", size(options, preprocessing));
        pretrained.addProperty("fixed_input_size", false);
        pretrained.addProperty("interpolation", lower(preprocessing.resampling()));
        pretrained.addProperty("crop_pct", preprocessing.cropFraction());
        boolean resize = preprocessing.cropMode() != CropMode.UNRESIZED;
        pretrained.addProperty("crop_mode", lower(resize ? preprocessing.cropMode() : CropMode.CENTER));
        config.larger().ifPresent(larger -> {
            pretrained.add("test_input_size", size(options, larger));
            pretrained.addProperty("test_crop_pct", larger.cropFraction());
        });
        pretrained.add("mean", GSON.toJsonTree(preprocessing.normalization().mean()));
        pretrained.add("std", GSON.toJsonTree(preprocessing.normalization().std()));
        pretrained.addProperty("num_classes", options.numClasses());
        pretrained.addProperty("first_conv", network.firstConvolution());
        pretrained.addProperty("classifier", network.classifier());
        config.license().ifPresent(license -> pretrained.addProperty("license", license.toLowerCase(Locale.ROOT)));
        root.add("pretrained_cfg", pretrained);

        JsonObject ours = new JsonObject();
        ours.addProperty(ORIENTATION, config.upright() ? UPRIGHT : STORED);
        if (!resize) {
            ours.addProperty(RESIZE, false);
        }
        options.family().settings().forEach(ours::addProperty);
        differenceToTimm(config).ifPresent(why -> ours.addProperty(TIMM, why + "; load this folder with ConvZoo"));
        root.add(OURS, ours);
        return GSON.toJson(root) + "\n";
    }

    private static long features(Variant variant) {
        Network backbone = variant.build(variant.options().withNumClasses(0));
        int side = variant.inputSize();
        return backbone.getOutputShapes(new Shape[] {new Shape(1, 3, side, side)})[0].get(1);
    }

    private static JsonArray size(NetworkOptions options, Preprocessing preprocessing) {
        JsonArray size = new JsonArray();
        size.add(options.inChannels());
        size.add(preprocessing.height());
        size.add(preprocessing.width());
        return size;
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private static boolean present(JsonObject object, String key) {
        JsonElement value = object.get(key);
        return value != null && !value.isJsonNull();
    }

    private static JsonObject object(JsonObject holder, String key) {
        if (holder.get(key) instanceof JsonObject object) {
            return object;
        }
        throw new IllegalArgumentException(key + " must be an object, not " + shortened(holder.get(key)));
    }

    private static Optional<String> optional(JsonObject object, String key) {
        return present(object, key) ? Optional.of(text(object, key)) : Optional.empty();
    }

    private static String text(JsonObject object, String key) {
        return text(object.get(key), key);
    }

    private static String text(@Nullable JsonElement value, String key) {
        if (value instanceof JsonPrimitive text) {
            return text.getAsString();
        }
        throw new IllegalArgumentException(key + " must be text, not " + shortened(value));
    }

    private static int whole(JsonObject object, String key) {
        return whole(object.get(key), key);
    }

    private static int whole(@Nullable JsonElement value, String key) {
        double number = real(value, key);
        if (number != Math.rint(number) || number < 0 || number > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(key + " must be a whole number, not " + shortened(value));
        }
        return (int) number;
    }

    private static double real(@Nullable JsonElement value, String key) {
        try {
            if (value instanceof JsonPrimitive number && number.isNumber()) {
                return number.getAsDouble();
            }
        } catch (NumberFormatException e) {
            // Reported below.
        }
        throw new IllegalArgumentException(key + " must be a number, not " + shortened(value));
    }

    /** Problems quote the file, whose texts may be long. The remedy is at the end. */
    private static String brief(String problem) {
        int excess = problem.length() - LONGEST_PROBLEM;
        int half = LONGEST_PROBLEM / 2;
        return excess > 0 ? problem.substring(0, half) + "..." + problem.substring(half + excess) : problem;
    }

    private static String shortened(@Nullable JsonElement value) {
        String text = String.valueOf(value);
        return text.length() <= 60 ? text : text.substring(0, 57) + "...";
    }
}
