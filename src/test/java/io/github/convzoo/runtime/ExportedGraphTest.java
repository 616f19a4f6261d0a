package io.github.convzoo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.export.ExportedInput;
import io.github.convzoo.export.ExportedModel;
import io.github.convzoo.image.Normalization;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a file that takes images as bytes is given for normalized floats. */
class ExportedGraphTest {

    private static final Normalization NORMALIZATION = Normalization.IMAGENET;
    private static final Shape INPUT = new Shape(1, 3, 1, 2);
    private static final float[] PIXELS = {0, 1, 127, 128, 254, 255};

    private final NDManager manager = NDManager.newBaseManager("PyTorch");

    @AfterEach
    void close() {
        manager.close();
    }

    /** Remembers what it is given, and gives probabilities. */
    private static final class Recording implements ExportedModel {

        private final List<Integer> bytes = new ArrayList<>();

        @Override
        public boolean isBatchInvariant() {
            return false;
        }

        @Override
        public NDList run(NDList inputs) {
            NDArray input = inputs.singletonOrThrow();
            assertThat(input.getDataType()).isEqualTo(DataType.UINT8);
            assertThat(input.getShape().slice(1)).isEqualTo(new Shape(1, 2, 3));
            for (int value : input.toType(DataType.INT32, true).toIntArray()) {
                bytes.add(value);
            }
            return new NDList(input.getManager().create(new float[] {0.25f, 0.75f}, new Shape(1, 2)));
        }

        @Override
        public ExportedInput input() {
            return new ExportedInput(true, Optional.of(new Shape(1, 2, 3)));
        }

        @Override
        public boolean hasClassMaps() {
            return false;
        }

        @Override
        public void close() {}
    }

    private NDArray normalized(float[] pixels) {
        float[] floats = new float[pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            double mean = NORMALIZATION.mean().get(i / 2);
            double std = NORMALIZATION.std().get(i / 2);
            floats[i] = (float) ((pixels[i] / 255 - mean) / std);
        }
        return manager.create(floats, INPUT);
    }

    @Test
    void pixels_areRecovered_andProbabilitiesBecomeTheirLogarithms() {
        Recording model = new Recording();
        try (ExportedGraph graph = new ExportedGraph(Path.of("model.onnx"), model, NORMALIZATION, 2)) {
            float[] logits =
                    graph.run(new NDList(normalized(PIXELS))).singletonOrThrow().toFloatArray();
            assertThat(model.bytes).containsExactly(0, 127, 254, 1, 128, 255);
            assertThat(logits)
                    .containsExactly(new float[] {(float) Math.log(0.25), (float) Math.log(0.75)}, within(1e-6f));
        }
    }

    /** Outside 0 to 255 by one level, between two levels, and not a number. */
    @ParameterizedTest
    @ValueSource(floats = {-1, 256, 100.5f, 99.97f, Float.NaN})
    void floats_thatNoPixelGives_areRefused(float level) {
        float[] pixels = PIXELS.clone();
        pixels[3] = level;
        Recording model = new Recording();
        try (ExportedGraph graph = new ExportedGraph(Path.of("model.onnx"), model, NORMALIZATION, 2)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> graph.run(new NDList(normalized(pixels))))
                    .withMessageContaining("this input is not an image normalized as in config.json");
        }
        assertThat(model.bytes).isEmpty();
    }

    @Test
    void output_ofAnotherShape_isRefused() {
        for (int classes : new int[] {1, 3}) {
            Recording model = new Recording();
            try (ExportedGraph graph = new ExportedGraph(Path.of("model.onnx"), model, NORMALIZATION, classes)) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> graph.run(new NDList(normalized(PIXELS))))
                        .withMessageStartingWith("model.onnx: its output has the shape (1, 2), but (1, " + classes
                                + ") (images, classes) is expected by config.json");
            }
        }
        Recording model = new Recording();
        try (ExportedGraph graph = new ExportedGraph(Path.of("model.onnx"), model, NORMALIZATION, 2)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> graph.run(new NDList(normalized(PIXELS).repeat(0, 2))))
                    .withMessageContaining("its output has the shape (1, 2), but (2, 2)");
        }
        try (ExportedGraph graph = new ExportedGraph(Path.of("model.onnx"), model, NORMALIZATION, 0)) {
            assertThat(graph.run(new NDList(normalized(PIXELS)))
                            .singletonOrThrow()
                            .getShape())
                    .isEqualTo(new Shape(1, 2));
        }
    }
}
