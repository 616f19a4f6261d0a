package io.github.convzoo.graph;

import java.util.ArrayList;
import java.util.List;

/** Adds preprocessing and softmax to a network, so that it takes images and returns probabilities. */
public final class Surroundings {

    private Surroundings() {}

    /**
     * Prepends the conversion of images: bytes (N, H, W, C) become floats (N, C, H, W) that are scaled and shifted per
     * channel.
     *
     * @param graph a graph whose input is (N, C, H, W)
     * @param mean subtracted from pixels of 0 to 1, per channel
     * @param std then divides them, per channel
     * @return the graph with bytes as input
     */
    public static Graph withPixels(Graph graph, float[] mean, float[] std) {
        float[] scale = new float[mean.length];
        float[] shift = new float[mean.length];
        for (int channel = 0; channel < mean.length; channel++) {
            scale[channel] = 1 / (255 * std[channel]);
            shift[channel] = -mean[channel] / std[channel];
        }
        int next = graph.nextId();
        Value bytes = new Value(next);
        Value pixels = new Value(next + 1);
        List<Node> nodes = new ArrayList<>();
        nodes.add(new Node("preprocessing", new Op.Pixels(), List.of(bytes), List.of(pixels)));
        nodes.add(new Node(
                "preprocessing.normalization",
                new Op.Affine(new Constant.Literal(Tensor.vector(scale)), new Constant.Literal(Tensor.vector(shift))),
                List.of(pixels),
                graph.inputs()));
        nodes.addAll(graph.nodes());
        return new Graph(List.of(bytes), nodes, graph.outputs(), graph.names());
    }

    /**
     * Converts the first output to probabilities.
     *
     * @param graph a graph whose first output is logits (N, classes)
     * @return the graph with a softmax appended
     */
    public static Graph withSoftmax(Graph graph) {
        Value probabilities = new Value(graph.nextId());
        List<Node> nodes = new ArrayList<>(graph.nodes());
        Value logits = graph.outputs().get(0);
        nodes.add(new Node("probabilities", new Op.Softmax(), List.of(logits), List.of(probabilities)));
        List<Value> outputs = new ArrayList<>(graph.outputs());
        outputs.set(0, probabilities);
        return new Graph(graph.inputs(), nodes, outputs, graph.names());
    }
}
