package io.github.convzoo.export;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Npy;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.weights.ModelConfig;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Exports every network in both formats and two sizes, with an input and its logits, for
 * src/test/python/check_exports.py.
 *
 * <p>Argument: the folder to write to.
 */
public final class ExportEveryNetwork {

    private static final int BATCH = 5;
    private static final int[][] SIZES = {{128, 128}, {64, 96}};

    private ExportEveryNetwork() {}

    public static void main(String[] args) throws IOException {
        for (Variant variant : Variant.all().values()) {
            for (int[] size : SIZES) {
                export(variant, Path.of(args[0]).resolve(variant.modelName() + "-" + size[0] + "x" + size[1]), size);
            }
            System.err.println(variant.modelName());
        }
    }

    private static void export(Variant variant, Path folder, int[] size) throws IOException {
        ModelConfig config = ModelConfig.usual(variant)
                .withPreprocessing(Preprocessing.unresized(size[0], size[1], Normalization.IMAGENET));
        Network network = variant.build(config.options());
        Shape shape = new Shape(BATCH, 3, size[0], size[1]);
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Reference.initialize(network, manager, "python/", shape);
            network.freezeParameters(true);
            Exporter exporter = new Exporter(network, config);
            exporter.export(folder, ExportOptions.onnx());
            exporter.export(folder, ExportOptions.torchScript());
            NDArray input = Reference.image(manager, "python/", shape);
            NDArray logits = network.forward(new ParameterStore(manager, false), new NDList(input), false)
                    .singletonOrThrow();
            write(folder.resolve("input.npy"), input);
            write(folder.resolve("logits.npy"), logits);
        }
    }

    private static void write(Path file, NDArray array) throws IOException {
        Npy.write(file, Tensor.of("array", ElementType.F32, array.getShape().getShape(), array.toByteBuffer()));
    }
}
