package io.github.convzoo.export;

import ai.djl.ndarray.types.Shape;
import io.github.convzoo.graph.ClassMaps;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Surroundings;
import io.github.convzoo.graph.Type;
import io.github.convzoo.graph.Value;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.network.Network;
import io.github.convzoo.nn.Traced;
import io.github.convzoo.nn.Tracer;
import io.github.convzoo.weights.ModelConfig;
import io.github.convzoo.weights.ModelFolder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A network of ConvZoo with its configuration. */
record NetworkSource(Network network, ModelConfig configuration) implements ExportSource {

    @Override
    public Recorded record(ExportOptions options) {
        int height = configuration.preprocessing().height();
        int width = configuration.preprocessing().width();
        Shape input = new Shape(1, network.options().inChannels(), height, width);
        network.getOutputShapes(new Shape[] {input});
        Traced traced = Tracer.trace(network, input);
        Graph graph = surrounded(traced.graph(), options);
        return new Recorded(
                graph, inputType(options, height, width), names(options), traced, inputs -> traced.run(graph, inputs));
    }

    private Graph surrounded(Graph traced, ExportOptions options) {
        Graph graph = traced;
        if (options.features()) {
            List<Value> outputs = new ArrayList<>(graph.outputs());
            List<String> stages = network.featureStages();
            outputs.add(graph.named(stages.get(stages.size() - 1)));
            outputs.add(graph.named(Network.POOLED));
            graph = graph.cut(graph.inputs(), outputs);
        }
        if (options.classMaps()) {
            if (network.options().numClasses() == 0) {
                throw new IllegalArgumentException(
                        network.modelName() + " has no classifier, so there are no class activation maps; omit them");
            }
            graph = ClassMaps.of(graph);
        }
        if (options.preprocess()) {
            if (network.options().numClasses() == 0) {
                throw new IllegalArgumentException(
                        network.modelName() + " has no classifier, so there are no probabilities; omit preprocessing");
            }
            Normalization normalization = configuration.preprocessing().normalization();
            graph = Surroundings.withSoftmax(
                    Surroundings.withPixels(graph, normalization.meanFloats(), normalization.stdFloats()));
        }
        return graph;
    }

    private Type inputType(ExportOptions options, int height, int width) {
        long channels = network.options().inChannels();
        return options.preprocess()
                ? new Type(Type.Element.BYTE, List.of(Type.ANY, (long) height, (long) width, channels))
                : Type.of(Type.ANY, channels, height, width);
    }

    private List<String> names(ExportOptions options) {
        List<String> names = new ArrayList<>();
        names.add(options.preprocess() ? "probabilities" : network.options().numClasses() == 0 ? "pooled" : "logits");
        if (options.features()) {
            names.add("features");
            names.add(names.contains("pooled") ? "pooled_features" : "pooled");
        }
        if (options.classMaps()) {
            names.add(NetworkFile.CLASS_MAPS);
        }
        return names;
    }

    @Override
    public Map<String, String> metadata(ExportOptions options) {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("model", network.modelName());
        metadata.put(NetworkFile.PREPROCESS, Boolean.toString(options.preprocess()));
        if (options.classMaps()) {
            metadata.put(NetworkFile.CLASS_MAPS, "true");
        }
        metadata.put(ModelFolder.CONFIG, configuration.toJson());
        configuration.labels().ifPresent(labels -> metadata.put("labels", String.join("\n", labels.names())));
        configuration.tag().ifPresent(tag -> metadata.put("tag", tag));
        configuration.license().ifPresent(license -> metadata.put("license", license));
        return metadata;
    }

    @Override
    public Optional<ModelConfig> config() {
        return Optional.of(configuration);
    }
}
