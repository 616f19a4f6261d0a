package io.github.convzoo.train;

import ai.djl.ndarray.NDManager;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A process that trains in a folder, going on with what is there, and saves after every step. Its arguments are the
 * folder, the optimiser and the number of epochs. It says that it has started, waits for a line, and says when it is
 * done.
 */
public final class RunMain {

    private RunMain() {}

    public static void main(String[] args) throws Exception {
        // Loads the engine, so that what follows takes the time of the steps and the saving alone.
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            SmallNetworks.dynamic(manager);
        }
        int epochs = Integer.parseInt(args[2]);
        System.out.println("started");
        if (System.in.read() >= 0) {
            Runs.run(
                    Path.of(args[0]),
                    Runs.recipe(args[1], epochs),
                    -1,
                    epochs,
                    Duration.ZERO,
                    () -> false,
                    new TrainingRun.Listener() {});
            System.out.println("done");
        }
    }
}
