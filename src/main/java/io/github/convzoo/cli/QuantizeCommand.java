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
import java.util.List;
import java.util.Locale;
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
        description = "Write a network that computes with 8-bit integers into a model folder.",
        footer = {
            "",
            "The images teach the ranges of the network's values; some hundred of the kind that it will see are enough.",
            "Images that are left over show how often the result agrees with the network.",
            "",
            "Examples:",
            "  convzoo quantize --model run --data flowers/ --output run-int8",
            "  convzoo quantize --model dla34 --data val/ --samples 1000 --report --output dla34-int8",
            "  convzoo quantize --model run --data flowers/ --keep-float fc --output run-int8"
        })
final class QuantizeCommand implements Callable<Integer> {

    private static final int BATCH = 8;

    /** Which images are for calibration; the same in every run. */
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
            description = "How many images to calibrate with. Default: ${DEFAULT-VALUE}, at most half of the images.")
    int samples = 512;

    @Option(names = "--output", paramLabel = "DIR", required = true, description = "The model folder; made if missing.")
    Path output = Path.of("");

    @Option(
            names = "--runtime",
            paramLabel = "RUNTIME",
            description = {
                "What computes: onnx (model.onnx, in ONNX Runtime), torchscript (model.pt, in PyTorch on x86, with",
                "model-float.pt for other machines), or both. Default: ${DEFAULT-VALUE}."
            })
    String runtime = "onnx";

    @Option(
            names = "--method",
            paramLabel = "METHOD",
            description = {
                "How ranges follow from the images: minmax, percentile (without 0.01 % on each side), entropy, or mse",
                "(the least squared error). Default: ${DEFAULT-VALUE}."
            })
    String method = "mse";

    @Option(
            names = "--keep-float",
            paramLabel = "LAYER",
            description = {
                "A layer that keeps computing with floats, as summary names it, or a block with all its layers; * stands",
                "for any characters. May be repeated."
            })
    List<String> floats = List.of();

    @Option(
            names = "--no-vnni",
            description = "Use weights of 7 bits: for processors without VNNI, whose 16-bit sums overflow with 8.")
    boolean noVnni;

    @Option(names = "--report", description = "Also find the layers that cost most, and time both networks.")
    boolean report;

    @Option(names = "--json", description = "Print JSON; shares are fractions.")
    boolean json;

    @Mixin
    InputOptions input = new InputOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    /** Times in milliseconds for one image. */
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
                        .withWeightBits(noVnni ? 7 : 8))
                .toList();
        if (samples < 1) {
            throw new IllegalArgumentException("--samples must be at least 1, not " + samples);
        }
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
                QuantizationReport written = quantized.write(output);
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
            if (json) {
                spec.commandLine().getOut().println(Json.of(results));
            }
        }
        return Main.DONE;
    }

    /** Images of other classes than the network's are as good for calibration, but say nothing about its accuracy. */
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
                    .println("convzoo: the classes of " + Main.oneLine(data.path.toString())
                            + " are not the model's, so its accuracy is not measured");
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
        throw new IllegalArgumentException("--method: " + name + " is unknown; there are "
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
        bar.close();
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
                "%s: written, %.1f MB (%.1f MB of float weights), %s with 8 bits, calibrated with %s%n",
                Main.oneLine(result.file),
                result.bytes / 1e6,
                result.floatBytes / 1e6,
                Count.of(result.layers, "layer", "layers"),
                Count.of(result.images, "image", "images"));
        if (!result.floatLayers.isEmpty()) {
            out.println("in floats: " + String.join(", ", result.floatLayers));
        }
        for (ExportReport.Check check : result.checks) {
            out.printf(
                    Locale.ROOT,
                    "%s: largest difference from the quantized graph in floats %.1e of the largest output%n",
                    check.runtime(),
                    check.difference());
        }
        print(result.agreement, result.labeled, out);
        if (result.layerErrors != null) {
            out.println();
            Table table = new Table("costs most, alone in 8 bits", "<", "outputs move by", ">");
            result.layerErrors.stream()
                    .limit(WORST_LAYERS)
                    .forEach(
                            each -> table.row(each.layer(), String.format(Locale.ROOT, "%.2f %%", 100 * each.error())));
            table.print(out);
        }
        if (result.agreement != null && result.agreement.share() < Agreement.GOOD && result.layerErrors != null) {
            out.println("the agreement is below 98 %; try "
                    + result.layerErrors.stream()
                            .limit(WORST_LAYERS)
                            .map(each -> "--keep-float " + each.layer())
                            .collect(Collectors.joining(" ")));
        }
        if (result.latency != null) {
            out.printf(
                    Locale.ROOT,
                    "one image: %.1f ms, %.1f ms before (ratio %.2f)%n",
                    result.latency.quantized,
                    result.latency.floats,
                    result.latency.quantized / result.latency.floats);
        }
        result.notes.forEach(note -> out.println(Main.oneLine(note)));
    }

    private static void print(@Nullable Agreement agreement, boolean labeled, PrintWriter out) {
        if (agreement == null) {
            out.println("no image was left to compare the two networks on");
            return;
        }
        out.printf(
                Locale.ROOT,
                "same class as the network for %.2f %% of %,d images that it was not calibrated with%n",
                100 * agreement.share(),
                agreement.images());
        if (labeled) {
            out.printf(
                    Locale.ROOT,
                    "top-1 %.2f %%, %.2f %% before%n",
                    100 * agreement.quantizedAccuracy(),
                    100 * agreement.floatAccuracy());
        }
    }
}
