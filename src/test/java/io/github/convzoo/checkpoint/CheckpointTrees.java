package io.github.convzoo.checkpoint;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Checkpoints that no file holds, for tests of what reads their trees. */
public final class CheckpointTrees {

    private CheckpointTrees() {}

    /** A checkpoint of the given content, as if it were read from a PyTorch file. */
    public static Checkpoint of(Value root) {
        return new Checkpoint(Path.of("tree.pth"), Format.PYTORCH_ZIP, root, Map.of(), List.of());
    }

    /** A tensor of one element again and again, which takes no more memory than that. */
    public static Tensor repeated(String name, ElementType type, long... shape) {
        return Tensor.strided(
                name, type, shape, Tensor.elements(shape), new long[shape.length], ByteBuffer.allocate(type.bytes()));
    }
}
