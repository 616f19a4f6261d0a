package io.github.convzoo.export;

import ai.djl.ndarray.NDList;

/** An exported file, loaded into a runtime. */
public interface ExportedModel extends AutoCloseable {

    /**
     * Runs the model. May be called by several threads at once.
     *
     * @param inputs float32 (N, C, H, W), or bytes (N, H, W, C) if the file preprocesses; they stay open
     * @return the outputs, with the inputs' manager
     */
    NDList run(NDList inputs);

    /**
     * What the file takes.
     *
     * @return its input
     */
    ExportedInput input();

    @Override
    void close();
}
