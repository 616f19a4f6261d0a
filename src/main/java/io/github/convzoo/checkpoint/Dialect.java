package io.github.convzoo.checkpoint;

import java.util.List;
import java.util.Optional;

/**
 * What the files of a format mean: where weights are, what their names stand for, and which entries are not weights. The
 * names and tensors that it gives are those of PyTorch's modules. It knows no network.
 */
public sealed interface Dialect permits PyTorchDialect, ScriptDialect, PaddleDialect, MxnetDialect, DjlDialect {

    /** Why an entry that a file has next to its weights means nothing to any network. */
    enum Extra {
        /** A tensor that a TorchScript archive's code uses and that is not a parameter. */
        SCRIPT_CONSTANT,
        /** How many models PyTorch's {@code AveragedModel} has averaged. */
        AVERAGE_COUNT,
        /** What the profiler thop leaves in each module: the number of its operations and parameters. */
        PROFILER_COUNT
    }

    /**
     * The dialect of a format.
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
     * The entries of a training checkpoint that hold weights by convention.
     *
     * @return their names, the preferred one first: that of averaged weights
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
     * @return whether it is left out without a word in any report
     */
    default boolean isDescription(String name) {
        return false;
    }

    /**
     * What an entry holds, without what the format puts around tensors.
     *
     * @param entry an entry of the weights
     * @return the tensor that it stands for; the entry itself if it stands for none
     */
    default Value unwrapped(Value entry) {
        return entry;
    }

    /**
     * PyTorch's name for an entry, without the prefixes that wrapping a model leaves.
     *
     * @param name its name in the file
     * @return the name, such as {@code layer1.0.bn1.running_mean}
     */
    String name(String name);

    /**
     * A tensor as PyTorch would have it.
     *
     * @param name its name in the file
     * @param tensor the tensor
     * @return the tensor under PyTorch's name, in PyTorch's layout
     */
    default Tensor tensor(String name, Tensor tensor) {
        return tensor.withName(name(name));
    }

    /**
     * Why an entry means nothing to any network.
     *
     * @param name PyTorch's name for it
     * @param tensor the entry
     * @return the reason; empty if it may be a weight
     */
    default Optional<Extra> extra(String name, Tensor tensor) {
        return Optional.empty();
    }
}
