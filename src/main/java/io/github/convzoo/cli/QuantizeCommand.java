package io.github.convzoo.cli;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.data.ImageFolder;
import io.github.convzoo.data.LabeledImages;
import io.github.convzoo.data.Subset;
import io.github.convzoo.export.ExportOptions;
import io.github.convzoo.export.ExportReport;
import io.github.convzoo.export.Exporter;
import io.github.convzoo.export.FileKind;
import io.github.convzoo.export.Target;
import io.github.convzoo.network.Network;
import io.github.convzoo.nn.CanonicalNames;
import io.github.convzoo.quantize.Agreement;
import io.github.convzoo.quantize.Calibration;
import io.github.convzoo.quantize.LayerError;
import io.github.convzoo.quantize.QuantizationReport;
import io.github.convzoo.quantize.QuantizeOptions;
import io.github.convzoo.quantize.QuantizedNetwork;
import io.github.convzoo.quantize.Quantizer;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import io.github.convzoo.zoo.OpenModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "quantize",
        description = "Quantize a network to 8-bit integers and write it to a model folder.",
        footer = {
            "",
            "The images calibrate the ranges of activations; a few hundred typical ones are enough. The remaining"
                    + " images "
                    + "show how often the quantized network agrees with the original.",
            "",
            "Examples:",
            "  convzoo quantize --model run --data flowers/ --output run-int8",
            "  convzoo quantize --model dla34 --data val/ --samples 1000 --report --output dla34-int8",
            "  convzoo quantize --model run --data flowers/ --keep-float fc --output run-int8"
        })
final class QuantizeCommand implements Callable<Integer> {

    private static final int BATCH = 8;

    /** Selects the calibration images, the same in every run. */
    private static final long SEED = 0;

    private static final int WORST_LAYERS = 5;

    private static final int ROUNDS = 3;

    @Spec
    CommandSpec spec = CommandSpec.create();

    @ParentCommand
    Main main = Main.inProcess();

    @Mixin
    ModelOptions model = new ModelOptions();

    @Mixin
    TestData data = new TestData();

    @Option(
            names = "--samples",
            paramLabel = "N",
            description = "The number of calibration images, at most half of all. Default: ${DEFAULT-VALUE}.")
    int samples = 512;

    @Option(
            names = "--output",
            paramLabel = "DIR",
            required = true,
            description = "The model folder; created if missing. A quantized network in it is replaced.")
    Path output = Path.of("");

    @Option(
            names = "--overwrite",
            description =
                    "Replace a model file even if it is of another kind: in floats, or not from convzoo quantize.")
    boolean overwrite;

    @Option(
            names = "--runtime",
            paramLabel = "RUNTIME",
            description = {
                "The target runtime: onnx (model.onnx, for ONNX Runtime), torchscript (model.pt, for PyTorch on x86,"
                        + " and "
                        + "model-float.pt for other machines), or both. Default: ${DEFAULT-VALUE}."
            })
    String runtime = "onnx";

    @Option(
            names = "--method",
            paramLabel = "METHOD",
            description = {
                "How to compute activation ranges: minmax, percentile (ignores 0.01 %% at each end), entropy, or mse"
                        + " (least "
                        + "squared error). Default: ${DEFAULT-VALUE}."
            })
    String method = "mse";

    @Option(
            names = "--keep-float",
            paramLabel = "LAYER",
            description = {
                "A layer to keep in float, by its name in summary, or a block to keep in float with all its layers;"
                        + " * is a "
                        + "wildcard. May be repeated."
            })
    List<String> floats = List.of();

    @Option(
            names = "--no-vnni",
            description = "Use 7-bit weights, for CPUs without VNNI, whose 16-bit sums overflow with 8 bits.")
    boolean noVnni;

    @Option(
            names = "--class-maps",
            description = "Also output the class activation maps, so that convzoo explain works with the folder.")
    boolean classMaps;

    @Option(
            names = "--report",
            description = "Also find the layers that lose the most accuracy, and time both networks.")
    boolean report;

    @Option(names = "--json", description = "Print JSON; shares are fractions.")
    boolean json;

    @Mixin
    InputOptions input = new InputOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    /** The latency of one image, in milliseconds. */
    private record Latency(double floats, double quantized) {}

    private record Result(
            String file,
            long bytes,
            long floatBytes,
            int images,
            int layers,
            List<String> floatLayers,
            List<ExportReport.Check> checks,
            @Nullable Agreement agreement,
            boolean labeled,
            @Nullable List<LayerError> layerErrors,
            @Nullable Latency latency,
            List<String> notes) {}

