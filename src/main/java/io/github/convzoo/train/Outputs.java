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

/** What a network, not training, makes of every batch of a data set. */
final class Outputs {

    private Outputs() {}

    /** What happens to a batch's output, (N, ...), which is closed afterwards, as the batch is. */
    @FunctionalInterface
    interface Use {
        void accept(Batch batch, NDArray output);
    }

    /**
     * Runs the network on one batch after the other.
     *
     * @param network from the batches' shape to one array; initialised
     * @param manager its device is the one to compute on
     * @param images not mixed
     * @param use is given each batch with its output
     * @param progress is told how many images are done, after each batch
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
                        throw new IllegalArgumentException("mixed images have no one class; load them unmixed");
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
