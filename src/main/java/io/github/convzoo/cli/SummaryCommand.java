package io.github.convzoo.cli;

import ai.djl.ndarray.types.Shape;
import io.github.convzoo.checkpoint.ReplacedFile;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.NetworkOptions;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.GraphBlock;
import io.github.convzoo.nn.Layer;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "summary",
        description = "Show a network layer by layer.",
        footer = {
            "",
            "Examples:",
            "  convzoo summary dla34",
            "  convzoo summary run",
            "  convzoo summary peleenet --input-size 1x64x64 --num-classes 10",
            "  convzoo summary dpn68 --graph dpn68.dot"
        })
final class SummaryCommand implements Callable<Integer> {

    private static final Pattern SIZE = Pattern.compile("(\\d{1,6})x(\\d{1,6})x(\\d{1,6})");
    private static final double MEGABYTE = 1e6;

    @Spec
    CommandSpec spec = CommandSpec.create();

    @ParentCommand
    Main main = Main.inProcess();

    @Parameters(
            paramLabel = "MODEL",
            description = "A network (convzoo list shows them), a model folder, or hf-hub:owner/name[@revision].")
    String model = "";

    @Option(
            names = "--input-size",
            paramLabel = "CxHxW",
            description = "Channels, height, and width. Default: those of the published network.")
    @Nullable String inputSize;

    @Option(
            names = "--num-classes",
            paramLabel = "N",
            description = "The number of classes; 0 for pooled features. Default: the published network's.")
    @Nullable Integer numClasses;

    @Option(
            names = "--graph",
            paramLabel = "FILE.dot",
            description = "Also write the network's graph in Graphviz format (dot -Tsvg FILE.dot).")
    @Nullable Path graph;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    @Mixin
    CommonOptions common = new CommonOptions();

    private record LayerRow(String name, String kind, List<Long> output, long parameters, long multiplyAdds) {}

    private record Totals(
            String model,
            List<LayerRow> layers,
            long parameters,
            long statistics,
            long multiplyAdds,
            long inputBytes,
            long forwardBackwardBytes,
            long parameterBytes) {}

    @Override
    public Integer call() throws IOException {
        if (graph != null) {
            OutputFile.requireFile("--graph", graph);
        }
        LoadOptions from = LoadOptions.published().withStore(main.store());
        ModelConfig config = ConvZoo.configuration(model, numClasses == null ? from : from.withNumClasses(numClasses));
        Variant variant = config.variant();
        Shape input = inputSize == null ? config.input() : parse(inputSize);
        NetworkOptions options = config.options().withInChannels((int) input.get(1));
        Network network = variant.build(options);
        // Reports which inputs fit; the layers alone would only find that theirs do not.
        network.getOutputShapes(new Shape[] {input});
        List<Layer> layers = Layer.list(network, input);
        if (graph != null) {
            OutputFile.Existing existing = OutputFile.Existing.among(graph);
            Graph flow = network.graph();
            ReplacedFile.write(graph, flow.toDot(GraphBlock.types(flow, input)).getBytes(StandardCharsets.UTF_8));
            existing.sayReplaced(spec.commandLine().getErr());
        }

        long parameters = layers.stream().mapToLong(Layer::parameters).sum();
        long statistics = layers.stream().mapToLong(Layer::statistics).sum();
        long outputs = layers.stream().mapToLong(layer -> layer.output().size()).sum();
        Totals totals = new Totals(
                variant.modelName(),
                layers.stream()
                        .map(layer -> new LayerRow(
                                layer.name(),
                                layer.kind(),
                                Arrays.stream(layer.output().getShape()).boxed().toList(),
                                layer.parameters(),
                                layer.multiplyAdds()))
                        .toList(),
                parameters,
                statistics,
                layers.stream().mapToLong(Layer::multiplyAdds).sum(),
                input.size() * Float.BYTES,
                2 * outputs * Float.BYTES,
                (parameters + statistics) * Float.BYTES);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(Json.of(totals));
        } else {
            print(totals, out);
        }
        return Main.DONE;
    }

    private static void print(Totals totals, PrintWriter out) {
        Table table = new Table("layer", "<", "kind", "<", "output shape", "<", "parameters", ">");
        for (LayerRow layer : totals.layers) {
            table.row(
                    layer.name,
                    layer.kind,
                    layer.output.stream().map(Object::toString).collect(Collectors.joining(" x ")),
                    layer.parameters == 0 ? "" : String.format(Locale.ROOT, "%,d", layer.parameters));
        }
        table.print(out);
        out.println();
        out.printf(Locale.ROOT, "trainable parameters        %,15d%n", totals.parameters);
        out.printf(Locale.ROOT, "running statistics          %,15d%n", totals.statistics);
        out.printf(Locale.ROOT, "multiply-adds (G)           %15.3f%n", totals.multiplyAdds / 1e9);
        out.printf(Locale.ROOT, "input (MB)                  %15.2f%n", totals.inputBytes / MEGABYTE);
        out.printf(Locale.ROOT, "forward/backward pass (MB)  %15.2f%n", totals.forwardBackwardBytes / MEGABYTE);
        out.printf(Locale.ROOT, "parameters (MB)             %15.2f%n", totals.parameterBytes / MEGABYTE);
        out.printf(
                Locale.ROOT,
                "estimated total (MB)        %15.2f%n",
                (totals.inputBytes + totals.forwardBackwardBytes + totals.parameterBytes) / MEGABYTE);
    }

    private static Shape parse(String size) {
        Matcher matcher = SIZE.matcher(size);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "--input-size must be channels x height x width, such as 3x224x224, not " + size);
        }
        return new Shape(
                1,
                Long.parseLong(matcher.group(1)),
                Long.parseLong(matcher.group(2)),
                Long.parseLong(matcher.group(3)));
    }
}
