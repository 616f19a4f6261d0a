package io.github.convzoo.export;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Npy;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.image.Normalization;
import io.github.convzoo.image.Preprocessing;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Reference;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.ForeignNetwork;
import io.github.convzoo.weights.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;

/**
 * Exports every network of ConvZoo, and some of DJL's model zoo, in both formats, with an input and its logits, for
 * src/test/python/check_exports.py. Networks that take any image are exported for two sizes.
 *
 * <p>Arguments: the folder to write to, and the {@link Target}.
 */
public final class ExportEveryNetwork {

    private static final int BATCH = 5;
    private static final int[][] SIZES = {{128, 128}, {64, 96}};

    /** Networks whose first linear layer needs the whole map, so that they take one size only. */
    private static final Set<ForeignNetwork> OF_ONE_SIZE =
            EnumSet.of(ForeignNetwork.VGG_11, ForeignNetwork.ALEXNET, ForeignNetwork.LENET, ForeignNetwork.MLP);

    private final Path folder;
    private final Target target;

    private ExportEveryNetwork(Path folder, Target target) {
        this.folder = folder;
        this.target = target;
    }

    public static void main(String[] args) throws IOException {
        ExportEveryNetwork exports = new ExportEveryNetwork(Path.of(args[0]), Target.valueOf(args[1]));
        for (Variant variant : Variant.all().values()) {
            for (int[] size : SIZES) {
                exports.export(variant, size);
            }
            System.err.println(variant.modelName());
        }
        for (ForeignNetwork network : ForeignNetwork.values()) {
            Shape input = network.input();
            exports.export(network, input);
            if (!OF_ONE_SIZE.contains(network)) {
                exports.export(network, new Shape(1, input.get(1), input.get(2) + 32, input.get(3) + 64));
            }
            System.err.println(network);
        }
    }

    private void export(Variant variant, int[] size) throws IOException {
        ModelConfig config = ModelConfig.usual(variant)
                .withPreprocessing(Preprocessing.unresized(size[0], size[1], Normalization.IMAGENET));
        Network network = variant.build(config.options());
        Shape shape = new Shape(BATCH, 3, size[0], size[1]);
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Reference.initialize(network, manager, "python/", shape);
            network.freezeParameters(true);
            export(variant.modelName(), network, new Exporter(network, config), shape, manager);
        }
    }

    private void export(ForeignNetwork network, Shape image) throws IOException {
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Block block = network.initialized(manager);
            Shape shape = new Shape(BATCH).addAll(image.slice(1));
            export("djl-" + network, block, Exporter.of(block, image), shape, manager);
        }
    }

    private void export(String name, Block block, Exporter exporter, Shape shape, NDManager manager)
            throws IOException {
        Path to = folder.resolve("%s-%dx%d".formatted(name, shape.get(2), shape.get(3)));
        Files.createDirectories(to);
        exporter.export(to, ExportOptions.onnx().withTarget(target));
        exporter.export(to, ExportOptions.torchScript().withTarget(target));
        NDArray input = Reference.image(manager, "python/", shape);
        NDArray logits = block.forward(new ParameterStore(manager, false), new NDList(input), false)
                .singletonOrThrow();
        write(to.resolve("input.npy"), input);
        write(to.resolve("logits.npy"), logits);
    }

    private static void write(Path file, NDArray array) throws IOException {
        Npy.write(file, Tensor.of("array", ElementType.F32, array.getShape().getShape(), array.toByteBuffer()));
    }
}
