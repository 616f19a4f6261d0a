package io.github.convzoo.checkpoint;

import java.util.List;
import java.util.Optional;

/**
 * The conventions of a format: where weights are, what their names mean, and which entries are not weights. The names
 * and tensors that it returns are those of PyTorch's modules. It is independent of the networks.
 */
public sealed interface Dialect permits PyTorchDialect, ScriptDialect, PaddleDialect, MxnetDialect, DjlDialect {

    /** Why an entry next to the weights is irrelevant to every network. */
    enum Extra {
        /** A tensor that a TorchScript archive's code uses and that is not a parameter. */
        SCRIPT_CONSTANT,
        /** The number of models averaged by PyTorch's {@code AveragedModel}. */
        AVERAGE_COUNT,
        /** Counters of operations and parameters that the profiler thop leaves in each module. */
        PROFILER_COUNT
    }

    /**
     * Returns the dialect of a format.
     *
     * @param format the format
     * @return its dialect
     */
    static Dialect of(Format format) {
        return switch (format) {
            case SAFETENSORS, SAFETENSORS_INDEX, PYTORCH_ZIP, PYTORCH_LEGACY, PYTORCH_INDEX, NUMPY_ZIP, PICKLE ->
                PyTorchDialect.INSTANCE;
            case TORCHSCRIPT -> ScriptDialect.INSTANCE;
            case PADDLE -> PaddleDialect.INSTANCE;
            case MXNET -> MxnetDialect.INSTANCE;
            case DJL -> DjlDialect.INSTANCE;
        };
    }

    /**
     * Returns the entries of a training checkpoint that contain weights by convention.
     *
     * @return their names, in order of preference, averaged weights first
     */
    default List<String> places() {
        return List.of("state_dict_ema", "model_ema", "state_dict", "model");
    }

    /**
     * Whether tensors are named by their order alone, so that only a network can name them.
     *
     * @return whether they are
     */
    default boolean isOrdered() {
        return false;
    }

    /**
     * Whether an entry describes the others, and so is not a weight.
     *
     * @param name its name in the file
     * @return whether to omit it without mention in a report
     */
    default boolean isDescription(String name) {
        return false;
    }

    /**
     * Unwraps an entry that the format puts around tensors.
     *
     * @param entry an entry of the weights
     * @return the tensor inside; the entry itself if it is not a wrapper
     */
    default Value unwrapped(Value entry) {
        return entry;
    }

    /**
     * Returns PyTorch's name for an entry, without the prefixes of model wrappers.
     *
     * @param name its name in the file
     * @return the name, such as {@code layer1.0.bn1.running_mean}
     */
    String name(String name);

    /**
     * Converts a tensor to PyTorch's conventions.
     *
     * @param name its name in the file
     * @param tensor the tensor
     * @return the tensor under PyTorch's name, in PyTorch's layout
     */
    default Tensor tensor(String name, Tensor tensor) {
        return tensor.withName(name(name));
    }

    /**
     * Returns why an entry is irrelevant to every network.
     *
     * @param name PyTorch's name for it
     * @param tensor the entry
     * @return the reason; empty if it may be a weight
     */
    default Optional<Extra> extra(String name, Tensor tensor) {
        return Optional.empty();
    }
}