    @Override
    public Integer call() throws Exception {
        model.requireModel();
        OutputFile.requireFolder("--output", output);
        List<QuantizeOptions> wanted = runtimes(runtime).stream()
                .map(each -> each.withCalibration(calibration(method))
                        .withFloats(floats)
                        .withWeightBits(noVnni ? 7 : 8)
                        .withClassMaps(classMaps))
                .toList();
        if (samples < 1) {
            throw new IllegalArgumentException("--samples must be at least 1, not " + samples);
        }
        OutputFile.Existing existing = existing(wanted);
        FolderChanges changes = new FolderChanges(output);
        LoadOptions loading = model.options(main, common, spec.commandLine().getErr());
        OpenModel open = ConvZoo.open(model.model, loading);
        ModelConfig config = model.config(open, loading, input, data.dataset);
        LabeledImages all = images(config);
        int calibrated = Math.min(samples, Math.max(1, all.size() / 2));
        Subset chosen = Subset.stratified(all, calibrated, SEED);
        LoadOptions used = ModelOptions.with(loading, config).withDevice(Device.cpu());
        try (ZooModel<NDList, NDList> loaded = ConvZoo.loadLogits(open, used);
                WorkBar bar = new WorkBar(spec.commandLine().getErr())) {
            Network network = (Network) loaded.getBlock();
            ModelConfig own = config.withOptions(network.options());
            List<Result> results = new ArrayList<>();
            for (QuantizeOptions options : wanted) {
                QuantizedNetwork quantized = new Quantizer(network, own)
                        .calibrate(
                                options,
                                data.batches(chosen, own, BATCH, bar),
                                bar.next(chosen.size(), ProgressBar.Unit.IMAGES));
                QuantizationReport written =
                        CleanExit.interruptible(main.ended, changes, () -> quantized.write(output));
                bar.clear();
                for (String doubt : written.notes()) {
                    spec.commandLine().getErr().println("convzoo: " + Main.oneLine(doubt));
                }
                Result result = result(network, own, quantized, written, chosen, bar);
                results.add(result);
                if (!json) {
                    print(result);
                }
            }
            existing.sayReplaced(spec.commandLine().getErr());
            if (json) {
                spec.commandLine().getOut().println(Json.of(results));
            }
        }
        return Main.DONE;
    }

    /** The files that will be replaced; refuses to replace one of another kind. */
    private OutputFile.Existing existing(List<QuantizeOptions> wanted) throws IOException {
        Map<Path, FileKind> files = new LinkedHashMap<>();
        for (QuantizeOptions each : wanted) {
            files.put(output.resolve(each.format().file()), FileKind.INTEGERS);
            if (each.format() == ExportOptions.Format.TORCHSCRIPT) {
                files.put(output.resolve(ModelFolder.TORCHSCRIPT_FLOATS), FileKind.FLOATS);
            }
        }
        for (Map.Entry<Path, FileKind> each : files.entrySet()) {
            if (!overwrite) {
                OutputFile.requireSameKind(each.getKey(), each.getValue());
            }
        }
        return OutputFile.Existing.among(files.keySet().toArray(Path[]::new));
    }

    /** Images of classes other than the network's can calibrate it, but cannot measure its accuracy. */
    private LabeledImages images(ModelConfig config) throws IOException {
        try {
            return data.images(model, config);
        } catch (IOException e) {
            if (data.dataset != DataKind.IMAGE_FOLDER
                    || data.labels != null
                    || config.labels().isEmpty()) {
                throw e;
            }
            LabeledImages others =
                    ImageFolder.of(data.path, model.reading.decoder().withOrientation(config.upright()));
            spec.commandLine()
                    .getErr()
                    .println("convzoo: " + Main.oneLine(data.path.toString())
                            + ": the classes are not the model's, so accuracy is not measured");
            return others;
        }
    }

    private static List<QuantizeOptions> runtimes(String name) {
        return switch (name) {
            case "onnx" -> List.of(QuantizeOptions.onnx());
            case "torchscript" -> List.of(QuantizeOptions.torchScript());
            case "both" -> List.of(QuantizeOptions.onnx(), QuantizeOptions.torchScript());
            default ->
                throw new IllegalArgumentException(
                        "--runtime: " + name + " is unknown; choose onnx, torchscript, or both");
        };
    }

    private static Calibration calibration(String name) {
        for (Calibration each : Calibration.values()) {
            if (each.name().toLowerCase(Locale.ROOT).equals(name)) {
                return each;
            }
        }
        throw new IllegalArgumentException("--method: " + name + " is unknown; choose from "
                + Arrays.stream(Calibration.values())
                        .map(each -> each.name().toLowerCase(Locale.ROOT))
                        .collect(Collectors.joining(", ")));
    }

