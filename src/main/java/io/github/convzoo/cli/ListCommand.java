package io.github.convzoo.cli;

import ai.djl.ndarray.types.Shape;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.Layer;
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
        description = "List the networks.",
        footer = {
            "",
            "Parameters and multiply-adds are those of the published network at its input size;",
            "accuracies are of the published weights on ImageNet's validation set.",
            "",
            "Examples:",
            "  convzoo list",
            "  convzoo list 'dla60*' --json"
        })
final class ListCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Parameters(
            arity = "0..1",
            paramLabel = "PATTERN",
            description = "Names, with * and ? standing for any characters.")
    @Nullable String pattern;

    @Option(names = "--json", description = "Print JSON; accuracies are fractions.")
    boolean json;

    @Mixin
    CommonOptions common = new CommonOptions();

    private record Row(
            String name,
            int inputSize,
            long parameters,
            long multiplyAdds,
            @Nullable Double top1,
            @Nullable Double top5) {}

    @Override
    public Integer call() {
        Pattern names = Glob.of(pattern == null ? "*" : pattern);
        List<Row> rows = new ArrayList<>();
        for (Variant variant : Variant.all().values()) {
            if (names.matcher(variant.modelName()).matches()) {
                rows.add(row(variant));
            }
        }
        if (rows.isEmpty()) {
            throw new IllegalArgumentException("no network is called " + pattern + "; there are "
                    + String.join(", ", Variant.all().keySet()));
        }
        if (json) {
            spec.commandLine().getOut().println(Json.of(rows));
            return Main.DONE;
        }
        Table table =
                new Table("name", "<", "input", ">", "parameters", ">", "GMACs", ">", "top-1 %", ">", "top-5 %", ">");
        for (Row row : rows) {
            table.row(
                    row.name,
                    Integer.toString(row.inputSize),
                    String.format(Locale.ROOT, "%,d", row.parameters),
                    String.format(Locale.ROOT, "%.3f", row.multiplyAdds / 1e9),
                    percent(row.top1),
                    percent(row.top5));
        }
        table.print(spec.commandLine().getOut());
        return Main.DONE;
    }

    private static Row row(Variant variant) {
        long side = variant.inputSize();
        List<Layer> layers = Layer.list(variant.build(), new Shape(1, 3, side, side));
        Optional<Manifest.Row> published = Manifest.first(variant.modelName());
        return new Row(
                variant.modelName(),
                variant.inputSize(),
                layers.stream().mapToLong(Layer::parameters).sum(),
                layers.stream().mapToLong(Layer::multiplyAdds).sum(),
                published.map(Manifest.Row::top1).orElse(null),
                published.map(Manifest.Row::top5).orElse(null));
    }

    private static String percent(@Nullable Double fraction) {
        return fraction == null ? "-" : String.format(Locale.ROOT, "%.3f", 100 * fraction);
    }
}
