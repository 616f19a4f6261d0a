package io.github.convzoo.weights;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import io.github.convzoo.hub.RemoteFile;
import io.github.convzoo.image.Preprocessing;
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
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The published weights: where they are, what they reach, how they want their input. */
public final class Manifest {

    private static final List<String> FAMILIES = List.of("dla", "peleenet", "dpn", "fashion_mnist");

    private Manifest() {}

    /**
     * One published set of weights.
     *
     * @param model the network's name
     * @param tag tells sets of weights of one network apart
     * @param hub the repository on the Hugging Face hub; null where there is none
     * @param urls older files, the preferred one first
     * @param preprocessing the name of the preprocessing
     * @param top1 measured accuracy, from 0 to 1, on what the family says
     * @param top5 likewise; null where it was not published
     * @param licence the licence that the weights are published under
     * @param larger what they reach on inputs larger than those they were trained on; null where that was not published
     * @param bundled the file, where the library itself brings it; null where it is fetched
     */
    public record Row(
            String model,
            String tag,
            @Nullable String hub,
            List<String> urls,
            String preprocessing,
            double top1,
            @Nullable Double top5,
            String licence,
            @Nullable Larger larger,
            @Nullable Bundled bundled) {

        /**
         * What tells the row from all others.
         *
         * @return {@code model.tag}
         */
        public String name() {
            return model + "." + tag;
        }

        /**
         * The older files, the preferred one first.
         *
         * @return their addresses, with what these say of the content
         */
        public List<OlderFile> olderFiles() {
            return urls.stream()
                    .map(url -> new OlderFile(url, RemoteFile.sha256Start(url.substring(url.lastIndexOf('/') + 1))))
                    .toList();
        }
    }

    /**
     * A file of weights beside the hub's, whose responses name the SHA-256 themselves.
     *
     * @param url its address
     * @param sha256Start the first digits of its SHA-256, in hexadecimal; null where its name does not say them
     */
    public record OlderFile(String url, @Nullable String sha256Start) {}

    /**
     * A file of weights that the library brings.
     *
     * @param file its name, beside the manifests
     * @param sha256 its SHA-256, in hexadecimal
     * @param labels the classes' names in the order of their numbers
     */
    public record Bundled(String file, String sha256, List<String> labels) {

        /**
         * Creates an entry of a copy of the given labels.
         *
         * @param file the file's name
         * @param sha256 its SHA-256
         * @param labels the classes' names
         */
        public Bundled {
            labels = List.copyOf(labels);
        }
    }

    /**
     * How weights do on larger inputs.
     *
     * @param preprocessing the name of the preprocessing
     * @param top1 measured accuracy, from 0 to 1
     * @param top5 likewise
     */
    public record Larger(String preprocessing, double top1, double top5) {}

    /**
     * The published weights of networks of one paper.
     *
     * @param paper authors, title and where it appeared
     * @param source the paper's address
     * @param accuracySource who measured the accuracies, on what
     * @param weights the rows
     */
    public record Family(String paper, String source, String accuracySource, List<Row> weights) {

        /**
         * Creates a family of a copy of the given rows.
         *
         * @param paper the paper
         * @param source its address
         * @param accuracySource who measured
         * @param weights the rows
         */
        public Family {
            weights = List.copyOf(weights);
        }
    }

    /**
     * Every family.
     *
     * @return the families by name, such as {@code dla}; not modifiable
     */
    public static Map<String, Family> families() {
        return Held.FAMILIES;
    }

    /** Read once, when first asked for. */
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

    /**
     * Every row.
     *
     * @return the rows, the first of a network being the one its name alone stands for
     */
    public static List<Row> rows() {
        return families().values().stream()
                .flatMap(family -> family.weights().stream())
                .toList();
    }

    /**
     * The weights that a network's name alone stands for.
     *
     * @param model the network's name
     * @return its first row; empty where there are no published weights
     */
    public static Optional<Row> first(String model) {
        return rows().stream().filter(row -> row.model().equals(model)).findFirst();
    }

    /**
     * The weights of a name.
     *
     * @param name {@code model.tag}, or the network's name alone for its first row
     * @return the row
     * @throws IllegalArgumentException if there are none; the message names those that there are
     */
    public static Row find(String name) {
        List<Row> rows = rows();
        for (Row row : rows) {
            if (row.name().equals(name) || row.model().equals(name)) {
                return row;
            }
        }
        throw new IllegalArgumentException("there are no published weights " + name + "; there are "
                + rows.stream().map(Row::name).collect(Collectors.joining(", ")));
    }

    /** Where the library has a file that stands beside the manifests. */
    static String resource(String file) {
        return "/io/github/convzoo/models/" + file;
    }

    /**
     * The preprocessing that rows name.
     *
     * @param name the preprocessing's name, such as {@code imagenet}
     * @return the preprocessing
     * @throws IllegalArgumentException if there is none of this name
     */
    public static Preprocessing preprocessing(String name) {
        Preprocessing preprocessing = Held.PREPROCESSINGS.get(name);
        if (preprocessing == null) {
            throw new IllegalArgumentException(
                    "there is no preprocessing " + name + "; there are " + Held.PREPROCESSINGS.keySet());
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
