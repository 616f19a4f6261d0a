package io.github.convzoo.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Class activation maps: a network's classifier applied to each position of the last map, without pooling.
 *
 * <p>Zhou, Khosla, Lapedriza, Oliva and Torralba, Learning Deep Features for Discriminative Localization, CVPR 2016.
 * They are exact if the network ends with global average pooling and one linear layer: pooling and the layer can then
 * be swapped.
 */
public final class ClassMaps {

    private ClassMaps() {}

    /**
     * Adds the maps of all classes to a network.
     *
     * @param graph a graph whose first output is logits (N, classes)
     * @return the graph with one more output, the last: (N, classes, H, W), with the height and width of the last map.
     *     Its mean over the positions, plus the classifier's bias, is the logits
     * @throws IllegalArgumentException if the network ends otherwise; the message says with which operation
     */
    public static Graph of(Graph graph) {
        Map<Value, Node> definitions = new HashMap<>();
        graph.nodes().forEach(node -> node.outputs().forEach(value -> definitions.put(value, node)));
        Node classifier = origin(graph.outputs().get(0), definitions);
        @Nullable Op perPosition = classifier == null ? null : perPosition(classifier.op());
        if (classifier == null || perPosition == null) {
            throw inexact(classifier, "instead of one linear layer or 1 x 1 convolution");
        }
        @Nullable Node pool = origin(classifier.inputs().get(0), definitions);
        if (pool == null || pool.op() != Op.GlobalPool.AVERAGE) {
            throw inexact(pool, "instead of a global average pool before its classifier");
        }
        Value maps = new Value(graph.nextId());
        List<Node> nodes = new ArrayList<>(graph.nodes());
        nodes.add(new Node(classifier.name(), perPosition, pool.inputs(), List.of(maps)));
        List<Value> outputs = new ArrayList<>(graph.outputs());
        outputs.add(maps);
        return new Graph(graph.inputs(), nodes, outputs, graph.names());
    }

    /** The node that computes a value, up to its shape; dropout does nothing at inference. Null for an input. */
    private static @Nullable Node origin(Value value, Map<Value, Node> definitions) {
        Node node = definitions.get(value);
        while (node != null && (node.op() instanceof Op.Reshape || node.op() instanceof Op.Dropout)) {
            node = definitions.get(node.inputs().get(0));
        }
        return node;
    }

    /** The classifier as a 1 x 1 convolution without its bias, which has no position; null if it is something else. */
    private static @Nullable Op perPosition(Op classifier) {
        Window pixel = Window.square(1, 1, 0);
        if (classifier instanceof Op.Linear linear) {
            return new Op.Convolution(new Constant.Pixelwise(linear.weight()), null, linear.units(), pixel, 1);
        }
        if (classifier instanceof Op.Convolution conv && conv.window().equals(pixel) && conv.groups() == 1) {
            return new Op.Convolution(conv.weight(), null, conv.filters(), pixel, 1);
        }
        return null;
    }

    private static IllegalArgumentException inexact(@Nullable Node found, String expected) {
        return new IllegalArgumentException("there is no class activation map, because the network has "
                + (found == null ? "its input" : found.op().kind() + at(found)) + " " + expected);
    }

    private static String at(Node node) {
        return node.name().isEmpty() ? "" : " (at " + node.name() + ")";
    }
}
