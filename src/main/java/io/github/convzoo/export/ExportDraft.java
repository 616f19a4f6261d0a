package io.github.convzoo.export;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.ReplacedFile;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Tensor;
import io.github.convzoo.graph.Type;
import io.github.convzoo.nn.PreparedGraph;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A network that is ready for export: its graph can be inspected, run, and replaced. */
public final class ExportDraft {

    private final ExportSource source;
    private final ExportSource.Recorded recorded;
    private final ExportOptions options;
    private final Graph graph;
    private final Map<String, String> metadata;
    private final ExportCheck check;

    ExportDraft(ExportSource source, ExportSource.Recorded recorded, ExportOptions options, Graph graph) {
        this(source, recorded, options, graph, Map.of(), ExportCheck.onNoise(recorded));
    }

    private ExportDraft(
            ExportSource source,
            ExportSource.Recorded recorded,
            ExportOptions options,
            Graph graph,
            Map<String, String> metadata,
            ExportCheck check) {
        this.source = source;
        this.recorded = recorded;
        this.options = options;
        this.graph = graph;
        this.metadata = metadata;
        this.check = check;
    }

    /** {@return the graph that will be written: the network's graph after the passes for its format} */
    public Graph graph() {
        return graph;
    }

    /** {@return the type of the graph's only input, for example (N, 3, 224, 224)} */
    public Type input() {
        return recorded.input();
    }

    /**
     * {@return a source that reads a parameter of the graph by its canonical name, with its value at the time of
     * reading}
     */
    public Tensor.Source parameters() {
        return recorded.traced().parameterValues();
    }

    /**
     * Prepares a graph of this network for running in the network's engine.
     *
     * @param changed the graph, changed by passes or cut
     * @return the prepared graph
     */
    public PreparedGraph prepare(Graph changed) {
        return recorded.traced().prepare(changed);
    }

    /**
     * {@return a draft of this network, quantized} The written file is compared with the quantized graph.
     *
     * @param changed the graph to write, with the inputs and outputs of {@link #graph}
     * @param images creates the input to compare on, with the given manager
     * @param weightBits the width of the weights, 7 or 8
     * @param how how the ranges were determined, for readers of the file
     */
    public ExportDraft quantized(Graph changed, Function<NDManager, NDArray> images, int weightBits, String how) {
        Map<String, String> about = new LinkedHashMap<>();
        about.put("quantization", weightBits + "-bit weights, " + how);
        about.put(NetworkFile.WEIGHT_BITS, Integer.toString(weightBits));
        if (options.format() == ExportOptions.Format.TORCHSCRIPT) {
            // Its operators are oneDNN's, on any x86 processor.
            about.put(NetworkFile.TARGET, Target.AVX2.name());
        }
        return new ExportDraft(
                source,
                recorded,
                options,
                changed,
                about,
                ExportCheck.onImages(inputs -> recorded.traced().run(changed, inputs), images));
    }

    /**
     * Writes the draft: see {@link Exporter#export}.
     *
     * @param folder the model folder; created if missing
     * @return the report
     * @throws CheckpointException if the file cannot be written
     * @throws ExportException if the written file computes different results from the network; nothing is left behind
     * @throws IOException if the folder has another model, or cannot be read
     */
    public ExportReport write(Path folder) throws IOException {
        return write(folder, options.format().file());
    }

    /**
     * Writes the draft under another name than the format's default.
     *
     * @param folder the model folder; created if missing
     * @param name the file's name
     * @return the report
     * @throws CheckpointException if the file cannot be written
     * @throws ExportException if the written file computes different results from the network; nothing is left behind
     * @throws IOException if the folder has another model, or cannot be read
     */
    public ExportReport write(Path folder, String name) throws IOException {
        Map<String, String> all = new LinkedHashMap<>(source.metadata(options));
        all.put(NetworkFile.TARGET, options.target().name());
        all.putAll(metadata);
        NetworkFile file = new NetworkFile(
                graph,
                recorded.input(),
                recorded.outputs(),
                parameters(),
                options.precision(),
                all,
                recorded.traced().isForAnySize());
        requireSameModel(folder);
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new IOException(folder + ": is a file; pass a folder");
        }
        boolean made = !Files.exists(folder);
        Files.createDirectories(folder);
        Path draft = Files.createTempDirectory(folder, ".export");
        try {
            Path written = draft.resolve(name);
            options.format().write(file, options.target(), written);
            Path place = folder.resolve(name);
            @Nullable String obstacle = obstacle(all);
            ExportReport report = new ExportReport(
                    place,
                    Files.size(written),
                    recorded.graph().nodes().size(),
                    graph.nodes().size(),
                    obstacle == null ? check.check(file, written, place, options.format()) : List.of(),
                    obstacle == null ? List.of() : List.of(place + ": not run here because " + obstacle));
            return uninterrupted(() -> publish(draft, written, folder, report));
        } finally {
            ModelFolder.delete(draft);
            if (made && isEmpty(folder)) {
                Files.delete(folder);
            }
        }
    }

    /** Moves a checked draft into the model folder, and writes the files about it. */
    private ExportReport publish(Path draft, Path written, Path folder, ExportReport report) throws IOException {
        move(draft, written, folder);
        if (source.config().isEmpty()) {
            return report;
        }
        ModelConfig config = source.config().get();
        if (ModelFolder.config(folder).isEmpty()) {
            ModelFolder.writeConfig(folder, config);
        }
        return report.withMoreNotes(ServingFiles.write(folder, config, options));
    }

    /**
     * Does work on another thread. An interrupt of this one would end it between two files, which belong together; one
     * that came before ends it now.
     */
    private static <T> T uninterrupted(Callable<T> work) throws IOException {
        if (Thread.currentThread().isInterrupted()) {
            throw new ClosedByInterruptException();
        }
        FutureTask<T> task = new FutureTask<>(work);
        new Thread(task, "convzoo-export").start();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Why the file cannot run here; null if it can. */
    private @Nullable String obstacle(Map<String, String> about) {
        String bits = about.get(NetworkFile.WEIGHT_BITS);
        return bits == null || options.format() != ExportOptions.Format.TORCHSCRIPT
                ? null
                : Target.obstacleToIntegers(Device.cpu(), Integer.parseInt(bits));
    }

    private void requireSameModel(Path folder) throws IOException {
        Optional<ModelConfig> there = Files.isDirectory(folder) ? ModelFolder.config(folder) : Optional.empty();
        if (there.isPresent() && !source.config().map(ModelConfig::toJson).equals(there.map(ModelConfig::toJson))) {
            throw new IOException(folder + ": has another model ("
                    + there.get().variant().modelName() + "), or the same with other settings; choose another folder");
        }
    }

    /** Moves the model last, after the files that it refers to. */
    private static void move(Path draft, Path model, Path folder) throws IOException {
        try (DirectoryStream<Path> others = Files.newDirectoryStream(draft, each -> !each.equals(model))) {
            for (Path each : others) {
                ReplacedFile.move(each, folder.resolve(each.getFileName()));
            }
        }
        ReplacedFile.move(model, folder.resolve(model.getFileName()));
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            return !files.iterator().hasNext();
        }
    }
}
