package io.github.convzoo.weights;

import io.github.convzoo.checkpoint.Checkpoint;
import io.github.convzoo.checkpoint.CheckpointException;
import io.github.convzoo.checkpoint.Tensor;
import io.github.convzoo.checkpoint.Value;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * PaddlePaddle's names as canonical names: BatchNorm's {@code _mean} and {@code _variance}, and the weights of linear layers,
 * which Paddle keeps with the inputs first. In the networks here a weight of two dimensions is that of a linear layer.
 */
final class PaddleNames {
    /** Paddle's own names for the parameters, by their names in the state dict. */
    static final String NAME_TABLE = "StructuredToParameterName@@";

    private PaddleNames() {}

    /** A tensor inside other things is saved as a pair of Paddle's own name and the tensor. */
    static Value unwrapped(Value value) {
        return value instanceof Value.Sequence pair
                        && pair.items().size() == 2
                        && pair.items().get(0) instanceof Value.Text
                        && pair.items().get(1) instanceof Tensor tensor
                ? tensor
                : value;
    }

    static Map<String, Tensor> canonical(Checkpoint checkpoint, Map<String, Tensor> tensors)
            throws CheckpointException {
        Map<String, Tensor> canonical = new LinkedHashMap<>();
        for (Map.Entry<String, Tensor> each : tensors.entrySet()) {
            String name = each.getKey().replaceFirst("(^|[.])_mean$", "$1running_mean");
            name = name.replaceFirst("(^|[.])_variance$", "$1running_var");
            Tensor tensor = each.getValue();
            if (tensor.shape().length == 2 && name.endsWith(".weight")) {
                tensor = tensor.transposed();
            }
            if (canonical.put(name, tensor.withName(name)) != null) {
                throw new CheckpointException(
                        checkpoint.file(), -1, name, "stands twice, under Paddle's name and another", null);
            }
        }
        return canonical;
    }
}
