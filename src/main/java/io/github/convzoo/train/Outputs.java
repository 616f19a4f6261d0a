package io.github.convzoo.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import io.github.convzoo.data.Batch;
import io.github.convzoo.data.BatchLoader;
import io.github.convzoo.data.Epoch;
import java.io.IOException;
import java.util.function.IntConsumer;

/** A network's outputs for every batch of a data set, in inference mode. */
final class Outputs {

    private Outputs() {}

    /** Processes a batch's output, (N, ...); both are closed afterwards. */
    @FunctionalInterface
    interface Use {
        void accept(Batch batch, NDArray output);
    }

    /**
     * Runs the network on one batch after the other.
     *
     * @param network from the batches' shape to one array; initialized
     * @param manager its device is used for computation
     * @param images without mixing
     * @param use receives each batch with its output
     * @param progress called after each batch with the number of images done
     * @throws IOException if an image cannot be read and bad images are not skipped, or none can be read
     * @throws InterruptedException if the thread is interrupted
     */
    static void forEach(Block network, NDManager manager, BatchLoader images, Use use, IntConsumer progress)
            throws IOException, InterruptedException {
        int done = 0;
        try (Epoch epoch = images.epoch(0, 0)) {
            for (Batch next = epoch.next(); next != null; next = epoch.next()) {
                try (Batch batch = next;
                        NDManager step = manager.newSubManager()) {
                    if (batch.lambda() != 1) {
                        throw new IllegalArgumentException(
                                "mixed images have no single class; load them without mixing");
                    }
                    NDList input = new NDList(batch.toArray(step));
                    use.accept(
                            batch,
                            network.forward(new ParameterStore(step, false), input, false)
                                    .singletonOrThrow());
                    done += batch.size();
                }
                progress.accept(done);
            }
        }
        if (done == 0) {
            throw new IOException("none of the images could be read");
        }
    }
}
