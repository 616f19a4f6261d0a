package io.github.convzoo.weights;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.network.DlaVariant;
import io.github.convzoo.network.Network;
import io.github.convzoo.weights.WeightLoader.Classifier;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Loads a file that is shortened between the last look at its length and the copying of its tensors, in a process of
 * its own, and then the whole file. The moment is certain: a file that has moved is one whose length cannot be looked
 * up.
 */
final class ShortenedLoadMain {

    private ShortenedLoadMain() {}

    public static void main(String[] arguments) throws IOException {
        Path file = Path.of(arguments[0]);
        Path moved = file.resolveSibling("moved.safetensors");
        Network network = DlaVariant.DLA46X_C.build();
        for (boolean whole : new boolean[] {false, true}) {
            Files.copy(file, moved);
            Path read = file.resolveSibling("read.safetensors");
            Files.move(moved, read);
            StateDict state = StateDict.of(Checkpoint.read(read));
            Files.move(read, moved);
            if (!whole) {
                try (FileChannel channel = FileChannel.open(moved, StandardOpenOption.WRITE)) {
                    channel.truncate(channel.size() / 2);
                }
            }
            try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
                System.out.println("loaded "
                        + WeightLoader.load(state, network, manager, new Shape(1, 3, 32, 32), Classifier.MUST_MATCH)
                                .loaded()
                                .size());
            } catch (CheckpointException e) {
                System.out.println(e.getMessage());
            }
            Files.delete(moved);
        }
    }
}
