package io.github.convzoo.export;

import ai.djl.ndarray.types.Shape;
import io.github.convzoo.graph.Graph;
import io.github.convzoo.graph.Pass;
import io.github.convzoo.graph.Type;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.Tracer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Writes passes-before.dot and passes-after.dot into a folder: the first two blocks of dpn68b. docs/images/passes.png
 * has the pictures that Graphviz makes of them ({@code dot -Tpng -Gdpi=36}) side by side.
 */
final class DrawPasses {

    private DrawPasses() {}

    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[0]);
        Variant variant = Variant.of("dpn68b");
        Network network = variant.build(variant.options());
        Shape shape = new Shape(1, 3, 224, 224);
        network.getOutputShapes(new Shape[] {shape});
        Graph whole = Tracer.trace(network, shape).graph();
        List<Type> input = List.of(Type.of(Type.ANY, 3, 224, 224));
        Graph before = whole.cut(whole.inputs(), List.of(whole.named("features.conv2_2")));
        Graph after = Pass.applyAll(before, input, Exporter.passes(ExportOptions.onnx()));
        Files.writeString(folder.resolve("passes-before.dot"), before.toDot(before.types(input)));
        Files.writeString(folder.resolve("passes-after.dot"), after.toDot(after.types(input)));
    }
}
