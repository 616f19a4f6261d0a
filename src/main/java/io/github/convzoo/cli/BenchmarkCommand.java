package io.github.convzoo.cli;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.export.ExportOptions;
import io.github.convzoo.export.ExportRuntime;
import io.github.convzoo.export.Exporter;
import io.github.convzoo.network.Network;
import io.github.convzoo.runtime.CachingCompiler;
import io.github.convzoo.weights.ExportedFile;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import io.github.convzoo.weights.WeightSaver;
import io.github.convzoo.zoo.CompileRequest;
import io.github.convzoo.zoo.CompiledPrecision;
import io.github.convzoo.zoo.CompiledRuntime;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import io.github.convzoo.zoo.OpenModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "benchmark",
        description = "Time networks in every runtime, on the CPU or a GPU.",
        footer = {
            "",
            "Each runtime runs in its own process, and the runtimes take turns, so that a drift in the machine's"
                    + " speed affects "
                    + "them all. Stop everything else first: one busy core can make a pass ten times slower. A"
                    + " network given"
                    + " by name has "
                    + "random weights, which take the same time as trained ones.",
            "",
            "Examples:",
            "  convzoo benchmark dla34 peleenet",
            "  convzoo benchmark dpn68 --batch 1 --runtime onnx,eager --peer timm_dpn68.onnx"
        })
final class BenchmarkCommand implements Callable<Integer> {

    private static final String EAGER = "eager";

    private static final List<String> RUNTIMES = List.of(EAGER, "torchscript", "onnx");

    @Spec
    CommandSpec spec = CommandSpec.create();

    @ParentCommand
    Main main = Main.inProcess();

    @Parameters(
            paramLabel = "MODEL",
            arity = "1..*",
            description = "Networks (convzoo list shows them) or model folders.")
    List<String> models = List.of();

    @Option(
            names = "--batch",
            paramLabel = "N,...",
            split = ",",
            description = "Batch sizes. Default: ${DEFAULT-VALUE}.")
    List<Integer> batches = List.of(1, 8);

    @Option(
            names = "--runtime",
            paramLabel = "R,...",
            split = ",",
            description = "eager (the network as loaded), torchscript, or onnx. Default: all available.")
    List<String> runtimes = List.of();

    @Option(
            names = "--peer",
            paramLabel = "FILE",
            description = "A .onnx or .pt file to time as well; it must take the model's input. ConvZoo's own .pt"
                    + " files run as in ConvZoo. Others run as in plain DJL, and their code is not checked, so use"
                    + " only files that you trust. May be repeated.")
    List<Path> peers = List.of();

    @Option(
            names = "--input-size",
            paramLabel = "S|HxW",
            description = "The input size in pixels: the side of a square, or height x width. Default: the model's.")
    @Nullable String inputSize;

