package io.github.convzoo.checkpoint;

/** A file format, as told from a file's content; names and extensions do not count. */
public enum Format {
    /** A safetensors file: a JSON header and one block of data. */
    SAFETENSORS,

    /** The index of a model in several safetensors files: JSON that names the file of each tensor. */
    SAFETENSORS_INDEX,

    /** The index of a model in several files of {@code torch.save}: JSON that names the file of each tensor. */
    PYTORCH_INDEX,

    /** What {@code torch.save} writes since PyTorch 1.6: a zip archive of a pickle and one entry a storage. */
    PYTORCH_ZIP,

    /** What {@code torch.save} wrote before PyTorch 1.6: pickles one after the other, then the storages. */
    PYTORCH_LEGACY,

    /** A TorchScript archive, of which the tensors are read and the code is not. */
    TORCHSCRIPT,

    /** What {@code numpy.savez} and {@code numpy.savez_compressed} write: a zip archive of {@code .npy} files. */
    NUMPY_ZIP,

    /** MXNet's {@code .params}: a list of arrays and one of their names. */
    MXNET,

    /** DJL's {@code .params}: parameters in the order of the block tree, without their paths. */
    DJL,

    /** What {@code paddle.save} writes since PaddlePaddle 2.0: a bare pickle of NumPy arrays, with Paddle's own marks. */
    PADDLE,

    /** What {@code pickle.dump} writes of a mapping of NumPy arrays or PyTorch tensors: a bare pickle. */
    PICKLE
}
