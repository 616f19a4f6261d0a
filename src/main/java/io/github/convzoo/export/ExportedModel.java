package io.github.convzoo.export;

import ai.djl.ndarray.NDList;

/** An exported file, loaded into a runtime. */
public interface ExportedModel extends AutoCloseable {

    /**
     * Runs the model. Thread-safe.
     *
     * @param inputs float32 (N, C, H, W), or bytes (N, H, W, C) if the file preprocesses; they stay open
     * @return the outputs, with the inputs' manager
     */
    NDList run(NDList inputs);

    /** {@return the input of the file} */
    ExportedInput input();

    /**
     * {@return whether the outputs of a sample have the same bits in any batch} ONNX Runtime computes samples one by
     * one; PyTorch chooses its kernels by the batch's size.
     */
    boolean isBatchInvariant();

    /** {@return whether the last output is class activation maps (N, classes, H, W)} */
    boolean hasClassMaps();

    @Override
    void close();
}
