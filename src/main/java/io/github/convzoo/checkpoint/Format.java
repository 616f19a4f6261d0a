package io.github.convzoo.checkpoint;

/** A file format, as detected from a file's content; names and extensions do not matter. */
public enum Format {
    /** A safetensors file: a JSON header and one block of data. */
    SAFETENSORS,

    /** The index of a sharded safetensors checkpoint: JSON that maps each tensor to a file. */
    SAFETENSORS_INDEX,

    /** The index of a sharded {@code torch.save} checkpoint: JSON that maps each tensor to a file. */
    PYTORCH_INDEX,

    /** The format of {@code torch.save} since PyTorch 1.6: a zip archive of a pickle and one entry per storage. */
    PYTORCH_ZIP,

    /** The format of {@code torch.save} before PyTorch 1.6: consecutive pickles, then the storages. */
    PYTORCH_LEGACY,

    /** A TorchScript archive; only its tensors are read, not its code. */
    TORCHSCRIPT,

    /** The format of {@code numpy.savez} and {@code numpy.savez_compressed}: a zip archive of {@code .npy} files. */
    NUMPY_ZIP,

    /** MXNet's {@code .params}: a list of arrays and a list of their names. */
    MXNET,

    /** DJL's {@code .params}: parameters in the order of the block tree, without their paths. */
    DJL,

    /**
     * The format of {@code paddle.save} since PaddlePaddle 2.0: a bare pickle of NumPy arrays, with Paddle's markers.
     */
    PADDLE,

    /** A bare pickle from {@code pickle.dump} of a mapping of NumPy arrays or PyTorch tensors. */
    PICKLE
}
