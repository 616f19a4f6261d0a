package io.github.convzoo.checkpoint;

import java.util.List;
import java.util.regex.Pattern;

/**
 * PaddlePaddle's names: BatchNorm's {@code _mean} and {@code _variance}, and the weights of linear layers, which Paddle
 * stores with the input dimension first. In ConvZoo's networks, a weight of two dimensions belongs to a linear layer.
 */
final class PaddleDialect implements Dialect {
    static final PaddleDialect INSTANCE = new PaddleDialect();

    /** Paddle's own names for the parameters, by their names in the state dict. */
    static final String NAME_TABLE = "StructuredToParameterName@@";

    static final Pattern MEAN = Pattern.compile("(^|[.])_mean$");
    static final Pattern VARIANCE = Pattern.compile("(^|[.])_variance$");

    /** The prefix of Paddle's DataParallel, and PyTorch's for converted files. */
    private static final List<String> WRAPPERS = List.of("_layers.", "module.", "_orig_mod.");

    private PaddleDialect() {}

    @Override
    public boolean isDescription(String name) {
        return name.equals(NAME_TABLE);
    }

    /** A nested tensor is saved as a pair of Paddle's own name and the tensor. */
    @Override
    public Value unwrapped(Value entry) {
        return entry instanceof Value.Sequence pair
                        && pair.items().size() == 2
                        && pair.items().get(0) instanceof Value.Text
                        && pair.items().get(1) instanceof Tensor tensor
                ? tensor
                : entry;
    }

    @Override
    public String name(String name) {
        String rest = PyTorchDialect.stripped(name, WRAPPERS);
        String mean = MEAN.matcher(rest).replaceFirst("$1running_mean");
        return VARIANCE.matcher(mean).replaceFirst("$1running_var");
    }

    @Override
    public Tensor tensor(String name, Tensor tensor) {
        String canonical = name(name);
        boolean linear = tensor.shape().length == 2 && canonical.endsWith(".weight");
        return (linear ? tensor.transposed() : tensor).withName(canonical);
    }
}
