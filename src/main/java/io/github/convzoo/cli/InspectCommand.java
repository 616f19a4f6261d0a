package io.github.convzoo.cli;

import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Format;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.weights.Glob;
import io.github.convzoo.weights.Inspection;
import io.github.convzoo.weights.LoadReport;
import io.github.convzoo.weights.StateDict;
import io.github.convzoo.weights.TensorStatistics;
import io.github.convzoo.weights.WeightMatch;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.Callable;
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
        name = "inspect",
        description = "Show the contents of a weights file and the network that it fits.",
        footer = {
            "",
            "No network is loaded, and no code in the file is executed. Statistics (minimum, maximum, mean, and"
                    + " standard "
                    + "deviation) cover finite values only.",
            "",
            "Examples:",
            "  convzoo inspect dla34-ba72cf86.pth",
            "  convzoo inspect checkpoint.pth.tar '*running_var'",
            "  convzoo inspect model.safetensors --no-stats --json",
            "  convzoo inspect hf-hub:timm/dla34.in1k --no-stats"
        })
final class InspectCommand implements Callable<Integer> {

    private static final Set<ElementType> FRACTIONAL =
            EnumSet.of(ElementType.F64, ElementType.F32, ElementType.BF16, ElementType.F16);

    /** The number of lines shown of a potentially long list. */
    private static final int SHOWN = 20;

    @Spec
    CommandSpec spec = CommandSpec.create();

    @ParentCommand
    Main main = Main.inProcess();

