package io.github.convzoo.export;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import io.github.convzoo.nn.CanonicalNames;
import io.github.convzoo.nn.Traced;
import io.github.convzoo.nn.Tracer;
import io.github.convzoo.weights.ModelConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** Any block, of which only the computation is known. */
record BlockSource(Block block, Shape shape) implements ExportSource {

    @Override
    public Recorded record(ExportOptions options) {
        if (options.preprocess() || options.features() || options.classMaps()) {
            throw new IllegalArgumentException("a " + name()
                    + " has no known preprocessing, feature maps, or classifier; export it without these options");
        }
        Traced traced = Tracer.trace(block, shape);
        int outputs = traced.graph().outputs().size();
        List<String> names = outputs == 1
                ? List.of("output")
                : IntStream.range(0, outputs).mapToObj(i -> "output_" + i).toList();
        return new Recorded(traced.graph(), traced.input(), names, traced, this::forward);
    }

    private NDList forward(NDList input) {
        return block.forward(new ParameterStore(input.get(0).getManager(), false), input, false);
    }

    @Override
    public Map<String, String> metadata(ExportOptions options) {
        return Map.of("model", name());
    }

    @Override
    public Optional<ModelConfig> config() {
        return Optional.empty();
    }

    private String name() {
        return CanonicalNames.kind(block);
    }
}
