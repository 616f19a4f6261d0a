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
     * {@return the dialect of a format}
     *
     * @param format the format
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
     * {@return the names of a training checkpoint's entries that contain weights by convention, in order of preference,
     * averaged weights first}
     */
    default List<String> places() {
        return List.of("state_dict_ema", "model_ema", "state_dict", "model");
    }

    /** {@return whether tensors are named by their order alone, so that only a network can name them} */
    default boolean isOrdered() {
        return false;
    }

    /**
     * {@return whether an entry describes the others, and so is not a weight, and not mentioned in a report}
     *
     * @param name its name in the file
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
     * {@return PyTorch's name for an entry, without the prefixes of model wrappers, such as {@code
     * layer1.0.bn1.running_mean}}
     *
     * @param name its name in the file
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
     * {@return the reason why an entry is irrelevant to every network; empty if it may be a weight}
     *
     * @param name PyTorch's name for it
     * @param tensor the entry
     */
    default Optional<Extra> extra(String name, Tensor tensor) {
        return Optional.empty();
    }
}