    @Option(names = "--rounds", paramLabel = "N", description = "The number of rounds. Default: ${DEFAULT-VALUE}.")
    int rounds = 5;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            description = "How long each process measures. Default: ${DEFAULT-VALUE}.")
    double seconds = 3;

    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            description = "cpu, gpu0, gpu1, ... ONNX Runtime is skipped on a GPU. Default: ${DEFAULT-VALUE}.")
    String device = "cpu";

    @Option(
            names = "--precision",
            paramLabel = "fp32|fp16|bf16",
            description =
                    "The precision of the exported TorchScript; fp16 and bf16 need a GPU. Default: ${DEFAULT-VALUE}.")
    String precision = "fp32";

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "The number of compute threads. Default: one per core.")
    @Nullable Integer threads;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    @Mixin
    CommonOptions common = new CommonOptions();

    /** The runtime that is timed, and its file. */
    private record Subject(String name, String runtime, Path file) {}

    private record Row(
            String model,
            int batch,
            String runtime,
            double medianMs,
            double p10Ms,
            double p90Ms,
            double imagesPerSecond,
            long nativeMiB,
            double ratio,
            double leastRatio,
            double mostRatio) {}

    @Override
    public Integer call() throws Exception {
        check();
        List<Row> rows = CleanExit.interruptible(main.ended, this::measured);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(Json.of(rows));
        } else {
            print(rows, out);
        }
        return Main.DONE;
    }

    private List<Row> measured() throws Exception {
        List<Row> rows = new ArrayList<>();
        for (String model : models) {
            Path folder = Files.createTempDirectory("convzoo-benchmark");
            try {
                ModelConfig config = prepare(model, folder);
                for (int batch : batches) {
                    rows.addAll(compare(config, batch, subjects(folder)));
                }
            } finally {
                ModelFolder.delete(folder);
            }
        }
        return rows;
    }

    private void check() throws IOException {
        CompiledPrecision wanted = CompileOptions.precision(precision);
        Device used = ComputeOptions.device(device);
        try {
            wanted.requireFasterOn(used);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("--precision: " + e.getMessage(), e);
        }
        boolean onnxPeer = peers.stream().anyMatch(peer -> runtimeOf(peer).equals("onnx"));
        if (isGpu() && (runtimes.contains("onnx") || onnxPeer)) {
            throw new IllegalArgumentException("--device: ONNX Runtime runs on the CPU only; omit onnx, or " + device);
        }
        for (String runtime : runtimes) {
            if (!RUNTIMES.contains(runtime)) {
                throw new IllegalArgumentException(
                        "--runtime: " + runtime + " is unknown; choose from " + String.join(", ", RUNTIMES));
            }
        }
        if (runtimes.contains("onnx")
                && ExportRuntime.of(ExportOptions.Format.ONNX).isEmpty()) {
            throw new IllegalArgumentException("--runtime: ONNX Runtime is not on the class path; add "
                    + CompiledRuntime.DEPENDENCY + ", or omit onnx");
        }
        for (Path peer : peers) {
            runtimeOf(peer);
            if (!Files.isRegularFile(peer)) {
                throw new IOException(
                        peer + (Files.exists(peer) ? ": not a file" : ": no such file") + "; check the path");
            }
        }
        if (rounds < 1
                || !(seconds > 0)
                || batches.isEmpty()
                || batches.stream().anyMatch(batch -> batch < 1)) {
            throw new IllegalArgumentException("--rounds and --batch must be at least 1, and --seconds positive");
        }
        if (threads != null) {
            ComputeOptions.threads(threads);
        }
    }

    private List<String> runtimes() {
        if (!runtimes.isEmpty()) {
            return runtimes.stream().distinct().toList();
        }
        boolean onnx = !isGpu() && !ExportRuntime.of(ExportOptions.Format.ONNX).isEmpty();
        return onnx ? RUNTIMES : RUNTIMES.subList(0, 2);
    }

    private boolean isGpu() {
        return ComputeOptions.device(device).isGpu();
    }

    /** Writes the model and its exports into a folder. */
    private ModelConfig prepare(String model, Path folder) throws IOException {
        // Only the measuring processes need a GPU.
        LoadOptions options = LoadOptions.published().withStore(main.store()).withDevice(Device.cpu());
        if (inputSize != null) {
            InputSize size = InputSize.of(inputSize);
            options = options.withInputSize(size.height(), size.width());
        }
        OpenModel open = ConvZoo.open(model, options);
        ModelConfig config = open.config(options);
        boolean named = config.variant().modelName().equals(model);
        try (ZooModel<NDList, NDList> loaded =
                named ? ConvZoo.untrained(model, options) : ConvZoo.loadLogits(open, options)) {
            Network network = (Network) loaded.getBlock();
            if (network.isOnlyCompiled()) {
                throw new IllegalArgumentException(
                        model + ": this is an exported graph without weights; pass it with --peer");
            }
            network.freezeParameters(true);
            ModelConfig used = config.withOptions(network.options());
            WeightSaver.save(folder.resolve(ModelFolder.WEIGHTS), network, used);
            Exporter exporter = new Exporter(network, used);
            for (String runtime : runtimes()) {
                if (!runtime.equals(EAGER)) {
                    // The same way as compiled models are made.
                    CompileRequest request = new CompileRequest(
                            CompiledRuntime.of(runtime),
                            CompileOptions.precision(precision),
                            ComputeOptions.device(device));
                    exporter.export(folder, CachingCompiler.options(request, true));
                }
            }
            return used;
        }
    }

    private List<Subject> subjects(Path folder) throws IOException {
        List<Subject> subjects = new ArrayList<>();
        for (Path peer : peers) {
            boolean own = ExportedFile.of(peer)
                    .filter(file -> file.format() == ExportedFile.Format.TORCHSCRIPT)
                    .isPresent();
            subjects.add(new Subject(
                    String.valueOf(peer.getFileName()),
                    own ? CompiledRuntime.TORCHSCRIPT.toString() : runtimeOf(peer),
                    peer));
        }
        for (String runtime : runtimes()) {
            Path file =
                    switch (runtime) {
                        case "onnx" -> folder.resolve(ExportOptions.Format.ONNX.file());
                        case "torchscript" -> folder.resolve(ExportOptions.Format.TORCHSCRIPT.file());
                        default -> folder.resolve(ModelFolder.WEIGHTS);
                    };
            boolean half =
                    runtime.equals("torchscript") && CompileOptions.precision(precision) != CompiledPrecision.FLOAT32;
            subjects.add(new Subject(half ? runtime + " " + precision : runtime, runtime, file));
        }
        return subjects;
    }

    private static String runtimeOf(Path peer) {
        String name = peer.toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".onnx")) {
            return "onnx";
        } else if (name.endsWith(".pt")) {
            return BenchmarkProcess.FOREIGN_TORCHSCRIPT;
        }
        throw new IllegalArgumentException("--peer: " + peer + " is neither a .onnx nor a .pt file");
    }

    /** The measurements of a subject's processes, round by round. */
    private static final class Measured {

        private final Subject subject;
        private final List<Double> medians = new ArrayList<>();
        private final List<Double> times = new ArrayList<>();
        private long nativeMebibytes;

        Measured(Subject subject) {
            this.subject = subject;
        }

        void add(BenchmarkProcess.Result result) {
            medians.add(BenchmarkProcess.quantile(result.milliseconds(), 0.5));
            times.addAll(result.milliseconds());
            nativeMebibytes = Math.max(nativeMebibytes, result.nativeMebibytes());
        }

        Row row(String model, int batch, Measured first) {
            List<Double> ratios = new ArrayList<>();
            for (int round = 0; round < medians.size(); round++) {
                ratios.add(medians.get(round) / first.medians.get(round));
            }
            double median = BenchmarkProcess.quantile(medians, 0.5);
            return new Row(
                    model,
                    batch,
                    subject.name(),
                    median,
                    BenchmarkProcess.quantile(times, 0.1),
                    BenchmarkProcess.quantile(times, 0.9),
                    1e3 * batch / median,
                    nativeMebibytes,
                    BenchmarkProcess.quantile(ratios, 0.5),
                    Collections.min(ratios),
                    Collections.max(ratios));
        }
    }

    private List<Row> compare(ModelConfig config, int batch, List<Subject> subjects) throws IOException {
        String model = config.variant().modelName();
        Shape sample = config.input().slice(1);
        List<Measured> all = subjects.stream().map(Measured::new).toList();
        for (int round = 0; round < rounds; round++) {
            for (Measured each : all) {
                each.add(run(each.subject, batch, sample));
                if (common.verbose) {
                    spec.commandLine()
                            .getErr()
                            .println("%s batch %d %s: %s ms"
                                    .formatted(
                                            model,
                                            batch,
                                            each.subject.name(),
                                            number("%.2f", each.medians.get(round))));
                }
            }
        }
        return all.stream().map(each -> each.row(model, batch, all.get(0))).toList();
    }

    private BenchmarkProcess.Result run(Subject subject, int batch, Shape sample) throws IOException {
        try {
            Shape input = new Shape(batch).addAll(sample);
            return BenchmarkProcess.start(subject.runtime(), subject.file(), input, seconds, device, threads);
        } catch (IOException e) {
            throw new IOException(subject.name() + ": " + e.getMessage(), e);
        }
    }

    private static void print(List<Row> rows, PrintWriter out) {
        Table table = new Table(
                "model",
                "<",
                "batch",
                ">",
                "runtime",
                "<",
                "ms",
                ">",
                "10 %",
                ">",
                "90 %",
                ">",
                "images/s",
                ">",
                "native MiB",
                ">",
                "ratio",
                ">",
                "range",
                "<");
        for (Row row : rows) {
            table.row(
                    row.model(),
                    Integer.toString(row.batch()),
                    row.runtime(),
                    number("%.2f", row.medianMs()),
                    number("%.2f", row.p10Ms()),
                    number("%.2f", row.p90Ms()),
                    number("%.1f", row.imagesPerSecond()),
                    Long.toString(row.nativeMiB()),
                    number("%.2f", row.ratio()),
                    number("%.2f", row.leastRatio()) + " to " + number("%.2f", row.mostRatio()));
        }
        table.print(out);
    }

    private static String number(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }
}