    @Parameters(
            index = "0",
            paramLabel = "FILE",
            description = "A checkpoint: safetensors, .pth, .pt, .pth.tar, .params, .pdparams, .npz; a model folder; or"
                    + " hf-hub:owner/name[@revision].")
    String in = "";

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "PATTERN",
            description = "Names of the tensors to list, with * and ? standing for any characters.")
    @Nullable String pattern;

    @Option(names = "--no-stats", description = "Omit statistics, and do not read the tensors' values.")
    boolean noStats;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    @Mixin
    ReadingOptions reading = new ReadingOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    /** The file to inspect. */
    private Path file = Path.of("");

    /** The number of listed tensors that have statistics. */
    private int readable;

    private record Statistics(
            @Nullable Double min,
            @Nullable Double max,
            @Nullable Double mean,
            @Nullable Double std,
            long zeros,
            long nans,
            long infinities) {}

    private record TensorRow(String name, ElementType type, List<Long> shape, @Nullable Statistics statistics) {}

    private record Weights(
            String path, List<String> prefixes, List<Reports.Note> notes, int tensors, long values, long parameters) {}

    private record Fit(String model, int numClasses, int inChannels, List<String> ignored) {}

    private record Nearest(
            String model,
            int numClasses,
            int inChannels,
            int matching,
            List<String> missing,
            List<String> unknown,
            List<WeightMatch.Misfit> misfits) {}

    private record Report(
            String file,
            String format,
            long bytes,
            int tensorCount,
            long values,
            long tensorBytes,
            Map<String, String> metadata,
            List<Inspection.Entry> entries,
            List<String> placeholders,
            @Nullable Weights weights,
            @Nullable String problem,
            List<Fit> fits,
            @Nullable Nearest nearest,
            List<TensorRow> tensors) {}

    @Override
    public Integer call() throws IOException {
        Checkpoint checkpoint = checkpoint();
        file = checkpoint.file();
        Inspection inspection = Inspection.of(checkpoint, reading.options());
        List<Tensor> listed = listed(inspection.tensors());
        readable = noStats ? 0 : inspection.readable(listed);
        if (!noStats && readable < listed.size()) {
            spec.commandLine()
                    .getErr()
                    .println("convzoo: " + Main.oneLine(file.toString()) + ": no statistics for the last "
                            + Count.of(listed.size() - readable, "tensor")
                            + ": the tensors together read the file's bytes more than 16 times; list fewer with"
                            + " PATTERN,"
                            + " or omit statistics with --no-stats");
        }
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(Json.of(report(inspection, listed)));
        } else {
            print(inspection, listed, out);
        }
        return Main.DONE;
    }

    private Checkpoint checkpoint() throws IOException {
        DownloadBar bar = new DownloadBar(spec.commandLine().getErr());
        try {
            return ConvZoo.checkpoint(
                    reading.apply(LoadOptions.of(in)).withStore(main.store()).withProgress(bar));
        } finally {
            bar.end();
        }
    }

    private List<Tensor> listed(List<Tensor> tensors) {
        if (pattern == null) {
            return tensors;
        }
        Pattern names = Glob.of(pattern);
        List<Tensor> listed = tensors.stream()
                .filter(tensor -> names.matcher(tensor.name()).matches())
                .toList();
        if (listed.isEmpty()) {
            String first = tensors.stream().limit(3).map(Tensor::name).collect(Collectors.joining(", "));
            throw new IllegalArgumentException(file + " has no tensor named " + pattern + "; it has " + tensors.size()
                    + " tensors" + (first.isEmpty() ? "" : ", the first is " + first));
        }
        return listed;
    }

    private Report report(Inspection inspection, List<Tensor> listed) {
        WeightMatch nearest = inspection.nearest();
        return new Report(
                file.toString(),
                inspection.checkpoint().format().name().toLowerCase(Locale.ROOT),
                size(),
                inspection.tensors().size(),
                values(inspection.tensors()),
                bytes(inspection.tensors()),
                inspection.checkpoint().metadata(),
                inspection.entries(),
                inspection.checkpoint().placeholders(),
                weights(inspection),
                inspection.problem(),
                inspection.fits().stream()
                        .map(match -> new Fit(
                                match.variant().modelName(),
                                match.options().numClasses(),
                                match.options().inChannels(),
                                match.ignored()))
                        .toList(),
                nearest == null
                        ? null
                        : new Nearest(
                                nearest.variant().modelName(),
                                nearest.options().numClasses(),
                                nearest.options().inChannels(),
                                nearest.matching(),
                                nearest.missing(),
                                nearest.unknown(),
                                nearest.misfits()),
                rows(listed));
    }

    private List<TensorRow> rows(List<Tensor> listed) {
        List<TensorRow> rows = new ArrayList<>();
        for (Tensor tensor : listed) {
            rows.add(new TensorRow(
                    tensor.name(),
                    tensor.type(),
                    Arrays.stream(tensor.shape()).boxed().toList(),
                    rows.size() < readable ? statistics(TensorStatistics.of(tensor)) : null));
        }
        return rows;
    }

    private static Statistics statistics(TensorStatistics statistics) {
        return new Statistics(
                boxed(statistics.min()),
                boxed(statistics.max()),
                boxed(statistics.mean()),
                boxed(statistics.std()),
                statistics.zeros(),
                statistics.nans(),
                statistics.infinities());
    }

    private static @Nullable Double boxed(OptionalDouble value) {
        return value.isPresent() ? value.getAsDouble() : null;
    }

    private static @Nullable Weights weights(Inspection inspection) {
        StateDict weights = inspection.weights();
        return weights == null
                ? null
                : new Weights(
                        weights.path(),
                        inspection.prefixes(),
                        Reports.notes(weights.notes()),
                        weights.tensors().size(),
                        values(weights.tensors().values()),
                        weights.parameters());
    }

    private void print(Inspection inspection, List<Tensor> listed, PrintWriter out) {
        Table table = noStats
                ? new Table("name", "<", "type", "<", "shape", "<")
                : new Table(
                        "name", "<", "type", "<", "shape", "<", "min", ">", "max", ">", "mean", ">", "std", ">",
                        "zero %", ">", "NaN", ">", "Inf", ">");
        int read = 0;
        for (Tensor tensor : listed) {
            List<String> cells = new ArrayList<>();
            cells.add(Main.oneLine(tensor.name()));
            cells.add(tensor.type().name());
            cells.add(Arrays.stream(tensor.shape()).mapToObj(Long::toString).collect(Collectors.joining(" x ")));
            if (!noStats && read++ >= readable) {
                cells.addAll(Collections.nCopies(7, "?"));
            } else if (!noStats) {
                TensorStatistics statistics = TensorStatistics.of(tensor);
                boolean fractional = FRACTIONAL.contains(tensor.type());
                cells.add(number(statistics.min(), fractional));
                cells.add(number(statistics.max(), fractional));
                cells.add(number(statistics.mean(), true));
                cells.add(number(statistics.std(), true));
                cells.add(
                        tensor.size() == 0
                                ? "-"
                                : String.format(Locale.ROOT, "%.1f", 100.0 * statistics.zeros() / tensor.size()));
                cells.add(Long.toString(statistics.nans()));
                cells.add(Long.toString(statistics.infinities()));
            }
            table.row(cells.toArray(String[]::new));
        }
        table.print(out);
        out.println();
        line(out, "file", file.toString());
        line(out, "format", name(inspection.checkpoint().format()) + ", " + Count.of(size(), "byte"));
        line(
                out,
                "tensors",
                number(inspection.tensors().size()) + " of " + Count.of(values(inspection.tensors()), "value") + ", "
                        + Count.of(bytes(inspection.tensors()), "byte"));
        List<String> others = new ArrayList<>();
        inspection.checkpoint().metadata().forEach((name, text) -> others.add(name + " = " + brief(text)));
        inspection.entries().forEach(entry -> others.add(text(entry)));
        lines(out, "other", others);
        lines(out, "not built", inspection.checkpoint().placeholders());
        printWeights(inspection, out);
    }

    private static void printWeights(Inspection inspection, PrintWriter out) {
        Weights weights = weights(inspection);
        if (weights == null) {
            line(out, "weights", "none: " + inspection.problem());
            return;
        }
        line(
                out,
                "weights",
                (weights.path.isEmpty() ? "at the top" : "under " + weights.path)
                        + (weights.prefixes.isEmpty()
                                ? ""
                                : ", without the prefix " + String.join(" or ", weights.prefixes))
                        + ": " + Count.of(weights.tensors, "tensor") + ", "
                        + Count.of(weights.parameters, "parameter"));
        for (LoadReport.Note note : Objects.requireNonNull(inspection.weights()).notes()) {
            line(out, "", note.line());
        }
        for (WeightMatch match : inspection.fits()) {
            line(
                    out,
                    "fits",
                    model(match)
                            + (match.ignored().isEmpty()
                                    ? ""
                                    : "; ignored: "
                                            + Count.of(match.ignored().size(), "tensor") + " such as "
                                            + match.ignored().get(0)));
        }
        WeightMatch nearest = inspection.nearest();
        if (nearest != null) {
            line(
                    out,
                    "fits",
                    "no network; the nearest is " + model(nearest) + ", with "
                            + Count.of(nearest.matching(), "matching tensor"));
            nearest.differences().forEach(difference -> line(out, "", difference));
        } else if (inspection.fits().isEmpty()) {
            line(out, "fits", "no network, and none is similar; convzoo list shows the networks");
        }
    }

    private static String model(WeightMatch match) {
        int classes = match.options().numClasses();
        return match.variant().modelName() + " with "
                + (classes == 0 ? "no classifier" : Count.of(classes, "class", "classes")) + " and "
                + Count.of(match.options().inChannels(), "input channel");
    }

    private static String text(Inspection.Entry entry) {
        return switch (entry.kind()) {
            case "mapping", "sequence", "bytes" -> entry.name() + ": " + entry.text();
            case "none" -> entry.name() + " = None";
            case "placeholder" -> entry.name() + ": " + entry.text() + ", not built";
            default -> entry.name() + " = " + entry.text();
        };
    }

    private static String brief(String text) {
        return text.length() > 60 ? text.substring(0, 60) + "..." : text;
    }

    private static void lines(PrintWriter out, String head, List<String> lines) {
        for (int i = 0; i < Math.min(SHOWN, lines.size()); i++) {
            line(out, i == 0 ? head : "", lines.get(i));
        }
        if (lines.size() > SHOWN) {
            line(out, "", "and " + number(lines.size() - SHOWN) + " more");
        }
    }

    private static void line(PrintWriter out, String head, String text) {
        out.printf(Locale.ROOT, "%-9s  %s%n", head, Main.oneLine(text));
    }

    private static String name(Format format) {
        return switch (format) {
            case SAFETENSORS -> "safetensors";
            case PYTORCH_INDEX -> "index of a sharded PyTorch checkpoint";
            case PICKLE -> "pickle of arrays or tensors";
            case SAFETENSORS_INDEX -> "index of a sharded safetensors checkpoint";
            case PYTORCH_ZIP -> "PyTorch";
            case PYTORCH_LEGACY -> "PyTorch before 1.6";
            case TORCHSCRIPT -> "TorchScript";
            case NUMPY_ZIP -> "NumPy .npz";
            case MXNET -> "MXNet .params";
            case DJL -> "DJL .params, in which tensors have an order but no names";
            case PADDLE -> "PaddlePaddle";
        };
    }

    private long size() {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read", e);
        }
    }

    private static long values(Collection<Tensor> tensors) {
        return tensors.stream().mapToLong(Tensor::size).sum();
    }

    private static long bytes(Collection<Tensor> tensors) {
        return tensors.stream()
                .mapToLong(tensor -> tensor.size() * tensor.type().bytes())
                .sum();
    }

    private static String number(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    private static String number(OptionalDouble value, boolean fractional) {
        if (value.isEmpty()) {
            return "-";
        }
        double number = value.getAsDouble();
        if (number == 0) {
            return "0";
        }
        return fractional
                ? String.format(Locale.ROOT, "%.4g", number)
                : String.format(Locale.ROOT, "%d", (long) number);
    }
}
