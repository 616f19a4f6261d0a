package io.github.convzoo.quantize;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.github.convzoo.data.Batch;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.Epoch;
import io.github.convzoo.export.ExportDraft;
import io.github.convzoo.export.ExportOptions;
import io.github.convzoo.export.ExportReport;
import io.github.convzoo.export.ExportRuntime;
import io.github.convzoo.export.ExportedModel;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Node;
import io.github.convzoo.graph.Pass;
import io.github.convzoo.graph.Quantize;
import io.github.convzoo.graph.Range;
import io.github.convzoo.graph.Tensor;
import io.github.convzoo.graph.Value;
import io.github.convzoo.nn.PreparedGraph;
import io.github.convzoo.weights.ModelFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/** A network calibrated by {@link Quantizer}. */
public final class QuantizedNetwork {

    private final ExportDraft draft;
    private final Graph graph;
    private final QuantizeOptions options;
    private final Predicate<Node> floats;
    private final Observations seen;
    private final Map<Value, Range> ranges;

    QuantizedNetwork(ExportDraft draft, Graph graph, QuantizeOptions options, Predicate<Node> floats, Observations seen)
            throws IOException {
        this.draft = draft;
        this.graph = graph;
        this.options = options;
        this.floats = floats;
        this.seen = seen;
        ranges = seen.ranges(options.calibration());
    }

    /** {@return the options} */
    public QuantizeOptions options() {
        return options;
    }

    /**
     * {@return the quantized graph: the float simulation of the written file, which agrees with it up to the rounding
     * of each value}
     */
    public Graph graph() {
        return quantized(floats);
    }

    /** The values of the graph's parameters. */
    Tensor.Source parameters() {
        return draft.parameters();
    }

    /**
     * Writes the network.
     *
     * @param folder the model folder; created if missing
     * @return the report
     * @throws IOException if the file cannot be written, or the folder has another model
     */
    public QuantizationReport write(Path folder) throws IOException {
        ExportDraft rounded = draft.quantized(
                graph(),
                seen::sample,
                options.weightBits(),
                "%s, %d images".formatted(options.calibration().name().toLowerCase(Locale.ROOT), seen.images()));
        List<Node> layers = Quantize.layers(graph);
        return new QuantizationReport(
                write(rounded, folder),
                seen.images(),
                (int) layers.stream().filter(floats.negate()).count(),
                layers.stream().filter(floats).map(Node::name).distinct().toList(),
                seen.notes());
    }

    private ExportReport write(ExportDraft rounded, Path folder) throws IOException {
        if (options.format() == ExportOptions.Format.TORCHSCRIPT) {
            // Before the other file, so that the other is never alone.
            draft.write(folder, ModelFolder.TORCHSCRIPT_FLOATS);
        }
        return rounded.write(folder);
    }

    private Graph quantized(Predicate<Node> kept) {
        return Pass.applyAll(
                graph,
                List.of(draft.input()),
                List.of(new Quantize(ranges, kept, Quantizer.sums(options.format()), options.weightBits())));
    }

    /**
     * Quantizes one layer at a time, and compares the outputs on some of the calibration images.
     *
     * @param progress called with the number of layers done
     * @return the layers, the most sensitive first
     */
    public List<LayerError> layerErrors(IntConsumer progress) {
        List<String> names = Quantize.layers(graph).stream()
                .filter(floats.negate())
                .map(Node::name)
                .distinct()
                .toList();
        List<LayerError> errors = new ArrayList<>();
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            NDArray images = seen.sample(manager);
            float[] expected = outputs(graph, images);
            for (String name : names) {
                float[] actual = outputs(quantized(node -> !node.name().equals(name)), images);
                errors.add(new LayerError(name, distance(expected, actual)));
                progress.accept(errors.size());
            }
        }
        return errors.stream()
                .sorted(Comparator.comparingDouble(LayerError::error).reversed())
                .toList();
    }

    private float[] outputs(Graph changed, NDArray images) {
        try (PreparedGraph prepared = draft.prepare(changed);
                NDArray output = prepared.run(new NDList(images)).get(0)) {
            return output.toFloatArray();
        }
    }

    private static double distance(float[] expected, float[] actual) {
        double difference = 0;
        double scale = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += Math.pow(expected[i] - (double) actual[i], 2);
            scale += Math.pow(expected[i], 2);
        }
        return Math.sqrt(difference / Math.max(scale, Double.MIN_NORMAL));
    }

    /**
     * Classifies images with the original network and with the written file; if the file could not be run here, as the
     * report says, with the float simulation.
     *
     * @param report the result of {@link #write}
     * @param images batches of the network's input, preferably not used for calibration
     * @param progress called after each batch with the number of images done
     * @return the agreement
     * @throws IOException if the file or an image cannot be read, or no image can
     * @throws InterruptedException if the thread is interrupted
     */
    public Agreement compare(QuantizationReport report, BatchLoader images, IntConsumer progress)
            throws IOException, InterruptedException {
        if (report.written().checks().isEmpty()) {
            try (PreparedGraph simulated = draft.prepare(graph())) {
                return compare(simulated::run, images, progress);
            }
        }
        ExportRuntime runtime = ExportRuntime.of(options.format()).get(0);
        try (ExportedModel model = runtime.open(report.written().file())) {
            return compare(model::run, images, progress);
        }
    }

    private Agreement compare(UnaryOperator<NDList> quantized, BatchLoader images, IntConsumer progress)
            throws IOException, InterruptedException {
        Agreement sum = new Agreement(0, 0, 0, 0);
        try (PreparedGraph network = draft.prepare(graph);
                NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                Epoch epoch = images.epoch(0, 0)) {
            for (Batch next = epoch.next(); next != null; next = epoch.next()) {
                try (Batch batch = next;
                        NDManager step = manager.newSubManager()) {
                    NDList input = new NDList(batch.toArray(step));
                    sum = add(sum, batch.labels(), classes(network.run(input)), classes(quantized.apply(input)));
                }
                progress.accept(sum.images());
            }
        }
        if (sum.images() == 0) {
            throw new IOException("none of the images could be read");
        }
        return sum;
    }

    private static long[] classes(NDList outputs) {
        return outputs.get(0).argMax(1).toLongArray();
    }

    private static Agreement add(Agreement sum, int[] labels, long[] expected, long[] actual) {
        int same = 0;
        int floatCorrect = 0;
        int quantizedCorrect = 0;
        for (int i = 0; i < labels.length; i++) {
            same += expected[i] == actual[i] ? 1 : 0;
            floatCorrect += expected[i] == labels[i] ? 1 : 0;
            quantizedCorrect += actual[i] == labels[i] ? 1 : 0;
        }
        return new Agreement(
                sum.images() + labels.length,
                sum.same() + same,
                sum.floatCorrect() + floatCorrect,
                sum.quantizedCorrect() + quantizedCorrect);
    }
}
