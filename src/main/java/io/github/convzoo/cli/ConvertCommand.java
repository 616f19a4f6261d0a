package io.github.convzoo.cli;

import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.image.Labels;
import io.github.convzoo.weights.Conversion;
import io.github.convzoo.weights.LoadReport;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ReadOptions;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.LoadOptions;
import io.github.convzoo.zoo.OpenModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "convert",
        description =
                "Convert a checkpoint to a model folder, to safetensors with canonical names, or to DJL's .params.",
        footer = {
            "",
            "Every tensor that the network needs must be in the file and fit; entries that it does not need are"
                    + " dropped and listed.",
            "A model folder holds config.json in timm's format and model.safetensors; a safetensors file has the same"
                    + " configuration in its metadata.",
            "",
            "Examples:",
            "  convzoo convert dla34-ba72cf86.pth dla34.safetensors --model dla34",
            "  convzoo convert mine.pth --model dla34 --labels names.txt --output mine/",
            "  convzoo convert run --output for-timm/ --half"
        })
final class ConvertCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec = CommandSpec.create();

    @ParentCommand
    Main main = Main.inProcess();

    @Parameters(
            index = "0",
            paramLabel = "IN",
            description = "A checkpoint in any supported format, a model folder, or hf-hub:owner/name[@revision].")
    String in = "";

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "OUT",
            description = "The .safetensors or .params file, replaced if it exists.")
    @Nullable Path out;

    @Option(
            names = "--output",
            paramLabel = "DIR",
            description = "The model folder to write; it must be empty or not exist.")
    @Nullable Path folder;

    @Option(
            names = "--model",
            paramLabel = "NAME",
            description = "The network (convzoo list shows them). Not needed if IN names it.")
    String model = "";

    @Option(
            names = "--last-activation",
            paramLabel = "A",
            description =
                    "The last activation of DPN: relu or elu. Default: that of IN, else relu; weights from timm 0.6"
                            + " and older"
                            + " need elu.")
    @Nullable String lastActivation;

    @Option(
            names = "--labels",
            paramLabel = "FILE",
            description = "The class names to save with the weights, one per line. Default: those of IN.")
    @Nullable Path labels;

    @Mixin
    InputOptions input = new InputOptions();

    @Option(
            names = "--half",
            description = "Write kernels and matrices in half precision: half the size (safetensors only).")
    boolean half;

    @Option(names = "--json", description = "Print the report as JSON.")
    boolean json;

    @Mixin
    ReadingOptions reading = new ReadingOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    @Override
    public Integer call() throws Exception {
        Path target = folder == null ? out : folder;
        if (target == null || (folder != null && out != null)) {
            throw new IllegalArgumentException(
                    "give either a file (OUT) or a model folder (--output) to write; see convzoo convert --help");
        }
        boolean djl = folder == null && kind(target) == Kind.DJL;
        if (half && djl) {
            throw new IllegalArgumentException("--half: DJL's .params are float32; write safetensors");
        }
        if (folder != null) {
            requireEmpty(folder);
        } else {
            OutputFile.requireFile("OUT", target);
        }
        OutputFile.Existing existing = OutputFile.Existing.among(target);
        ModelOptions from = new ModelOptions();
        from.model = model;
        from.weights = in;
        from.reading = reading;
        from.lastActivation = lastActivation;
        from.requireModel();
        LoadOptions options = from.options(main, common, spec.commandLine().getErr());
        OpenModel open = ConvZoo.open(from.model, options);
        Checkpoint weights = open.checkpoint(options);
        requireAnother(weights.file(), target);
        ModelConfig config = from.config(open, options, input, null);
        Optional<Labels> names = labels == null ? Optional.empty() : Optional.of(Labels.read(labels));
        ReadOptions read = reading.options();
        LoadReport report = djl
                ? Conversion.toDjl(weights, read, target, config.variant())
                : folder == null
                        ? Conversion.toSafetensors(weights, read, target, config, names, half)
                        : Conversion.toFolder(weights, read, target, config, names, half);
        existing.sayReplaced(spec.commandLine().getErr());
        PrintWriter printer = spec.commandLine().getOut();
        if (json) {
            printer.println(Json.of(Reports.json(report)));
            return Main.DONE;
        }
        report.lines().forEach(line -> printer.println(Main.oneLine(line)));
        printer.println(Main.oneLine(target + ": written"));
        if (!djl) {
            config.differenceToTimm().ifPresent(why -> printer.println("for ConvZoo only: " + why));
        }
        return Main.DONE;
    }

    private enum Kind {
        SAFETENSORS,
        DJL
    }

    private static Kind kind(Path file) {
        String name = file.toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".safetensors")) {
            return Kind.SAFETENSORS;
        }
        if (name.endsWith(".params")) {
            return Kind.DJL;
        }
        throw new IllegalArgumentException(
                file + ": convert writes .safetensors and .params files, or a model folder with --output; use one of"
                        + " these");
    }

    private static void requireEmpty(Path folder) throws IOException {
        OutputFile.requireFolder("--output", folder);
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> inside = Files.list(folder)) {
            if (inside.findAny().isPresent()) {
                throw new IllegalArgumentException("--output: " + folder + " is not empty; choose another folder");
            }
        }
    }

    /** Refuses to replace the file that is read. */
    private static void requireAnother(Path in, Path out) throws IOException {
        if (Files.exists(out) && Files.isSameFile(in, out)) {
            throw new IllegalArgumentException(out + ": this is also the input file; choose another output file");
        }
    }
}
