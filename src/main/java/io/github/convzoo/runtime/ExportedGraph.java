package io.github.convzoo.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.export.ExportedModel;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.nn.CompiledGraph;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * An exported file in place of a network: from normalized floats (N, C, H, W) to its first output; others are ignored.
 *
 * <p>A file that preprocesses takes pixels. They are recovered exactly, because a normalized pixel is one of 256
 * levels; floats that match no pixel are refused. Its probabilities become logits by the logarithm: the softmax of a
 * probability's logarithm is the probability.
 */
final class ExportedGraph implements CompiledGraph {

    /**
     * The maximum distance of a recovered pixel from a level: rounding causes much less, any other float more on
     * average.
     */
    private static final float ROUNDING = 0.02f;

    private final Path file;
    private final ExportedModel model;
    private final Normalization normalization;
    private final int classes;

    /** A file with a number of classes; 0 for pooled features of any length. */
    ExportedGraph(Path file, ExportedModel model, Normalization normalization, int classes) {
        this.file = file;
        this.model = model;
        this.normalization = normalization;
        this.classes = classes;
    }

    @Override
    public boolean accepts(Shape input) {
        Shape sample = input.slice(1);
        return model.input().planes().orElse(sample).equals(sample);
    }

    @Override
    public boolean isBatchInvariant() {
        return model.isBatchInvariant();
    }

    @Override
    public NDList run(NDList inputs) {
        return run(inputs, ExportedGraph::first);
    }

    private NDList run(NDList inputs, UnaryOperator<NDList> wanted) {
        NDArray input = inputs.singletonOrThrow();
        requireAccepted(input.getShape());
        return model.input().images() ? images(input, wanted) : wanted.apply(outputs(inputs));
    }

    /** Runs the file, which may be anybody's, and checks its first output. */
    private NDList outputs(NDList inputs) {
        NDList outputs = model.run(inputs);
        Shape actual = outputs.get(0).getShape();
        long images = inputs.get(0).getShape().get(0);
        if (actual.dimension() != 2 || actual.get(0) != images || (classes > 0 && actual.get(1) != classes)) {
            outputs.close();
            throw new IllegalArgumentException(file + ": its output has the shape " + actual + ", but "
                    + new Shape(images, classes) + " (images, classes) is expected by config.json; correct one of them,"
                    + " or export the model again");
        }
        return outputs;
    }

    /** The same file with its class activation maps as a second output; empty if it has none. */
    Optional<CompiledGraph> withClassMaps() {
        return model.hasClassMaps() ? Optional.of(new WithClassMaps(this)) : Optional.empty();
    }

    /** A view of a file; closing it does nothing, because it does not own the file. */
    private record WithClassMaps(ExportedGraph file) implements CompiledGraph {

        @Override
        public boolean accepts(Shape input) {
            return file.accepts(input);
        }

        @Override
        public NDList run(NDList inputs) {
            return file.run(inputs, ExportedGraph::firstAndLast);
        }

        @Override
        public void close() {}
    }

    /** Refuses an input (N, C, H, W) whose size differs from the file's. */
    void requireAccepted(Shape input) {
        if (!accepts(input)) {
            Shape given = input.slice(1);
            throw new IllegalArgumentException(
                    file + ": needs inputs of " + model.input().planes().orElseThrow()
                            + " (channels, height, width), not " + given
                            + "; export the model again with --input-size " + given.get(1) + "x" + given.get(2));
        }
    }

    private static NDList first(NDList outputs) {
        for (NDArray each : outputs.subNDList(1)) {
            each.close();
        }
        return new NDList(outputs.get(0));
    }

    private static NDList firstAndLast(NDList outputs) {
        int last = outputs.size() - 1;
        for (NDArray each : outputs.subNDList(1, last)) {
            each.close();
        }
        return new NDList(outputs.get(0), outputs.get(last));
    }

    private NDList images(NDArray input, UnaryOperator<NDList> wanted) {
        NDManager manager = input.getManager();
        try (NDManager scope = manager.newSubManager()) {
            NDArray floats = input.duplicate();
            floats.attach(scope);
            Shape channels = new Shape(1, normalization.channels(), 1, 1);
            NDArray scaled = floats.mul(scope.create(normalization.stdFloats(), channels))
                    .add(scope.create(normalization.meanFloats(), channels))
                    .mul(255);
            NDArray pixels = scaled.round();
            float distance = pixels.sub(scaled).abs().max().getFloat();
            if (!(distance <= ROUNDING
                    && pixels.min().getFloat() >= 0
                    && pixels.max().getFloat() <= 255)) {
                throw new IllegalArgumentException(
                        file + ": needs images as bytes, but this input is not an image normalized as in config.json;"
                                + " export the model without --with-preprocess to accept any floats");
            }
            NDList output =
                    wanted.apply(outputs(new NDList(pixels.transpose(0, 2, 3, 1).toType(DataType.UINT8, false))));
            output.attach(scope);
            NDList results = new NDList(output.get(0).log());
            results.addAll(output.subNDList(1));
            results.attach(manager);
            return results;
        }
    }

    @Override
    public void close() {
        model.close();
    }
}
