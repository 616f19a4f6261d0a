package io.github.convzoo.benchmark;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Safetensors;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.network.Network;
import io.github.convzoo.network.Variant;
import io.github.convzoo.nn.CanonicalNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Checkpoints of initial values, for what does not ask whether a network has learned anything. */
final class RandomWeights {

    private RandomWeights() {}

    /** A network's file in a folder, written unless it is there. */
    static Path of(String model, Path folder) throws IOException {
        Path file = Files.createDirectories(folder).resolve(model + "_random.safetensors");
        if (!Files.exists(file)) {
            generate(model, file);
        }
        return file;
    }

    private static void generate(String model, Path file) throws IOException {
        Variant variant = Variant.of(model);
        Network network = variant.build();
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            network.initialize(manager, DataType.FLOAT32, new Shape(1, 3, variant.inputSize(), variant.inputSize()));
            List<Tensor> tensors = new ArrayList<>();
            CanonicalNames.parameters(network).forEach((name, parameter) -> {
                NDArray array = parameter.getArray();
                tensors.add(Tensor.of(name, ElementType.F32, array.getShape().getShape(), array.toByteBuffer()));
            });
            Safetensors.write(file, tensors, Map.of());
        }
    }
}
