package io.github.convzoo.cli;

import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.Conversion;
import io.github.convzoo.weights.LoadReport;
import io.github.convzoo.weights.ReadOptions;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "convert",
        description = "Write a checkpoint as safetensors under canonical names, or as DJL's .params.",
        footer = {
            "",
            "Everything in the file must fit the network; what the network has no use for is left out and named.",
            "",
            "Example:",
            "  convzoo convert dla34-ba72cf86.pth dla34.safetensors --model dla34"
        })
final class ConvertCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Parameters(
            index = "0",
            paramLabel = "IN",
            description = "A checkpoint: safetensors, .pth, .pt, .pth.tar, .params, .npz.")
    Path in = Path.of("");

    @Parameters(
            index = "1",
            paramLabel = "OUT",
            description = "The safetensors or .params file, replaced if it exists.")
    Path out = Path.of("");

    @Option(
            names = "--model",
            paramLabel = "NAME",
            required = true,
            description = "The network; convzoo list shows them.")
    String model = "";

    @Option(
            names = "--half",
            description = "Write kernels and matrices in half precision, as safetensors: half of the room.")
    boolean half;

    @Option(names = "--json", description = "Print the report as JSON.")
    boolean json;

    @Mixin
    ReadingOptions reading = new ReadingOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    @Override
    public Integer call() throws Exception {
        Variant variant = Variant.of(model);
        boolean djl = out.toString().endsWith(".params");
        if (half && djl) {
            throw new IllegalArgumentException("--half: DJL's .params are of single precision; write safetensors");
        }
        ReadOptions read = reading.options();
        LoadReport report = djl
                ? Conversion.toDjl(in, read, out, variant)
                : half
                        ? Conversion.toHalfSafetensors(in, read, out, variant)
                        : Conversion.toSafetensors(in, read, out, variant);
        PrintWriter printer = spec.commandLine().getOut();
        if (json) {
            printer.println(Json.of(Reports.json(report)));
            return Main.DONE;
        }
        report.lines().forEach(line -> printer.println(Main.oneLine(line)));
        printer.println(out + ": written");
        return Main.DONE;
    }
}
