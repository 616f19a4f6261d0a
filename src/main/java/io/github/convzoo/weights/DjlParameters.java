package io.github.convzoo.weights;

import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.ReplacedFile;
import io.github.convzoo.network.Network;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Path;

/**
 * Writes a network's parameters in the format of DJL's {@code Model.save}. {@link Checkpoint#read(Path)} reads them.
 */
public final class DjlParameters {
    private static final int MODEL_VERSION = 1;

    private DjlParameters() {}

    /**
     * Writes a file that DJL's {@code Model.load} loads into the same network. The file is written atomically.
     *
     * @param file the file, replaced if it exists. {@code Model.load} looks for the model's name and a number: {@code
     *     dla34-0000.params}
     * @param network the network, initialized
     * @throws CheckpointException if writing fails
     * @throws IllegalArgumentException if the network is not initialized
     */
    public static void write(Path file, Network network) throws CheckpointException {
        if (!network.isInitialized()) {
            throw new IllegalArgumentException(network.modelName() + " has no parameters yet; initialize it first");
        }
        ReplacedFile.write(file, channel -> {
            DataOutputStream out = new DataOutputStream(new BufferedOutputStream(Channels.newOutputStream(channel)));
            writeHeader(out, network);
            network.saveParameters(out);
            out.flush();
        });
    }

    /** The header of BaseModel.save in DJL 0.35, without properties. */
    private static void writeHeader(DataOutputStream out, Network network) throws IOException {
        out.writeBytes("DJL@");
        out.writeInt(MODEL_VERSION);
        out.writeUTF(network.modelName());
        out.writeUTF("FLOAT32");
        // No inputs are described, because the blocks have the shapes that they were initialized for.
        out.writeInt(0);
        out.writeInt(0);
    }
}
