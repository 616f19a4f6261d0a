package io.github.convzoo.checkpoint;

import java.util.List;
import java.util.Optional;

/** PyTorch's names in a TorchScript archive, which also has the constants of its code. */
final class ScriptDialect implements Dialect {
    static final ScriptDialect INSTANCE = new ScriptDialect();

    private static final String CONSTANTS = "CONSTANTS.";

    private ScriptDialect() {}

    @Override
    public List<String> places() {
        return List.of();
    }

    @Override
    public String name(String name) {
        return PyTorchDialect.INSTANCE.name(name);
    }

    @Override
    public Optional<Extra> extra(String name, Tensor tensor) {
        return name.startsWith(CONSTANTS)
                ? Optional.of(Extra.SCRIPT_CONSTANT)
                : PyTorchDialect.INSTANCE.extra(name, tensor);
    }
}
