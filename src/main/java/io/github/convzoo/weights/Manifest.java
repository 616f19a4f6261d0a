package io.github.convzoo.weights;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import io.github.convzoo.hub.RemoteFile;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.message.Spelling;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The published weights: their addresses, accuracies, and preprocessing. */
public final class Manifest {

    private static final List<String> FAMILIES = List.of("dla", "peleenet", "dpn", "fashion_mnist");

    private Manifest() {}

    /**
     * One published set of weights.
     *
     * @param model the network's name
     * @param tag distinguishes sets of weights of one network
     * @param hub the repository on the Hugging Face hub; null if none exists
     * @param urls older files, in order of preference
     * @param preprocessing the name of the preprocessing
     * @param top1 measured top-1 accuracy, from 0 to 1, on the data that the family states
     * @param top5 measured top-5 accuracy; null if not published
     * @param license the license of the weights
     * @param larger the accuracy on inputs larger than the training size; null if not published
     * @param bundled the file, if the library bundles it; null if it is downloaded
     */
    public record Row(
            String model,
            String tag,
            @Nullable String hub,
            List<String> urls,
            String preprocessing,
            double top1,
            @Nullable Double top5,
            String license,
            @Nullable Larger larger,
            @Nullable Bundled bundled) {

        /** {@return the unique name of the row, {@code model.tag}} */
        public String name() {
            return model + "." + tag;
        }

        /** {@return the addresses of the older files, in order of preference, with the hash prefixes in their names} */
        public List<OlderFile> olderFiles() {
            return urls.stream()
                    .map(url -> new OlderFile(url, RemoteFile.sha256Start(url.substring(url.lastIndexOf('/') + 1))))
                    .toList();
        }
    }

    /**
     * A weights file that is not on the hub, whose responses would announce the SHA-256.
     *
     * @param url its address
     * @param sha256Start the first digits of its SHA-256, in hexadecimal; null if its name has none
     */
    public record OlderFile(String url, @Nullable String sha256Start) {}

    /**
     * A weights file bundled with the library.
     *
     * @param file its name, next to the manifests
     * @param sha256 its SHA-256, in hexadecimal
     * @param labels the class names in the order of their numbers
     */
    public record Bundled(String file, String sha256, List<String> labels) {

        /** Copies the list. */
        public Bundled {
            labels = List.copyOf(labels);
        }
    }

    /**
     * The accuracy of weights on larger inputs.
     *
     * @param preprocessing the name of the preprocessing
     * @param top1 measured top-1 accuracy, from 0 to 1
     * @param top5 measured top-5 accuracy
     */
    public record Larger(String preprocessing, double top1, double top5) {}

    /**
     * The published weights of the networks of one paper.
     *
     * @param paper authors, title and venue
     * @param source the paper's address
     * @param accuracySource who measured the accuracies, and on which data
     * @param weights the rows
     */
    public record Family(String paper, String source, String accuracySource, List<Row> weights) {

        /** Copies the list. */
        public Family {
            weights = List.copyOf(weights);
        }
    }

    /** {@return all families by name, such as {@code dla}; unmodifiable} */
    public static Map<String, Family> families() {
        return Held.FAMILIES;
    }

    /** Loaded once, on first use. */
    private static final class Held {

        static final Map<String, Family> FAMILIES = families();
        static final Map<String, Preprocessing> PREPROCESSINGS = preprocessings();

        private static Map<String, Family> families() {
            Map<String, Family> families = new LinkedHashMap<>();
            for (String family : Manifest.FAMILIES) {
                families.put(family, read(family, Family.class));
            }
            return Collections.unmodifiableMap(families);
        }
    }

    /** {@return all rows; the first row of a network is the one that its name alone means} */
    public static List<Row> rows() {
        return families().values().stream()
                .flatMap(family -> family.weights().stream())
                .toList();
    }

    /**
     * {@return the weights that a network's name alone means: its first row; empty if there are no published weights}
     *
     * @param model the network's name
     */
    public static Optional<Row> first(String model) {
        return rows().stream().filter(row -> row.model().equals(model)).findFirst();
    }

    /**
     * {@return the weights with a name}
     *
     * @param name {@code model.tag}, or the network's name for its first row
     * @throws IllegalArgumentException if there are none; the message lists the existing ones
     */
    public static Row find(String name) {
        List<Row> rows = rows();
        for (Row row : rows) {
            if (row.name().equals(name) || row.model().equals(name)) {
                return row;
            }
        }
        List<String> names = rows.stream().map(Row::name).toList();
        throw new IllegalArgumentException("there are no published weights " + name + Spelling.advice(name, names));
    }

    /** The resource path of a file next to the manifests. */
    static String resource(String file) {
        return "/io/github/convzoo/models/" + file;
    }

    /**
     * {@return a preprocessing by name}
     *
     * @param name the preprocessing's name, such as {@code imagenet}
     * @throws IllegalArgumentException if none has this name
     */
    public static Preprocessing preprocessing(String name) {
        Preprocessing preprocessing = Held.PREPROCESSINGS.get(name);
        if (preprocessing == null) {
            throw new IllegalArgumentException(
                    "there is no preprocessing " + name + "; choose from " + Held.PREPROCESSINGS.keySet());
        }
        return preprocessing;
    }

    private static Map<String, Preprocessing> preprocessings() {
        JsonObject all = read("preprocessing", JsonObject.class);
        Map<String, Preprocessing> preprocessings = new LinkedHashMap<>();
        for (String name : all.keySet()) {
            preprocessings.put(name, PretrainedConfig.preprocessing(all.getAsJsonObject(name)));
        }
        return preprocessings;
    }

    private static <T> T read(String name, Class<T> type) {
        String resource = resource(name + ".json");
        try (InputStream in = Manifest.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("the library's jar lacks " + resource);
            }
            return new Gson().fromJson(new InputStreamReader(in, StandardCharsets.UTF_8), type);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (JsonParseException e) {
            throw new IllegalStateException("the library's " + resource + " is damaged", e);
        }
    }
}