    private Result result(
            Network network,
            ModelConfig config,
            QuantizedNetwork quantized,
            QuantizationReport written,
            Subset chosen,
            WorkBar bar)
            throws IOException, InterruptedException {
        @Nullable Agreement agreement = null;
        Optional<Subset> rest = chosen.rest();
        if (rest.isPresent()) {
            agreement = quantized.compare(
                    written,
                    data.batches(rest.get(), config, BATCH, bar),
                    bar.next(rest.get().size(), ProgressBar.Unit.IMAGES));
        }
        boolean poor = agreement != null && agreement.share() < Agreement.GOOD;
        @Nullable List<LayerError> errors =
                report || poor ? quantized.layerErrors(bar.next(written.layers(), ProgressBar.Unit.LAYERS)) : null;
        bar.clear();
        return new Result(
                written.written().file().toString(),
                written.written().bytes(),
                4
                        * CanonicalNames.parameters(network).values().stream()
                                .mapToLong(each -> each.getArray().size())
                                .sum(),
                written.images(),
                written.layers(),
                written.floats(),
                written.written().checks(),
                agreement,
                chosen.classes().size() == network.options().numClasses(),
                errors,
                report && !written.written().checks().isEmpty()
                        ? latency(
                                network,
                                config,
                                quantized.options().format(),
                                written.written().file())
                        : null,
                written.written().notes());
    }

    private static Latency latency(Network network, ModelConfig config, ExportOptions.Format format, Path file)
            throws IOException {
        Path folder = Files.createTempDirectory("convzoo-quantize");
        try {
            Path floats = new Exporter(network, config)
                    .export(folder, ExportOptions.of(format).withTarget(Target.here()))
                    .file();
            String runtime = ExportCommand.FormatNames.of(format);
            Shape shape = config.input();
            List<Double> before = new ArrayList<>();
            List<Double> after = new ArrayList<>();
            for (int round = 0; round < ROUNDS; round++) {
                before.add(median(runtime, floats, shape));
                after.add(median(runtime, file, shape));
            }
            return new Latency(BenchmarkProcess.quantile(before, 0.5), BenchmarkProcess.quantile(after, 0.5));
        } finally {
            ModelFolder.delete(folder);
        }
    }

    private static double median(String runtime, Path file, Shape shape) throws IOException {
        return BenchmarkProcess.quantile(
                BenchmarkProcess.start(runtime, file, shape, 1, "cpu", null).milliseconds(), 0.5);
    }

    private void print(Result result) {
        PrintWriter out = spec.commandLine().getOut();
        out.printf(
                Locale.ROOT,
                "%s: written, %.1f MB (%.1f MB of float weights), %s in int8, calibrated with %s%n",
                Main.oneLine(result.file),
                result.bytes / 1e6,
                result.floatBytes / 1e6,
                Count.of(result.layers, "layer", "layers"),
                Count.of(result.images, "image", "images"));
        if (!result.floatLayers.isEmpty()) {
            out.println("in float: " + String.join(", ", result.floatLayers));
        }
        for (ExportReport.Check check : result.checks) {
            out.printf(
                    Locale.ROOT,
                    "%s: largest difference from the float simulation: %.1e of the largest output%n",
                    check.runtime(),
                    check.difference());
        }
        print(result.agreement, result.labeled, out);
        if (result.layerErrors != null) {
            out.println();
            Table table = new Table("most sensitive layers (alone in int8)", "<", "output change", ">");
            result.layerErrors.stream()
                    .limit(WORST_LAYERS)
                    .forEach(
                            each -> table.row(each.layer(), String.format(Locale.ROOT, "%.2f %%", 100 * each.error())));
            table.print(out);
        }
        if (result.agreement != null && result.agreement.share() < Agreement.GOOD && result.layerErrors != null) {
            out.println("agreement is below 98 %; try "
                    + result.layerErrors.stream()
                            .limit(WORST_LAYERS)
                            .map(each -> "--keep-float " + each.layer())
                            .collect(Collectors.joining(" ")));
        }
        if (result.latency != null) {
            out.printf(
                    Locale.ROOT,
                    "one image: %.1f ms, was %.1f ms (ratio %.2f)%n",
                    result.latency.quantized,
                    result.latency.floats,
                    result.latency.quantized / result.latency.floats);
        }
        result.notes.forEach(note -> out.println(Main.oneLine(note)));
    }

    private static void print(@Nullable Agreement agreement, boolean labeled, PrintWriter out) {
        if (agreement == null) {
            out.println("no images left to compare the two networks");
            return;
        }
        out.printf(
                Locale.ROOT,
                "agrees with the original network on %.2f %% of %,d images not used for calibration%n",
                100 * agreement.share(),
                agreement.images());
        if (labeled) {
            out.printf(
                    Locale.ROOT,
                    "top-1 %.2f %%, was %.2f %%%n",
                    100 * agreement.quantizedAccuracy(),
                    100 * agreement.floatAccuracy());
        }
    }
}
