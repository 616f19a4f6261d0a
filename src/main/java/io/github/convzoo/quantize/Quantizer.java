package io.github.convzoo.quantize;

import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import io.github.convzoo.data.Batch;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.Epoch;
import io.github.convzoo.export.ExportDraft;
import io.github.convzoo.export.ExportOptions;
import io.github.convzoo.export.Exporter;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.NormalizationToConvolution;
import io.github.convzoo.graph.Pass;
import io.github.convzoo.graph.Quantize;
import io.github.convzoo.graph.Value;
import io.github.convzoo.graph.WidenGroups;
import io.github.convzoo.network.Network;
import io.github.convzoo.nn.PreparedGraph;
import io.github.convzoo.weights.ModelConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Quantizes a network to 8-bit integers and writes it to a model folder: a quarter of the size, and faster on
 * processors that multiply bytes. Needs no training, only some typical images.
 *
 * <pre>{@code
 * QuantizationReport report = new Quantizer(network, config)
 *         .quantize(Path.of("dla34-int8"), QuantizeOptions.onnx(), images, done -> {});
 * }</pre>
 */
public final class Quantizer {

    /** ONNX Runtime's integer kernels are fast from 32 channels per group. */
    private static final List<Pass> FOR_ONNX = List.of(new NormalizationToConvolution(), new WidenGroups(16, 32));

    private static final List<Pass> FOR_TORCHSCRIPT = List.of(new NormalizationToConvolution());

    private final Exporter exporter;

    private Quantizer(Exporter exporter) {
        this.exporter = exporter;
    }

    /**
     * Creates a quantizer of a network.
     *
     * @param network initialized, on the CPU
     * @param config its configuration: the input's size, preprocessing, labels
     */
    public Quantizer(Network network, ModelConfig config) {
        this(new Exporter(network, config));
    }

    /**
     * {@return a new quantizer of any DJL block: see {@link Exporter#of}}
     *
     * @param block a block with one input and one output, initialized, on the CPU
     * @param input the input's shape, such as (1, 3, 224, 224)
     */
    public static Quantizer of(Block block, Shape input) {
        return new Quantizer(Exporter.of(block, input));
    }

    /**
     * Calibrates the network, and writes it.
     *
     * @param folder the model folder; created if missing
     * @param options the options
     * @param images batches of the network's input: a few hundred images, preprocessed as for prediction, not mixed
     * @param progress called after each batch with the number of images done
     * @return the report
     * @throws IOException if an image or the folder cannot be read, no image can be read, or the file cannot be written
     * @throws InterruptedException if the thread is interrupted
     * @throws IllegalArgumentException if every image is a single color, a name in the options matches no layer, or the
     *     network cannot be exported
     */
    public QuantizationReport quantize(Path folder, QuantizeOptions options, BatchLoader images, IntConsumer progress)
            throws IOException, InterruptedException {
        return calibrate(options, images, progress).write(folder);
    }

    /**
     * Runs the network on images to determine the ranges of its values.
     *
     * @param options the options
     * @param images batches of the network's input: a few hundred images, preprocessed as for prediction, not mixed
     * @param progress called after each batch with the number of images done
     * @return the quantized network, ready for writing
     * @throws IOException if an image cannot be read, or none can
     * @throws InterruptedException if the thread is interrupted
     * @throws IllegalArgumentException if every image is a single color, a name in the options matches no layer, or the
     *     network cannot be exported
     */
    public QuantizedNetwork calibrate(QuantizeOptions options, BatchLoader images, IntConsumer progress)
            throws IOException, InterruptedException {
        ExportDraft draft = exporter.draft(ExportOptions.of(options.format()).withClassMaps(options.classMaps()));
        Graph graph = Pass.applyAll(draft.graph(), List.of(draft.input()), passes(options.format()));
        LayerNames floats = LayerNames.of(options.floats(), graph);
        List<Value> values = Quantize.values(graph, floats, sums(options.format()));
        if (values.isEmpty()) {
            throw new IllegalArgumentException("no layer to quantize; keep fewer layers in float");
        }
        Observations seen = new Observations(graph, values);
        try (PreparedGraph observed = draft.prepare(graph.cut(graph.inputs(), seen.computed()));
                Epoch epoch = images.epoch(0, 0)) {
            for (Batch next = epoch.next(); next != null; next = epoch.next()) {
                try (Batch batch = next) {
                    seen.add(batch, observed);
                }
                progress.accept(seen.images());
            }
        }
        return new QuantizedNetwork(draft, graph, options, floats, seen);
    }

    private static List<Pass> passes(ExportOptions.Format format) {
        return switch (format) {
            case ONNX -> FOR_ONNX;
            case TORCHSCRIPT -> FOR_TORCHSCRIPT;
            default -> throw without(format);
        };
    }

    static Quantize.Sums sums(ExportOptions.Format format) {
        return switch (format) {
            case ONNX -> Quantize.Sums.OF_ROUNDED;
            case TORCHSCRIPT -> Quantize.Sums.IN_CONVOLUTION;
            default -> throw without(format);
        };
    }

    private static IllegalArgumentException without(ExportOptions.Format format) {
        return new IllegalArgumentException("the format " + format.file() + " has no quantized networks");
    }
}
