package io.github.convzoo.cli;

import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.export.ExportOptions;
import io.github.convzoo.export.ExportReport;
import io.github.convzoo.export.Exporter;
import io.github.convzoo.export.FileKind;
import io.github.convzoo.export.Precision;
import io.github.convzoo.export.Target;
import io.github.convzoo.network.Network;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import io.github.convzoo.zoo.OpenModel;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "export",
        description = "Export a network to a model folder for other runtimes, and check the result.",
        footer = {
            "",
            "The input is named \"input\": normalized float32 of shape (N, channels, H, W), with any batch size; with "
                    + "--with-preprocess, uint8 images of shape (N, H, W, channels). The output is named \"logits\","
                    + " or "
                    + "\"probabilities\" with --with-preprocess.",
            "",
            "Examples:",
            "  convzoo export --model dla34 --format onnx --output dla34-onnx",
            "  convzoo export --model run --format torchscript --output run --fp16",
            "  convzoo export --model dpn68 --weights mine.pth --format onnx --with-preprocess --output mine"
        })
final class ExportCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec = CommandSpec.create();

    @ParentCommand
    Main main = Main.inProcess();

    @Mixin
    ModelOptions model = new ModelOptions();

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            required = true,
            completionCandidates = FormatNames.class,
            description = "The file format: ${COMPLETION-CANDIDATES}.")
    String format = "";

    @Option(
            names = "--output",
            paramLabel = "DIR",
            required = true,
            description = "The model folder; created if missing. A file from an earlier export is replaced.")
    Path output = Path.of("");

    @Option(
            names = "--overwrite",
            description = "Replace a model file even if it is of another kind: quantized, or not from convzoo export.")
    boolean overwrite;

    @Mixin
    InputOptions input = new InputOptions();

    @Option(names = "--fp16", description = "Write weights in half precision, for GPUs.")
    boolean half;

    @Option(names = "--bf16", description = "Write weights in bfloat16, for GPUs. TorchScript only.")
    boolean bfloat;

    @Option(
            names = "--target",
            paramLabel = "CPU",
            description = {
                "The CPU to optimize for: any, avx2, avx512, or here (this machine's). TorchScript for avx2 and"
                        + " avx512 calls "
                        + "oneDNN and runs on x86 CPUs only. Default: any."
            })
    String target = "any";

    @Option(
            names = "--with-preprocess",
            description = "Include normalization and softmax, so that the model takes images as bytes and returns"
                    + " probabilities.")
    boolean preprocess;

    @Option(
            names = "--features",
            description = "Also output the last feature map (\"features\") and the pooled features (\"pooled\").")
    boolean features;

    @Option(
            names = "--class-maps",
            description =
                    "Also output the class activation maps (\"class_maps\"), so that convzoo explain works without"
                            + " weights.")
    boolean classMaps;

    @Option(names = "--json", description = "Print the report as JSON.")
    boolean json;

    @Mixin
    CommonOptions common = new CommonOptions();

    /** The names of all formats that {@code --format} accepts. */
    static final class FormatNames implements Iterable<String> {

        @Override
        public Iterator<String> iterator() {
            return Arrays.stream(ExportOptions.Format.values())
                    .map(FormatNames::of)
                    .iterator();
        }

        static String of(ExportOptions.Format format) {
            return format.name().toLowerCase(Locale.ROOT);
        }
    }

    private record Written(
            String file,
            long bytes,
            int nodesBefore,
            int nodesAfter,
            List<ExportReport.Check> checks,
            List<String> notes) {}

    @Override
    public Integer call() throws Exception {
        model.requireModel();
        OutputFile.requireFolder("--output", output);
        if (half && bfloat) {
            throw new IllegalArgumentException("--fp16 and --bf16 are mutually exclusive; choose one");
        }
        ExportOptions options = format(format)
                .withPrecision(half ? Precision.FLOAT16 : bfloat ? Precision.BFLOAT16 : Precision.FLOAT32)
                .withPreprocess(preprocess)
                .withFeatures(features)
                .withClassMaps(classMaps)
                .withTarget(target(target));
        Path file = output.resolve(options.format().file());
        if (!overwrite) {
            OutputFile.requireSameKind(file, FileKind.FLOATS);
        }
        OutputFile.Existing existing = OutputFile.Existing.among(file);
        LoadOptions loading = model.options(main, common, spec.commandLine().getErr());
        OpenModel open = ConvZoo.open(model.model, loading);
        ModelConfig config = model.config(open, loading, input, null);
        ExportReport report;
        try (ZooModel<NDList, NDList> loaded = ConvZoo.loadLogits(open, ModelOptions.with(loading, config))) {
            Network network = (Network) loaded.getBlock();
            Exporter exporter = new Exporter(network, config.withOptions(network.options()));
            report = CleanExit.interruptible(
                    main.ended, new FolderChanges(output), () -> exporter.export(output, options));
        }
        existing.sayReplaced(spec.commandLine().getErr());
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(Json.of(new Written(
                    report.file().toString(),
                    report.bytes(),
                    report.nodesBefore(),
                    report.nodesAfter(),
                    report.checks(),
                    report.notes())));
        } else {
            report.lines().forEach(line -> out.println(Main.oneLine(line)));
        }
        return Main.DONE;
    }

    private static ExportOptions format(String name) {
        for (ExportOptions.Format format : ExportOptions.Format.values()) {
            if (FormatNames.of(format).equals(name)) {
                return ExportOptions.of(format);
            }
        }
        throw new IllegalArgumentException(
                "--format: " + name + " is unknown; choose " + String.join(" or ", new FormatNames()));
    }

    private static Target target(String name) {
        return switch (name) {
            case "any" -> Target.ANY;
            case "avx2" -> Target.AVX2;
            case "avx512" -> Target.AVX512;
            case "here" -> Target.here();
            default ->
                throw new IllegalArgumentException(
                        "--target: " + name + " is unknown; choose any, avx2, avx512, or here");
        };
    }
}
