package io.github.convzoo.cli;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.repository.zoo.ZooModel;
import io.github.convzoo.image.ImageDecoder;
import io.github.convzoo.image.RgbImage;
import io.github.convzoo.zoo.ConvZoo;
import io.github.convzoo.zoo.EmbeddingIndex;
import io.github.convzoo.zoo.StreamResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
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
        name = "embed",
        description = "Turn images into vectors, for example to search for similar ones.",
        footer = {
            "",
            "Writes VECTORS.npy, one row of float32 per image (numpy.load reads it); VECTORS.names.txt, the images'"
                    + " names, one per line (names.txt for vectors.npy); and VECTORS.json, which describes the model."
                    + " An image that cannot be read is reported and has no row.",
            "",
            "Examples:",
            "  convzoo embed photos/ --recursive --model dla34 --compiled --output vectors.npy",
            "  convzoo embed --list photos.txt --model run --normalize --output vectors.npy"
        })
final class EmbedCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec = CommandSpec.create();

    @ParentCommand
    Main main = Main.inProcess();

    @Parameters(
            arity = "0..*",
            paramLabel = "IMAGE",
            description = "Image files (" + ImageDecoder.FORMATS + "), folders of images, or URLs; - for an image from"
                    + " standard input.")
    List<String> images = new ArrayList<>();

    @Option(
            names = "--list",
            paramLabel = "FILE",
            description = "A file that lists images, folders, or URLs, one per line; - for standard input.")
    @Nullable String list;

    @Option(names = "--recursive", description = "Also search subfolders.")
    boolean recursive;

    @Option(
            names = "--output",
            paramLabel = "VECTORS.npy",
            required = true,
            description = "The file for the vectors; the others are next to it. Those of an earlier index are replaced"
                    + " when all images are done.")
    Path output = Path.of("");

    @Option(
            names = "--normalize",
            description = "Divide each vector by its length, so that dot products are cosine similarities.")
    boolean normalize;

    @Mixin
    ModelOptions model = new ModelOptions();

    @Mixin
    InputOptions input = new InputOptions();

    @Mixin
    StreamingOptions streaming = new StreamingOptions();

    @Mixin
    CompileOptions compile = new CompileOptions();

    @Mixin
    ComputeOptions compute = new ComputeOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    @Override
    public Integer call() throws Exception {
        OutputFile.requireFile("--output", output);
        if (!output.toString().toLowerCase(Locale.ROOT).endsWith(".npy")) {
            throw new IllegalArgumentException("--output: vectors go to a .npy file, not " + output);
        }
        OutputFile.Existing existing = OutputFile.Existing.among(output);
        ImageNames names = new ImageNames(images, Optional.ofNullable(list), recursive, main.in);
        Optional<Device> device = compute.applyForMany();
        PrintWriter err = spec.commandLine().getErr();
        model.requireModel();
        ModelOptions.Opened opened = model.open(model.options(main, common, err), input, null, compile, device);
        ImageDecoder decoder = model.decoder(opened);
        try (ZooModel<RgbImage, float[]> loaded =
                        ConvZoo.loadEmbeddings(opened.model(), RgbImage.class, opened.options());
                EmbeddingIndex.Writer writer =
                        EmbeddingIndex.Writer.create(output, model.model, probe(loaded), normalize);
                CleanExit exit = new CleanExit(main.ended, () -> {})) {
            boolean failed = embed(loaded, names, decoder, writer, exit);
            if (exit.isAskedFor()) {
                err.println("convzoo: stopped after " + Count.of(writer.size(), "image") + "; " + output
                        + " was not written");
                return Main.FAILED;
            }
            if (writer.size() == 0) {
                throw new IOException("no image could be read, so " + output + " was not written");
            }
            writer.finish();
            existing.sayReplaced(err);
            spec.commandLine()
                    .getOut()
                    .println(Main.oneLine(output.toString()) + ": " + Count.of(writer.size(), "vector"));
            return failed ? Main.FAILED : Main.DONE;
        }
    }

    private static float[] probe(ZooModel<RgbImage, float[]> loaded) throws Exception {
        try (Predictor<RgbImage, float[]> predictor = loaded.newPredictor()) {
            return EmbeddingIndex.probe(predictor);
        }
    }

    /** Appends the vectors of all images; whether one could not be read. */
    private boolean embed(
            ZooModel<RgbImage, float[]> loaded,
            ImageNames names,
            ImageDecoder decoder,
            EmbeddingIndex.Writer writer,
            CleanExit exit)
            throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        ProgressBar bar = new ProgressBar(err, names.count().orElse(0), ProgressBar.Unit.IMAGES);
        boolean failed = false;
        long done = 0;
        try (Stream<StreamResult<ImageNames.Entry, float[]>> results =
                ConvZoo.stream(loaded, names.iterator(), entry -> names.read(entry, decoder), streaming.get())) {
            Iterator<StreamResult<ImageNames.Entry, float[]>> all = results.iterator();
            while (!exit.isAskedFor() && all.hasNext()) {
                Optional<String> problem = append(writer, all.next());
                if (problem.isPresent()) {
                    failed = true;
                    bar.clear();
                    err.println("convzoo: " + Main.oneLine(problem.get()));
                }
                done++;
                bar.update(done);
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        } finally {
            bar.clear();
        }
        return failed;
    }

    /** Appends a vector. Returns the reason if it is missing or an index cannot have it. */
    private static Optional<String> append(EmbeddingIndex.Writer writer, StreamResult<ImageNames.Entry, float[]> result)
            throws IOException {
        if (result instanceof StreamResult.Failure<ImageNames.Entry, float[]> failure) {
            return Optional.of(String.valueOf(failure.error().getMessage()));
        }
        if (result instanceof StreamResult.Success<ImageNames.Entry, float[]> success) {
            try {
                writer.append(success.item().name(), success.output());
            } catch (IllegalArgumentException e) {
                return Optional.of(String.valueOf(e.getMessage()));
            }
        }
        return Optional.empty();
    }
}
