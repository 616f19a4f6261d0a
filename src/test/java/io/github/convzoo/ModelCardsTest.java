package io.github.convzoo;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.types.Shape;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.Layer;
import io.github.convzoo.weights.Manifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The cards beside the manifests say what the manifests and the networks say. */
class ModelCardsTest {

    private static final Pattern TITLE = Pattern.compile("\\*([^*]+)\\*");
    private static final Pattern LOADED = Pattern.compile("(?:pull |--model |ConvZoo\\.load\\(\")([a-z0-9_.]+)");
    private static final Pattern LINK = Pattern.compile("\\]\\((\\.\\./[^)]+)\\)");

    static Stream<String> families() {
        return Manifest.families().keySet().stream();
    }

    private static Manifest.Family family(String name) {
        return Objects.requireNonNull(Manifest.families().get(name));
    }

    private static String card(String family) throws IOException {
        return Files.readString(Path.of("models", family + ".md")).replace("\r\n", "\n");
    }

    /** The lines of the table whose head begins so, without head and rule. */
    private static List<String> table(String card, String head) {
        return card.lines()
                .dropWhile(line -> !line.startsWith(head))
                .skip(2)
                .takeWhile(line -> line.startsWith("|"))
                .toList();
    }

    @Test
    void manifest_ofEveryFamily_hasACard() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("models"))) {
            Set<String> names = files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
            Set<String> expected = families()
                    .flatMap(family -> Stream.of(family + ".json", family + ".md"))
                    .collect(Collectors.toSet());
            for (Manifest.Row row : Manifest.rows()) {
                Manifest.Bundled bundled = row.bundled();
                if (bundled != null) {
                    String name = bundled.file().replace(".safetensors", "");
                    expected.addAll(List.of(bundled.file(), name + ".config.json", name + ".metrics.csv"));
                }
            }
            // What the families share.
            expected.add("preprocessing.json");
            assertThat(names).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void card_hasEveryRowWithItsNumbers(String family) throws IOException {
        List<String> expected = new ArrayList<>();
        for (Manifest.Row row : family(family).weights()) {
            expected.add(line(row, row.preprocessing(), row.top1(), row.top5()));
            Manifest.Larger larger = row.larger();
            if (larger != null) {
                expected.add(line(row, larger.preprocessing(), larger.top1(), larger.top5()));
            }
        }
        assertThat(table(card(family), "| weights | top-1 % | top-5 % | parameters (M) | GMACs | size (MB) |"))
                .containsExactlyElementsOf(expected);
    }

    private static String line(Manifest.Row row, String preprocessing, double top1, @Nullable Double top5) {
        long side = Manifest.preprocessing(preprocessing).height();
        Variant variant = Variant.of(row.model());
        Manifest.Bundled bundled = row.bundled();
        int classes = bundled == null
                ? variant.options().numClasses()
                : bundled.labels().size();
        List<Layer> layers =
                Layer.list(variant.build(variant.options().withNumClasses(classes)), new Shape(1, 3, side, side));
        long parameters = layers.stream().mapToLong(Layer::parameters).sum();
        long statistics = layers.stream().mapToLong(Layer::statistics).sum();
        long multiplyAdds = layers.stream().mapToLong(Layer::multiplyAdds).sum();
        return String.format(
                Locale.ROOT,
                "| `%s` | %.3f | %s | %.3f | %.3f | %.1f | %s | %s |",
                row.name(),
                100 * top1,
                top5 == null ? "" : String.format(Locale.ROOT, "%.3f", 100 * top5),
                parameters / 1e6,
                multiplyAdds / 1e9,
                (parameters + statistics) * 4 / 1e6,
                preprocessing,
                row.license());
    }

    @ParameterizedTest
    @MethodSource("families")
    void card_hasEveryPreprocessingInNumbers(String family) throws IOException {
        Set<String> names = new LinkedHashSet<>();
        for (Manifest.Row row : family(family).weights()) {
            names.add(row.preprocessing());
            Manifest.Larger larger = row.larger();
            if (larger != null) {
                names.add(larger.preprocessing());
            }
        }
        List<String> expected = new ArrayList<>();
        for (String name : names) {
            Preprocessing preprocessing = Manifest.preprocessing(name);
            expected.add(String.format(
                    Locale.ROOT,
                    "| %s | %d | %d | %s | %s | %s |",
                    name,
                    preprocessing.height(),
                    preprocessing.resizedSide(),
                    preprocessing.resampling().name().toLowerCase(Locale.ROOT),
                    decimals(preprocessing.normalization().mean()),
                    decimals(preprocessing.normalization().std())));
        }
        assertThat(table(card(family), "| name | input | shorter side | filter | mean |"))
                .containsExactlyInAnyOrderElementsOf(expected);
    }

    private static String decimals(List<Double> numbers) {
        return numbers.stream()
                .map(number -> String.format(Locale.ROOT, "%.4f", number).replaceFirst("0+$", ""))
                .collect(Collectors.joining(" "));
    }

    @ParameterizedTest
    @MethodSource("families")
    void card_hasEveryAddress(String family) throws IOException {
        List<String> expected = new ArrayList<>();
        for (Manifest.Row row : family(family).weights()) {
            String hub = row.hub() == null ? "" : "[" + row.hub() + "](https://huggingface.co/" + row.hub() + ")";
            String files = row.urls().stream()
                    .map(url -> "[" + url.substring(url.lastIndexOf('/') + 1) + "](" + url + ")")
                    .collect(Collectors.joining(", "));
            expected.add("| `" + row.name() + "` | " + hub + " | " + files + " |");
        }
        assertThat(table(card(family), "| weights | hub | older files |")).containsExactlyElementsOf(expected);
    }

    @ParameterizedTest
    @MethodSource("families")
    void card_namesThePaperAndWhoMeasured(String name) throws IOException {
        Manifest.Family family = family(name);
        String card = card(name);

        assertThat(card).contains("<" + family.source() + ">", "- Accuracies: " + family.accuracySource() + ".\n");
        Matcher title = TITLE.matcher(card.replaceAll("\n +", " "));
        assertThat(title.find()).isTrue();
        assertThat(family.paper()).contains(title.group(1));
    }

    @ParameterizedTest
    @MethodSource("families")
    void card_loadsWhatThereIs(String family) throws IOException {
        Matcher loaded = LOADED.matcher(card(family));
        int found = 0;
        while (loaded.find()) {
            found++;
            assertThat(Manifest.find(loaded.group(1)).model()).isNotBlank();
        }
        assertThat(found).isGreaterThanOrEqualTo(3);
    }

    @ParameterizedTest
    @MethodSource("families")
    void links_toOtherFiles_leadSomewhere(String family) throws IOException {
        Matcher link = LINK.matcher(card(family));
        int found = 0;
        while (link.find()) {
            found++;
            assertThat(Path.of("models").resolve(link.group(1)).normalize()).exists();
        }
        assertThat(found).isPositive();
    }
}
