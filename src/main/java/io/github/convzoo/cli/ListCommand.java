package io.github.convzoo.cli;

import ai.djl.ndarray.types.Shape;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.message.Spelling;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.Layer;
import io.github.convzoo.weights.Glob;
import io.github.convzoo.weights.Manifest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "list",
        description = "List the networks and their published weights.",
        footer = {
            "",
            "Parameters and multiply-adds are for the published network at the input size; accuracies are the"
                    + " published "
                    + "weights' on ImageNet's validation set. NAME.TAG is a set of weights; NAME alone means the"
                    + " first. JSON"
                    + " also has "
                    + "their source and preprocessing.",
            "",
            "Examples:",
            "  convzoo list",
            "  convzoo list 'dpn68b.*'",
            "  convzoo list 'dla60*' --json"
        })
final class ListCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Parameters(
            arity = "0..1",
            paramLabel = "PATTERN",
            description = "Names to list, with or without a tag; * and ? are wildcards.")
    @Nullable String pattern;

    @Option(names = "--json", description = "Print JSON; accuracies are fractions.")
    boolean json;

    @Mixin
    CommonOptions common = new CommonOptions();

    private record Input(
            String name,
            int height,
            int width,
            @Nullable Integer shorterSide,
            String resampling,
            List<Double> mean,
            List<Double> std) {}

    private record Larger(Input preprocessing, double top1, double top5) {}

    private record Weights(
            String name,
            String tag,
            int numClasses,
            long parameters,
            long multiplyAdds,
            double top1,
            @Nullable Double top5,
            Input preprocessing,
            @Nullable Larger larger,
            String license,
            boolean bundled,
            @Nullable String hub,
            List<Manifest.OlderFile> olderFiles,
            String paper,
            String paperUrl,
            String accuracySource) {}

    private record Row(
            String name,
            int inputSize,
            long parameters,
            long multiplyAdds,
            @Nullable Double top1,
            @Nullable Double top5,
            List<Weights> weights) {}

    @Override
    public Integer call() {
        Pattern names = Glob.of(pattern == null ? "*" : pattern);
        List<Row> rows = new ArrayList<>();
        for (Variant variant : Variant.all().values()) {
            boolean whole = names.matcher(variant.modelName()).matches();
            List<Weights> weights = weights(variant).stream()
                    .filter(each -> whole || names.matcher(each.name).matches())
                    .toList();
            if (whole || !weights.isEmpty()) {
                rows.add(row(variant, weights));
            }
        }
        if (rows.isEmpty()) {
            List<String> all = new ArrayList<>(Variant.all().keySet());
            Manifest.rows().forEach(each -> all.add(each.name()));
            String question = Spelling.question(String.valueOf(pattern), all);
            throw new IllegalArgumentException("no network is named " + pattern
                    + (question.isEmpty()
                            ? "; choose from " + String.join(", ", Variant.all().keySet())
                            : question));
        }
        if (json) {
            spec.commandLine().getOut().println(Json.of(rows));
        } else {
            print(rows);
        }
        return Main.DONE;
    }

    private static List<Weights> weights(Variant variant) {
        List<Weights> weights = new ArrayList<>();
        for (Manifest.Family family : Manifest.families().values()) {
            for (Manifest.Row row : family.weights()) {
                if (row.model().equals(variant.modelName())) {
                    weights.add(weights(family, row));
                }
            }
        }
        return weights;
    }

    private static Weights weights(Manifest.Family family, Manifest.Row row) {
        Manifest.Larger larger = row.larger();
        Variant variant = Variant.of(row.model());
        Manifest.Bundled bundled = row.bundled();
        int classes = bundled == null
                ? variant.options().numClasses()
                : bundled.labels().size();
        List<Layer> layers = layers(
                variant, classes, Manifest.preprocessing(row.preprocessing()).height());
        return new Weights(
                row.name(),
                row.tag(),
                classes,
                parameters(layers),
                multiplyAdds(layers),
                row.top1(),
                row.top5(),
                input(row.preprocessing()),
                larger == null ? null : new Larger(input(larger.preprocessing()), larger.top1(), larger.top5()),
                row.license(),
                bundled != null,
                row.hub(),
                row.olderFiles(),
                family.paper(),
                family.source(),
                family.accuracySource());
    }

    private static Input input(String name) {
        Preprocessing preprocessing = Manifest.preprocessing(name);
        return new Input(
                name,
                preprocessing.height(),
                preprocessing.width(),
                preprocessing.resizedSide(),
                preprocessing.resampling().name().toLowerCase(Locale.ROOT),
                preprocessing.normalization().mean(),
                preprocessing.normalization().std());
    }

    private static Row row(Variant variant, List<Weights> weights) {
        List<Layer> layers = layers(variant, variant.options().numClasses(), variant.inputSize());
        Optional<Manifest.Row> published = Manifest.first(variant.modelName());
        return new Row(
                variant.modelName(),
                variant.inputSize(),
                parameters(layers),
                multiplyAdds(layers),
                published.map(Manifest.Row::top1).orElse(null),
                published.map(Manifest.Row::top5).orElse(null),
                weights);
    }

    private static List<Layer> layers(Variant variant, int classes, int side) {
        return Layer.list(variant.build(variant.options().withNumClasses(classes)), new Shape(1, 3, side, side));
    }

    private static long parameters(List<Layer> layers) {
        return layers.stream().mapToLong(Layer::parameters).sum();
    }

    private static long multiplyAdds(List<Layer> layers) {
        return layers.stream().mapToLong(Layer::multiplyAdds).sum();
    }

    /** Prints one line per set of weights and measured input size. */
    private void print(List<Row> rows) {
        Table table = new Table(
                "name",
                "<",
                "tag",
                "<",
                "input",
                ">",
                "parameters",
                ">",
                "GMACs",
                ">",
                "top-1 %",
                ">",
                "top-5 %",
                ">",
                "license",
                "<");
        for (Row row : rows) {
            if (row.weights.isEmpty()) {
                line(table, row.name, "-", row.inputSize, row.parameters, row.multiplyAdds, null, null, "-");
            }
            for (Weights each : row.weights) {
                line(
                        table,
                        row.name,
                        each.tag,
                        each.preprocessing.height,
                        each.parameters,
                        each.multiplyAdds,
                        each.top1,
                        each.top5,
                        each.license);
                if (each.larger != null) {
                    int side = each.larger.preprocessing.height;
                    long multiplyAdds = multiplyAdds(layers(Variant.of(row.name), each.numClasses, side));
                    line(
                            table,
                            row.name,
                            each.tag,
                            side,
                            each.parameters,
                            multiplyAdds,
                            each.larger.top1,
                            each.larger.top5,
                            each.license);
                }
            }
        }
        table.print(spec.commandLine().getOut());
    }

    private static void line(
            Table table,
            String name,
            String tag,
            int side,
            long parameters,
            long multiplyAdds,
            @Nullable Double top1,
            @Nullable Double top5,
            String license) {
        table.row(
                name,
                tag,
                Integer.toString(side),
                String.format(Locale.ROOT, "%,d", parameters),
                String.format(Locale.ROOT, "%.3f", multiplyAdds / 1e9),
                percent(top1),
                percent(top5),
                license);
    }

    private static String percent(@Nullable Double fraction) {
        return fraction == null ? "-" : String.format(Locale.ROOT, "%.3f", 100 * fraction);
    }
}
