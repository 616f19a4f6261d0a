package io.github.convzoo.weights;

import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.network.Network;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;

/** Writes a network's parameters as DJL's {@code Model.save} does. {@link Checkpoint#read(Path)} reads them. */
public final class DjlParameters {
    private static final int MODEL_VERSION = 1;

    private DjlParameters() {}

    /**
     * Writes a file that DJL's {@code Model.load} loads into the same network. It appears as a whole or not at all.
     *
     * @param file where to write; a file that stands there is replaced. {@code Model.load} looks for the model's name and a
     *     number: {@code dla34-0000.params}
     * @param network the network, initialised
     * @throws CheckpointException if writing fails
     * @throws IllegalArgumentException if the network is not initialised
     */
    public static void write(Path file, Network network) throws CheckpointException {
        if (!network.isInitialized()) {
            throw new IllegalArgumentException(network.modelName() + " has no parameters yet; initialize it first");
        }
        Path name = file.getFileName();
        if (name == null || Files.isDirectory(file)) {
            throw new CheckpointException(file, -1, null, "this is a directory; name a file inside it", null);
        }
        try {
            String suffix = "." + Long.toHexString(ThreadLocalRandom.current().nextLong()) + ".tmp";
            Path temporary = file.resolveSibling("." + name + suffix);
            try {
                try (DataOutputStream out = new DataOutputStream(
                        new BufferedOutputStream(Files.newOutputStream(temporary, StandardOpenOption.CREATE_NEW)))) {
                    writeHeader(out, network);
                    network.saveParameters(out);
                }
                Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            throw new CheckpointException(
                    file, -1, null, "it cannot be written (" + e + "); check the directory's permissions and space", e);
        }
    }

    /** What BaseModel.save of DJL 0.35 writes before the parameters, without properties. */
    private static void writeHeader(DataOutputStream out, Network network) throws IOException {
        out.writeBytes("DJL@");
        out.writeInt(MODEL_VERSION);
        out.writeUTF(network.modelName());
        out.writeUTF("FLOAT32");
        // No inputs are described: the blocks bring the shapes that they were initialised for.
        out.writeInt(0);
        out.writeInt(0);
    }
}
