package io.github.convzoo.weights;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The published weights: where they are, what they reach, how they want their input. */
public final class Manifest {

    private static final List<String> FAMILIES = List.of("dla", "peleenet", "dpn");

    private Manifest() {}

    /**
     * One published set of weights.
     *
     * @param model the network's name
     * @param tag tells sets of weights of one network apart
     * @param hub the repository on the Hugging Face hub; null where there is none
     * @param urls older files, the preferred one first
     * @param preprocessing the name of the preprocessing
     * @param top1 measured accuracy on ImageNet's validation set, from 0 to 1
     * @param top5 likewise; null where it was not published
     * @param licence the licence that the weights are published under
     */
    public record Row(
            String model,
            String tag,
            @Nullable String hub,
            List<String> urls,
            String preprocessing,
            double top1,
            @Nullable Double top5,
            String licence) {

        /**
         * What tells the row from all others.
         *
         * @return {@code model.tag}
         */
        public String name() {
            return model + "." + tag;
        }
    }

    private record Family(String paper, String source, String accuracySource, List<Row> weights) {}

    /**
     * Every row.
     *
     * @return the rows, the first of a network being the one its name alone stands for
     */
    public static List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        for (String family : FAMILIES) {
            rows.addAll(read(family).weights());
        }
        return rows;
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

    private static Family read(String name) {
        String resource = "/io/github/convzoo/models/" + name + ".json";
        try (InputStream in = Manifest.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("the library's jar lacks " + resource);
            }
            return new Gson().fromJson(new InputStreamReader(in, StandardCharsets.UTF_8), Family.class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (JsonParseException e) {
            throw new IllegalStateException("the library's " + resource + " is damaged", e);
        }
    }
}
