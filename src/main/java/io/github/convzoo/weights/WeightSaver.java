package io.github.convzoo.weights;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Block;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.ElementType;
import io.github.convzoo.checkpoint.Safetensors;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.nn.CanonicalNames;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a network's weights as safetensors under canonical names, like PyTorch's state dicts. {@link WeightLoader}
 * and {@link Checkpoint#read(Path)} read them.
 */
public final class WeightSaver {

    private WeightSaver() {}

    /**
     * Writes a network's weights. The file is written atomically.
     *
     * @param file the file, replaced if it exists
     * @param network any block, initialized, in float32
     * @throws CheckpointException if writing fails
     * @throws IllegalArgumentException if the network is not initialized
     */
    public static void save(Path file, Block network) throws CheckpointException {
        // Python's library asks for the framework of the tensors.
        save(file, network, Map.of("format", "pt"));
    }

    /**
     * Writes a network's weights with the model's configuration in the metadata, so that the file is a complete model.
     *
     * @param file the file, replaced if it exists
     * @param network any block, initialized, in float32
     * @param config the model's configuration
     * @throws CheckpointException if writing fails
     * @throws IllegalArgumentException if the network is not initialized
     */
    public static void save(Path file, Block network, ModelConfig config) throws CheckpointException {
        save(file, network, metadata(config));
    }

    /** The metadata of a weights file. */
    static Map<String, String> metadata(ModelConfig config) {
        return Map.of("format", "pt", ModelFolder.METADATA, config.toJson());
    }

    private static void save(Path file, Block network, Map<String, String> metadata) throws CheckpointException {
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        CanonicalNames.parameters(network).forEach((name, parameter) -> {
            if (!parameter.isInitialized()) {
                throw new IllegalArgumentException("parameter " + name + " has no values yet; initialize the network");
            }
            arrays.put(name, parameter.getArray());
        });
        write(file, arrays, metadata);
    }

    /**
     * Writes arrays as safetensors. The file is written atomically.
     *
     * @param file the file, replaced if it exists
     * @param arrays the arrays by name, in float32, on any device
     * @param metadata text for the file's header
     * @throws CheckpointException if writing fails
     */
    public static void write(Path file, Map<String, NDArray> arrays, Map<String, String> metadata)
            throws CheckpointException {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            List<Tensor> tensors = new ArrayList<>(arrays.size());
            arrays.forEach((name, array) -> tensors.add(tensor(name, array, manager)));
            Safetensors.write(file, tensors, metadata);
        }
    }

    /** A view of an array on the CPU, or of a copy owned by the manager if the array is elsewhere. */
    private static Tensor tensor(String name, NDArray array, NDManager manager) {
        if (array.getDataType() != DataType.FLOAT32) {
            throw new IllegalArgumentException(name + " has the type " + array.getDataType() + ", not FLOAT32");
        }
        NDArray local = array;
        if (!array.getDevice().equals(Device.cpu())) {
            local = array.toDevice(Device.cpu(), true);
            local.attach(manager);
        }
        ByteBuffer bytes = local.toByteBuffer(true);
        return Tensor.of(name, ElementType.F32, array.getShape().getShape(), bytes);
    }
}
